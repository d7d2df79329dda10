//! What was committed lately and is not in chunks yet.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use rusqlite::{Connection, params};

use super::chunk::Chunk;
use super::effort::Effort;
use super::found::Found;
use super::head::{ColumnId, Form};
use super::keys;
use super::listing::{self, Table};
use super::origins::Run;
use super::received::Received;
use crate::error::is_unreadable;

/// What the tail holds, as far as one must know to seal it in time.
#[derive(Debug, Default)]
pub(super) struct Extent {
    /// Number of the newest commit.
    pub(super) newest: i64,
    /// Number of the oldest commit; none if there is nothing.
    pub(super) oldest: Option<i64>,
    /// The oldest hour of which there are samples.
    pub(super) oldest_hour: Option<i64>,
    /// Size of all rows.
    pub(super) bytes: usize,
    /// Rows that cannot be sealed, because the file is damaged where their chunk would be. They
    /// stay, and do not count.
    pub(super) stuck: BTreeSet<i64>,
}

impl Extent {
    /// How many commits there are at most.
    pub(super) fn commits(&self) -> i64 {
        self.oldest.map_or(0, |oldest| self.newest - oldest + 1)
    }

    /// A row was added.
    pub(super) fn add(&mut self, commit: i64, hour: i64, bytes: usize) {
        self.newest = self.newest.max(commit);
        self.oldest = Some(self.oldest.map_or(commit, |oldest| oldest.min(commit)));
        self.oldest_hour = Some(self.oldest_hour.map_or(hour, |oldest| oldest.min(hour)));
        self.bytes += bytes;
    }

    /// What the table says now. Numbers of commits are not used twice.
    pub(super) fn read_again(&self, connection: &Connection) -> rusqlite::Result<Self> {
        let mut extent = Self {
            newest: self.newest,
            ..Self::default()
        };
        let mut statement = connection.prepare_cached("SELECT id, hour, length(data) FROM tail")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let key = row.get(0)?;
            let commit = keys::commit_of_tail(key);
            extent.newest = extent.newest.max(commit);
            if self.stuck.contains(&key) {
                extent.stuck.insert(key);
            } else {
                extent.add(commit, row.get(1)?, row.get(2)?);
            }
        }
        Ok(extent)
    }
}

/// Reads what has to be known of the tail: how far it reaches, and which samples it has. If not all
/// of it can be read, it is made anew first. Says whether it could be read in the end; if not,
/// what was known is left as it is.
pub(super) fn remember(
    connection: &mut Connection,
    extent: &mut Extent,
    received: &mut Received,
) -> rusqlite::Result<bool> {
    if read_all(connection, extent, received)? {
        return Ok(true);
    }
    renew(connection)?;
    read_all(connection, extent, received)
}

/// Says whether all of it can be read.
fn read_all(
    connection: &Connection,
    extent: &mut Extent,
    received: &mut Received,
) -> rusqlite::Result<bool> {
    let all = listing::list(connection, Table::Tail, &listing::ALL)?;
    let mut is_whole = all.holes.is_empty();
    let mut there = Received::default();
    let mut read = connection.prepare_cached("SELECT data FROM tail WHERE id = ?")?;
    for key in all.keys {
        match Found::read(&mut read, key)?.0 {
            Found::Sound(chunk) => {
                for run in &chunk.origins {
                    there.add_tail(run.session, run.numbers());
                }
            }
            Found::Unreadable => is_whole = false,
            // What is damaged is left to `verify`.
            Found::Nothing | Found::Damaged => {}
        }
    }
    if is_whole {
        *extent = extent.read_again(connection)?;
        *received = there;
    }
    Ok(is_whole)
}

/// Makes the table anew from those rows that can be read, and says so in the log. SQLite can
/// neither write to a lost page nor free it: the old table stays, under another name.
fn renew(connection: &mut Connection) -> rusqlite::Result<()> {
    // Read before: a page that cannot be read may undo the transaction in which it is met.
    let mut rows = Vec::new();
    for key in listing::list(connection, Table::Tail, &listing::ALL)?.keys {
        let row = connection
            .prepare_cached("SELECT id, hour, data FROM tail WHERE id = ?")?
            .query_row([key], Row::read);
        match row {
            Ok(row) => rows.push(row),
            Err(error) if is_unreadable(&error) => {}
            Err(error) => return Err(error),
        }
    }
    let transaction = connection.transaction()?;
    let sql = "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = 'tail'";
    let create: String = transaction.query_row(sql, [], |row| row.get(0))?;
    let sql = "SELECT count(*) FROM sqlite_schema WHERE name GLOB 'lost_tail_*'";
    let lost: i64 = transaction.query_row(sql, [], |row| row.get(0))?;
    transaction.execute_batch(&format!(
        "ALTER TABLE tail RENAME TO lost_tail_{}",
        lost + 1
    ))?;
    transaction.execute_batch(&create)?;
    for row in &rows {
        row.insert(&transaction)?;
    }
    transaction.commit()?;
    tracing::error!(
        rows = rows.len(),
        "a part of the newest samples cannot be read and is lost, the others were moved"
    );
    Ok(())
}

/// Stores samples of one device and one hour, and says how many bytes they take.
pub(super) fn insert(
    connection: &Connection,
    key: i64,
    hour: i64,
    samples: &Chunk,
) -> rusqlite::Result<usize> {
    let data = samples.encode(Form::Small, Effort::Passing);
    let row = Row { key, hour, data };
    row.insert(connection)?;
    Ok(row.data.len())
}

/// What the tail has of a device.
#[derive(Debug, Default)]
pub(super) struct OfDevice {
    /// Samples of those hours that were asked for, in the order of commits.
    pub(super) chunks: Vec<Chunk>,
    /// Which samples there are, if that was asked for of any hour.
    pub(super) origins: Vec<Run>,
}

/// The rows of a device: those samples of these hours, with those series that are wanted; with
/// `origins` also which samples there are of any hour. Damaged ones are left out, and counted.
pub(super) fn of_device(
    connection: &Connection,
    device: i64,
    hours: &RangeInclusive<i64>,
    origins: bool,
    wanted: impl Fn(ColumnId) -> bool,
    damaged: &mut u64,
) -> rusqlite::Result<OfDevice> {
    let mut found = OfDevice::default();
    let sql = "SELECT hour, data FROM tail WHERE id BETWEEN ? AND ?";
    let mut statement = connection.prepare_cached(sql)?;
    let mut from = *listing::ALL.start();
    // From commit to commit that there is: an old one may have stayed alone.
    loop {
        let (next, is_behind_hole) = listing::next(connection, Table::Tail, from)?;
        *damaged += u64::from(is_behind_hole);
        let Some(next) = next else {
            return Ok(found);
        };
        let commit = keys::commit_of_tail(next);
        let keys = keys::tail_of(commit, device);
        from = keys::tail(commit + 1, 0, 0);
        let mut rows = statement.query([keys.start(), keys.end()])?;
        loop {
            match rows.next() {
                Ok(None) => break,
                Ok(Some(row)) => {
                    let is_asked = hours.contains(&row.get(0)?);
                    if !is_asked && !origins {
                        continue;
                    }
                    let data = row.get_ref(1)?.as_blob().unwrap_or_default();
                    match Chunk::decode_some(data, |id| is_asked && wanted(id)) {
                        Ok(chunk) => {
                            found.origins.extend(chunk.origins.iter().copied());
                            if is_asked {
                                found.chunks.push(chunk);
                            }
                        }
                        Err(_) => *damaged += u64::from(is_asked),
                    }
                }
                Err(error) if is_unreadable(&error) => {
                    *damaged += 1;
                    break;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// A row as it stands.
#[derive(Debug)]
pub(super) struct Row {
    key: i64,
    hour: i64,
    data: Vec<u8>,
}

impl Row {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            key: row.get(0)?,
            hour: row.get(1)?,
            data: row.get(2)?,
        })
    }

    /// Stores it again.
    pub(super) fn insert(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection
            .prepare_cached("INSERT INTO tail (id, hour, data) VALUES (?, ?, ?)")?
            .execute(params![self.key, self.hour, self.data])?;
        Ok(())
    }
}

/// The rows with samples of later hours than this one.
pub(super) fn rows_after(connection: &Connection, last_hour: i64) -> rusqlite::Result<Vec<Row>> {
    let sql = "SELECT id, hour, data FROM tail WHERE hour > ? ORDER BY id";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([last_hour], Row::read)?;
    rows.collect()
}

/// Keys of the rows with samples of hours up to this one, by device and hour, without those that
/// are stuck.
pub(super) fn keys_until(
    connection: &Connection,
    last_hour: i64,
    stuck: &BTreeSet<i64>,
) -> rusqlite::Result<BTreeMap<(i64, i64), Vec<i64>>> {
    let mut keys: BTreeMap<(i64, i64), Vec<i64>> = BTreeMap::new();
    let mut statement = connection.prepare_cached("SELECT id, hour FROM tail WHERE hour <= ?")?;
    let mut rows = statement.query([last_hour])?;
    while let Some(row) = rows.next()? {
        let (key, hour) = (row.get(0)?, row.get(1)?);
        if stuck.contains(&key) {
            continue;
        }
        keys.entry((keys::device_of_tail(key), hour))
            .or_default()
            .push(key);
    }
    Ok(keys)
}
