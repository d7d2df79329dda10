//! From the chunks of hours to one of the day, and to the points of longer stretches.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::seal::insert;
use crate::StoreError;
use crate::history::chunk::Chunk;
use crate::history::combine::combine;
use crate::history::keys::{self, DAY_HOURS, DAY_MS, Tier};
use crate::history::names;
use crate::history::rate::gap;
use crate::history::rollup::{
    self, FIVE_MINUTES_MS, Points, SeriesId, TWO_HOURS_MS, coarsen, series_of, summarise,
};
use crate::history::series::{self, Kind};
use crate::time;

/// A day of a device. Its number is that of days since 1970.
pub(in crate::history) type DeviceDay = (i64, i64);

/// A step ends when it has written so many bytes: several devices share a sync, and a commit
/// does not wait long.
const STEP_BYTES: usize = 2 << 20;

/// Days before `end_hour` of which there are chunks that are not merged.
pub(super) fn unmerged_days(
    connection: &Connection,
    end_hour: i64,
) -> rusqlite::Result<Vec<DeviceDay>> {
    let mut days = BTreeSet::new();
    for (device, _) in names::all_devices(connection)? {
        let keys = keys::chunks(device, Tier::Hour, 0..=end_hour - 1);
        let mut statement =
            connection.prepare_cached("SELECT id FROM chunk WHERE id BETWEEN ? AND ?")?;
        let mut rows = statement.query([keys.start(), keys.end()])?;
        while let Some(row) = rows.next()? {
            let hour = keys::hour_of_chunk(row.get(0)?);
            days.insert((device, hour.div_euclid(DAY_HOURS)));
        }
    }
    Ok(days.into_iter().collect())
}

/// Merges the first of these days, as many as fit into one step, and says how many.
pub(in crate::history) fn merge_days(
    connection: &mut Connection,
    days: &[DeviceDay],
) -> Result<usize, StoreError> {
    let transaction = connection.transaction()?;
    let kinds: HashMap<SeriesId, Kind> = names::all_series(&transaction)?
        .into_iter()
        .map(|(id, name)| (id, series::kind(&name)))
        .collect();
    let (mut done, mut bytes) = (0, 0);
    for (device, day) in days {
        bytes += merge_day(&transaction, &kinds, *device, *day)?;
        done += 1;
        if bytes >= STEP_BYTES {
            break;
        }
    }
    transaction.commit()?;
    Ok(done)
}

/// Returns how many bytes of samples there were.
fn merge_day(
    transaction: &Transaction<'_>,
    kinds: &HashMap<SeriesId, Kind>,
    device: i64,
    day: i64,
) -> Result<usize, StoreError> {
    let hour = day * DAY_HOURS;
    let mut pieces = Vec::new();
    let mut bytes = 0;
    let day_key = keys::chunk(device, Tier::Day, hour, 0);
    let hours = keys::chunks(device, Tier::Hour, hour..=hour + DAY_HOURS - 1);
    for keys in [day_key..=day_key, hours] {
        let sql = "SELECT id, data FROM chunk WHERE id BETWEEN ? AND ?";
        let mut statement = transaction.prepare_cached(sql)?;
        let mut rows = statement.query([keys.start(), keys.end()])?;
        while let Some(row) = rows.next()? {
            let data = row.get_ref(1)?.as_blob().unwrap_or_default();
            bytes += data.len();
            pieces.push((row.get::<_, i64>(0)?, Chunk::decode(data).ok()));
        }
    }
    // A damaged chunk stays where it is: what is sound of it can still be read, and the others
    // are merged without it. A damaged day is never overwritten.
    let is_day_damaged = pieces
        .iter()
        .any(|(key, it)| *key == day_key && it.is_none());
    if is_day_damaged {
        return Ok(bytes);
    }
    let mut chunks = Vec::new();
    for (key, chunk) in pieces {
        if let Some(chunk) = chunk {
            chunks.push(chunk);
            transaction
                .prepare_cached("DELETE FROM chunk WHERE id = ?")?
                .execute([key])?;
        }
    }
    let whole = combine(chunks);
    if whole.times.is_empty() {
        return Ok(bytes);
    }
    insert(transaction, day_key, &whole)?;
    let points = points_of(&whole, kinds);
    let key = keys::chunk(device, Tier::FiveMinutes, hour, 0);
    insert(transaction, key, &rollup::to_chunk(&points))?;
    merge_month(transaction, kinds, device, day, &points)?;
    Ok(bytes)
}

fn points_of(whole: &Chunk, kinds: &HashMap<SeriesId, Kind>) -> Points {
    let gap = gap(&whole.times);
    let columns = whole.columns.iter().map(|(id, column)| {
        let series = series_of(*id);
        let kind = kind_of(kinds, series);
        (
            series,
            summarise(&whole.times, column, kind, FIVE_MINUTES_MS, gap),
        )
    });
    columns.collect()
}

/// Puts a day's points into those of its month, in place of what was there of that day.
fn merge_month(
    transaction: &Transaction<'_>,
    kinds: &HashMap<SeriesId, Kind>,
    device: i64,
    day: i64,
    points: &Points,
) -> Result<(), StoreError> {
    let key = keys::chunk(device, Tier::TwoHours, first_hour_of_month(day), 0);
    let data: Option<Vec<u8>> = transaction
        .prepare_cached("SELECT data FROM chunk WHERE id = ?")?
        .query_row(params![key], |row| row.get(0))
        .optional()?;
    let mut month = match data.map(|data| Chunk::decode(&data)) {
        Some(Ok(chunk)) => rollup::from_chunk(&chunk),
        // A damaged month is made anew from here on; its days can still be read.
        Some(Err(_)) | None => Points::new(),
    };
    let (begin, end) = (day * DAY_MS, (day + 1) * DAY_MS);
    for of_series in month.values_mut() {
        of_series.retain(|at, _| !(begin..end).contains(at));
    }
    for (series, fine) in points {
        let coarse = coarsen(fine, kind_of(kinds, *series), TWO_HOURS_MS);
        month.entry(*series).or_default().extend(coarse);
    }
    month.retain(|_, points: &mut BTreeMap<_, _>| !points.is_empty());
    insert(transaction, key, &rollup::to_chunk(&month))?;
    Ok(())
}

/// The first hour of the month (UTC) of a day.
pub(in crate::history) fn first_hour_of_month(day: i64) -> i64 {
    let date = time::from_ms(day * DAY_MS).to_zoned(TimeZone::UTC).date();
    let first = date.first_of_month();
    let epoch = Date::constant(1970, 1, 1);
    let days = epoch.until(first).map_or(0, |span| span.get_days());
    i64::from(days) * DAY_HOURS
}

fn kind_of(kinds: &HashMap<SeriesId, Kind>, series: SeriesId) -> Kind {
    kinds.get(&series).copied().unwrap_or(Kind::Gauge)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::keys::HOUR_MS;

    #[test]
    fn a_month_begins_with_its_first_hour() {
        let hour = |text: &str| {
            let at: jiff::Timestamp = text.parse().unwrap();
            at.as_millisecond() / HOUR_MS
        };
        let check = |day: &str, first: &str| {
            assert_eq!(first_hour_of_month(hour(day) / DAY_HOURS), hour(first));
        };
        check("2026-11-22T10:00:00Z", "2026-11-01T00:00:00Z");
        check("2028-02-29T23:59:59Z", "2028-02-01T00:00:00Z");
        check("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z");
    }
}
