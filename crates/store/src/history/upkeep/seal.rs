//! From the tail to a chunk per device and hour.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Transaction, params};

use super::Open;
use crate::StoreError;
use crate::history::chunk::Chunk;
use crate::history::combine::combine;
use crate::history::effort::Effort;
use crate::history::head::Form;
use crate::history::keys::{self, Tier};
use crate::history::received::Numbers;
use crate::history::tail;

/// Rows of the tail, by device and hour.
type Rows = BTreeMap<(i64, i64), Vec<i64>>;

/// Seals all hours up to `last_hour`, in one transaction: what is in the tail would be written
/// again for each part of it. Where the file is damaged, hour by hour: what cannot be sealed
/// stays.
pub(super) fn seal(open: &mut Open<'_>, last_hour: i64) -> Result<(), StoreError> {
    let sealed = tail::keys_until(open.connection, last_hour, &open.extent.stuck)
        .map_err(StoreError::from)
        .and_then(|rows| try_seal(open, &rows, Some(last_hour)));
    match sealed {
        Err(error) if error.is_unreadable() => seal_each(open, last_hour)?,
        sealed => sealed?,
    }
    *open.extent = open.extent.read_again(open.connection)?;
    Ok(())
}

/// Seals hour by hour what can be.
fn seal_each(open: &mut Open<'_>, last_hour: i64) -> Result<(), StoreError> {
    tail::remember(open.connection, open.extent, open.received)?;
    let rows = tail::keys_until(open.connection, last_hour, &open.extent.stuck)?;
    let mut kept = Vec::new();
    for ((device, hour), keys) in rows {
        let of_hour = Rows::from([((device, hour), keys.clone())]);
        match try_seal(open, &of_hour, None) {
            Err(error) if error.is_unreadable() => {
                open.extent.stuck.extend(keys);
                kept.push((device, hour, error));
            }
            sealed => sealed?,
        }
    }
    if let Some((device, hour, error)) = kept.first() {
        let hours = kept.len();
        tracing::error!(
            hours, device, hour, %error,
            "samples stay where they were committed: the file is damaged where they would be moved"
        );
    }
    Ok(())
}

/// Seals these rows. With `last_hour` they are all up to this one, but for those that are stuck.
fn try_seal(open: &mut Open<'_>, rows: &Rows, last_hour: Option<i64>) -> Result<(), StoreError> {
    let Open {
        connection,
        received,
        extent,
        ..
    } = open;
    let transaction = connection.transaction()?;
    let mut sealed: HashMap<i64, Numbers> = HashMap::new();
    for ((device, hour), keys) in rows {
        let chunks = read(&transaction, *device, *hour, keys)?;
        let chunk = combine(chunks);
        for run in &chunk.origins {
            sealed.entry(run.session).or_default().extend(run.numbers());
        }
        if let Some(newest) = chunk.times.last() {
            note_newest(&transaction, &chunk, *newest)?;
            insert_part(&transaction, *device, *hour, chunk)?;
        }
    }
    received.seal(&transaction, &sealed)?;
    if let Some(last_hour) = last_hour.filter(|_| extent.stuck.is_empty()) {
        // Without a condition no page is touched but those that list the free ones, and little
        // is left: row by row each page of the tail would be written once more.
        let left = tail::rows_after(&transaction, last_hour)?;
        transaction.execute("DELETE FROM tail", [])?;
        for row in &left {
            row.insert(&transaction)?;
        }
    } else {
        let mut remove = transaction.prepare_cached("DELETE FROM tail WHERE id = ?")?;
        for key in rows.values().flatten() {
            remove.execute([key])?;
        }
    }
    transaction.commit()?;
    received.sealed_from_tail(&sealed);
    Ok(())
}

/// A chunk as its row.
#[derive(Debug)]
pub(super) struct Stored {
    samples: usize,
    first: Option<i64>,
    last: Option<i64>,
    pub(super) data: Vec<u8>,
}

impl Stored {
    pub(super) fn new(chunk: &Chunk, effort: Effort) -> Self {
        Self {
            samples: chunk.times.len(),
            first: chunk.times.first().copied(),
            last: chunk.times.last().copied(),
            data: chunk.encode(Form::Columns, effort),
        }
    }
}

/// Stores a chunk of an hour, in place of one with the same key.
pub(in crate::history) fn insert(
    transaction: &Transaction<'_>,
    key: i64,
    chunk: &Chunk,
) -> rusqlite::Result<()> {
    insert_stored(transaction, key, &Stored::new(chunk, Effort::Passing))
}

/// The same of one that is encoded.
pub(super) fn insert_stored(
    transaction: &Transaction<'_>,
    key: i64,
    stored: &Stored,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO chunk (id, samples, first, last, data) VALUES (?, ?, ?, ?, ?)",
        )?
        .execute(params![
            key,
            stored.samples,
            stored.first,
            stored.last,
            stored.data
        ])?;
    Ok(())
}

/// Reads rows of the tail.
fn read(
    transaction: &Transaction<'_>,
    device: i64,
    hour: i64,
    keys: &[i64],
) -> rusqlite::Result<Vec<Chunk>> {
    let mut select = transaction.prepare_cached("SELECT data FROM tail WHERE id = ?")?;
    let mut chunks = Vec::new();
    for key in keys {
        let data: Vec<u8> = select.query_row([key], |row| row.get(0))?;
        if let Ok(chunk) = Chunk::decode(&data) {
            chunks.push(chunk);
        } else {
            tracing::error!(
                device,
                hour,
                "samples of one commit are damaged and were left out"
            );
        }
    }
    Ok(chunks)
}

fn note_newest(transaction: &Transaction<'_>, chunk: &Chunk, newest: i64) -> rusqlite::Result<()> {
    let sql = "UPDATE session SET newest = max(newest, ?) WHERE id = ?";
    let mut update = transaction.prepare_cached(sql)?;
    let mut sessions: Vec<i64> = chunk.origins.iter().map(|run| run.session).collect();
    sessions.sort_unstable();
    sessions.dedup();
    for session in sessions {
        update.execute([newest, session])?;
    }
    Ok(())
}

/// Stores what was sealed of an hour beside what there is of it.
fn insert_part(
    transaction: &Transaction<'_>,
    device: i64,
    hour: i64,
    chunk: Chunk,
) -> Result<(), StoreError> {
    let keys = keys::chunks(device, Tier::Hour, hour..=hour);
    let last: Option<i64> = transaction
        .prepare_cached("SELECT max(id) FROM chunk WHERE id BETWEEN ? AND ?")?
        .query_row([keys.start(), keys.end()], |row| row.get(0))?;
    match last {
        None => insert(transaction, *keys.start(), &chunk)?,
        Some(last) if last < *keys.end() => insert(transaction, last + 1, &chunk)?,
        // As many parts as there can be: the last one takes this as well.
        Some(last) => {
            let data: Vec<u8> = transaction
                .prepare_cached("SELECT data FROM chunk WHERE id = ?")?
                .query_row([last], |row| row.get(0))?;
            let damaged = StoreError::Damaged {
                what: "the last part of an hour",
            };
            let there = Chunk::decode(&data).map_err(|_| damaged)?;
            insert(transaction, last, &combine(vec![there, chunk]))?;
        }
    }
    Ok(())
}
