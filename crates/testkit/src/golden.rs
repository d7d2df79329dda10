//! A file in the repository must equal what the code produces.

use std::path::Path;

/// Compares the file with `actual`. With `UPDATE_EXPECT=1` in the environment it writes the file
/// instead, so that a change of the contract is a visible diff.
#[expect(
    clippy::disallowed_methods,
    reason = "a switch for developers, read by tests only"
)]
pub fn golden(path: impl AsRef<Path>, actual: &str) {
    let path = path.as_ref();
    if std::env::var("UPDATE_EXPECT").is_ok() {
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory).expect("the folder can be made");
        }
        std::fs::write(path, actual).expect("the file can be written");
        return;
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    if expected == actual {
        return;
    }
    let line = expected
        .lines()
        .zip(actual.lines())
        .position(|(left, right)| left != right)
        .unwrap_or_else(|| expected.lines().count().min(actual.lines().count()));
    panic!(
        "{} is not what the code produces; the first difference is in line {}:\n  file: {:?}\n  \
         code: {:?}\nIf the change is meant, run the test again with UPDATE_EXPECT=1 and commit \
         the file.",
        path.display(),
        line + 1,
        expected.lines().nth(line).unwrap_or_default(),
        actual.lines().nth(line).unwrap_or_default(),
    );
}
