//! What was committed lately and is not in chunks yet.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use rusqlite::{Connection, params};

use super::chunk::Chunk;
use super::effort::Effort;
use super::head::{ColumnId, Form};
use super::keys;
use crate::database::is_unreadable;

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
    /// Rows that SQLite can neither read nor remove, because the file is damaged there. They
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
            stuck: self.stuck.clone(),
            ..Self::default()
        };
        let mut statement = connection.prepare_cached("SELECT id, hour, length(data) FROM tail")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let key = row.get(0)?;
            let commit = keys::commit_of_tail(key);
            extent.newest = extent.newest.max(commit);
            if !extent.stuck.contains(&key) {
                extent.add(commit, row.get(1)?, row.get(2)?);
            }
        }
        Ok(extent)
    }
}

/// All rows, in the order of commits: their samples, none where they are damaged. Keys of those
/// that cannot be read at all are added to `stuck`.
pub(super) fn visit_all(
    connection: &Connection,
    stuck: &mut BTreeSet<i64>,
    mut visit: impl FnMut(i64, Option<Chunk>),
) -> rusqlite::Result<()> {
    let mut all = connection.prepare_cached("SELECT id FROM tail")?;
    let keys = all.query_map([], |row| row.get(0))?;
    let mut read = connection.prepare_cached("SELECT data FROM tail WHERE id = ?")?;
    for key in keys.collect::<rusqlite::Result<Vec<i64>>>()? {
        let chunk = read.query_row([key], |row| {
            Ok(Chunk::decode(row.get_ref(0)?.as_blob().unwrap_or_default()).ok())
        });
        match chunk {
            Ok(chunk) => visit(key, chunk),
            Err(error) if is_unreadable(&error) => {
                stuck.insert(key);
                visit(key, None);
            }
            Err(error) => return Err(error),
        }
    }
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

/// The rows of a device with samples of these hours, in the order of commits, with those series
/// that are wanted. Damaged ones are left out, and counted.
pub(super) fn of_device(
    connection: &Connection,
    device: i64,
    hours: &RangeInclusive<i64>,
    wanted: impl Fn(ColumnId) -> bool,
    damaged: &mut u64,
) -> rusqlite::Result<Vec<Chunk>> {
    let mut chunks = Vec::new();
    let Some((oldest, newest)) = bounds(connection)? else {
        return Ok(chunks);
    };
    let sql = "SELECT data FROM tail WHERE id BETWEEN ? AND ? AND hour BETWEEN ? AND ?";
    let mut statement = connection.prepare_cached(sql)?;
    for commit in oldest..=newest {
        let keys = keys::tail_of(commit, device);
        let keys = [keys.start(), keys.end(), hours.start(), hours.end()];
        let mut rows = statement.query(keys)?;
        loop {
            match rows.next() {
                Ok(None) => break,
                Ok(Some(row)) => {
                    let data = row.get_ref(0)?.as_blob().unwrap_or_default();
                    match Chunk::decode_some(data, &wanted) {
                        Ok(chunk) => chunks.push(chunk),
                        Err(_) => *damaged += 1,
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
    Ok(chunks)
}

/// The oldest and the newest commit.
fn bounds(connection: &Connection) -> rusqlite::Result<Option<(i64, i64)>> {
    let sql = "SELECT min(id), max(id) FROM tail";
    let (oldest, newest): (Option<i64>, Option<i64>) = connection
        .prepare_cached(sql)?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(oldest
        .zip(newest)
        .map(|(oldest, newest)| (keys::commit_of_tail(oldest), keys::commit_of_tail(newest))))
}

/// A row as it stands.
#[derive(Debug)]
pub(super) struct Row {
    key: i64,
    hour: i64,
    data: Vec<u8>,
}

impl Row {
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
    let rows = statement.query_map([last_hour], |row| {
        Ok(Row {
            key: row.get(0)?,
            hour: row.get(1)?,
            data: row.get(2)?,
        })
    })?;
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
