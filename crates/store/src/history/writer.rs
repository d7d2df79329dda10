//! Writing the history: one writer, one transaction for many samples.

use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;
use netmonitor_protocol::payload::{Event, Metrics};
use netmonitor_protocol::{DeviceId, SessionId};
use rusqlite::{Connection, Transaction, params};

use super::{STEPS, events, series, values};
use crate::{StoreError, WriteLock, migrate};

/// A sample to be stored.
#[derive(Debug, Clone)]
pub struct NewSample {
    /// Whose.
    pub device: DeviceId,
    /// When, by the hub's clock.
    pub at: Timestamp,
    /// What.
    pub metrics: Box<Metrics>,
}

/// The history, open for writing.
#[derive(Debug)]
pub struct HistoryWriter {
    connection: Connection,
    known: Known,
    _lock: WriteLock,
}

/// Numbers of what was stored before, so that storing a sample needs no look-up.
#[derive(Debug, Default)]
struct Known {
    devices: HashMap<DeviceId, i64>,
    sessions: HashMap<(i64, SessionId), i64>,
    layouts: HashMap<Vec<String>, i64>,
}

/// Sessions are remembered up to this number, so that years of restarts do not add up.
const SESSIONS_REMEMBERED: usize = 4096;

impl HistoryWriter {
    /// Opens or makes the file. A file beside it, with the ending `lock`, says that somebody
    /// writes it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let lock = WriteLock::take(&path.with_extension("lock"))?;
        Ok(Self {
            connection: migrate::open(path, STEPS)?,
            known: Known::default(),
            _lock: lock,
        })
    }

    /// Stores samples and events in one transaction, and returns how many samples were new.
    /// Those that are stored already are passed over. After an error nothing of them is stored.
    pub fn commit(&mut self, samples: &[NewSample], events: &[Event]) -> Result<usize, StoreError> {
        let stored = store(&mut self.connection, &mut self.known, samples, events);
        if stored.is_err() {
            // What was remembered may have been rolled back.
            self.known = Known::default();
        }
        stored
    }
}

impl Drop for HistoryWriter {
    fn drop(&mut self) {
        migrate::tidy_up(&self.connection);
    }
}

fn store(
    connection: &mut Connection,
    known: &mut Known,
    samples: &[NewSample],
    events: &[Event],
) -> Result<usize, StoreError> {
    let transaction = connection.transaction()?;
    let mut stored = 0;
    for sample in samples {
        stored += store_sample(&transaction, known, sample)?;
    }
    for event in events {
        events::insert(&transaction, event)?;
    }
    transaction.commit()?;
    Ok(stored)
}

fn store_sample(
    transaction: &Transaction<'_>,
    known: &mut Known,
    sample: &NewSample,
) -> Result<usize, StoreError> {
    let device = known.device(transaction, &sample.device)?;
    let session = known.session(transaction, device, sample.metrics.session)?;
    let (names, numbers): (Vec<String>, Vec<i64>) = series::series_of(&sample.metrics)
        .into_iter()
        .map(|reading| {
            let number = scaled(reading.value * series::scale(&reading.series));
            (reading.series, number)
        })
        .unzip();
    let layout = known.layout(transaction, names)?;
    let seq = i64::try_from(sample.metrics.seq).unwrap_or(i64::MAX);
    Ok(transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO sample (device, at, session, seq, layout, numbers)
             VALUES (?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            device,
            sample.at.as_millisecond(),
            session,
            seq,
            layout,
            values::encode(numbers)
        ])?)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a value outside of i64 is clamped, and nothing that is measured comes near it"
)]
fn scaled(value: f64) -> i64 {
    value.round() as i64
}

impl Known {
    fn device(&mut self, transaction: &Transaction<'_>, id: &DeviceId) -> rusqlite::Result<i64> {
        if let Some(number) = self.devices.get(id) {
            return Ok(*number);
        }
        transaction.execute(
            "INSERT OR IGNORE INTO device (name) VALUES (?)",
            [id.as_str()],
        )?;
        let sql = "SELECT id FROM device WHERE name = ?";
        let number = transaction.query_row(sql, [id.as_str()], |row| row.get(0))?;
        self.devices.insert(id.clone(), number);
        Ok(number)
    }

    fn session(
        &mut self,
        transaction: &Transaction<'_>,
        device: i64,
        session: SessionId,
    ) -> rusqlite::Result<i64> {
        if let Some(number) = self.sessions.get(&(device, session)) {
            return Ok(*number);
        }
        let text = session.to_string();
        transaction.execute(
            "INSERT OR IGNORE INTO session (device, session) VALUES (?, ?)",
            params![device, text],
        )?;
        let sql = "SELECT id FROM session WHERE device = ? AND session = ?";
        let number = transaction.query_row(sql, params![device, text], |row| row.get(0))?;
        if self.sessions.len() >= SESSIONS_REMEMBERED {
            self.sessions.clear();
        }
        self.sessions.insert((device, session), number);
        Ok(number)
    }

    fn layout(
        &mut self,
        transaction: &Transaction<'_>,
        names: Vec<String>,
    ) -> rusqlite::Result<i64> {
        if let Some(number) = self.layouts.get(&names) {
            return Ok(*number);
        }
        let text = serde_json::json!(names).to_string();
        transaction.execute("INSERT OR IGNORE INTO layout (series) VALUES (?)", [&text])?;
        let sql = "SELECT id FROM layout WHERE series = ?";
        let number = transaction.query_row(sql, [&text], |row| row.get(0))?;
        if self.layouts.len() >= SESSIONS_REMEMBERED {
            self.layouts.clear();
        }
        self.layouts.insert(names, number);
        Ok(number)
    }
}
