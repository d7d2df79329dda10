//! Processes by name, from `/proc/PID/stat`: who needs most. Each costs some 10 us, nearly all of it
//! the kernel's, so that they are only read when somebody wants to see them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::{DirEntry, File};
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

/// A process that does nothing is read each second time: most do nothing most of the time.
const IDLE_IS_GOOD_FOR: u8 = 1;

/// A thread of the kernel is looked at again this seldom: its number may be another's by then.
const KERNEL_IS_GOOD_FOR: u8 = 8;

/// Lists processes, and remembers what each had used.
pub(crate) struct Lister {
    root: Root,
    ticks_per_sec: f64,
    page_bytes: u64,
    /// How many cores share the work.
    cores: u32,
    seen: HashMap<u32, Seen>,
}

/// What one process was when it was last read.
struct Seen {
    at: Instant,
    /// For how many more times that is good enough.
    good_for: u8,
    /// None for a thread of the kernel.
    program: Option<Program>,
}

struct Program {
    started: u64,
    ticks: u64,
    process: Process,
}

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
            seen: HashMap::new(),
        }
    }

    /// Forgets what each had used.
    pub(crate) fn forget(&mut self) {
        self.seen = HashMap::new();
    }

    /// Those that need most.
    pub(crate) fn list(&mut self, now: Instant, time: Timestamp) -> anyhow::Result<Processes> {
        let mut before = std::mem::take(&mut self.seen);
        let mut processes = Vec::new();
        let mut line = [0; LINE];
        for pid in pids(&self.root)? {
            let seen = match before.remove(&pid) {
                Some(seen) if seen.good_for > 0 => Some(seen.still()),
                seen => self.read(pid, seen, now, &mut line),
            };
            if let Some(seen) = seen {
                let program = seen.program.as_ref();
                processes.extend(program.map(|it| it.process.clone()));
                self.seen.insert(pid, seen);
            }
        }
        Ok(Processes {
            time,
            total: u32::try_from(processes.len()).unwrap_or(u32::MAX),
            processes: top(processes),
        })
    }

    /// None if there is no such process any more.
    fn read(&self, pid: u32, before: Option<Seen>, now: Instant, line: &mut [u8]) -> Option<Seen> {
        let text = read_line(&self.root, pid, line)?;
        let Some(stat) = parse(&text) else {
            // One that has ended is gone from the list soon.
            return Some(Seen {
                at: now,
                good_for: KERNEL_IS_GOOD_FOR,
                program: None,
            });
        };
        let used = before.and_then(|seen| {
            let before = seen.program.filter(|it| it.started == stat.started)?;
            let elapsed = now.saturating_duration_since(seen.at).as_secs_f64();
            let whole = elapsed * self.ticks_per_sec * f64::from(self.cores);
            Some((stat.ticks.saturating_sub(before.ticks) as f64, whole))
        });
        let is_idle = used.is_some_and(|(ticks, _)| ticks == 0.0);
        Some(Seen {
            at: now,
            good_for: if is_idle { IDLE_IS_GOOD_FOR } else { 0 },
            program: Some(Program {
                started: stat.started,
                ticks: stat.ticks,
                process: Process {
                    pid,
                    name: stat.name.to_owned(),
                    cpu_percent: used.and_then(|(ticks, whole)| percent(ticks, whole)),
                    memory_bytes: stat.pages.saturating_mul(self.page_bytes),
                },
            }),
        })
    }
}

impl Seen {
    fn still(self) -> Self {
        Self {
            good_for: self.good_for - 1,
            ..self
        }
    }
}

/// Calls `found` for each process that is none of the kernel's and has not ended.
pub(crate) fn each(root: &Root, mut found: impl FnMut(u32, &Stat<'_>)) -> anyhow::Result<()> {
    let mut line = [0; LINE];
    for pid in pids(root)? {
        if let Some(stat) = read_line(root, pid, &mut line).as_deref().and_then(parse) {
            found(pid, &stat);
        }
    }
    Ok(())
}

/// The numbers of all processes.
fn pids(root: &Root) -> anyhow::Result<impl Iterator<Item = u32>> {
    let folder = std::fs::read_dir(root.path("proc")).context("cannot list /proc")?;
    let number = |entry: DirEntry| entry.file_name().to_str()?.parse().ok();
    Ok(folder.flatten().filter_map(number))
}

/// The line of a process, unless it has ended: that is no failure. The kernel gives the whole line at
/// once: asking for its length and for its end would cost as much again.
fn read_line<'a>(root: &Root, pid: u32, line: &'a mut [u8]) -> Option<Cow<'a, str>> {
    let path = root.path(format!("proc/{pid}/stat"));
    let length = File::open(path).and_then(|mut file| file.read(line)).ok()?;
    Some(String::from_utf8_lossy(&line[..length]))
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
    #[test]
    fn a_process_that_does_nothing_is_read_each_second_time() {
        let folder = tempfile::tempdir().unwrap();
        let write = |ticks| {
            let path = folder.path().join("proc/7");
            std::fs::create_dir_all(&path).unwrap();
            std::fs::write(path.join("stat"), line("one", "S", 0, ticks, 3)).unwrap();
        };
        let mut lister = Lister::new(&Root::new(folder.path()), 1);
        let (start, ticks) = (Instant::now(), lister.ticks_per_sec);
        let mut use_at = |secs| {
            let now = start + std::time::Duration::from_secs(secs);
            let list = lister.list(now, Timestamp::UNIX_EPOCH).unwrap();
            list.processes[0].cpu_percent
        };
        write(100);
        assert_eq!((use_at(0), use_at(5)), (None, Some(0.0)));
        write(200);
        // It was idle, and what it has done since is seen the next time, over both.
        assert_eq!(use_at(10), Some(0.0));
        assert_eq!(use_at(15), percent(100.0, 10.0 * ticks));
        write(300);
        assert_eq!(use_at(20), percent(100.0, 5.0 * ticks));
    }
}
