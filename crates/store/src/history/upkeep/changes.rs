//! What a merge is going to change, known before it writes.
//!
//! Everything is read first: a page that cannot be read any more may undo the transaction in
//! which it is met.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use rusqlite::{Connection, OptionalExtension as _, Transaction};

use super::seal::{Stored, insert_stored};
use crate::StoreError;
use crate::database::is_unreadable;
use crate::history::chunk::Chunk;
use crate::history::effort::Effort;
use crate::history::listing::{self, Table};

/// What stands under a key.
#[derive(Debug)]
pub(super) enum Found {
    /// Nothing.
    Nothing,
    /// What was stored.
    Sound(Chunk),
    /// Not what was stored. It can be replaced.
    Damaged,
    /// The file is damaged there: SQLite can neither read nor replace nor remove it.
    Unreadable,
}

/// Chunks that are to be stored or removed together.
#[derive(Debug, Default)]
pub(super) struct Changes {
    stored: BTreeMap<i64, Stored>,
    removed: BTreeSet<i64>,
    bytes_read: usize,
}

impl Changes {
    /// What stands under a key once these changes are made.
    pub(super) fn find(&mut self, connection: &Connection, key: i64) -> Result<Found, StoreError> {
        if let Some(stored) = self.stored.get(&key) {
            return Ok(Found::new(&stored.data));
        }
        if self.removed.contains(&key) {
            return Ok(Found::Nothing);
        }
        let data = connection
            .prepare_cached("SELECT data FROM chunk WHERE id = ?")?
            .query_row([key], |row| row.get::<_, Vec<u8>>(0))
            .optional();
        match data {
            Ok(None) => Ok(Found::Nothing),
            Ok(Some(data)) => {
                self.bytes_read += data.len();
                Ok(Found::new(&data))
            }
            Err(error) if is_unreadable(&error) => Ok(Found::Unreadable),
            Err(error) => Err(error.into()),
        }
    }

    /// The keys of a range that are in use once these changes are made.
    pub(super) fn keys(
        &self,
        connection: &Connection,
        range: RangeInclusive<i64>,
    ) -> Result<BTreeSet<i64>, StoreError> {
        let listing = listing::list(connection, Table::Chunk, &range)?;
        let mut keys = BTreeSet::from_iter(listing.keys);
        keys.retain(|key| !self.removed.contains(key));
        keys.extend(self.stored.range(range).map(|(key, _)| *key));
        Ok(keys)
    }

    /// A chunk is to be stored, in place of one with the same key.
    pub(super) fn store(&mut self, key: i64, chunk: &Chunk) {
        self.removed.remove(&key);
        self.stored.insert(key, Stored::new(chunk, Effort::Lasting));
    }

    /// A chunk is to be removed.
    pub(super) fn remove(&mut self, key: i64) {
        self.stored.remove(&key);
        self.removed.insert(key);
    }

    /// How many bytes of chunks were read to find this out.
    pub(super) fn bytes_read(&self) -> usize {
        self.bytes_read
    }

    /// Makes them.
    pub(super) fn make(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let mut remove = transaction.prepare_cached("DELETE FROM chunk WHERE id = ?")?;
        for key in &self.removed {
            remove.execute([key])?;
        }
        for (key, stored) in &self.stored {
            insert_stored(transaction, *key, stored)?;
        }
        Ok(())
    }
}

impl Found {
    fn new(data: &[u8]) -> Self {
        Chunk::decode(data).map_or(Self::Damaged, Self::Sound)
    }
}
