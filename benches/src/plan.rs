//! What a hub for so many agents costs: measured for a while, and extrapolated.

use std::fmt;
use std::time::Duration;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use netmonitor_protocol::payload::HistorySettings;
use netmonitor_store::history::{Retention, Tended};
use netmonitor_store::{HistoryReader, HistoryWriter};
use serde::Serialize;

use crate::history::set::{Set, Shape};
use crate::history::size::COMMIT;
use crate::history::store::Store;
use crate::history::worker::Task;

/// One core of a Raspberry Pi 3 does so much less: a model, not a measurement.
pub const PI_3: f64 = 8.0;

/// Devices whose days are played through; more are reckoned from them.
const PLAYED_DEVICES: usize = 10;

/// Days that are played through: in the last one older ones are merged.
const PLAYED_DAYS: f64 = 3.0;

const DAYS_IN_YEAR: f64 = 365.0;

/// What such a hub needs.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// Agents.
    pub agents: usize,
    /// Numbers in a sample.
    pub metrics: usize,
    /// Time between two samples of an agent, in seconds.
    pub interval_secs: f64,
    /// Measured: share of a core of this machine.
    pub core_percent: f64,
    /// Measured: most memory of the hub, in MB.
    pub memory_mb: f64,
    /// Extrapolated: what the history writes to disk in a day, in MB.
    pub written_mb_per_day: f64,
    /// Extrapolated: size of the history after a year with the settings as installed, in MB.
    pub year_mb: f64,
    /// With those settings samples themselves are kept so long, in days.
    pub sample_days: u32,
    /// How large the history may become with those settings, in MB.
    pub max_mb: u32,
}

/// What the history of one device takes in a day, in bytes.
#[derive(Debug, Clone, Copy)]
struct PerDevice {
    written: f64,
    samples: f64,
    points: f64,
}

impl Plan {
    /// `core` is the share of a core that was used, `memory` the most bytes.
    pub fn new(
        agents: usize,
        metrics: usize,
        interval: Duration,
        core: f64,
        memory: u64,
    ) -> anyhow::Result<Self> {
        let each = play(agents.min(PLAYED_DEVICES), metrics, interval)?;
        let settings = HistorySettings::default();
        let number = agents as f64;
        let kept = f64::from(settings.sample_days).min(DAYS_IN_YEAR);
        let year = kept * each.samples + DAYS_IN_YEAR * each.points;
        Ok(Self {
            agents,
            metrics,
            interval_secs: interval.as_secs_f64(),
            core_percent: core * 100.0,
            memory_mb: memory as f64 / 1e6,
            written_mb_per_day: number * each.written / 1e6,
            year_mb: number * year / 1e6,
            sample_days: settings.sample_days,
            max_mb: settings.max_megabytes,
        })
    }
}

/// Plays some days of invented machines into a history in this process.
fn play(devices: usize, metrics: usize, interval: Duration) -> anyhow::Result<PerDevice> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("monitor.db");
    let shape = Shape {
        set: Set::Jittered,
        days: PLAYED_DAYS,
        devices,
        metrics,
        interval,
        seed: 1,
    };
    let filled = Task::new(Store::Ours, &file, &shape, COMMIT).execute()?;
    let used = |file| -> anyhow::Result<f64> {
        let overview = HistoryReader::new(file).overview()?;
        Ok(overview.context("there is no history")?.used_bytes as f64)
    };
    let all = used(&file)?;
    // Without samples only points are left.
    let end = Timestamp::from_millisecond(shape.end_ms())? + SignedDuration::from_hours(48);
    let settings = HistorySettings {
        sample_days: 0,
        ..HistorySettings::default()
    };
    let mut writer = HistoryWriter::open(&file)?;
    while writer.tend(end, Retention::ByAgeAndSize(&settings))? == Tended::More {}
    drop(writer);
    let points = used(&file)?;
    let each = |bytes: f64| bytes / PLAYED_DAYS / devices as f64;
    let last_day = filled.written_by_day.last().copied().unwrap_or_default();
    Ok(PerDevice {
        written: last_day as f64 / devices as f64,
        samples: each(all - points),
        points: each(points),
    })
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "a hub for {} agents with {} metrics every {} s:",
            self.agents, self.metrics, self.interval_secs
        )?;
        writeln!(
            f,
            "  processor: {:.1} % of a core here (measured); on a Raspberry Pi 3 about {:.0} % of \
             one of its four (a model: eight times as much)",
            self.core_percent,
            self.core_percent * PI_3
        )?;
        writeln!(f, "  memory: {:.0} MB at most (measured)", self.memory_mb)?;
        writeln!(
            f,
            "  written to disk by the history: {:.0} MB a day (extrapolated from three days that \
             were played through)",
            self.written_mb_per_day
        )?;
        let full = if self.year_mb > f64::from(self.max_mb) {
            format!(
                "; it is kept below {} MB unless the settings say more: the oldest samples go",
                self.max_mb
            )
        } else {
            String::new()
        };
        writeln!(
            f,
            "  history after a year: {:.0} MB (extrapolated; samples for {} days, then points of 5 \
             minutes and 2 hours){full}",
            self.year_mb, self.sample_days
        )
    }
}
