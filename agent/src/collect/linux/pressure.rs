//! Pressure stall information: for how long work waited (Linux,
//! `Documentation/accounting/psi.rst`).

use std::io;
use std::time::{Duration, Instant};

use netmonitor_protocol::payload::Pressure;

use super::super::{Collector, Part, percent};
use crate::root::Root;

struct Stalls {
    root: Root,
    before: Option<(Instant, [Totals; 3])>,
}

/// How long work waited for one thing since boot, in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Totals {
    /// Some of it.
    some: u64,
    /// All of it.
    full: u64,
}

/// What work waits for, as the files are named.
const FILES: [&str; 3] = [
    "proc/pressure/cpu",
    "proc/pressure/memory",
    "proc/pressure/io",
];

#[expect(
    clippy::unnecessary_wraps,
    reason = "every collector opens in the same way"
)]
pub(super) fn open(root: &Root) -> anyhow::Result<Box<dyn Collector>> {
    Ok(Box::new(Stalls {
        root: root.clone(),
        before: None,
    }))
}

impl Collector for Stalls {
    fn read(&mut self, now: Instant) -> anyhow::Result<Part> {
        let mut totals = [Totals::default(); 3];
        for (file, totals) in FILES.iter().zip(&mut totals) {
            match self.root.read(file) {
                Ok(text) => *totals = parse(&text),
                Err(error) if is_off(&error) => return Ok(Part::Nothing),
                Err(error) => return Err(error.into()),
            }
        }
        let before = self.before.replace((now, totals));
        Ok(before.map_or(Part::Nothing, |(then, before)| {
            let elapsed = now.saturating_duration_since(then);
            Part::Pressure(pressure(&before, &totals, elapsed))
        }))
    }
}

/// A kernel that was built without it has no such files; one that was started without it
/// (`psi=0`) refuses to read them.
fn is_off(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.kind() == io::ErrorKind::Unsupported
}

fn parse(text: &str) -> Totals {
    let total = |kind: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(kind))?;
        line.rsplit_once("total=")?.1.trim().parse().ok()
    };
    Totals {
        some: total("some ").unwrap_or_default(),
        // Not there for the processor before Linux 5.13.
        full: total("full ").unwrap_or_default(),
    }
}

fn pressure(before: &[Totals; 3], now: &[Totals; 3], elapsed: Duration) -> Pressure {
    let [cpu, memory, io] = std::array::from_fn(|at| {
        let share = |before: u64, now: u64| {
            let waited = now.saturating_sub(before) as f64;
            percent(waited, elapsed.as_micros() as f64).unwrap_or_default()
        };
        (
            share(before[at].some, now[at].some),
            share(before[at].full, now[at].full),
        )
    });
    Pressure {
        cpu_percent: cpu.0,
        memory_percent: memory.0,
        memory_full_percent: memory.1,
        io_percent: io.0,
        io_full_percent: io.1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pressure_is_the_share_of_the_time_in_which_work_waited() {
        let text = "some avg10=0.00 avg60=0.10 avg300=0.05 total=3000000\n\
                    full avg10=0.00 avg60=0.00 avg300=0.00 total=1000000\n";
        let now = parse(text);
        let expected = Totals {
            some: 3_000_000,
            full: 1_000_000,
        };
        assert_eq!(now, expected);
        let before = [Totals::default(); 3];
        let after = [now, Totals::default(), now];
        let found = pressure(&before, &after, Duration::from_secs(10));
        let expected = Pressure {
            cpu_percent: 30.0,
            memory_percent: 0.0,
            memory_full_percent: 0.0,
            io_percent: 30.0,
            io_full_percent: 10.0,
        };
        assert_eq!(found, expected);
        assert_eq!(parse("some avg10=0.00\n"), Totals::default());
        assert_eq!(parse(""), Totals::default());
    }

    #[test]
    fn a_kernel_without_it_is_no_failure() {
        let folder = tempfile::tempdir().unwrap();
        let mut collector = open(&Root::new(folder.path())).unwrap();
        assert_eq!(collector.read(Instant::now()).unwrap(), Part::Nothing);
    }
}
