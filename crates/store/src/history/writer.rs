//! Writing the history: one writer, one transaction for many samples.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use jiff::Timestamp;
use netmonitor_protocol::payload::{Event, HistorySettings};
use netmonitor_protocol::{DeviceId, SessionId};
use rusqlite::{Connection, Transaction, params};

use super::{NewSample, STEPS, events, values};
use crate::{StoreError, WriteLock, migrate};

/// What a commit has done.
#[derive(Debug, Default)]
pub struct Committed {
    /// How many samples were new.
    pub stored: usize,
    /// The samples of the batch, all of which are on disk now, new or not: they can be
    /// acknowledged. One entry per device and session.
    pub safe: Vec<Stored>,
    /// What was found to be lost for good, and was not known to be.
    pub lost: Vec<Lost>,
}

/// Samples of one session that are on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Whose.
    pub device: DeviceId,
    /// Which start of its agent.
    pub session: SessionId,
    /// First and last number of each run, both included, ascending.
    pub ranges: Vec<(u64, u64)>,
}

/// Samples that were taken and will never come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Whose.
    pub device: DeviceId,
    /// Which start of its agent.
    pub session: SessionId,
    /// How many.
    pub samples: u64,
}

/// What is left to do after a step of [`HistoryWriter::tend`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tended {
    /// Nothing for now.
    Done,
    /// There is more: commit what waits, then call it again.
    More,
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

    /// Stores samples and events in one transaction. Samples that are stored already are passed
    /// over. After an error nothing of them is stored.
    pub fn commit(
        &mut self,
        samples: &[NewSample],
        events: &[Event],
    ) -> Result<Committed, StoreError> {
        let stored = store(&mut self.connection, &mut self.known, samples, events);
        if stored.is_err() {
            // What was remembered may have been rolled back.
            self.known = Known::default();
        }
        stored
    }

    /// One step of what has to be done now and then: seal, merge, forget what is too old or too
    /// much. Short, so that commits can go between.
    pub fn tend(
        &mut self,
        _now: Timestamp,
        _settings: &HistorySettings,
    ) -> Result<Tended, StoreError> {
        Ok(Tended::Done)
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
) -> Result<Committed, StoreError> {
    let transaction = connection.transaction()?;
    let mut stored = 0;
    for sample in samples {
        stored += store_sample(&transaction, known, sample)?;
    }
    for event in events {
        events::insert(&transaction, event)?;
    }
    transaction.commit()?;
    Ok(Committed {
        stored,
        safe: safe(samples),
        lost: Vec::new(),
    })
}

fn safe(samples: &[NewSample]) -> Vec<Stored> {
    let mut numbers: BTreeMap<(&DeviceId, SessionId), BTreeSet<u64>> = BTreeMap::new();
    for sample in samples {
        let of_session = numbers.entry((&sample.device, sample.session)).or_default();
        of_session.insert(sample.seq);
    }
    let stored = numbers.into_iter().map(|((device, session), numbers)| {
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for seq in numbers {
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == seq => *last = seq,
                _ => ranges.push((seq, seq)),
            }
        }
        Stored {
            device: device.clone(),
            session,
            ranges,
        }
    });
    stored.collect()
}

fn store_sample(
    transaction: &Transaction<'_>,
    known: &mut Known,
    sample: &NewSample,
) -> Result<usize, StoreError> {
    let device = known.device(transaction, &sample.device)?;
    let session = known.session(transaction, device, sample.session)?;
    let layout = known.layout(transaction, sample.layout.names().to_vec())?;
    let seq = i64::try_from(sample.seq).unwrap_or(i64::MAX);
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
            values::encode(sample.values.iter().copied())
        ])?)
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
