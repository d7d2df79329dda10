//! Processes by name, from `/proc/PID/stat`: who needs most. Each costs some 10 us, nearly all of it
//! the kernel's, so that they are only read when somebody wants to see them.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::time::Instant;

use anyhow::Context as _;
use jiff::Timestamp;
use netmonitor_protocol::payload::{Process, Processes};
use nix::unistd::{SysconfVar, sysconf};

use super::super::percent;
use crate::root::Root;

/// So many that need most of the processor are told, and so many that need most of the memory.
const TOP: usize = 15;

/// Flag of kernel threads in the ninth field of `/proc/PID/stat` (`PF_KTHREAD` in the kernel's
/// `include/linux/sched.h`).
const KERNEL_THREAD: u64 = 0x0020_0000;

/// A line is shorter, whatever the process is called.
const LINE: usize = 1024;

/// One process, as far as its line tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stat<'a> {
    pub(crate) name: &'a str,
    /// Time on the processor since its start, in ticks.
    ticks: u64,
    /// When it started, in ticks since boot: tells it from another one with its number.
    started: u64,
    /// What it has of the memory, in pages.
    pages: u64,
}

/// Lists processes, and remembers what each had used.
pub(crate) struct Lister {
    root: Root,
    ticks_per_sec: f64,
    page_bytes: u64,
    /// How many cores share the work.
    cores: u32,
    before: Option<(Instant, Used)>,
}

/// When each process had started, and what it had used, in ticks.
type Used = HashMap<u32, (u64, u64)>;

impl Lister {
    pub(crate) fn new(root: &Root, cores: u32) -> Self {
        let ask = |what| sysconf(what).ok().flatten();
        Self {
            root: root.clone(),
            ticks_per_sec: ask(SysconfVar::CLK_TCK).map_or(100.0, |it| it as f64),
            page_bytes: ask(SysconfVar::PAGE_SIZE)
                .and_then(|it| u64::try_from(it).ok())
                .unwrap_or(4096),
            cores,
            before: None,
        }
    }

    /// Forgets what each had used.
    pub(crate) fn forget(&mut self) {
        self.before = None;
    }

    /// Those that need most.
    pub(crate) fn list(&mut self, now: Instant, time: Timestamp) -> anyhow::Result<Processes> {
        let mut used = Used::new();
        let mut processes = Vec::new();
        let before = self.before.take();
        let elapsed = before
            .as_ref()
            .map(|(then, _)| now.saturating_duration_since(*then));
        let whole = elapsed.map(|it| it.as_secs_f64() * self.ticks_per_sec * f64::from(self.cores));
        let mut total = 0;
        each(&self.root, |pid, stat| {
            total += 1;
            used.insert(pid, (stat.started, stat.ticks));
            let known = before.as_ref().and_then(|(_, used)| used.get(&pid));
            let known = known.filter(|(started, _)| *started == stat.started);
            let more = known.map(|(_, ticks)| stat.ticks.saturating_sub(*ticks) as f64);
            processes.push(Process {
                pid,
                name: stat.name.to_owned(),
                cpu_percent: more
                    .zip(whole)
                    .and_then(|(more, whole)| percent(more, whole)),
                memory_bytes: stat.pages.saturating_mul(self.page_bytes),
            });
        })?;
        self.before = Some((now, used));
        Ok(Processes {
            time,
            total,
            processes: top(processes),
        })
    }
}

/// Calls `found` for each process that is none of the kernel's and has not ended.
pub(crate) fn each(root: &Root, mut found: impl FnMut(u32, &Stat<'_>)) -> anyhow::Result<()> {
    let path = root.path("proc");
    let folder = std::fs::read_dir(&path).context("cannot list /proc")?;
    let mut line = [0; LINE];
    for entry in folder.flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // A process that ended in the meantime is no failure. The kernel gives the whole line at
        // once: asking for its length and for its end would cost as much again.
        let read = File::open(entry.path().join("stat")).and_then(|mut file| file.read(&mut line));
        let Ok(length) = read else {
            continue;
        };
        if let Some(stat) = parse(&String::from_utf8_lossy(&line[..length])) {
            found(pid, &stat);
        }
    }
    Ok(())
}

/// A line of `/proc/PID/stat` (`proc_pid_stat(5)`), unless it is of a thread of the kernel or has
/// ended. The name may hold blanks and brackets: it ends at the last one.
fn parse(stat: &str) -> Option<Stat<'_>> {
    let (_, rest) = stat.split_once('(')?;
    let (name, rest) = rest.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    // The fields behind the state have the numbers 4 and higher.
    let mut before = 3;
    let mut field = |number: usize| -> Option<u64> {
        let value = fields.nth(number - before - 1)?;
        before = number;
        value.parse().ok()
    };
    let flags = field(9)?;
    let ticks = field(14)?.saturating_add(field(15)?);
    let (started, pages) = (field(22)?, field(24)?);
    let has_ended = matches!(state, "Z" | "X" | "x");
    let name = name.trim();
    let is_one = !has_ended && flags & KERNEL_THREAD == 0 && !name.is_empty();
    is_one.then_some(Stat {
        name,
        ticks,
        started,
        pages,
    })
}

/// Those that need most of the processor, and those that need most of the memory.
fn top(mut processes: Vec<Process>) -> Vec<Process> {
    let cpu = |it: &Process| it.cpu_percent.unwrap_or_default();
    processes.sort_by_key(|it| std::cmp::Reverse(it.memory_bytes));
    // Stable: of those that do nothing, those with most memory come first.
    let mut rest = processes.split_off(processes.len().min(TOP));
    rest.sort_by(|a, b| cpu(b).total_cmp(&cpu(a)));
    rest.truncate(TOP);
    processes.append(&mut rest);
    processes.sort_by(|a, b| cpu(b).total_cmp(&cpu(a)));
    processes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line with these as flags, time on the processor, start and pages.
    fn line(name: &str, state: &str, flags: u64, ticks: u64, pages: u64) -> String {
        format!(
            "7 ({name}) {state} 1 1 1 0 -1 {flags} 0 0 0 0 {ticks} 5 0 0 20 0 1 0 900 4096 {pages} 1 1"
        )
    }

    #[test]
    fn programs_are_known_by_name_and_kernel_threads_are_not_programs() {
        let check = |name: &str, state: &str, flags, expected: Option<&str>| {
            let line = line(name, state, flags, 1, 2);
            assert_eq!(parse(&line).map(|it| it.name), expected, "{line}");
        };
        check("systemd", "S", 4_194_560, Some("systemd"));
        check("tmux: server", "S", 4_194_368, Some("tmux: server"));
        check("a) b) (c", "R", 64, Some("a) b) (c"));
        check("kthreadd", "S", 2_129_984, None);
        check("sh", "Z", 4_227_084, None);
        check("", "S", 64, None);
        for torn in ["", "77 (cut", "77 (cut) S 1 2"] {
            assert_eq!(parse(torn), None, "{torn}");
        }
        let line = line("x", "S", 0, 30, 12);
        let stat = parse(&line).unwrap();
        assert_eq!((stat.ticks, stat.started, stat.pages), (35, 900, 12));
    }

    #[test]
    fn those_are_told_that_need_most_of_the_processor_or_of_the_memory() {
        let processes: Vec<Process> = (1..=100)
            .map(|pid| Process {
                pid,
                name: "x".to_owned(),
                cpu_percent: Some(f64::from(pid)),
                memory_bytes: u64::from(1000 - pid),
            })
            .collect();
        let pids: Vec<u32> = top(processes).iter().map(|it| it.pid).collect();
        let expected: Vec<u32> = (86..=100).rev().chain((1..=15).rev()).collect();
        assert_eq!(pids, expected);
    }

    #[test]
    fn use_is_what_was_used_between_two_readings_by_the_same_process() {
        let folder = tempfile::tempdir().unwrap();
        let write = |pid: &str, text: &str| {
            let path = folder.path().join("proc").join(pid);
            std::fs::create_dir_all(&path).unwrap();
            std::fs::write(path.join("stat"), text).unwrap();
        };
        write("7", &line("one", "S", 0, 100, 3));
        write("8", &line("two", "S", 0, 100, 1));
        write("self", &line("none", "S", 0, 100, 1));
        let mut lister = Lister::new(&Root::new(folder.path()), 2);
        let start = Instant::now();
        let time = Timestamp::UNIX_EPOCH;
        let first = lister.list(start, time).unwrap();
        assert_eq!((first.total, first.processes.len()), (2, 2));
        assert_eq!(first.processes[0].cpu_percent, None);
        let page = lister.page_bytes;
        assert_eq!(first.processes[0].memory_bytes, 3 * page);

        write("7", &line("one", "S", 0, 200, 3));
        // Another process with the same number.
        write("8", &line("two", "S", 0, 900, 1).replace(" 900 ", " 950 "));
        let later = start + std::time::Duration::from_secs(2);
        let second = lister.list(later, time).unwrap();
        let found: Vec<_> = second
            .processes
            .iter()
            .map(|it| (it.pid, it.cpu_percent))
            .collect();
        let ticks = lister.ticks_per_sec;
        assert_eq!(found, [(7, percent(100.0, 4.0 * ticks)), (8, None)]);
    }
}
