//! Stores that are a library: what becomes of a batch of samples.

use std::path::Path;

use anyhow::Context as _;
use jiff::Timestamp;
use netmonitor_protocol::payload::HistorySettings;
use netmonitor_store::HistoryWriter;
use netmonitor_store::history::{Layouts, NewSample, Retention, Tended};
use rusqlite::{Connection, params, params_from_iter};

use super::series::{numbers, series};
use super::set::{Report, device};
use super::store::Store;

/// An embedded store, open for writing.
pub enum Embedded {
    /// Our history.
    Ours(Box<Ours>),
    /// One row per series and time.
    Rows(Connection),
    /// One row per report.
    Reports(Connection),
}

/// Our history, and what has to be remembered for it.
pub struct Ours {
    writer: HistoryWriter,
    layouts: Layouts,
    settings: HistorySettings,
}

/// A batch as the store takes it.
pub enum Prepared {
    /// For our history.
    Samples(Vec<NewSample>),
    /// For a table: device, time, numbers.
    Numbers(Vec<(i64, i64, Vec<f64>)>),
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, Default)]
pub struct Put {
    /// Samples (of many numbers each) that were new.
    pub stored: usize,
    /// Steps of tending that were needed until nothing was left to do.
    pub tended: usize,
    /// The longest of them, in milliseconds.
    pub longest_ms: f64,
}

impl Embedded {
    /// Makes the file. `metrics` is how many numbers a report has.
    pub fn create(store: Store, path: &Path, metrics: usize) -> anyhow::Result<Self> {
        Ok(match store {
            Store::Ours => Self::Ours(Box::new(Ours {
                writer: HistoryWriter::open(path)?,
                layouts: Layouts::default(),
                settings: HistorySettings {
                    // Everything is kept, as the others keep it.
                    sample_days: u32::from(u16::MAX),
                    five_minute_days: u32::from(u16::MAX),
                    max_megabytes: u32::MAX,
                    ..HistorySettings::default()
                },
            })),
            Store::Rows => Self::Rows(table(
                path,
                "CREATE TABLE sample (series INTEGER, at INTEGER, value REAL,
                 PRIMARY KEY (series, at)) WITHOUT ROWID",
            )?),
            Store::Reports => {
                let columns: Vec<String> = (0..metrics).map(|at| format!("m{at} REAL")).collect();
                Self::Reports(table(
                    path,
                    &format!(
                        "CREATE TABLE report (device INTEGER, at INTEGER, {},
                         PRIMARY KEY (device, at)) WITHOUT ROWID",
                        columns.join(", ")
                    ),
                )?)
            }
            Store::Victoria | Store::Prometheus => anyhow::bail!("it is no library"),
        })
    }

    /// Makes of reports what the store takes.
    pub fn prepare(&mut self, reports: &[Report]) -> Prepared {
        match self {
            Self::Ours(ours) => {
                let sample = |report: &Report| {
                    NewSample::new(
                        device(report.device),
                        report.metrics.time,
                        &report.metrics,
                        &mut ours.layouts,
                    )
                };
                Prepared::Samples(reports.iter().map(sample).collect())
            }
            Self::Rows(_) | Self::Reports(_) => {
                let row = |report: &Report| {
                    let mut values = Vec::new();
                    numbers(&report.metrics, &mut values);
                    let device = i64::try_from(report.device).unwrap_or_default();
                    (device, report.at_ms, values)
                };
                Prepared::Numbers(reports.iter().map(row).collect())
            }
        }
    }

    /// Commits a batch, and tends the store until nothing is left to do.
    pub fn put(&mut self, batch: &Prepared, now: Timestamp) -> anyhow::Result<Put> {
        match (self, batch) {
            (Self::Ours(ours), Prepared::Samples(samples)) => ours.put(samples, now),
            (Self::Rows(connection), Prepared::Numbers(rows)) => put_rows(connection, rows),
            (Self::Reports(connection), Prepared::Numbers(rows)) => put_reports(connection, rows),
            _ => anyhow::bail!("the batch is of another store"),
        }
    }
}

impl Ours {
    fn put(&mut self, samples: &[NewSample], now: Timestamp) -> anyhow::Result<Put> {
        let mut put = Put {
            stored: self.writer.commit(samples, &[])?.stored,
            ..Put::default()
        };
        loop {
            let begin = std::time::Instant::now();
            let retention = Retention::ByAgeAndSize(&self.settings);
            let tended = self.writer.tend(now, retention)?;
            put.tended += 1;
            put.longest_ms = put.longest_ms.max(begin.elapsed().as_secs_f64() * 1e3);
            if tended == Tended::Done {
                return Ok(put);
            }
        }
    }
}

/// As safe as ours: in the write-ahead log, with a sync for each commit.
fn table(path: &Path, schema: &str) -> anyhow::Result<Connection> {
    let connection = Connection::open(path).context("cannot make a table")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(schema)?;
    Ok(connection)
}

fn put_rows(connection: &mut Connection, rows: &[(i64, i64, Vec<f64>)]) -> anyhow::Result<Put> {
    let transaction = connection.transaction()?;
    for (device, at, values) in rows {
        let mut insert = transaction.prepare_cached("INSERT INTO sample VALUES (?, ?, ?)")?;
        for (metric, value) in (0_i64..).zip(values) {
            insert.execute(params![device * 1_000 + metric, at, value])?;
        }
    }
    transaction.commit()?;
    Ok(Put {
        stored: rows.len(),
        ..Put::default()
    })
}

fn put_reports(connection: &mut Connection, rows: &[(i64, i64, Vec<f64>)]) -> anyhow::Result<Put> {
    let transaction = connection.transaction()?;
    for (device, at, values) in rows {
        let marks = vec!["?"; values.len() + 2].join(", ");
        let sql = format!("INSERT INTO report VALUES ({marks})");
        let (device, at) = (*device as f64, *at as f64);
        let all = [device, at].into_iter().chain(values.iter().copied());
        transaction
            .prepare_cached(&sql)?
            .execute(params_from_iter(all))?;
    }
    transaction.commit()?;
    Ok(Put {
        stored: rows.len(),
        ..Put::default()
    })
}

/// How many numbers a report of these has.
pub fn metrics_of(report: &Report) -> usize {
    series(&report.metrics).len()
}
