//! Tests in a process of their own, whose environment is what they need.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Says to such a process that it is one, and where its files are.
const FOLDER: &str = "NETMONITOR_TEST_FOLDER";

/// Runs this test, which is called `name`, in another process, with environment variables that
/// `prepare` returns. It is given a folder in which it may leave something for the test.
pub(crate) fn apart<V: AsRef<OsStr>>(
    name: &str,
    prepare: impl FnOnce(&Path) -> Vec<(&'static str, V)>,
    test: impl AsyncFnOnce(&Path),
) {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        return runtime.block_on(test(&PathBuf::from(folder)));
    }
    let folder = tempfile::tempdir().unwrap();
    let variables = prepare(folder.path());
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder.path())
        .envs(variables)
        .output()
        .unwrap();
    let read = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let (out, error) = (read(&output.stdout), read(&output.stderr));
    assert!(output.status.success(), "{out}\n{error}");
    // Not if there is no test of this name.
    assert!(out.contains("1 passed"), "{out}");
}
