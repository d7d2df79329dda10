//! Whether the machine waits for a restart, and how many packages could be updated: from files
//! that its distribution keeps.

mod apt;
mod version;

use std::time::Instant;

use netmonitor_protocol::payload::Updates;

use super::super::{Collector, Part};
use super::sysfs;
use crate::root::Root;
use apt::Apt;

/// What Debian and Ubuntu make when an update needs a restart (`reboot-required`, made by
/// update-notifier, unattended-upgrades and others).
const REQUIRED: [&str; 2] = ["run/reboot-required", "var/run/reboot-required"];

/// Who makes it, where it is installed.
const WHO_SAYS_SO: [&str; 3] = [
    "usr/share/update-notifier/notify-reboot-required",
    "usr/share/unattended-upgrades",
    "usr/share/reboot-notifier",
];

/// The newest kernel that is installed, on Debian and Ubuntu.
const KERNEL: &str = "vmlinuz";

/// What Ubuntu counts by itself.
const COUNTED: &str = "var/lib/update-notifier/updates-available";

struct Upkeep {
    root: Root,
    apt: Apt,
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every collector opens in the same way"
)]
pub(super) fn open(root: &Root) -> anyhow::Result<Box<dyn Collector>> {
    Ok(Box::new(Upkeep {
        root: root.clone(),
        apt: Apt::new(root),
    }))
}

impl Collector for Upkeep {
    fn read(&mut self, _now: Instant) -> anyhow::Result<Part> {
        let counted = sysfs::text(&self.root.path(COUNTED)).and_then(|text| counted(&text));
        let updates = match counted {
            Some(counted) => Some(counted),
            None => self.apt.updates()?,
        };
        Ok(Part::Upkeep {
            restart_required: restart_required(&self.root),
            updates,
        })
    }
}

/// None where nobody would say so.
fn restart_required(root: &Root) -> Option<bool> {
    if REQUIRED.iter().any(|file| root.path(file).exists()) {
        return Some(true);
    }
    let running = sysfs::text(&root.path("proc/sys/kernel/osrelease"))?;
    // An update has taken away the modules of the kernel that runs.
    let modules = sysfs::entries(&root.path("lib/modules"));
    if !modules.is_empty() && modules.iter().all(|(release, _)| *release != running) {
        return Some(true);
    }
    let newest = std::fs::read_link(root.path(KERNEL)).ok();
    let newest = newest.and_then(|path| {
        let name = path.file_name()?.to_str()?.to_owned();
        name.strip_prefix("vmlinuz-").map(str::to_owned)
    });
    match newest {
        Some(newest) if newest != running => Some(true),
        Some(_) => Some(false),
        None => WHO_SAYS_SO
            .iter()
            .any(|file| root.path(file).exists())
            .then_some(false),
    }
}

/// `12 updates can be applied immediately.` and `3 of these updates are standard security
/// updates.`, each on a line of its own. Additional ones, which need a subscription, are named below;
/// this machine does not get them.
fn counted(text: &str) -> Option<Updates> {
    let number = |line: &str| {
        line.split_ascii_whitespace()
            .find_map(|word| word.parse().ok())
    };
    let mut numbers = text.lines().filter_map(|line| Some((line, number(line)?)));
    let (_, pending) = numbers.next()?;
    let security = numbers.find(|(line, _)| line.contains("of these") && line.contains("security"));
    Some(Updates {
        pending,
        security: security.map(|(_, number)| number),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ubuntu_counts_is_believed() {
        let check = |text, expected: Option<(u32, Option<u32>)>| {
            let expected = expected.map(|(pending, security)| Updates { pending, security });
            assert_eq!(counted(text), expected, "{text}");
        };
        check(
            "\n12 updates can be applied immediately.\n3 of these updates are standard security updates.\n\
             To see these additional updates run: apt list --upgradable\n",
            Some((12, Some(3))),
        );
        check("\n0 updates can be applied immediately.\n", Some((0, None)));
        check(
            "\nExpanded Security Maintenance for Applications is not enabled.\n\n\
             0 updates can be applied immediately.\n\n\
             58 additional security updates can be applied with ESM Apps.\n\
             Learn more about enabling ESM Apps service at https://ubuntu.com/esm\n",
            Some((0, None)),
        );
        check("", None);
    }

    #[test]
    fn a_restart_is_required_when_somebody_says_so_or_another_kernel_waits() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path());
        let write = |file: &str, text: &str| {
            let path = root.path(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        assert_eq!(restart_required(&root), None);
        write("proc/sys/kernel/osrelease", "6.1.0-27-amd64\n");
        assert_eq!(restart_required(&root), None, "nobody would say so");
        write("lib/modules/6.1.0-27-amd64/modules.dep", "");
        write("usr/share/unattended-upgrades/20auto-upgrades", "");
        assert_eq!(restart_required(&root), Some(false));
        let link = |release: &str| {
            let path = root.path(KERNEL);
            if path.is_symlink() {
                std::fs::remove_file(&path).unwrap();
            }
            std::os::unix::fs::symlink(format!("boot/vmlinuz-{release}"), path).unwrap();
        };
        link("6.1.0-27-amd64");
        assert_eq!(restart_required(&root), Some(false));
        link("6.1.0-28-amd64");
        assert_eq!(restart_required(&root), Some(true));
        link("6.1.0-27-amd64");
        write("lib/modules/6.1.0-28-amd64/modules.dep", "");
        std::fs::remove_dir_all(root.path("lib/modules/6.1.0-27-amd64")).unwrap();
        assert_eq!(restart_required(&root), Some(true));
        write("run/reboot-required", "");
        assert_eq!(restart_required(&root), Some(true));
    }
}
