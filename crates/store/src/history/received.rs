//! Which samples of a session are stored.

use std::collections::HashMap;
use std::ops::{Range, RangeInclusive};

use rangemap::RangeInclusiveSet;
use rusqlite::{Connection, params};

/// Numbers of samples of one session.
pub(super) type Numbers = RangeInclusiveSet<u64>;

/// Sessions that are remembered; more are read from the database when they are asked for.
const REMEMBERED: usize = 4096;

/// The numbers that are stored, by session. The table has those whose samples are in chunks;
/// those of the tail follow from the tail, so that a commit need not write them.
#[derive(Debug, Default)]
pub(super) struct Received {
    sealed: HashMap<i64, Numbers>,
    tail: HashMap<i64, Numbers>,
}

impl Received {
    /// Those of these numbers that are not stored.
    pub(super) fn new_of(
        &mut self,
        connection: &Connection,
        session: i64,
        numbers: &Numbers,
    ) -> rusqlite::Result<Numbers> {
        let mut new = numbers.clone();
        let mut are_stored = |stored: &Numbers| {
            for run in numbers.iter() {
                for known in stored.overlapping(run) {
                    new.remove(known.clone());
                }
            }
        };
        self.tail.get(&session).map(&mut are_stored);
        are_stored(self.sealed(connection, session)?);
        Ok(new)
    }

    /// How many samples of these numbers are not stored.
    pub(super) fn missing(
        &mut self,
        connection: &Connection,
        session: i64,
        numbers: Range<u64>,
    ) -> rusqlite::Result<u64> {
        if numbers.is_empty() {
            return Ok(0);
        }
        let mut all = self.sealed(connection, session)?.clone();
        if let Some(tail) = self.tail.get(&session) {
            all.extend(tail.iter().cloned());
        }
        let numbers = numbers.start..=numbers.end - 1;
        let gaps = all.gaps(&numbers);
        Ok(gaps.map(|gap| gap.end() - gap.start() + 1).sum())
    }

    /// Samples that the tail has now.
    pub(super) fn add_tail(
        &mut self,
        session: i64,
        runs: impl IntoIterator<Item = RangeInclusive<u64>>,
    ) {
        self.tail.entry(session).or_default().extend(runs);
    }

    /// Writes what the tail has into the table, as part of sealing it.
    pub(super) fn seal(
        &mut self,
        connection: &Connection,
        sealed: &HashMap<i64, Numbers>,
    ) -> rusqlite::Result<()> {
        for (session, numbers) in sealed {
            let mut all = read(connection, *session)?;
            all.extend(numbers.iter().cloned());
            connection
                .prepare_cached("DELETE FROM received WHERE session = ?")?
                .execute([session])?;
            let sql = "INSERT INTO received (session, first, last) VALUES (?, ?, ?)";
            let mut insert = connection.prepare_cached(sql)?;
            for run in all.iter() {
                insert.execute(params![session, signed(*run.start()), signed(*run.end())])?;
            }
            self.sealed.insert(*session, all);
        }
        Ok(())
    }

    /// What was sealed is not in the tail any more.
    pub(super) fn sealed_from_tail(&mut self, sealed: &HashMap<i64, Numbers>) {
        for (session, numbers) in sealed {
            if let Some(tail) = self.tail.get_mut(session) {
                for run in numbers.iter() {
                    tail.remove(run.clone());
                }
                if tail.is_empty() {
                    self.tail.remove(session);
                }
            }
        }
    }

    /// Whether a session is remembered: the tail has samples of it, or it was heard of.
    pub(super) fn knows(&self, session: i64) -> bool {
        self.tail.contains_key(&session) || self.sealed.contains_key(&session)
    }

    fn sealed(&mut self, connection: &Connection, session: i64) -> rusqlite::Result<&Numbers> {
        if !self.sealed.contains_key(&session) {
            if self.sealed.len() >= REMEMBERED {
                self.sealed.clear();
            }
            let numbers = read(connection, session)?;
            self.sealed.insert(session, numbers);
        }
        Ok(self.sealed.entry(session).or_default())
    }
}

/// What the table says of a session.
pub(super) fn read(connection: &Connection, session: i64) -> rusqlite::Result<Numbers> {
    let sql = "SELECT first, last FROM received WHERE session = ?";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([session], |row| {
        Ok(unsigned(row.get(0)?)..=unsigned(row.get(1)?))
    })?;
    rows.collect()
}

/// SQLite has no unsigned integers. No agent counts so far.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
