//! Bytes on disk, and CPU, for each sample. What was filled is kept for questions.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::ensure;
use tempfile::TempDir;

use super::report::{Goal, Report, Row};
use super::server::Server;
use super::set::Shape;
use super::store::Store;
use super::worker::Task;

/// As often as ingest commits.
pub const COMMIT: Duration = Duration::from_mins(1);

/// A sample costs at most so much, in microseconds.
const CPU_GOAL: f64 = 0.4;

/// Stores that hold the same data.
pub struct Stores {
    /// With what.
    pub shape: Shape,
    folder: TempDir,
    /// Those that are a program, settled.
    pub servers: Vec<(Store, Server)>,
}

impl Stores {
    /// Fills these stores, one after another, and says what it took.
    pub fn fill(shape: Shape, stores: &[Store], report: &mut Report) -> anyhow::Result<Self> {
        let what = format!(
            "{}, {} days, {} devices",
            shape.set.name(),
            shape.days,
            shape.devices
        );
        let mut filled = Self {
            shape,
            folder: tempfile::tempdir()?,
            servers: Vec::new(),
        };
        let row = |name: &str, unit| Row::new(format!("{what}: {name}"), unit);
        let mut rows = Rows {
            size: row("on disk per sample", "bytes")
                .goal(Goal::Below(1.0, Store::Victoria))
                .goal(Goal::Below(0.25, Store::Prometheus)),
            with_log: row("on disk per sample, log included", "bytes"),
            cpu: row("CPU per sample in", "us").goal(Goal::AtMost(CPU_GOAL)),
            preparing: row("CPU per sample to make it of a payload", "us"),
            memory: row("most memory", "MB"),
            longest: row("longest step of tending", "ms"),
        };
        let mut expected = None;
        for store in stores {
            let samples = if store.is_embedded() {
                filled.fill_embedded(*store, &mut rows)?
            } else {
                filled.fill_server(*store, &mut rows)?
            };
            let expected = *expected.get_or_insert(samples);
            ensure!(samples == expected, "{samples} samples, not {expected}");
        }
        for row in [
            rows.size,
            rows.with_log,
            rows.cpu,
            rows.preparing,
            rows.memory,
            rows.longest,
        ] {
            report.add(row);
        }
        Ok(filled)
    }

    /// The folder of an embedded store: a data directory.
    pub fn folder(&self, store: Store) -> PathBuf {
        self.folder.path().join(store.word())
    }

    /// The file of an embedded store.
    pub fn file(&self, store: Store) -> PathBuf {
        self.folder(store).join("monitor.db")
    }

    fn fill_embedded(&self, store: Store, rows: &mut Rows) -> anyhow::Result<u64> {
        std::fs::create_dir(self.folder(store))?;
        let task = Task::new(store, &self.file(store), &self.shape, COMMIT);
        let filled = task.run(&[])?;
        let samples = filled.samples as f64;
        rows.size.set(store, filled.bytes as f64 / samples);
        rows.cpu.set(store, filled.storing_secs * 1e6 / samples);
        rows.memory.set(store, filled.peak_bytes as f64 / 1e6);
        if store == Store::Ours {
            let preparing = filled.preparing_secs * 1e6 / samples;
            rows.preparing.set(store, preparing);
            rows.longest.set(store, filled.longest_tended_ms);
        }
        Ok(filled.samples)
    }

    fn fill_server(&mut self, store: Store, rows: &mut Rows) -> anyhow::Result<u64> {
        let mut server = Server::start(store)?;
        let cpu = server.program.cpu()?;
        let sent = server.fill(&self.shape)?;
        server.settle()?;
        let cpu = server.program.cpu()?.saturating_sub(cpu);
        let disk = server.on_disk()?;
        let in_blocks = disk.block_samples.unwrap_or(sent).max(1);
        rows.size
            .set(store, disk.block_bytes as f64 / in_blocks as f64);
        if store == Store::Prometheus {
            rows.with_log.set(store, disk.bytes as f64 / sent as f64);
        }
        rows.cpu.set(store, cpu.as_secs_f64() * 1e6 / sent as f64);
        let memory = server.program.resident_peak_bytes()?;
        rows.memory.set(store, memory as f64 / 1e6);
        self.servers.push((store, server));
        Ok(sent)
    }
}

struct Rows {
    size: Row,
    with_log: Row,
    cpu: Row,
    preparing: Row,
    memory: Row,
    longest: Row,
}
