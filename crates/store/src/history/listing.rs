//! The keys of a table whose file may be damaged: a lost page takes the rows on it, and not those
//! behind it.

use std::ops::RangeInclusive;

use rusqlite::Connection;

use crate::error::is_unreadable;

/// A table whose rows are found by their key alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    Tail,
    Chunk,
}

/// Keys, in a range or from one on.
pub(super) type Keys = RangeInclusive<i64>;

/// All keys there can be.
pub(super) const ALL: Keys = 0..=i64::MAX;

/// What a range of keys holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Listing {
    /// Those that can be read, ascending.
    pub(super) keys: Vec<i64>,
    /// Where nobody can say what there is. The last one may reach beyond the range.
    pub(super) holes: Vec<Keys>,
}

/// Lists the keys of a range. Of two holes that are far apart the keys between them may be taken
/// for a part of the hole: nothing tells where a lost page ends, it has to be guessed.
pub(super) fn list(
    connection: &Connection,
    table: Table,
    range: &Keys,
) -> rusqlite::Result<Listing> {
    let mut listing = Listing::default();
    let mut from = *range.start();
    while from <= *range.end() {
        match read_on(connection, table, from..=*range.end(), &mut listing.keys) {
            Err(error) if is_unreadable(&error) => {}
            read => {
                read?;
                break;
            }
        }
        if let Some(last) = listing.keys.last() {
            from = from.max(last.saturating_add(1));
        }
        let next = behind_hole(connection, table, from)?;
        listing
            .holes
            .push(from..=next.map_or(i64::MAX, |key| key - 1));
        let Some(next) = next else { break };
        from = next;
    }
    Ok(listing)
}

/// The first key from one on, and whether there is a hole before it.
pub(super) fn next(
    connection: &Connection,
    table: Table,
    from: i64,
) -> rusqlite::Result<(Option<i64>, bool)> {
    Ok(match seek(connection, table, from)? {
        Seek::Found(key) => (key, false),
        Seek::Lost => (behind_hole(connection, table, from)?, true),
    })
}

fn read_on(
    connection: &Connection,
    table: Table,
    range: Keys,
    keys: &mut Vec<i64>,
) -> rusqlite::Result<()> {
    let sql = match table {
        Table::Tail => "SELECT id FROM tail WHERE id BETWEEN ? AND ?",
        Table::Chunk => "SELECT id FROM chunk WHERE id BETWEEN ? AND ?",
    };
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([range.start(), range.end()])?;
    while let Some(row) = rows.next()? {
        keys.push(row.get(0)?);
    }
    Ok(())
}

enum Seek {
    Found(Option<i64>),
    Lost,
}

fn seek(connection: &Connection, table: Table, from: i64) -> rusqlite::Result<Seek> {
    let sql = match table {
        Table::Tail => "SELECT min(id) FROM tail WHERE id >= ?",
        Table::Chunk => "SELECT min(id) FROM chunk WHERE id >= ?",
    };
    let found = connection
        .prepare_cached(sql)?
        .query_row([from], |row| row.get(0));
    match found {
        Ok(key) => Ok(Seek::Found(key)),
        Err(error) if is_unreadable(&error) => Ok(Seek::Lost),
        Err(error) => Err(error),
    }
}

/// The first key that can be read behind a hole that begins at `from`. Who looks for a key on a
/// lost page fails, and who looks for one behind it does not.
fn behind_hole(connection: &Connection, table: Table, from: i64) -> rusqlite::Result<Option<i64>> {
    /// Keys are further apart, as a rule.
    const STRIDE: i64 = 256;
    let (mut lost, mut step) = (from, STRIDE);
    // Not by doubling: what is sound between two lost pages shall be met.
    let (mut behind, mut found) = loop {
        let at = from.saturating_add(step);
        match seek(connection, table, at)? {
            Seek::Found(key) => break (at, key),
            Seek::Lost if at == i64::MAX => return Ok(None),
            Seek::Lost => lost = at,
        }
        step = step.saturating_add(step / 4);
    };
    while behind - lost > 1 {
        let middle = lost + (behind - lost) / 2;
        match seek(connection, table, middle)? {
            Seek::Found(key) => (behind, found) = (middle, key),
            Seek::Lost => lost = middle,
        }
    }
    Ok(found)
}
