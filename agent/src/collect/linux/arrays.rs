//! Software RAID from `/sys/block/md*/md` (`Documentation/admin-guide/md.rst`).

use std::path::Path;
use std::time::Instant;

use netmonitor_protocol::payload::Array;

use super::super::{Collector, Part};
use super::sysfs;
use crate::root::Root;

struct Arrays {
    root: Root,
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every collector opens in the same way"
)]
pub(super) fn open(root: &Root) -> anyhow::Result<Box<dyn Collector>> {
    Ok(Box::new(Arrays { root: root.clone() }))
}

impl Collector for Arrays {
    fn read(&mut self, _now: Instant) -> anyhow::Result<Part> {
        let devices = sysfs::entries(&self.root.path("sys/block")).into_iter();
        let arrays: Vec<Array> = devices
            .filter_map(|(name, path)| array(name, &path.join("md")))
            .collect();
        Ok(Part::Arrays(arrays))
    }
}

/// None if it is none, or is not running.
fn array(name: String, folder: &Path) -> Option<Array> {
    let level = sysfs::text(&folder.join("level"))?;
    let state = sysfs::text(&folder.join("array_state"))?;
    if matches!(state.as_str(), "clear" | "inactive") {
        return None;
    }
    Some(Array {
        name,
        level,
        drives: drives(&sysfs::text(&folder.join("raid_disks"))?)?,
        // Levels without redundancy have no such file.
        missing: sysfs::value(&folder.join("degraded")).unwrap_or_default(),
        action: sysfs::text(&folder.join("sync_action")).filter(|action| action != "idle"),
    })
}

/// While it changes its shape it tells both numbers: `3 (2)`.
fn drives(text: &str) -> Option<u32> {
    text.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_tells_how_many_drives_it_misses_and_what_it_does() {
        let folder = tempfile::tempdir().unwrap();
        let check = |name: &str, files: &[(&str, &str)], expected: Option<Array>| {
            let path = folder.path().join("sys/block").join(name).join("md");
            std::fs::create_dir_all(&path).unwrap();
            for (file, text) in files {
                std::fs::write(path.join(file), text).unwrap();
            }
            assert_eq!(array(name.to_owned(), &path), expected);
        };
        let files = [
            ("level", "raid1\n"),
            ("raid_disks", "2\n"),
            ("degraded", "1\n"),
            ("sync_action", "recover\n"),
            ("array_state", "clean\n"),
        ];
        let expected = Array {
            name: "md0".to_owned(),
            level: "raid1".to_owned(),
            drives: 2,
            missing: 1,
            action: Some("recover".to_owned()),
        };
        check("md0", &files, Some(expected));
        let files = [
            ("level", "raid0\n"),
            ("raid_disks", "3 (2)\n"),
            ("array_state", "clean\n"),
        ];
        let expected = Array {
            name: "md1".to_owned(),
            level: "raid0".to_owned(),
            drives: 3,
            missing: 0,
            action: None,
        };
        check("md1", &files, Some(expected));
        check(
            "md2",
            &[("level", "raid1\n"), ("array_state", "inactive\n")],
            None,
        );
        check("sda", &[], None);
    }
}
