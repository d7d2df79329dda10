//! Names of running processes, where there is no service manager.

use std::collections::BTreeSet;

use netmonitor_protocol::payload::{UnitState, WatchableService};

use crate::collect::processes;
use crate::root::Root;

/// Every running program by name, each once. Never its arguments, which may hold secrets.
pub(super) fn list(root: &Root) -> anyhow::Result<Vec<WatchableService>> {
    let mut names = BTreeSet::new();
    processes::each(root, |_pid, process| {
        if !names.contains(process.name) {
            names.insert(process.name.to_owned());
        }
    })?;
    let services = names
        .into_iter()
        .map(|name| WatchableService::new(name, UnitState::Running));
    Ok(services.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_are_listed_once_in_the_order_of_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let process = |pid: &str, stat: &str| {
            let path = folder.path().join("proc").join(pid);
            std::fs::create_dir_all(&path).unwrap();
            let rest = "0 0 0 0 1 1 0 0 20 0 1 0 900 4096 10 1 1";
            std::fs::write(path.join("stat"), format!("{stat} {rest}\n")).unwrap();
        };
        process("1", "1 (sshd) S 0 1 1 0 -1 4194560");
        process("12", "12 (cron) S 1 1 1 0 -1 4194560");
        process("30", "30 (sshd) S 1 1 1 0 -1 4194560");
        process("31", "31 (kworker/0:1) I 2 0 0 0 -1 69238880");
        process("self", "99 (not a number) S 1 1 1 0 -1 4194560");
        std::fs::create_dir(folder.path().join("proc/40")).unwrap();
        let services = list(&Root::new(folder.path())).unwrap();
        let names: Vec<&str> = services.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["cron", "sshd"]);
    }
}
