//! Where the programs under test are.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The program of this name. Built by `tests/run`, which says where, or else now.
pub fn program(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(folder).join(name)
}

/// A file of the repository.
pub fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where tests read the environment"
)]
fn folder() -> PathBuf {
    if let Ok(folder) = std::env::var("NETMONITOR_BIN_DIR") {
        return folder.into();
    }
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    // Beside this test, in the same profile.
    let this = std::env::current_exe().expect("a test knows where it is");
    let folder = this.ancestors().nth(2).expect("it is in target/*/deps");
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--profile", profile])
        .args(["-p", "netmonitor-hub", "-p", "netmonitor-agent"])
        .arg("--manifest-path")
        .arg(in_repository("Cargo.toml"))
        .arg("--target-dir")
        .arg(folder.parent().expect("a profile has its folder in target"))
        .status()
        .expect("cargo can be run");
    assert!(built.success(), "the programs cannot be built");
    folder.to_owned()
}
