//! What the history holds, in a few numbers.

use jiff::Timestamp;
use rusqlite::Connection;

use super::keys::HOUR_MS;
use crate::{StoreError, time};

/// What the history holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overview {
    /// Size of the database file, in bytes.
    pub file_bytes: u64,
    /// How much of it holds data.
    pub used_bytes: u64,
}

/// Sizes of the database.
pub(super) fn overview(connection: &Connection) -> rusqlite::Result<Overview> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
    let (page, pages, free) = (
        number("page_size")?,
        number("page_count")?,
        number("freelist_count")?,
    );
    Ok(Overview {
        file_bytes: page * pages,
        used_bytes: page * pages.saturating_sub(free),
    })
}

/// When the newest sample or event was, to the hour; none if there is nothing.
pub(super) fn newest(connection: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let newest = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
    let of_tail = newest("SELECT max(hour) FROM tail")?.map(|hour| hour * HOUR_MS);
    let all = [
        of_tail,
        newest("SELECT max(newest) FROM session")?,
        newest("SELECT max(at) FROM event")?,
    ];
    Ok(all.into_iter().flatten().max().map(time::from_ms))
}
