//! One sample: every collector in turn, each on its own.
//!
//! To add a collector: write a file in `collect/` with an `open` function and a [`Collector`],
//! declare it below, and add one line to [`COLLECTORS`]. What only Linux has is in a file named
//! `<name>_linux.rs`. Reading and parsing are apart: the parser is a pure function with its test
//! beside it.

mod cpu;
mod disks;
mod link;
#[cfg(target_os = "linux")]
mod link_linux;
#[cfg(target_os = "linux")]
mod load_linux;
mod memory;
mod network;
mod temperatures;
#[cfg(not(target_os = "linux"))]
mod uptime;
#[cfg(target_os = "linux")]
mod uptime_linux;

use std::time::{Duration, Instant};

use anyhow::Context as _;
use jiff::Timestamp;
use netmonitor_protocol::SessionId;
use netmonitor_protocol::payload::Metrics;

pub(crate) use disks::mounted;
pub(crate) use network::{Links, is_worth_showing};

use crate::failures::Failures;
use crate::root::Root;

/// Reads one thing of the system.
trait Collector: Send {
    /// Reads anew and writes what it found into `sample`. `now` is for rates; a collector that
    /// has nothing to tell on this machine leaves the sample as it is.
    fn collect(&mut self, now: Instant, sample: &mut Metrics) -> anyhow::Result<()>;
}

/// A collector as it stands in the list.
struct Source {
    /// Its name in the log.
    name: &'static str,
    /// Whether a sample without it would be a lie: the fields it fills are not optional.
    required: bool,
    /// Makes it ready to collect.
    open: fn(&Root) -> anyhow::Result<Box<dyn Collector>>,
}

/// Every collector, in the order in which they run.
static COLLECTORS: &[Source] = &[
    Source {
        name: "uptime",
        required: true,
        #[cfg(target_os = "linux")]
        open: uptime_linux::open,
        #[cfg(not(target_os = "linux"))]
        open: uptime::open,
    },
    Source {
        name: "cpu",
        required: true,
        open: cpu::open,
    },
    #[cfg(target_os = "linux")]
    Source {
        name: "load",
        required: false,
        open: load_linux::open,
    },
    Source {
        name: "memory",
        required: true,
        open: memory::open,
    },
    Source {
        name: "disks",
        required: false,
        open: disks::open,
    },
    Source {
        name: "network",
        required: false,
        open: network::open,
    },
    Source {
        name: "temperatures",
        required: false,
        open: temperatures::open,
    },
];

/// How long after the first reading the second may follow: use of the processor is the
/// difference of two, and a shorter time measures noise.
pub(crate) const FIRST_READING: Duration = Duration::from_millis(250);

/// Takes samples and counts them.
pub(crate) struct Sampler {
    root: Root,
    session: SessionId,
    seq: u64,
    collectors: Vec<Running>,
}

/// A collector at work.
struct Running {
    source: &'static Source,
    /// None while it cannot be opened: it is tried again with each sample.
    collector: Option<Box<dyn Collector>>,
    failures: Failures,
}

impl Sampler {
    /// Opens every collector and takes the first reading, which is no sample: let
    /// [`FIRST_READING`] pass before the first call of [`Sampler::sample`].
    pub(crate) fn new(root: &Root, session: SessionId, now: Instant) -> Self {
        let collectors = COLLECTORS
            .iter()
            .map(|source| Running {
                source,
                collector: None,
                failures: Failures::default(),
            })
            .collect();
        let mut sampler = Self {
            root: root.clone(),
            session,
            seq: 0,
            collectors,
        };
        sampler.read(now, &mut Metrics::blank(session, 0, Timestamp::UNIX_EPOCH));
        sampler
    }

    /// Takes the next sample. None when a reading failed without which it would be a lie: the
    /// number is that of the next one then, since a number that is missing is a sample that was
    /// lost.
    pub(crate) fn sample(
        &mut self,
        now: Instant,
        time: Timestamp,
        since_boot: Duration,
    ) -> Option<Metrics> {
        let mut sample = Metrics::blank(self.session, self.seq + 1, time);
        sample.monotonic_ms = u64::try_from(since_boot.as_millis()).ok();
        if !self.read(now, &mut sample) {
            return None;
        }
        self.seq = sample.seq;
        Some(sample)
    }

    /// Whether every required collector has given its part.
    fn read(&mut self, now: Instant, sample: &mut Metrics) -> bool {
        let mut complete = true;
        for running in &mut self.collectors {
            let result = running.collect(&self.root, now, sample);
            complete &= result.is_ok() || !running.source.required;
            running
                .failures
                .note(running.source.name, now, result.as_ref());
        }
        complete
    }
}

impl Running {
    fn collect(&mut self, root: &Root, now: Instant, sample: &mut Metrics) -> anyhow::Result<()> {
        let collector = match &mut self.collector {
            Some(collector) => collector,
            closed => closed.insert((self.source.open)(root).context("cannot start")?),
        };
        collector.collect(now, sample)
    }
}

/// To one decimal: more is noise, and costs bytes in every sample.
fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use netmonitor_service::clock;

    /// A sample of this number that says nothing.
    pub(crate) fn sample(session: SessionId, seq: u64) -> Metrics {
        let mut sample = Metrics::blank(session, seq, Timestamp::UNIX_EPOCH);
        sample.monotonic_ms = Some(seq * 1000);
        sample
    }

    fn take(sampler: &mut Sampler) -> Option<Metrics> {
        std::thread::sleep(FIRST_READING);
        let (time, since_boot) = (clock::now(), clock::since_boot());
        sampler.sample(Instant::now(), time, since_boot)
    }

    #[test]
    fn a_sample_of_this_machine_is_complete_and_counted_from_one() {
        let mut sampler = Sampler::new(&Root::default(), SessionId(7), Instant::now());
        let first = take(&mut sampler).unwrap();
        let second = take(&mut sampler).unwrap();
        assert_eq!((first.session, first.seq), (SessionId(7), 1));
        assert_eq!(second.seq, 2);
        assert!(first.memory.total_bytes > first.memory.used_bytes);
        assert!(first.memory.used_bytes > 0);
        assert!(!first.cpu.per_core_percent.is_empty());
        assert!(first.disks.iter().any(|disk| disk.mount == "/"));
    }

    #[test]
    fn without_uptime_there_is_no_sample_and_none_counts_as_lost() {
        let empty = tempfile::tempdir().unwrap();
        let mut sampler = Sampler::new(&Root::new(empty.path()), SessionId(7), Instant::now());
        assert_eq!(take(&mut sampler), None);
        std::fs::create_dir(empty.path().join("proc")).unwrap();
        std::fs::write(empty.path().join("proc/uptime"), "41.20 80.00\n").unwrap();
        let sample = take(&mut sampler).unwrap();
        assert_eq!((sample.seq, sample.uptime_secs), (1, 41));
        assert_eq!(sample.cpu.load, None, "loadavg is missing and stops nobody");
    }

    #[test]
    fn values_are_rounded_to_one_decimal() {
        let check = |value, expected: f64| assert!((rounded(value) - expected).abs() < 1e-9);
        check(12.34, 12.3);
        check(12.35, 12.4);
        check(0.04, 0.0);
        check(100.0, 100.0);
    }
}
