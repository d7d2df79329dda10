//! Points of two hours, in a chunk for each month (UTC).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use rusqlite::Connection;

use super::changes::Changes;
use super::merge::{Kinds, points_of};
use crate::StoreError;
use crate::history::found::Found;
use crate::history::keys::{self, DAY_HOURS, DAY_MS, Tier};
use crate::history::rollup::{self, Points, Summary, TWO_HOURS_MS, coarsen};
use crate::time;

/// A month of a device.
#[derive(Debug)]
pub(super) struct Month {
    key: i64,
    points: Points,
}

impl Month {
    /// The month of a day, as far as it is told. A damaged one is made anew from the points of
    /// its days; beside it, if it cannot even be replaced.
    pub(super) fn read(
        connection: &Connection,
        changes: &mut Changes,
        kinds: &Kinds,
        device: i64,
        day: i64,
    ) -> Result<Self, StoreError> {
        let first = first_hour_of_month(day);
        let range = keys::chunks(device, Tier::TwoHours, first..=first);
        let newest = changes.keys(connection, range.clone())?.pop_last();
        let key = newest.unwrap_or(*range.start());
        let (key, points) = match changes.find(connection, key)? {
            Found::Nothing => (key, Points::new()),
            Found::Sound(chunk) => (key, rollup::from_chunk(&chunk)),
            found => {
                tracing::error!(device, "a month of points is damaged and is made anew");
                let is_stuck = matches!(found, Found::Unreadable);
                let key = (key + i64::from(is_stuck)).min(*range.end());
                (key, rebuild(connection, changes, kinds, device, day)?)
            }
        };
        Ok(Self { key, points })
    }

    /// Whether there are points of a day.
    pub(super) fn tells(&self, day: i64) -> bool {
        let mut series = self.points.values();
        series.any(|points| points.range(times_of(day)).next().is_some())
    }

    /// Puts a day's points in place of those that are there of that day.
    pub(super) fn replace(&mut self, kinds: &Kinds, day: i64, fine: &Points) {
        let times = times_of(day);
        for of_series in self.points.values_mut() {
            of_series.retain(|at, _| !times.contains(at));
        }
        self.points
            .retain(|_, points: &mut BTreeMap<_, _>| !points.is_empty());
        self.join(kinds, fine);
    }

    /// Adds points of samples that are in none yet.
    pub(super) fn join(&mut self, kinds: &Kinds, fine: &Points) {
        let coarse = fine
            .iter()
            .map(|(series, fine)| (*series, coarsen(fine, kinds.of(*series), TWO_HOURS_MS)));
        join(&mut self.points, kinds, coarse.collect());
    }

    /// Stores it.
    pub(super) fn store(self, changes: &mut Changes) {
        changes.store(self.key, &rollup::to_chunk(&self.points));
    }
}

/// When a day begins and ends.
fn times_of(day: i64) -> Range<i64> {
    day * DAY_MS..(day + 1) * DAY_MS
}

/// Adds points of samples that are in none yet.
pub(super) fn join(points: &mut Points, kinds: &Kinds, more: Points) {
    for (series, more) in more {
        let kind = kinds.of(series);
        let of_series = points.entry(series).or_default();
        for (begin, point) in more {
            of_series
                .entry(begin)
                .and_modify(|all: &mut Summary| all.join(&point, kind))
                .or_insert(point);
        }
    }
}

/// The points of a month, from the finer ones of its days, or from their samples.
fn rebuild(
    connection: &Connection,
    changes: &mut Changes,
    kinds: &Kinds,
    device: i64,
    day: i64,
) -> Result<Points, StoreError> {
    let first = first_hour_of_month(day);
    // Some day of the next month, whatever the length of this one.
    let next = first_hour_of_month(first / DAY_HOURS + 31);
    let hours = first..=next - 1;
    let mut days = BTreeSet::new();
    for tier in [Tier::FiveMinutes, Tier::Day] {
        let keys = changes.keys(connection, keys::chunks(device, tier, hours.clone()))?;
        days.extend(keys.into_iter().map(keys::hour_of_chunk));
    }
    let mut points = Points::new();
    for hour in days {
        let mut at = |tier| changes.find(connection, keys::chunk(device, tier, hour, 0));
        let fine = match (at(Tier::FiveMinutes)?, at(Tier::Day)?) {
            (Found::Sound(fine), _) => rollup::from_chunk(&fine),
            (_, Found::Sound(samples)) => points_of(&samples, kinds),
            _ => continue,
        };
        for (series, fine) in fine {
            let coarse = coarsen(&fine, kinds.of(series), TWO_HOURS_MS);
            points.entry(series).or_default().extend(coarse);
        }
    }
    Ok(points)
}

/// The first hour of the month (UTC) of a day.
pub(in crate::history) fn first_hour_of_month(day: i64) -> i64 {
    let date = time::from_ms(day * DAY_MS).to_zoned(TimeZone::UTC).date();
    let first = date.first_of_month();
    let epoch = Date::constant(1970, 1, 1);
    let days = epoch.until(first).map_or(0, |span| span.get_days());
    i64::from(days) * DAY_HOURS
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
