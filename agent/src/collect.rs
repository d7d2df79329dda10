//! One sample: every collector in turn, each on its own.
//!
//! To add a collector: write a file in `linux/` (or `portable/`, for other systems) with an `open`
//! function and a [`Collector`], declare it there, and add one line to the `COLLECTORS` of that
//! folder. What it reads is a [`Part`]. Reading and parsing are apart: the parser is a pure
//! function with its test beside it.

mod crew;
#[cfg(target_os = "linux")]
mod linux;
mod part;
#[cfg(not(target_os = "linux"))]
mod portable;
mod running;
pub(crate) mod switches;

use std::time::{Duration, Instant};

use jiff::Timestamp;
use netmonitor_protocol::SessionId;
use netmonitor_protocol::payload::{DiskInfo, Metrics, Updates};

#[cfg(target_os = "linux")]
use linux::COLLECTORS;
#[cfg(not(target_os = "linux"))]
use portable::COLLECTORS;

#[cfg(target_os = "linux")]
pub(crate) use linux::{interfaces, memory_bytes, processes};
#[cfg(not(target_os = "linux"))]
pub(crate) use portable::interfaces;

use crew::Crew;
use part::Part;
use running::Running;
use switches::Switches;

use crate::root::Root;

/// Reads one thing of the system.
trait Collector: Send {
    /// Reads anew. `now` is for rates.
    fn read(&mut self, now: Instant) -> anyhow::Result<Part>;
}

/// A collector as it stands in the list.
struct Source {
    /// Its name in the configuration and in the log.
    name: &'static str,
    /// Whether it is read.
    wanted: Wanted,
    /// How often.
    every: Every,
    /// Makes it ready to read.
    open: fn(&Root) -> anyhow::Result<Box<dyn Collector>>,
}

impl Source {
    const fn new(
        name: &'static str,
        wanted: Wanted,
        every: Every,
        open: fn(&Root) -> anyhow::Result<Box<dyn Collector>>,
    ) -> Self {
        Self {
            name,
            wanted,
            every,
            open,
        }
    }
}

/// Whether a collector is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// Always: without it a sample would be a lie, since the fields it fills are not optional.
    Always,
    /// Unless it is switched off.
    Usually,
    /// Only where it is switched on.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "Linux tells more than others")
    )]
    OnRequest,
}

/// How often a collector is read, unless the configuration says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Every {
    /// With each sample, on the agent's own thread: it must not take long.
    Sample,
    /// With a sample, when so much time has passed since it was read, on the agent's own thread.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "Linux tells more than others")
    )]
    Secs(u64),
    /// The same, beside the agent's own thread: a disk or a chip may take long to answer.
    SecsApart(u64),
}

/// How long after the first reading the second may follow: use of the processor is the
/// difference of two, and a shorter time measures noise.
pub(crate) const FIRST_READING: Duration = Duration::from_millis(250);

/// How long a sample waits for what is read beside the agent's own thread. What takes longer is
/// in the next one.
const WAIT: Duration = Duration::from_millis(250);

/// What collectors read that belongs into the inventory.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Facts {
    /// Mounted disks.
    pub(crate) disks: Vec<DiskInfo>,
    /// Whether the machine waits for a restart.
    pub(crate) restart_required: Option<bool>,
    /// Packages that could be updated.
    pub(crate) updates: Option<Updates>,
}

/// How one collector is doing, for whoever asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Health {
    /// Its name.
    pub(crate) name: &'static str,
    /// How often it could not read.
    pub(crate) failures: u64,
    /// Why not, if it cannot now.
    pub(crate) error: Option<String>,
}

/// Takes samples and counts them.
pub(crate) struct Sampler {
    session: SessionId,
    seq: u64,
    collectors: Vec<Running>,
    crew: Crew,
    facts: Facts,
}

impl Sampler {
    /// Opens every collector that is wanted and takes the first reading, which is no sample: let
    /// [`FIRST_READING`] pass before the next.
    pub(crate) fn new(root: &Root, switches: &Switches, session: SessionId, now: Instant) -> Self {
        let collectors = COLLECTORS
            .iter()
            .filter_map(|source| Running::wanted(source, root, switches))
            .collect();
        let mut sampler = Self {
            session,
            seq: 0,
            collectors,
            crew: Crew::new(),
            facts: Facts::default(),
        };
        sampler.begin(now);
        sampler
    }

    /// Reads what is due, and returns what to wait for before the sample is [taken](Self::take):
    /// readings beside the agent's own thread. None if there are none.
    pub(crate) fn begin(
        &mut self,
        now: Instant,
    ) -> Option<impl Future<Output = ()> + Send + use<>> {
        self.gather();
        let mut is_apart = false;
        for (at, running) in self.collectors.iter_mut().enumerate() {
            is_apart |= running.begin(at, now, &self.crew);
        }
        is_apart.then(|| {
            self.crew.start();
            self.crew.idle(WAIT)
        })
    }

    /// Takes the next sample, out of what was read. None when a reading failed without which it
    /// would be a lie: the number is that of the next one then, since a number that is missing is
    /// a sample that was lost.
    pub(crate) fn take(&mut self, time: Timestamp, since_boot: Duration) -> Option<Metrics> {
        self.gather();
        let mut sample = Metrics::blank(self.session, self.seq + 1, time);
        sample.monotonic_ms = u64::try_from(since_boot.as_millis()).ok();
        for running in &self.collectors {
            match running.part() {
                Some(part) => part.write(&mut sample),
                None if running.is_required() => return None,
                None => {}
            }
            if running.is_failing() {
                sample.failing.push(running.name().to_owned());
            }
        }
        self.seq = sample.seq;
        Some(sample)
    }

    /// What was read for the inventory. What cannot be read now is what it was: a machine has its
    /// disks while they do not answer.
    pub(crate) fn facts(&mut self) -> Facts {
        for part in self.collectors.iter().filter_map(Running::part) {
            part.tell(&mut self.facts);
        }
        self.facts.clone()
    }

    /// How each collector is doing.
    pub(crate) fn health(&self) -> Vec<Health> {
        self.collectors.iter().map(Running::health).collect()
    }

    /// Whether every collector was read at least once, or could not be.
    pub(crate) fn is_complete(&mut self) -> bool {
        self.gather();
        let mut collectors = self.collectors.iter();
        collectors.all(|running| running.part().is_some() || running.is_failing())
    }

    /// Takes in what was read beside the agent's own thread.
    fn gather(&mut self) {
        let now = Instant::now();
        for done in self.crew.done() {
            if let Some(running) = self.collectors.get_mut(done.at) {
                running.came_back(done.collector, done.result, now);
            }
        }
    }
}

/// To one decimal: more is noise, and costs bytes in every sample.
fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// A share in percent, to one decimal; none where the whole is nothing.
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "Linux tells more than others")
)]
fn percent(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| rounded((part / whole * 100.0).clamp(0.0, 100.0)))
}

#[cfg(test)]
pub(crate) mod tests;
