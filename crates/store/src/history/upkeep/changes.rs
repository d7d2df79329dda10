//! What a merge is going to change, known before it writes.
//!
//! Everything is read first: a page that cannot be read any more may undo the transaction in
//! which it is met.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use rusqlite::{Connection, Transaction};

use super::seal::{Stored, insert_stored};
use crate::StoreError;
use crate::history::chunk::Chunk;
use crate::history::effort::Effort;
use crate::history::found::Found;
use crate::history::listing::{self, Table};

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
            return Ok(Found::decode(&stored.data));
        }
        if self.removed.contains(&key) {
            return Ok(Found::Nothing);
        }
        let mut select = connection.prepare_cached("SELECT data FROM chunk WHERE id = ?")?;
        let (found, bytes) = Found::read(&mut select, key)?;
        self.bytes_read += bytes;
        Ok(found)
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
