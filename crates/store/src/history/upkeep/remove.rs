//! Removing chunks, whatever became of the file.

use std::collections::BTreeMap;

use rusqlite::Connection;

use crate::StoreError;
use crate::error::is_unreadable;
use crate::history::keys::{self, Tier};
pub(super) use crate::history::listing::Keys;
use crate::history::listing::{self, Table};

/// Removes chunks, and knows which ones cannot be removed: who frees a chunk's pages has to read
/// them.
#[derive(Debug, Default)]
pub(super) struct Remover {
    /// Where they are: first and last key.
    stuck: BTreeMap<i64, i64>,
}

impl Remover {
    /// Removes all chunks of these ranges that can be, in one transaction; where the file is
    /// damaged, in more.
    pub(super) fn remove(
        &mut self,
        connection: &mut Connection,
        ranges: &[Keys],
    ) -> Result<(), StoreError> {
        if is_done(self.try_remove(connection, ranges))? {
            return Ok(());
        }
        for range in ranges {
            if !is_done(self.try_remove(connection, std::slice::from_ref(range)))? {
                self.remove_each(connection, range)?;
            }
        }
        Ok(())
    }

    /// The first hour of which a device has a chunk that can be removed.
    pub(super) fn oldest_hour(
        &mut self,
        connection: &Connection,
        device: i64,
        tier: Tier,
    ) -> rusqlite::Result<Option<i64>> {
        let sql = "SELECT min(id) FROM chunk WHERE id BETWEEN ? AND ?";
        let mut statement = connection.prepare_cached(sql)?;
        let range = keys::chunks(device, tier, 0..=i64::MAX);
        for part in self.around(&range) {
            let key = statement.query_row([part.start(), part.end()], |row| row.get(0));
            let key: Option<i64> = match key {
                Err(error) if is_unreadable(&error) => {
                    self.list(connection, &part)?.into_iter().next()
                }
                key => key?,
            };
            if let Some(key) = key {
                return Ok(Some(keys::hour_of_chunk(key)));
            }
        }
        Ok(None)
    }

    fn try_remove(&mut self, connection: &mut Connection, ranges: &[Keys]) -> rusqlite::Result<()> {
        let mut single = Vec::new();
        let mut whole = Vec::new();
        for range in ranges.iter().filter(|range| !range.is_empty()) {
            if self.around(range) == [range.clone()] {
                whole.push(range);
            } else {
                // Who goes on from the last one before a lost page reads that page.
                single.extend(self.list(connection, range)?);
            }
        }
        let transaction = connection.transaction()?;
        let sql = "DELETE FROM chunk WHERE id BETWEEN ? AND ?";
        let mut statement = transaction.prepare_cached(sql)?;
        for range in whole {
            statement.execute([range.start(), range.end()])?;
        }
        drop(statement);
        let mut statement = transaction.prepare_cached("DELETE FROM chunk WHERE id = ?")?;
        for key in single {
            statement.execute([key])?;
        }
        drop(statement);
        transaction.commit()
    }

    /// Removes the chunks of a range one by one, and finds out which ones stay.
    fn remove_each(&mut self, connection: &Connection, range: &Keys) -> rusqlite::Result<()> {
        for key in self.list(connection, range)? {
            let sql = "DELETE FROM chunk WHERE id = ?";
            let removed = connection.prepare_cached(sql)?.execute([key]);
            match removed {
                Err(error) if is_unreadable(&error) => {
                    let (device, _) = keys::owner_of_chunk(key);
                    tracing::error!(device, %error, "a damaged chunk cannot be removed");
                    self.stuck.insert(key, key);
                }
                removed => drop(removed?),
            }
        }
        Ok(())
    }

    /// The chunks of a range that are not known to be stuck. Remembers where it cannot be read.
    fn list(&mut self, connection: &Connection, range: &Keys) -> rusqlite::Result<Vec<i64>> {
        let mut keys = Vec::new();
        for part in self.around(range) {
            let listing = listing::list(connection, Table::Chunk, &part)?;
            keys.extend(listing.keys);
            for hole in listing.holes {
                let (device, _) = keys::owner_of_chunk(*hole.start());
                let known = self.stuck.entry(*hole.start()).or_insert_with(|| {
                    tracing::error!(device, "some chunks cannot be read, nor removed");
                    *hole.end()
                });
                *known = (*known).max(*hole.end());
            }
        }
        Ok(keys)
    }

    /// What is left of a range without the chunks that cannot be removed.
    fn around(&self, range: &Keys) -> Vec<Keys> {
        let mut parts = Vec::new();
        let mut begin = *range.start();
        for (first, last) in self.stuck.range(..=*range.end()) {
            if *last < begin {
                continue;
            }
            if begin < *first {
                parts.push(begin..=*first - 1);
            }
            begin = last.saturating_add(1);
        }
        if begin <= *range.end() {
            parts.push(begin..=*range.end());
        }
        parts
    }
}

/// Whether it was done, or the file is damaged there.
fn is_done(removed: rusqlite::Result<()>) -> rusqlite::Result<bool> {
    match removed {
        Err(error) if is_unreadable(&error) => Ok(false),
        removed => removed.map(|()| true),
    }
}
