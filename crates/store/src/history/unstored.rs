//! Samples that the api has in memory: which of them are not stored yet.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use netmonitor_protocol::SessionId;
use rusqlite::Connection;

use super::asked::Asked;
use super::chunk::Chunk;
use super::column::Column;
use super::origins::{self, Run};
use super::received::{self, Numbers};
use super::rollup::{SeriesId, column_of};
use super::{NewSample, names};
use crate::StoreError;

/// Those of the recent samples that are not stored, as a chunk of what is asked for. Series that
/// the database does not know yet get a number for this answer.
pub(super) fn unstored(
    connection: &Connection,
    device: Option<i64>,
    tail: &[Run],
    recent: &[NewSample],
    asked: &mut Asked<'_>,
) -> Result<Chunk, StoreError> {
    if recent.is_empty() {
        return Ok(Chunk::default());
    }
    let mut ids: HashMap<&str, Option<SeriesId>> = HashMap::new();
    let mut last = names::last_series(connection)?;
    let sessions: BTreeSet<SessionId> = recent.iter().map(|it| it.session).collect();
    let stored = match device {
        Some(device) => stored(connection, device, tail, |session| {
            sessions.contains(&session)
        })?,
        None => BTreeMap::new(),
    };
    let mut samples: Vec<&NewSample> = recent
        .iter()
        .filter(|it| {
            let numbers = stored.get(&it.session);
            !numbers.is_some_and(|numbers| numbers.contains(&it.seq))
        })
        .collect();
    samples.sort_by_key(|it| (it.at, it.session, it.seq));
    samples.dedup_by_key(|it| (it.session, it.seq));
    let mut chunk = Chunk::default();
    let mut columns: BTreeMap<SeriesId, Column> = BTreeMap::new();
    for (index, sample) in samples.iter().enumerate() {
        chunk.times.push(sample.at.as_millisecond());
        // A number of its own below those of the database.
        let place = sessions.range(..sample.session).count();
        let session = -1 - i64::try_from(place).unwrap_or_default();
        origins::push(&mut chunk.origins, session, sample.seq);
        for (name, value) in sample.layout.names().iter().zip(&sample.values) {
            let id = match ids.entry(name) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(new) if !asked.has_name(name) => *new.insert(None),
                Entry::Vacant(new) => {
                    let id = names::find_series(connection, name)?;
                    let id = id.unwrap_or_else(|| {
                        last += 1;
                        last
                    });
                    asked.add(id, name);
                    *new.insert(Some(id))
                }
            };
            if let Some(id) = id {
                columns.entry(id).or_default().push_at(index, *value);
            }
        }
    }
    chunk.columns = columns
        .into_iter()
        .map(|(id, it)| (column_of(id), it))
        .collect();
    Ok(chunk)
}

/// Which samples of a device are stored, of those sessions that are `asked` for. `tail`: those
/// of the device that the tail has.
pub(super) fn stored(
    connection: &Connection,
    device: i64,
    tail: &[Run],
    asked: impl Fn(SessionId) -> bool,
) -> Result<BTreeMap<SessionId, Numbers>, StoreError> {
    let mut stored: BTreeMap<SessionId, Numbers> = BTreeMap::new();
    let mut names: HashMap<i64, SessionId> = HashMap::new();
    let sql = "SELECT id, session FROM session WHERE device = ?";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([device])?;
    while let Some(row) = rows.next()? {
        let (id, name): (i64, String) = (row.get(0)?, row.get(1)?);
        let damaged = StoreError::Damaged { what: "a session" };
        let session: SessionId = name.parse().map_err(|_| damaged)?;
        if asked(session) {
            stored.insert(session, received::read(connection, id)?);
            names.insert(id, session);
        }
    }
    for run in tail {
        let numbers = names.get(&run.session).and_then(|it| stored.get_mut(it));
        if let Some(numbers) = numbers {
            numbers.extend(run.numbers());
        }
    }
    Ok(stored)
}
