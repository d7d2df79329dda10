//! A process of its own in which an embedded store is filled: what it uses is what the store
//! uses.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::embedded::{Embedded, Put, metrics_of};
use super::set::{BEGIN_MS, Report, Set, Shape};
use super::store::Store;
use super::usage::{bytes_on_disk, own_cpu, own_peak_bytes, own_written};

/// The word that makes this program a worker.
pub const WORD: &str = "worker";

const DAY_MS: i64 = 86_400_000;

/// What a worker has to do.
#[derive(Debug, Clone, clap::Args)]
pub struct Task {
    /// Which store
    #[arg(long)]
    pub store: Store,
    /// Where its file is to be
    #[arg(long)]
    pub path: PathBuf,
    /// Which data
    #[arg(long)]
    pub data: Set,
    /// For how many days
    #[arg(long)]
    pub days: f64,
    /// How many devices
    #[arg(long)]
    pub devices: usize,
    /// Numbers in a sample
    #[arg(long)]
    pub metrics: usize,
    /// Time between two samples, in milliseconds
    #[arg(long)]
    pub interval_ms: u64,
    /// Of all random numbers
    #[arg(long)]
    pub seed: u64,
    /// Time between two commits, in seconds of the data
    #[arg(long)]
    pub commit_secs: u64,
}

/// What it has done, and used for it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Filled {
    /// Numbers that were stored.
    pub samples: u64,
    /// CPU of storing, in seconds.
    pub storing_secs: f64,
    /// CPU of making what the store takes out of a payload, in seconds.
    pub preparing_secs: f64,
    /// Bytes on disk in the end, checkpointed.
    pub bytes: u64,
    /// Bytes written to disk, for each day of the data.
    pub written_by_day: Vec<u64>,
    /// Commits.
    pub commits: u64,
    /// Steps of tending.
    pub tended: u64,
    /// The longest of them, in milliseconds.
    pub longest_tended_ms: f64,
    /// The longest commit, tending not included, in milliseconds.
    pub longest_commit_ms: f64,
    /// Most memory of the process, in bytes.
    pub peak_bytes: u64,
}

impl Task {
    /// The data.
    pub fn shape(&self) -> Shape {
        Shape {
            set: self.data,
            days: self.days,
            devices: self.devices,
            metrics: self.metrics,
            interval: Duration::from_millis(self.interval_ms),
            seed: self.seed,
        }
    }

    /// A task for this data.
    pub fn new(store: Store, path: &Path, shape: &Shape, commit: Duration) -> Self {
        Self {
            store,
            path: path.to_owned(),
            data: shape.set,
            days: shape.days,
            devices: shape.devices,
            metrics: shape.metrics,
            interval_ms: u64::try_from(shape.interval.as_millis()).unwrap_or(u64::MAX),
            seed: shape.seed,
            commit_secs: commit.as_secs(),
        }
    }

    /// Has it done by a process of its own, under `wrapper` if there is one.
    pub fn run(&self, wrapper: &[&str]) -> anyhow::Result<Filled> {
        let program = std::env::current_exe().context("this program does not know where it is")?;
        let mut command = match wrapper {
            [] => Command::new(program),
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
        };
        let output = command
            .arg(WORD)
            .args(["--store", self.store.word()])
            .arg("--path")
            .arg(&self.path)
            .args(["--data", self.data.name()])
            .args(["--days", &self.days.to_string()])
            .args(["--devices", &self.devices.to_string()])
            .args(["--metrics", &self.metrics.to_string()])
            .args(["--interval-ms", &self.interval_ms.to_string()])
            .args(["--seed", &self.seed.to_string()])
            .args(["--commit-secs", &self.commit_secs.to_string()])
            .output()
            .context("cannot start a worker")?;
        ensure!(
            output.status.success(),
            "a worker failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).context("a worker said something else")
    }

    /// Does it, here.
    pub fn execute(&self) -> anyhow::Result<Filled> {
        let mut reports = self.shape().reports()?.peekable();
        let metrics = reports.peek().map_or(self.metrics, metrics_of);
        let mut filling = Filling {
            store: Embedded::create(self.store, &self.path, metrics)?,
            filled: Filled::default(),
            written: own_written()?,
            metrics: metrics as u64,
        };
        let step = i64::try_from(self.commit_secs)? * 1_000;
        let mut due = BEGIN_MS + step;
        let mut day = BEGIN_MS + DAY_MS;
        let mut batch = Vec::new();
        for report in reports {
            while report.at_ms >= due {
                filling.put(&mut batch, due)?;
                due += step;
            }
            if report.at_ms >= day {
                filling.day_is_over()?;
                day += DAY_MS;
            }
            batch.push(report);
        }
        filling.put(&mut batch, due)?;
        filling.day_is_over()?;
        drop(filling.store);
        let mut filled = filling.filled;
        filled.bytes = bytes_on_disk(&self.path)?;
        filled.peak_bytes = own_peak_bytes()?;
        Ok(filled)
    }
}

struct Filling {
    store: Embedded,
    filled: Filled,
    /// Bytes written when the day began.
    written: u64,
    metrics: u64,
}

impl Filling {
    fn put(&mut self, batch: &mut Vec<Report>, now_ms: i64) -> anyhow::Result<()> {
        let begin = own_cpu()?;
        let prepared = self.store.prepare(batch);
        let ready = own_cpu()?;
        let clock = Instant::now();
        let put = self
            .store
            .put(&prepared, Timestamp::from_millisecond(now_ms)?)?;
        let took = clock.elapsed().as_secs_f64() * 1e3;
        let end = own_cpu()?;
        ensure!(
            put.stored == batch.len(),
            "{} samples of {} were stored",
            put.stored,
            batch.len()
        );
        batch.clear();
        let filled = &mut self.filled;
        filled.preparing_secs += ready.saturating_sub(begin).as_secs_f64();
        filled.storing_secs += end.saturating_sub(ready).as_secs_f64();
        filled.samples += put.stored as u64 * self.metrics;
        filled.commits += 1;
        let Put {
            tended, longest_ms, ..
        } = put;
        filled.tended += tended as u64;
        filled.longest_tended_ms = filled.longest_tended_ms.max(longest_ms);
        if tended <= 1 {
            filled.longest_commit_ms = filled.longest_commit_ms.max(took - longest_ms);
        }
        Ok(())
    }

    fn day_is_over(&mut self) -> anyhow::Result<()> {
        let written = own_written()?;
        self.filled.written_by_day.push(written - self.written);
        self.written = written;
        Ok(())
    }
}
