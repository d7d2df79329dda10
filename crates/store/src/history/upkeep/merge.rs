//! From the chunks of hours to one of the day, and to the points of longer stretches.

use std::collections::{BTreeSet, HashMap};

use rusqlite::Connection;

use super::changes::Changes;
use super::month::{Month, join};
use crate::StoreError;
use crate::error::is_unreadable;
use crate::history::chunk::Chunk;
use crate::history::combine::combine;
use crate::history::found::Found;
use crate::history::keys::{self, DAY_HOURS, Tier};
use crate::history::listing::{self, Table};
use crate::history::names;
use crate::history::rate::gap;
use crate::history::rollup::{self, FIVE_MINUTES_MS, Points, SeriesId, series_of, summarise};
use crate::history::series::{self, Kind};

/// A day of a device. Its number is that of days since 1970.
pub(in crate::history) type DeviceDay = (i64, i64);

/// A step ends when it has read so many bytes: several devices share a sync, and a commit
/// does not wait long.
const STEP_BYTES: usize = 2 << 20;

/// What kind each series is of.
#[derive(Debug)]
pub(super) struct Kinds(HashMap<SeriesId, Kind>);

impl Kinds {
    fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let all = names::all_series(connection)?.into_iter();
        Ok(Self(
            all.map(|(id, name)| (id, series::kind(&name))).collect(),
        ))
    }

    /// That of one.
    pub(super) fn of(&self, series: SeriesId) -> Kind {
        self.0.get(&series).copied().unwrap_or(Kind::Gauge)
    }
}

/// Days before `end_hour` of which there are chunks that are not merged.
pub(super) fn unmerged_days(
    connection: &Connection,
    end_hour: i64,
) -> rusqlite::Result<Vec<DeviceDay>> {
    let mut days = BTreeSet::new();
    if end_hour <= 0 {
        return Ok(Vec::new());
    }
    for (device, _) in names::all_devices(connection)? {
        let keys = keys::chunks(device, Tier::Hour, 0..=end_hour - 1);
        let hours = listing::list(connection, Table::Chunk, &keys)?.keys;
        let hours = hours.into_iter().map(keys::hour_of_chunk);
        days.extend(hours.map(|hour| (device, hour.div_euclid(DAY_HOURS))));
    }
    Ok(days.into_iter().collect())
}

/// Merges the first of these days, as many as fit into one step, and says how many. One that
/// cannot be merged because the file is damaged there is passed over.
pub(in crate::history) fn merge_days(
    connection: &mut Connection,
    days: &[DeviceDay],
) -> Result<usize, StoreError> {
    let kinds = Kinds::read(connection)?;
    let mut changes = Changes::default();
    let mut done = 0;
    for (device, day) in days {
        match merge_day(connection, &kinds, &mut changes, *device, *day) {
            Err(error) if error.is_unreadable() => pass_over(*device, *day, &error),
            merged => merged?,
        }
        done += 1;
        if changes.bytes_read() >= STEP_BYTES {
            break;
        }
    }
    let transaction = connection.transaction()?;
    let made = changes.make(&transaction);
    match made.and_then(|()| transaction.commit()) {
        Ok(()) => Ok(done),
        Err(error) if is_unreadable(&error) => match days {
            [(device, day), _, ..] if done > 1 => merge_days(connection, &[(*device, *day)]),
            [(device, day), ..] => {
                pass_over(*device, *day, &error.into());
                Ok(1)
            }
            [] => Ok(0),
        },
        Err(error) => Err(error.into()),
    }
}

fn pass_over(device: i64, day: i64, error: &StoreError) {
    tracing::error!(device, day, %error, "a day of a device cannot be merged");
}

/// Finds out what merging a day changes.
fn merge_day(
    connection: &Connection,
    kinds: &Kinds,
    changes: &mut Changes,
    device: i64,
    day: i64,
) -> Result<(), StoreError> {
    let hour = day * DAY_HOURS;
    let day_key = keys::chunk(device, Tier::Day, hour, 0);
    let merged = match changes.find(connection, day_key)? {
        Found::Nothing => None,
        Found::Sound(chunk) => Some(chunk),
        // It stays where it is, and is never overwritten: what is sound of it can be read.
        Found::Damaged | Found::Unreadable => return Ok(()),
    };
    let hours = keys::chunks(device, Tier::Hour, hour..=hour + DAY_HOURS - 1);
    let (mut parts, mut sound) = (Vec::new(), Vec::new());
    for key in changes.keys(connection, hours)? {
        // A damaged one stays, and the others are merged without it.
        if let Found::Sound(chunk) = changes.find(connection, key)? {
            parts.push(chunk);
            sound.push(key);
        }
    }
    if sound.is_empty() {
        return Ok(());
    }
    let fine_key = keys::chunk(device, Tier::FiveMinutes, hour, 0);
    let fine = changes.find(connection, fine_key)?;
    let mut month = Month::read(connection, changes, kinds, device, day)?;
    // Its samples are gone, and its points are more than could be made of what came late.
    let is_told = merged.is_none() && (!matches!(fine, Found::Nothing) || month.tells(day));
    for key in sound {
        changes.remove(key);
    }
    let whole = combine(parts.into_iter().chain(merged).collect());
    let points = points_of(&whole, kinds);
    if is_told {
        month.join(kinds, &points);
        if let Found::Sound(chunk) = fine {
            let mut all = rollup::from_chunk(&chunk);
            join(&mut all, kinds, points);
            changes.store(fine_key, &rollup::to_chunk(&all));
        }
    } else {
        changes.store(day_key, &whole);
        month.replace(kinds, day, &points);
        if !matches!(fine, Found::Unreadable) {
            changes.store(fine_key, &rollup::to_chunk(&points));
        }
    }
    month.store(changes);
    Ok(())
}

/// The points of five minutes that sum up samples.
pub(super) fn points_of(samples: &Chunk, kinds: &Kinds) -> Points {
    let gap = gap(&samples.times);
    let columns = samples.columns.iter().map(|(id, column)| {
        let series = series_of(*id);
        let kind = kinds.of(series);
        let points = summarise(&samples.times, column, kind, FIVE_MINUTES_MS, gap);
        (series, points)
    });
    columns.collect()
}
