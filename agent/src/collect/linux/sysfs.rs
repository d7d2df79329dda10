//! Small files of `/sys`: one value each.

use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The value in a file; none where there is no such file, where it cannot be read (a sensor
/// without power), or where it has something else in it.
pub(super) fn value<T: FromStr>(path: &Path) -> Option<T> {
    text(path)?.parse().ok()
}

/// The text in a file, without blanks around it; none where it is empty.
pub(super) fn text(path: &Path) -> Option<String> {
    let bytes = std::fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    (!text.is_empty()).then(|| text.to_owned())
}

/// Whether a device sleeps to save power (`Documentation/power/runtime_pm.rst`): asked for anything
/// else, it might be woken.
pub(super) fn is_suspended(device: &Path) -> bool {
    text(&device.join("power/runtime_status")).is_some_and(|it| it == "suspended")
}

/// The entries of a folder with their names, in the order of these, numbers in them by their
/// size: `hwmon2` stands before `hwmon10`. None where there is no such folder.
pub(super) fn entries(folder: &Path) -> Vec<(String, PathBuf)> {
    let Ok(folder) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut entries: Vec<(String, PathBuf)> = folder
        .flatten()
        .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())))
        .collect();
    entries.sort_by(|(a, _), (b, _)| in_order(a).cmp(&in_order(b)));
    entries
}

/// What a name is sorted by.
fn in_order(name: &str) -> (&str, u64, &str) {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = name[stem.len()..].parse().unwrap_or_default();
    (stem, number, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_in_the_order_of_their_numbers() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["hwmon10", "hwmon2", "a", "hwmon0"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let names: Vec<String> = entries(folder.path()).into_iter().map(|it| it.0).collect();
        assert_eq!(names, ["a", "hwmon0", "hwmon2", "hwmon10"]);
        assert_eq!(entries(&folder.path().join("none")), []);
    }

    #[test]
    fn a_value_is_read_without_what_stands_around_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("temp1_input");
        assert_eq!(value::<i64>(&file), None);
        std::fs::write(&file, "-12500\n").unwrap();
        assert_eq!(value::<i64>(&file), Some(-12_500));
        assert_eq!(value::<u8>(&file), None);
        std::fs::write(&file, "\n").unwrap();
        assert_eq!(text(&file), None);
    }
}
