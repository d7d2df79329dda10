//! Removing chunks, whatever became of the file.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use rusqlite::Connection;

use crate::StoreError;
use crate::database::is_unreadable;
use crate::history::keys::{self, Tier};

/// Keys of chunks.
pub(super) type Keys = RangeInclusive<i64>;

/// Removes chunks, and knows which ones cannot be removed: who frees a chunk's pages has to read
/// them.
#[derive(Debug, Default)]
pub(super) struct Remover {
    stuck: BTreeSet<i64>,
}

impl Remover {
    /// Removes all chunks of these ranges that can be, in one transaction.
    pub(super) fn remove(
        &mut self,
        connection: &mut Connection,
        ranges: &[Keys],
    ) -> Result<(), StoreError> {
        loop {
            match self.try_remove(connection, ranges) {
                Err(error) if is_unreadable(&error) => {
                    if self.find_stuck(connection, ranges)? == 0 {
                        return Err(error.into());
                    }
                }
                removed => return Ok(removed?),
            }
        }
    }

    /// The first hour of which a device has a chunk that can be removed.
    pub(super) fn oldest_hour(
        &self,
        connection: &Connection,
        device: i64,
        tier: Tier,
    ) -> rusqlite::Result<Option<i64>> {
        let sql = "SELECT min(id) FROM chunk WHERE id BETWEEN ? AND ?";
        let mut statement = connection.prepare_cached(sql)?;
        for range in self.around(&keys::chunks(device, tier, 0..=i64::MAX)) {
            let key: Option<i64> =
                statement.query_row([range.start(), range.end()], |row| row.get(0))?;
            if let Some(key) = key {
                return Ok(Some(keys::hour_of_chunk(key)));
            }
        }
        Ok(None)
    }

    fn try_remove(&self, connection: &mut Connection, ranges: &[Keys]) -> rusqlite::Result<()> {
        let transaction = connection.transaction()?;
        let sql = "DELETE FROM chunk WHERE id BETWEEN ? AND ?";
        let mut statement = transaction.prepare_cached(sql)?;
        for range in ranges.iter().flat_map(|range| self.around(range)) {
            statement.execute([range.start(), range.end()])?;
        }
        drop(statement);
        transaction.commit()
    }

    /// Looks for chunks that cannot be read, and says how many are new.
    fn find_stuck(&mut self, connection: &Connection, ranges: &[Keys]) -> rusqlite::Result<usize> {
        let before = self.stuck.len();
        let mut all = connection.prepare_cached("SELECT id FROM chunk WHERE id BETWEEN ? AND ?")?;
        let mut read = connection.prepare_cached("SELECT data FROM chunk WHERE id = ?")?;
        for range in ranges {
            let keys = all.query_map([range.start(), range.end()], |row| row.get(0))?;
            for key in keys.collect::<rusqlite::Result<Vec<i64>>>()? {
                match read.query_row([key], |row| row.get_ref(0).map(drop)) {
                    Err(error) if is_unreadable(&error) => {
                        if self.stuck.insert(key) {
                            let (device, _) = keys::owner_of_chunk(key);
                            tracing::error!(device, %error, "a damaged chunk cannot be removed");
                        }
                    }
                    read => read?,
                }
            }
        }
        Ok(self.stuck.len() - before)
    }

    /// What is left of a range without the chunks that cannot be removed.
    fn around(&self, range: &Keys) -> Vec<Keys> {
        let mut parts = Vec::new();
        if range.is_empty() {
            return parts;
        }
        let mut begin = *range.start();
        for stuck in self.stuck.range(range.clone()) {
            parts.push(begin..=stuck - 1);
            begin = stuck + 1;
        }
        parts.push(begin..=*range.end());
        parts
    }
}
