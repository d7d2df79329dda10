//! What is stored: invented machines, or one that was recorded, in any number and for any time.
//! The same seed makes the same values and the same stamps; no clock has a part in it.

use std::time::Duration;

use jiff::Timestamp;
use netmonitor_protocol::payload::Metrics;
use netmonitor_protocol::{DeviceId, SessionId};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::recording::{Recording, Replay};
use crate::fleet::Machine;

/// When every set begins: the first of a month, since `VictoriaMetrics` keeps months apart.
pub const BEGIN_MS: i64 = 1_740_787_200_000; // 2025-03-01T00:00:00Z

/// So late a sample is taken at most, where stamps are jittered.
const JITTER_MS: i64 = 20;

/// Where the values are from, and what the stamps are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Set {
    /// Invented machines; each sample up to 20 ms late, each device at its own moment.
    Jittered,
    /// The same values with stamps that are exact, and the same for all devices.
    Aligned,
    /// A real machine at work, recorded for an hour and replayed: the stretches of the hour in
    /// random order, every change up to a twentieth larger or smaller. Otherwise whoever looks
    /// for repetitions would find the hour again and again.
    Recorded,
}

/// How much of a set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// Which set.
    pub set: Set,
    /// For how many days.
    pub days: f64,
    /// How many devices.
    pub devices: usize,
    /// Numbers in a sample; the recorded machine has as many as it had.
    pub metrics: usize,
    /// Time between two samples of a device; the recorded machine has its own.
    pub interval: Duration,
    /// Of all random numbers.
    pub seed: u64,
}

/// A sample of one device.
#[derive(Debug, Clone)]
pub struct Report {
    /// Which device, from 0.
    pub device: usize,
    /// When, in milliseconds since 1970: the same as in the sample.
    pub at_ms: i64,
    /// What it says.
    pub metrics: Metrics,
}

impl Set {
    /// The word for it on the command line and in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jittered => "jittered",
            Self::Aligned => "aligned",
            Self::Recorded => "recorded",
        }
    }
}

impl Shape {
    /// The device ids.
    pub fn devices(&self) -> Vec<DeviceId> {
        (0..self.devices).map(device).collect()
    }

    /// When it ends.
    pub fn end_ms(&self) -> i64 {
        BEGIN_MS + millis(Duration::from_secs_f64(self.days * 86_400.0))
    }

    /// All samples, in the order of time but for the jitter.
    pub fn reports(&self) -> anyhow::Result<impl Iterator<Item = Report> + use<>> {
        let machines = (0..self.devices)
            .map(|at| Source::new(self, at))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let mut next: Vec<(i64, Source)> = machines.into_iter().map(|it| (BEGIN_MS, it)).collect();
        let end = self.end_ms();
        Ok(std::iter::from_fn(move || {
            let soonest = (0..next.len()).min_by_key(|at| next[*at].0)?;
            let (due, source) = &mut next[soonest];
            if *due >= end {
                return None;
            }
            let (at_ms, elapsed, metrics) = source.sample(*due);
            *due += elapsed;
            Some(Report {
                device: soonest,
                at_ms,
                metrics,
            })
        }))
    }
}

/// The id of a device.
pub fn device(at: usize) -> DeviceId {
    DeviceId::from_host_name(&format!("bench-{at:05}"))
}

/// One device.
struct Source {
    session: SessionId,
    seq: u64,
    phase_ms: i64,
    interval: Duration,
    is_jittered: bool,
    random: StdRng,
    values: Values,
}

enum Values {
    Invented(Box<Machine>),
    Recorded(Box<Replay>),
}

impl Source {
    fn new(shape: &Shape, at: usize) -> anyhow::Result<Self> {
        let seed = shape.seed + at as u64;
        let interval = millis(shape.interval);
        let (number, of) = (i64::try_from(at)?, i64::try_from(shape.devices)?);
        Ok(Self {
            session: SessionId(seed),
            seq: 0,
            phase_ms: match shape.set {
                Set::Aligned => 0,
                Set::Jittered | Set::Recorded => interval * number / of,
            },
            interval: shape.interval,
            is_jittered: shape.set == Set::Jittered,
            random: StdRng::seed_from_u64(seed),
            values: match shape.set {
                Set::Recorded => Values::Recorded(Box::new(Replay::new(Recording::own()?, seed))),
                Set::Jittered | Set::Aligned => {
                    Values::Invented(Box::new(Machine::new(seed, shape.metrics)))
                }
            },
        })
    }

    /// When it is taken, how long until the next is due, and what it says.
    fn sample(&mut self, due: i64) -> (i64, i64, Metrics) {
        self.seq += 1;
        let late = if self.is_jittered {
            self.random.random_range(0..=JITTER_MS)
        } else {
            0
        };
        let at = due + self.phase_ms + late;
        let time = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
        let (elapsed, metrics) = match &mut self.values {
            Values::Invented(machine) => (
                self.interval,
                machine.sample(self.interval, self.session, self.seq, time),
            ),
            Values::Recorded(replay) => replay.sample(self.session, self.seq, time),
        };
        let boot = u64::try_from(at - BEGIN_MS).unwrap_or_default() + 60_000;
        let metrics = Metrics {
            monotonic_ms: Some(boot),
            oldest_seq: Some(self.seq),
            ..metrics
        };
        (at, millis(elapsed), metrics)
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(set: Set) -> Shape {
        Shape {
            set,
            days: 0.01,
            devices: 3,
            metrics: 20,
            interval: Duration::from_secs(3),
            seed: 1,
        }
    }

    #[test]
    fn every_device_reports_at_its_pace_in_the_order_of_time() {
        for set in [Set::Jittered, Set::Aligned, Set::Recorded] {
            let reports: Vec<Report> = shape(set).reports().unwrap().collect();
            let of_one: Vec<&Report> = reports.iter().filter(|it| it.device == 1).collect();
            assert!((280..=290).contains(&of_one.len()), "{}", of_one.len());
            for (pair, seq) in of_one.windows(2).zip(1..) {
                let apart = pair[1].at_ms - pair[0].at_ms;
                assert!((2_500..=3_500).contains(&apart), "{set:?} {apart}");
                assert_eq!(pair[0].metrics.seq, seq);
                assert_eq!(pair[0].metrics.time.as_millisecond(), pair[0].at_ms);
            }
        }
    }

    #[test]
    fn the_same_seed_makes_the_same_samples_and_aligned_ones_have_the_values_of_jittered_ones() {
        let all = |set| shape(set).reports().unwrap().map(|it| it.metrics);
        assert!(all(Set::Jittered).eq(all(Set::Jittered)));
        assert!(all(Set::Recorded).eq(all(Set::Recorded)));
        let same = |(one, other): (Metrics, Metrics)| one.cpu == other.cpu;
        assert!(all(Set::Jittered).zip(all(Set::Aligned)).all(same));
        let aligned = |metrics: Metrics| (metrics.time.as_millisecond() - BEGIN_MS) % 3_000 == 0;
        assert!(all(Set::Aligned).all(aligned));
    }
}
