//! Which series a question is about. Of thousands in a fleet a device has some twenty: none is
//! looked up that is not met.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::chunk::Chunk;
use super::head::ColumnId;
use super::names;
use super::rollup::{SeriesId, series_of};
use super::series::{self, Kind};

/// An answer has so many series at most, of those that come first. A broken agent can make up
/// thousands in a day, and each takes 16 kB of memory at 500 points.
const MOST: usize = 4096;

/// The series that are asked for, as far as they are known.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    /// Under which names they are shown; without any all are asked for.
    shown: &'a [String],
    known: BTreeMap<SeriesId, Series>,
}

/// What its name says of a series.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) kind: Kind,
    pub(super) scale: f64,
    /// Under which name it is shown.
    pub(super) shown: String,
}

impl<'a> Asked<'a> {
    /// Those that are shown under these names.
    pub(super) fn find(connection: &Connection, shown: &'a [String]) -> rusqlite::Result<Self> {
        let mut asked = Self {
            shown,
            known: BTreeMap::new(),
        };
        for name in shown.iter().flat_map(|it| series::stored_as(it)) {
            if let Some(id) = names::find_series(connection, &name)? {
                asked.add(id, &name);
            }
        }
        Ok(asked)
    }

    /// Whether a series with this name is asked for.
    pub(super) fn has_name(&self, stored: &str) -> bool {
        self.shown.is_empty() || self.shown.iter().any(|it| *it == series::shown(stored))
    }

    /// Whether the column is of a series that is asked for.
    pub(super) fn has_column(&self, column: ColumnId) -> bool {
        self.shown.is_empty() || self.known.contains_key(&series_of(column))
    }

    /// One that is asked for has this number.
    pub(super) fn add(&mut self, id: SeriesId, stored: &str) {
        let series = Series {
            kind: series::kind(stored),
            scale: series::scale(stored),
            shown: series::shown(stored).into_owned(),
        };
        self.known.insert(id, series);
    }

    /// Looks up those that this chunk has.
    pub(super) fn meet(&mut self, connection: &Connection, chunk: &Chunk) -> rusqlite::Result<()> {
        for id in series_in(chunk) {
            if !self.known.contains_key(&id)
                && self.known.len() < MOST
                && let Some(name) = names::name_of_series(connection, id)?
            {
                self.add(id, &name);
            }
        }
        Ok(())
    }

    /// Those of a chunk that are known.
    pub(super) fn of<'b>(
        &'b self,
        chunk: &'b Chunk,
    ) -> impl Iterator<Item = (SeriesId, &'b Series)> {
        series_in(chunk).filter_map(|id| Some((id, self.known.get(&id)?)))
    }
}

/// Of samples a series has one column, of points several that follow each other.
fn series_in(chunk: &Chunk) -> impl Iterator<Item = SeriesId> {
    let mut before = None;
    chunk.columns.keys().filter_map(move |column| {
        let id = series_of(*column);
        (before.replace(id) != Some(id)).then_some(id)
    })
}
