//! How many processes there are.

use std::time::Instant;

use anyhow::{Context as _, ensure};
use netmonitor_protocol::payload::ProcessCounts;

use super::super::{Collector, Part};
use super::processes::each;
use super::sysfs;
use crate::root::Root;

/// The kernel's thread that starts its others.
const KTHREADD: &str = "proc/2";

struct Counts {
    root: Root,
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every collector opens in the same way"
)]
pub(super) fn open(root: &Root) -> anyhow::Result<Box<dyn Collector>> {
    Ok(Box::new(Counts { root: root.clone() }))
}

impl Collector for Counts {
    fn read(&mut self, _now: Instant) -> anyhow::Result<Part> {
        // Mounted so, each user sees only their own: that is no number of processes.
        ensure!(
            self.root.text("proc/1/stat").is_ok(),
            "/proc hides the processes of others (its option hidepid)"
        );
        let folder = std::fs::read_dir(self.root.path("proc")).context("cannot list /proc")?;
        let all = folder.flatten().filter(|entry| {
            let name = entry.file_name();
            name.as_encoded_bytes().iter().all(u8::is_ascii_digit)
        });
        let all = u32::try_from(all.count()).unwrap_or(u32::MAX);
        let total = match kernel_threads(&self.root) {
            Some(threads) => all.saturating_sub(threads),
            None => one_by_one(&self.root)?,
        };
        let stat = self.root.text("proc/stat")?;
        Ok(Part::Processes(ProcessCounts {
            total,
            running: number(&stat, "procs_running "),
            blocked: number(&stat, "procs_blocked "),
        }))
    }
}

/// How many threads of the kernel stand among the processes. None where it does not list them (a
/// kernel without `CONFIG_PROC_CHILDREN`). In a container there are none: it has processes of its
/// own.
fn kernel_threads(root: &Root) -> Option<u32> {
    let first = sysfs::text(&root.path(KTHREADD).join("comm"));
    if first.as_deref() != Some("kthreadd") {
        return Some(0);
    }
    let children = root.read(format!("{KTHREADD}/task/2/children")).ok()?;
    let count = children.split_ascii_whitespace().count() + 1;
    Some(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Reads each process: a hundred times what counting them costs.
fn one_by_one(root: &Root) -> anyhow::Result<u32> {
    let mut count = 0;
    each(root, |_, _| count += 1)?;
    Ok(count)
}

fn number(stat: &str, key: &str) -> Option<u32> {
    let mut lines = stat.lines();
    let line = lines.find_map(|line| line.strip_prefix(key))?;
    line.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_of_the_kernel_are_no_processes() {
        let folder = tempfile::tempdir().unwrap();
        let proc = folder.path().join("proc");
        for process in ["1", "2", "3", "4", "77", "self", "sys"] {
            std::fs::create_dir_all(proc.join(process)).unwrap();
        }
        std::fs::create_dir_all(proc.join("2/task/2")).unwrap();
        std::fs::write(proc.join("2/task/2/children"), "3 4 ").unwrap();
        let stat = "cpu  1 2 3 4\nprocs_running 3\nprocs_blocked 1\n";
        std::fs::write(proc.join("stat"), stat).unwrap();
        let mut collector = open(&Root::new(folder.path())).unwrap();
        let hidden = collector.read(Instant::now()).unwrap_err();
        assert!(hidden.to_string().contains("hidepid"), "{hidden}");
        std::fs::write(proc.join("1/stat"), "1 (init) S 0\n").unwrap();
        let mut total = || match collector.read(Instant::now()).unwrap() {
            Part::Processes(counts) => (counts.total, counts.running, counts.blocked),
            other => panic!("{other:?}"),
        };
        std::fs::write(proc.join("2/comm"), "bash\n").unwrap();
        assert_eq!(total(), (5, Some(3), Some(1)), "in a container");
        std::fs::write(proc.join("2/comm"), "kthreadd\n").unwrap();
        assert_eq!(total(), (2, Some(3), Some(1)));
    }
}
