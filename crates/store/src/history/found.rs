//! What stands under a key, in a file that may be damaged.

use rusqlite::{OptionalExtension as _, Statement};

use super::chunk::Chunk;
use crate::error::is_unreadable;

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

impl Found {
    /// Reads it, with a statement that selects the bytes under a key. Returns how many there are
    /// as well.
    pub(super) fn read(select: &mut Statement<'_>, key: i64) -> rusqlite::Result<(Self, usize)> {
        let found = select
            .query_row([key], |row| {
                let data = row.get_ref(0)?.as_blob().unwrap_or_default();
                Ok((Self::decode(data), data.len()))
            })
            .optional();
        match found {
            Ok(found) => Ok(found.unwrap_or((Self::Nothing, 0))),
            Err(error) if is_unreadable(&error) => Ok((Self::Unreadable, 0)),
            Err(error) => Err(error),
        }
    }

    /// What was stored, from its bytes.
    pub(super) fn decode(data: &[u8]) -> Self {
        Chunk::decode(data).map_or(Self::Damaged, Self::Sound)
    }
}
