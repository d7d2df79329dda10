//! Writing the history: one writer, one transaction for many samples.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use netmonitor_protocol::payload::Event;
use netmonitor_protocol::{DeviceId, SessionId};
use rusqlite::{Connection, Transaction};

use super::chunk::Chunk;
use super::names::Names;
use super::origins;
use super::received::{Numbers, Received};
use super::rollup::column_of;
use super::tail::{self, Extent};
use super::upkeep::{Open, Upkeep};
use super::{NewSample, Retention, STEPS, events, keys, overview};
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
    names: Names,
    received: Received,
    extent: Extent,
    upkeep: Upkeep,
    /// Whether what is remembered is what the file says.
    remembers: bool,
    _lock: WriteLock,
}

impl HistoryWriter {
    /// Opens or makes the file. A file beside it, with the ending `lock`, says that somebody
    /// writes it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let lock = WriteLock::take(&path.with_extension("lock"))?;
        let connection = migrate::open(path, STEPS)?;
        let mut writer = Self {
            connection,
            names: Names::default(),
            received: Received::default(),
            extent: Extent::default(),
            upkeep: Upkeep::default(),
            remembers: false,
            _lock: lock,
        };
        writer.remember()?;
        Ok(writer)
    }

    /// Stores samples and events in one transaction. Samples that are stored already are passed
    /// over. After an error nothing of them is stored.
    pub fn commit(
        &mut self,
        samples: &[NewSample],
        events: &[Event],
    ) -> Result<Committed, StoreError> {
        self.remember()?;
        let result = self.try_commit(samples, events);
        if result.is_err() {
            self.remember_anew();
        }
        result
    }

    /// One step of what has to be done now and then: seal, merge, forget what may be
    /// forgotten. Short, so that commits can go between.
    pub fn tend(&mut self, now: Timestamp, retention: Retention<'_>) -> Result<Tended, StoreError> {
        self.remember()?;
        let open = &mut Open {
            connection: &mut self.connection,
            names: &self.names,
            received: &mut self.received,
            extent: &mut self.extent,
        };
        let result = self.upkeep.step(open, now.as_millisecond(), retention);
        if result.is_err() {
            self.remember_anew();
        }
        result
    }

    /// Removes all lines of the log before a moment, and says how many. Others write in between.
    pub fn remove_events(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        let mut lines = 0;
        loop {
            let removed = events::remove_before(&self.connection, before.as_millisecond())?;
            lines += removed.lines;
            if !removed.is_more {
                return Ok(lines);
            }
        }
    }

    /// When the newest sample or event was, as far as anything is stored. A clock that is far
    /// before it is wrong.
    pub fn newest(&self) -> Result<Option<Timestamp>, StoreError> {
        overview::newest(&self.connection)
    }

    #[cfg(test)]
    pub(super) fn connection_for_tests(&self) -> &Connection {
        &self.connection
    }

    fn try_commit(
        &mut self,
        samples: &[NewSample],
        events: &[Event],
    ) -> Result<Committed, StoreError> {
        let commit = self.extent.newest + 1;
        let transaction = self.connection.transaction()?;
        let sessions = by_session(samples);
        let mut new = Batch::default();
        for of_session in &sessions {
            new.add(
                &transaction,
                &mut self.names,
                &mut self.received,
                of_session,
            )?;
        }
        let mut rows = Vec::new();
        for (device, hours) in slices(&new.samples) {
            for (slice, (hour, samples)) in (0..).zip(hours) {
                let chunk = chunk_of(&transaction, &mut self.names, &samples)?;
                let key = keys::tail(commit, device, slice);
                let bytes = tail::insert(&transaction, key, hour, &chunk)?;
                rows.push((hour, bytes));
            }
        }
        for event in events {
            events::insert(&transaction, event)?;
        }
        // What is missing is judged with what this commit stores.
        for (session, numbers) in new.numbers {
            self.received.add_tail(session, numbers);
        }
        let lost = find_lost(&transaction, &mut self.received, &new.oldest)?;
        transaction.commit()?;
        for (hour, bytes) in rows {
            self.extent.add(commit, hour, bytes);
        }
        Ok(Committed {
            stored: new.samples.len(),
            safe: sessions.into_iter().map(OfSession::into_stored).collect(),
            lost,
        })
    }

    /// Reads what is kept in memory from the file, unless it is there.
    fn remember(&mut self) -> rusqlite::Result<()> {
        if self.remembers {
            return Ok(());
        }
        self.names = Names::default();
        self.remembers =
            tail::remember(&mut self.connection, &mut self.extent, &mut self.received)?;
        Ok(())
    }

    /// After an error: what was remembered may have been rolled back.
    fn remember_anew(&mut self) {
        self.remembers = false;
        if let Err(error) = self.remember() {
            tracing::debug!(%error, "the tail of the history cannot be read now");
        }
    }
}

impl Drop for HistoryWriter {
    fn drop(&mut self) {
        migrate::tidy_up(&self.connection);
    }
}

/// Samples of a batch that are of one session, by number, each once.
#[derive(Debug)]
struct OfSession<'a> {
    device: &'a DeviceId,
    session: SessionId,
    samples: Vec<&'a NewSample>,
    numbers: Numbers,
}

fn by_session(samples: &[NewSample]) -> Vec<OfSession<'_>> {
    let mut sessions: HashMap<(SessionId, &DeviceId), Vec<&NewSample>> = HashMap::new();
    for sample in samples {
        let key = (sample.session, &sample.device);
        sessions.entry(key).or_default().push(sample);
    }
    let mut sessions: Vec<OfSession<'_>> = sessions
        .into_iter()
        .map(|((session, device), mut samples)| {
            samples.sort_by_key(|it| it.seq);
            samples.dedup_by_key(|it| it.seq);
            let runs = samples.chunk_by(|one, next| one.seq + 1 == next.seq);
            let numbers = runs.filter_map(|run| Some(run.first()?.seq..=run.last()?.seq));
            OfSession {
                device,
                session,
                numbers: numbers.collect(),
                samples,
            }
        })
        .collect();
    sessions.sort_unstable_by_key(|it| (it.device, it.session));
    sessions
}

impl OfSession<'_> {
    fn into_stored(self) -> Stored {
        let runs = self.numbers.iter();
        Stored {
            device: self.device.clone(),
            session: self.session,
            ranges: runs.map(|run| (*run.start(), *run.end())).collect(),
        }
    }
}

/// What of a batch is new.
#[derive(Debug, Default)]
struct Batch<'a> {
    samples: Vec<Fresh<'a>>,
    numbers: Vec<(i64, Numbers)>,
    /// By session: the oldest sample that its agent still keeps.
    oldest: Vec<(i64, &'a NewSample, u64)>,
}

/// A sample that is not stored yet.
#[derive(Debug, Clone, Copy)]
struct Fresh<'a> {
    device: i64,
    session: i64,
    sample: &'a NewSample,
}

impl<'a> Batch<'a> {
    fn add(
        &mut self,
        transaction: &Transaction<'_>,
        names: &mut Names,
        received: &mut Received,
        of_session: &OfSession<'a>,
    ) -> rusqlite::Result<()> {
        let Some(first) = of_session.samples.first() else {
            return Ok(());
        };
        let device = names.device(transaction, of_session.device)?;
        let at = first.at.as_millisecond();
        let oldest = of_session.samples.iter().filter_map(|it| it.oldest_seq);
        let begin = oldest.clone().min().unwrap_or(1).min(first.seq);
        let session = names.session(transaction, device, of_session.session, at, begin)?;
        if let Some(oldest) = oldest.max() {
            self.oldest.push((session, *first, oldest));
        }
        let new = received.new_of(transaction, session, &of_session.numbers)?;
        let are_all = new == of_session.numbers;
        let samples = of_session.samples.iter();
        let fresh = samples.filter(|it| are_all || new.contains(&it.seq));
        self.samples.extend(fresh.map(|sample| Fresh {
            device,
            session,
            sample,
        }));
        self.numbers.push((session, new));
        Ok(())
    }
}

/// Samples by device, and of each by hour in the order of time.
type Slices<'a> = BTreeMap<i64, BTreeMap<i64, Vec<Fresh<'a>>>>;

fn slices<'a>(samples: &[Fresh<'a>]) -> Slices<'a> {
    let mut slices: Slices<'_> = BTreeMap::new();
    for fresh in samples {
        let hours = slices.entry(fresh.device).or_default();
        let mut hour = keys::hour_of(fresh.sample.at.as_millisecond());
        // A row more than there is room for: its samples go with those of the last hour.
        if i64::try_from(hours.len()).is_ok_and(|hours| hours > keys::LAST_SLICE)
            && let Some(last) = hours.keys().next_back()
            && !hours.contains_key(&hour)
        {
            hour = *last;
        }
        hours.entry(hour).or_default().push(*fresh);
    }
    for samples in slices.values_mut().flat_map(BTreeMap::values_mut) {
        samples.sort_by_key(|it| (it.sample.at, it.session, it.sample.seq));
    }
    slices
}

fn chunk_of(
    transaction: &Transaction<'_>,
    names: &mut Names,
    samples: &[Fresh<'_>],
) -> rusqlite::Result<Chunk> {
    let mut chunk = Chunk::default();
    chunk.times.reserve_exact(samples.len());
    for fresh in samples {
        chunk.times.push(fresh.sample.at.as_millisecond());
        origins::push(&mut chunk.origins, fresh.session, fresh.sample.seq);
    }
    let mut start = 0;
    let is_alike =
        |one: &Fresh<'_>, next: &Fresh<'_>| Arc::ptr_eq(&one.sample.layout, &next.sample.layout);
    for alike in samples.chunk_by(is_alike) {
        let Some(first) = alike.first() else { continue };
        let layout = names.layout(transaction, &first.sample.layout)?;
        for (place, series) in layout.iter().enumerate() {
            let value = |it: &Fresh<'_>| it.sample.values.get(place).copied();
            let values = alike.iter().map(|it| value(it).unwrap_or_default());
            let column = chunk.columns.entry(column_of(*series)).or_default();
            column.extend_at(start, values);
        }
        start += alike.len();
    }
    Ok(chunk)
}

fn find_lost(
    transaction: &Transaction<'_>,
    received: &mut Received,
    oldest: &[(i64, &NewSample, u64)],
) -> rusqlite::Result<Vec<Lost>> {
    let mut lost = Vec::new();
    for (session, sample, oldest) in oldest {
        if received.missing(transaction, *session, 1..*oldest)? == 0 {
            continue;
        }
        let (first, known): (u64, u64) = transaction
            .prepare_cached("SELECT first, lost FROM session WHERE id = ?")?
            .query_row([session], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let missing = received.missing(transaction, *session, first..*oldest)?;
        if missing > known {
            transaction
                .prepare_cached("UPDATE session SET lost = ? WHERE id = ?")?
                .execute([i64::try_from(missing).unwrap_or(i64::MAX), *session])?;
            lost.push(Lost {
                device: sample.device.clone(),
                session: sample.session,
                samples: missing - known,
            });
        }
    }
    Ok(lost)
}
