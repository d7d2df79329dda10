//! Finding and reading those parts of the history that a question needs.

use std::ops::RangeInclusive;

use rusqlite::blob::Blob;
use rusqlite::{Connection, MAIN_DB, Row};

use super::asked::Asked;
use super::chunk::Chunk;
use super::head::{Damaged, Head, ORIGINS, TIMES};
use super::keys::{self, Tier};
use super::listing::{self, Table};
use super::origins::Run;
use crate::error::is_unreadable;

/// Bytes that are read first: enough for the head of a chunk with some sixty series.
const HEAD: usize = 1024;

/// A chunk in the database, as far as its row tells without its data.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub(super) key: i64,
    pub(super) samples: usize,
    pub(super) first: i64,
    pub(super) last: i64,
}

impl Piece {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            key: row.get(0)?,
            samples: row.get(1)?,
            first: row.get(2)?,
            last: row.get(3)?,
        })
    }
}

/// The chunks of a tier that begin in these hours. Without those on a page that is lost.
pub(super) fn find(
    connection: &Connection,
    device: i64,
    tier: Tier,
    hours: RangeInclusive<i64>,
) -> rusqlite::Result<Vec<Piece>> {
    let keys = keys::chunks(device, tier, hours);
    let sql = "SELECT id, samples, first, last FROM chunk WHERE id BETWEEN ? AND ?";
    let mut statement = connection.prepare_cached(sql)?;
    let all = statement.query_map([keys.start(), keys.end()], Piece::read)?;
    let all = all.collect::<rusqlite::Result<Vec<_>>>();
    if !all.as_ref().is_err_and(is_unreadable) {
        return all;
    }
    let mut readable = Vec::new();
    for key in listing::list(connection, Table::Chunk, &keys)?.keys {
        readable.push(statement.query_row([key, key], Piece::read)?);
    }
    Ok(readable)
}

/// Reads times and those columns that are asked for, and nothing else: of the samples between two
/// times and some around them, of which the last one before is one; or of all, and then also which
/// samples they are. A damaged column is left out and counted in `damaged`; without its times a
/// chunk has nothing to tell.
pub(super) fn load(
    connection: &Connection,
    piece: &Piece,
    asked: &Asked<'_>,
    between: Option<(i64, i64)>,
    damaged: &mut u64,
) -> rusqlite::Result<Chunk> {
    let blob = connection.blob_open(MAIN_DB, "chunk", "data", piece.key, true)?;
    let Some(head) = read_head(&blob) else {
        *damaged += 1;
        return Ok(Chunk::default());
    };
    let mut chunk = Chunk::default();
    let (from, to) = between.unwrap_or((i64::MIN, i64::MAX));
    let times = head.find(TIMES).ok_or(Damaged);
    let times = times.and_then(|range| head.times_between(&read(&blob, range)?, from, to));
    let Ok((samples, times)) = times else {
        *damaged += 1;
        return Ok(chunk);
    };
    chunk.times = times;
    if between.is_none() {
        let bytes = head.find(ORIGINS).ok_or(Damaged);
        let origins = bytes.and_then(|range| head.origins(&read(&blob, range)?));
        chunk.origins = origins.unwrap_or_else(|Damaged| {
            *damaged += 1;
            // Whichever they are, they are no others'.
            vec![Run {
                session: -piece.key,
                first: 0,
                count: chunk.times.len() as u64,
            }]
        });
    }
    for id in head.series().filter(|id| asked.has_column(*id)) {
        let bytes = head.find(id).ok_or(Damaged);
        let column = bytes.and_then(|range| head.column(id, &read(&blob, range)?, samples.clone()));
        match column {
            Ok(column) => {
                chunk.columns.insert(id, column);
            }
            Err(Damaged) => *damaged += 1,
        }
    }
    Ok(chunk)
}

/// None if it is damaged.
fn read_head(blob: &Blob<'_>) -> Option<Head> {
    let mut length = HEAD.min(blob.len());
    loop {
        match Head::parse(&read(blob, 0..length).ok()?) {
            Ok(Some(head)) if !head.is_small() => return Some(head),
            Ok(None) if length < blob.len() => length = (length * 8).min(blob.len()),
            _ => return None,
        }
    }
}

fn read(blob: &Blob<'_>, range: std::ops::Range<usize>) -> Result<Vec<u8>, Damaged> {
    if range.end > blob.len() {
        return Err(Damaged);
    }
    let mut bytes = vec![0; range.len()];
    // What SQLite cannot read is as good as damaged: the rest of the chunk may be sound.
    blob.read_at_exact(&mut bytes, range.start)
        .map_err(|_| Damaged)?;
    Ok(bytes)
}
