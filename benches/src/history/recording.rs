//! A machine that was recorded: `fixtures/recording.csv`, and how it is replayed.
//!
//! One line per sample, in the order of time; the first names the columns. Each number is the
//! difference to the line before, the first line's to nothing: short, and it compresses well.
//! Percentages and degrees are in tenths, load in hundredths, everything else in bytes, seconds
//! and milliseconds.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use jiff::Timestamp;
use netmonitor_protocol::SessionId;
use netmonitor_protocol::payload::{Cpu, Disk, Load, Memory, Metrics, Network, Temperature};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

/// Samples that are replayed in their order before a jump to another place: five minutes at
/// 3 s.
const STRETCH: usize = 100;

/// By such a share a replayed change may be larger or smaller.
const VARIES: f64 = 0.05;

/// What the columns are, in their order.
const FIXED: [&str; 9] = [
    "at_ms",
    "uptime_secs",
    "cpu",
    "load1",
    "load5",
    "load15",
    "memory_used",
    "memory_total",
    "swap_used",
];

/// A machine at work, sample by sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    columns: Vec<String>,
    /// What each column was, line by line.
    lines: Vec<Vec<i64>>,
}

impl Recording {
    /// The one in the repository.
    pub fn own() -> anyhow::Result<Self> {
        Self::parse(include_str!("fixtures/recording.csv")).context("the recording is damaged")
    }

    /// From samples of one machine. Those that have other parts than the first are left out: an
    /// interface that comes and goes.
    pub fn of(samples: &[Metrics]) -> Self {
        let mut recording = Self {
            columns: Vec::new(),
            lines: Vec::new(),
        };
        for sample in samples {
            let (columns, line): (Vec<String>, Vec<i64>) = cells(sample).into_iter().unzip();
            if recording.columns.is_empty() {
                recording.columns.clone_from(&columns);
            }
            if recording.columns == columns {
                recording.lines.push(line);
            }
        }
        recording
    }

    /// How many samples.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// As in the file.
    pub fn text(&self) -> String {
        let mut text = self.columns.join(",") + "\n";
        let nothing = vec![0; self.columns.len()];
        let before = std::iter::once(&nothing).chain(&self.lines);
        for (before, line) in before.zip(&self.lines) {
            for (at, (before, value)) in before.iter().zip(line).enumerate() {
                let comma = if at == 0 { "" } else { "," };
                // Writing to a String cannot fail.
                let _infallible = write!(text, "{comma}{}", value - before);
            }
            text.push('\n');
        }
        text
    }

    /// From the file.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let mut rows = text.lines();
        let columns: Vec<String> = rows
            .next()
            .context("it is empty")?
            .split(',')
            .map(str::to_owned)
            .collect();
        let mut now = vec![0_i64; columns.len()];
        let mut lines = Vec::new();
        for row in rows {
            let changes = row.split(',').map(str::parse::<i64>);
            let changes = changes.collect::<Result<Vec<_>, _>>()?;
            ensure!(changes.len() == columns.len(), "a line has other columns");
            for (value, change) in now.iter_mut().zip(changes) {
                *value += change;
            }
            lines.push(now.clone());
        }
        ensure!(lines.len() > STRETCH, "it is too short to be replayed");
        Ok(Self { columns, lines })
    }
}

/// Replays a recording for ever.
#[derive(Debug)]
pub struct Replay {
    recording: Recording,
    random: StdRng,
    /// The line that comes next, and how many until the next jump.
    at: usize,
    left: usize,
    /// What counters and the clocks say now.
    sums: Vec<i64>,
}

impl Replay {
    /// The seed decides where it begins and jumps to.
    pub fn new(recording: Recording, seed: u64) -> Self {
        Self {
            sums: recording.lines[0].clone(),
            random: StdRng::seed_from_u64(seed),
            at: 0,
            left: 0,
            recording,
        }
    }

    /// The next sample, and how long until the one after it.
    pub fn sample(&mut self, session: SessionId, seq: u64, time: Timestamp) -> (Duration, Metrics) {
        if self.left == 0 {
            self.left = STRETCH;
            self.at = self
                .random
                .random_range(1..=self.recording.lines.len() - STRETCH);
        }
        let before_ms = self.sums[0];
        let (before, line) = (
            &self.recording.lines[self.at - 1],
            &self.recording.lines[self.at],
        );
        let mut values = Vec::with_capacity(line.len());
        for (column, (before, now)) in before.iter().zip(line).enumerate() {
            let change = now - before;
            let varied = varied(change, &mut self.random);
            values.push(if counts(&self.recording.columns[column]) {
                self.sums[column] += varied.max(0);
                self.sums[column]
            } else {
                (now + varied - change).max(0)
            });
        }
        (self.at, self.left) = (self.at + 1, self.left - 1);
        let elapsed = u64::try_from(self.sums[0] - before_ms).unwrap_or_default();
        let metrics = sample(&self.recording.columns, &values, session, seq, time);
        (Duration::from_millis(elapsed), metrics)
    }
}

/// A change as it might have been as well. None stays none.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a twentieth of what was measured"
)]
fn varied(change: i64, random: &mut StdRng) -> i64 {
    change + (change as f64 * random.random_range(-VARIES..VARIES)).round() as i64
}

/// Whether it only ever grows.
fn counts(column: &str) -> bool {
    matches!(column, "at_ms" | "uptime_secs")
        || column.starts_with("rx:")
        || column.starts_with("tx:")
}

/// The columns of a sample with what they are.
fn cells(sample: &Metrics) -> Vec<(String, i64)> {
    let load = sample.cpu.load.unwrap_or(Load {
        one: 0.0,
        five: 0.0,
        fifteen: 0.0,
    });
    let swap = sample.swap.map_or(0, |swap| swap.used_bytes);
    let fixed = [
        sample.time.as_millisecond(),
        whole(sample.uptime_secs),
        scaled(sample.cpu.usage_percent, 10.0),
        scaled(load.one, 100.0),
        scaled(load.five, 100.0),
        scaled(load.fifteen, 100.0),
        whole(sample.memory.used_bytes),
        whole(sample.memory.total_bytes),
        whole(swap),
    ];
    let mut cells: Vec<(String, i64)> = FIXED.map(str::to_owned).into_iter().zip(fixed).collect();
    let mut push = |name: &str, part: &str, value| cells.push((format!("{name}:{part}"), value));
    for disk in &sample.disks {
        push("used", &disk.mount, whole(disk.used_bytes));
        push("available", &disk.mount, whole(disk.available_bytes));
        push("total", &disk.mount, whole(disk.total_bytes));
    }
    for link in &sample.network {
        push("rx", &link.interface, whole(link.received_bytes));
        push("tx", &link.interface, whole(link.sent_bytes));
    }
    for sensor in &sample.temperatures {
        push("temp", &sensor.sensor, scaled(sensor.celsius, 10.0));
    }
    cells
}

/// The sample of these values.
fn sample(
    columns: &[String],
    values: &[i64],
    session: SessionId,
    seq: u64,
    time: Timestamp,
) -> Metrics {
    let bytes = |value: i64| u64::try_from(value).unwrap_or_default();
    let [_, uptime, cpu, one, five, fifteen, used, total, swap] =
        std::array::from_fn(|at| values[at]);
    let mut metrics = Metrics {
        uptime_secs: bytes(uptime),
        cpu: Cpu {
            usage_percent: (cpu as f64 / 10.0).min(100.0),
            load: Some(Load {
                one: one as f64 / 100.0,
                five: five as f64 / 100.0,
                fifteen: fifteen as f64 / 100.0,
            }),
            ..Cpu::default()
        },
        memory: Memory {
            total_bytes: bytes(total),
            used_bytes: bytes(used),
            ..Memory::default()
        },
        swap: (swap > 0).then_some(Memory {
            total_bytes: bytes(total),
            used_bytes: bytes(swap),
            ..Memory::default()
        }),
        ..Metrics::blank(session, seq, time)
    };
    for (column, value) in columns.iter().zip(values).skip(FIXED.len()) {
        let (name, part) = column.split_once(':').unwrap_or((column, ""));
        match name {
            "used" => metrics.disks.push(Disk {
                mount: part.to_owned(),
                total_bytes: 0,
                used_bytes: bytes(*value),
                available_bytes: 0,
                ..Disk::default()
            }),
            "available" => {
                if let Some(disk) = metrics.disks.last_mut() {
                    disk.available_bytes = bytes(*value);
                }
            }
            "total" => {
                if let Some(disk) = metrics.disks.last_mut() {
                    disk.total_bytes = bytes(*value);
                }
            }
            "rx" => metrics.network.push(Network {
                interface: part.to_owned(),
                received_bytes: bytes(*value),
                sent_bytes: 0,
                ..Network::default()
            }),
            "tx" => {
                if let Some(link) = metrics.network.last_mut() {
                    link.sent_bytes = bytes(*value);
                }
            }
            _ => metrics.temperatures.push(Temperature {
                sensor: part.to_owned(),
                celsius: *value as f64 / 10.0,
                ..Temperature::default()
            }),
        }
    }
    metrics
}

fn whole(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a percentage, a load or a temperature"
)]
fn scaled(value: f64, scale: f64) -> i64 {
    (value * scale).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Recording {
        Recording::own().unwrap()
    }

    #[test]
    fn a_recording_is_read_back_as_written() {
        let text = own().text();
        assert_eq!(Recording::parse(&text).unwrap(), own());
        assert_eq!(text, include_str!("fixtures/recording.csv"));
    }

    #[test]
    fn a_replay_has_the_changes_of_the_recording_and_counters_never_fall() {
        let mut replay = Replay::new(own(), 3);
        let mut before: Option<Metrics> = None;
        for seq in 1..=3_000 {
            let time = Timestamp::UNIX_EPOCH;
            let (elapsed, now) = replay.sample(SessionId(1), seq, time);
            assert!((2_000..4_500).contains(&elapsed.as_millis()), "{elapsed:?}");
            assert!((0.0..=100.0).contains(&now.cpu.usage_percent));
            if let Some(before) = before {
                assert!(now.uptime_secs >= before.uptime_secs);
                let links = before.network.iter().zip(&now.network);
                assert!(links.clone().count() > 0);
                for (before, now) in links {
                    assert!(now.received_bytes >= before.received_bytes);
                    assert!(now.sent_bytes >= before.sent_bytes);
                }
            }
            before = Some(now);
        }
    }
}
