//! Use of the processor from `/proc/stat`: all cores together, by mode, and each core.

use std::time::Instant;

use anyhow::Context as _;
use netmonitor_protocol::payload::CpuModes;

use super::super::{Collector, Part, percent};
use crate::root::Root;

struct CpuUse {
    root: Root,
    /// The reading before; empty before the first one.
    before: Vec<Core>,
}

/// One line: all cores together, or one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Core {
    /// None for all together.
    number: Option<u32>,
    times: Times,
}

/// Time spent since boot, in ticks (`proc_stat(5)`). What a guest used is in `user` already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Times {
    user: u64,
    system: u64,
    idle: u64,
    iowait: u64,
    irq: u64,
    steal: u64,
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every collector opens in the same way"
)]
pub(super) fn open(root: &Root) -> anyhow::Result<Box<dyn Collector>> {
    Ok(Box::new(CpuUse {
        root: root.clone(),
        before: Vec::new(),
    }))
}

impl Collector for CpuUse {
    fn read(&mut self, _now: Instant) -> anyhow::Result<Part> {
        let text = self.root.text("proc/stat")?;
        let cores = parse(&text).context("cannot understand /proc/stat")?;
        let part = usage(&self.before, &cores);
        self.before = cores;
        Ok(part)
    }
}

/// The lines that begin with `cpu`; none unless the first one is of all cores together.
fn parse(text: &str) -> Option<Vec<Core>> {
    let mut cores = Vec::new();
    for line in text.lines() {
        let Some(rest) = line.strip_prefix("cpu") else {
            break;
        };
        cores.push(core(rest)?);
    }
    let first: &Core = cores.first()?;
    first.number.is_none().then_some(cores)
}

fn core(rest: &str) -> Option<Core> {
    let (number, rest) = rest.split_once(' ')?;
    let number = match number {
        "" => None,
        digits => Some(digits.parse().ok()?),
    };
    let mut fields = rest.split_ascii_whitespace().map(str::parse::<u64>);
    let mut next = || fields.next()?.ok();
    let (user, nice, system, idle) = (next()?, next()?, next()?, next()?);
    // Kernels before 2.6.11 have fewer columns.
    let (iowait, irq, softirq) = (
        next().unwrap_or_default(),
        next().unwrap_or_default(),
        next().unwrap_or_default(),
    );
    let times = Times {
        user: user.saturating_add(nice),
        system,
        idle,
        iowait,
        irq: irq.saturating_add(softirq),
        steal: next().unwrap_or_default(),
    };
    Some(Core { number, times })
}

/// What was done between two readings. A core that was not there before has done nothing yet.
fn usage(before: &[Core], now: &[Core]) -> Part {
    let since = |core: &Core| {
        let before = before.iter().find(|it| it.number == core.number);
        core.times.since(before.map(|it| &it.times))
    };
    let all = now.first().map(since).unwrap_or_default();
    let total = all.total() as f64;
    let share = |ticks: u64| percent(ticks as f64, total).unwrap_or_default();
    Part::Cpu {
        usage_percent: all.usage_percent(),
        per_core_percent: now
            .iter()
            .skip(1)
            .map(|core| since(core).usage_percent())
            .collect(),
        modes: Some(CpuModes {
            user_percent: share(all.user),
            system_percent: share(all.system),
            iowait_percent: share(all.iowait),
            irq_percent: share(all.irq),
            steal_percent: share(all.steal),
        }),
    }
}

impl Times {
    /// The increase; nothing without a reading before. Some counters go back now and then:
    /// `iowait` does by nature, and all do where a core was switched off.
    fn since(&self, before: Option<&Self>) -> Self {
        let Some(before) = before else {
            return Self::default();
        };
        Self {
            user: self.user.saturating_sub(before.user),
            system: self.system.saturating_sub(before.system),
            idle: self.idle.saturating_sub(before.idle),
            iowait: self.iowait.saturating_sub(before.iowait),
            irq: self.irq.saturating_sub(before.irq),
            steal: self.steal.saturating_sub(before.steal),
        }
    }

    fn total(&self) -> u64 {
        [
            self.user,
            self.system,
            self.idle,
            self.iowait,
            self.irq,
            self.steal,
        ]
        .iter()
        .fold(0, |sum, ticks| sum.saturating_add(*ticks))
    }

    fn usage_percent(&self) -> f64 {
        let total = self.total() as f64;
        let idle = self.idle.saturating_add(self.iowait) as f64;
        percent(total - idle, total).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "cpu  1000 100 500 8000 200 50 50 100 0 0\n\
                          cpu0 500 50 250 4000 100 25 25 50 0 0\n\
                          cpu1 500 50 250 4000 100 25 25 50 0 0\n\
                          intr 123 0 0\nctxt 1\n";

    fn check(before: &str, now: &str) -> (f64, Vec<f64>, CpuModes) {
        match usage(&parse(before).unwrap_or_default(), &parse(now).unwrap()) {
            Part::Cpu {
                usage_percent,
                per_core_percent,
                modes,
            } => (usage_percent, per_core_percent, modes.unwrap()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn use_is_the_share_that_was_neither_idle_nor_waiting_for_a_disk() {
        let now = "cpu  1030 110 520 8115 205 55 55 110 0 0\n\
                   cpu0 540 50 250 4060 100 25 25 50 0 0\n\
                   cpu1 500 50 250 4100 100 25 25 50 0 0\n\
                   intr 123 0 0\n";
        let (usage, cores, modes) = check(BEFORE, now);
        assert_eq!((usage, cores), (40.0, vec![40.0, 0.0]));
        let expected = CpuModes {
            user_percent: 20.0,
            system_percent: 10.0,
            iowait_percent: 2.5,
            irq_percent: 5.0,
            steal_percent: 5.0,
        };
        assert_eq!(modes, expected);
    }

    #[test]
    fn a_counter_that_goes_back_and_a_core_that_comes_are_no_use() {
        let now = "cpu  1000 100 500 8090 190 50 50 100 0 0\n\
                   cpu1 400 50 250 4090 100 25 25 50 0 0\n\
                   cpu2 90000 1 1 1 1 1 1 1 0 0\n";
        let (usage, cores, _) = check(BEFORE, now);
        assert_eq!((usage, cores), (0.0, vec![0.0, 0.0]));
        let (usage, cores, _) = check("", BEFORE);
        assert_eq!((usage, cores), (0.0, vec![0.0, 0.0]));
    }

    #[test]
    fn what_is_no_such_file_is_not_understood() {
        for text in ["", "intr 1\n", "cpu0 1 2 3 4\n", "cpu  1 2 x 4\n", "cpu\n"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
        assert_eq!(parse("cpu  1 2 3 4\n").unwrap().len(), 1);
    }
}
