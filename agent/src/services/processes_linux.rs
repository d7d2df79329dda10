//! Names of running processes, where there is no service manager.

use std::collections::BTreeSet;

use anyhow::Context as _;
use netmonitor_protocol::payload::{UnitState, WatchableService};

use crate::root::Root;

/// Flag of kernel threads in the ninth field of `/proc/PID/stat` (`PF_KTHREAD` in the kernel's
/// `include/linux/sched.h`).
const KERNEL_THREAD: u64 = 0x0020_0000;

/// Every running program by name, each once. Never its arguments, which may hold secrets.
pub(super) fn list(root: &Root) -> anyhow::Result<Vec<WatchableService>> {
    let folder = std::fs::read_dir(root.path("proc")).context("cannot list /proc")?;
    let names: BTreeSet<String> = folder
        .filter_map(|entry| {
            let pid = entry.ok()?.file_name().into_string().ok()?;
            if !pid.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            // A process that ended in the meantime is no failure.
            let stat = root.read(format!("proc/{pid}/stat")).ok()?;
            running_program(&stat).map(str::to_owned)
        })
        .collect();
    let services = names
        .into_iter()
        .map(|name| WatchableService::new(name, UnitState::Running));
    Ok(services.collect())
}

/// The name in a line of `/proc/PID/stat` (`proc_pid_stat(5)`), unless it is a thread of the
/// kernel or has ended. The name may hold blanks and brackets: it ends at the last one.
fn running_program(stat: &str) -> Option<&str> {
    let (_, rest) = stat.split_once('(')?;
    let (name, rest) = rest.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    // After the state: ppid, pgrp, session, tty_nr, tpgid, flags.
    let flags: u64 = fields.nth(5)?.parse().ok()?;
    let has_ended = matches!(state, "Z" | "X" | "x");
    let name = name.trim();
    (!has_ended && flags & KERNEL_THREAD == 0 && !name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_known_by_name_and_kernel_threads_are_not_programs() {
        let check = |stat, expected| assert_eq!(running_program(stat), expected, "{stat}");
        check(
            "1 (systemd) S 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 5",
            Some("systemd"),
        );
        check(
            "812 (tmux: server) S 1 812 812 0 -1 4194368 1 0 0 0",
            Some("tmux: server"),
        );
        check("9 (a) b) (c) R 1 9 9 0 -1 64 0", Some("a) b) (c"));
        check("2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0", None);
        check("77 (sh) Z 1 77 77 0 -1 4227084 0 0", None);
        check("77 () S 1 77 77 0 -1 64 0", None);
        check("77 (cut", None);
        check("77 (cut) S 1 2", None);
        check("", None);
    }

    #[test]
    fn processes_are_listed_once_in_the_order_of_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let process = |pid: &str, stat: &str| {
            let path = folder.path().join("proc").join(pid);
            std::fs::create_dir_all(&path).unwrap();
            std::fs::write(path.join("stat"), stat).unwrap();
        };
        process("1", "1 (sshd) S 0 1 1 0 -1 4194560 1");
        process("12", "12 (cron) S 1 1 1 0 -1 4194560 1");
        process("30", "30 (sshd) S 1 1 1 0 -1 4194560 1");
        process("31", "31 (kworker/0:1) I 2 0 0 0 -1 69238880 0");
        process("self", "99 (not a number) S 1 1 1 0 -1 4194560 1");
        std::fs::create_dir(folder.path().join("proc/40")).unwrap();
        let services = list(&Root::new(folder.path())).unwrap();
        let names: Vec<&str> = services.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["cron", "sshd"]);
    }
}
