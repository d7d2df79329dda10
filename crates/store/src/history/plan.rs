//! Which parts of the history a question needs.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _};

use super::chunk::Chunk;
use super::keys::{self, DAY_HOURS, DAY_MS, Tier, hour_of};
use super::listing::{self, Table};
use super::pieces::{self, Piece};
use super::question::Query;
use super::rollup::{FIVE_MINUTES_MS, TWO_HOURS_MS};
use super::upkeep::first_hour_of_month;
use crate::StoreError;

/// Samples, in the database or in memory.
#[derive(Debug)]
pub(super) enum Source {
    Stored(Piece),
    Memory(Chunk),
}

impl Source {
    /// The times of the first and of the last sample.
    pub(super) fn span(&self) -> (i64, i64) {
        match self {
            Self::Stored(piece) => (piece.first, piece.last),
            Self::Memory(chunk) => (
                chunk.times.first().copied().unwrap_or_default(),
                chunk.times.last().copied().unwrap_or_default(),
            ),
        }
    }
}

/// What is read beside the samples that are not merged yet.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Days of samples.
    pub(super) days: Vec<Piece>,
    /// Chunks of points, and the days (since 1970) that are told by others.
    pub(super) points: Vec<Piece>,
    pub(super) told: BTreeSet<i64>,
}

/// Chooses the coarsest data that is fine enough: a point of the answer stands for at least one
/// of what is read. Where that is gone, the next coarser.
pub(super) fn plan(
    connection: &Connection,
    device: i64,
    query: &Query,
    unmerged: &[Source],
) -> Result<Plan, StoreError> {
    let (from, to) = (query.from.as_millisecond(), query.to.as_millisecond());
    let (first, last) = (from.div_euclid(DAY_MS), to.div_euclid(DAY_MS));
    let hours = first * DAY_HOURS..=last * DAY_HOURS;
    let step = (to - from) / i64::try_from(query.points.max(1)).unwrap_or(i64::MAX);
    let mut plan = Plan::default();
    let day_of = |piece: &Piece| piece.first.div_euclid(DAY_MS);
    if step < FIVE_MINUTES_MS || is_little(connection, device, query, unmerged)? {
        plan.days = pieces::find(connection, device, Tier::Day, hours.clone())?;
        plan.told.extend(plan.days.iter().map(day_of));
    }
    if step < TWO_HOURS_MS {
        let fine = pieces::find(connection, device, Tier::FiveMinutes, hours)?;
        let fine = fine
            .into_iter()
            .filter(|it| !plan.told.contains(&day_of(it)));
        plan.points = fine.collect();
    }
    let told_otherwise = plan.told.len() + plan.points.len();
    let days = usize::try_from(last - first + 1).unwrap_or(usize::MAX);
    if told_otherwise < days {
        let months = first_hour_of_month(first)..=last * DAY_HOURS;
        let coarse = pieces::find(connection, device, Tier::TwoHours, months)?;
        let fine: BTreeSet<i64> = plan.points.iter().map(day_of).collect();
        let has_more = |piece: &Piece| {
            let days =
                piece.first.div_euclid(DAY_MS).max(first)..=piece.last.div_euclid(DAY_MS).min(last);
            days.into_iter()
                .any(|day| !plan.told.contains(&day) && !fine.contains(&day))
        };
        // What was made anew beside a damaged month stands behind it, and tells its days first.
        let coarse = coarse.into_iter().filter(has_more).rev();
        plan.points.extend(coarse);
    }
    Ok(plan)
}

/// Whether all samples of the range are so few that they can be the answer as they are.
fn is_little(
    connection: &Connection,
    device: i64,
    query: &Query,
    unmerged: &[Source],
) -> Result<bool, StoreError> {
    /// With more days than this there are more samples than points, or hardly any.
    const DAYS: usize = 40;
    let (from, to) = (query.from.as_millisecond(), query.to.as_millisecond());
    let first = first_merged(connection, device, from)?;
    let Some(first) = first.filter(|first| *first <= to) else {
        return Ok(true);
    };
    let oldest_points = oldest_points(connection, device, from)?;
    if oldest_points.is_some_and(|oldest| oldest < first.div_euclid(DAY_MS) * DAY_MS) {
        return Ok(false);
    }
    let hours = hour_of(first)..=hour_of(first) + i64::try_from(DAYS).unwrap_or(0) * DAY_HOURS;
    if hour_of(to) > *hours.end() {
        return Ok(false);
    }
    let mut samples: usize = unmerged
        .iter()
        .map(|source| match source {
            Source::Stored(piece) => piece.samples,
            Source::Memory(chunk) => chunk.times.len(),
        })
        .sum();
    for day in pieces::find(connection, device, Tier::Day, hours)? {
        samples += day.samples;
        if samples > query.points {
            return Ok(false);
        }
    }
    Ok(true)
}

/// When the first merged day from a moment on begins.
fn first_merged(connection: &Connection, device: i64, from: i64) -> rusqlite::Result<Option<i64>> {
    first_of(connection, device, Tier::Day, from)
}

/// When the first day of points from a moment on begins.
fn oldest_points(connection: &Connection, device: i64, from: i64) -> rusqlite::Result<Option<i64>> {
    first_of(connection, device, Tier::FiveMinutes, from)
}

fn first_of(
    connection: &Connection,
    device: i64,
    tier: Tier,
    from: i64,
) -> rusqlite::Result<Option<i64>> {
    let day = from.div_euclid(DAY_MS) * DAY_HOURS;
    let keys = keys::chunks(device, tier, day..=i64::MAX);
    let (key, _) = listing::next(connection, Table::Chunk, *keys.start())?;
    let Some(key) = key.filter(|key| keys.contains(key)) else {
        return Ok(None);
    };
    let sql = "SELECT first FROM chunk WHERE id = ?";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row([key], |row| row.get(0)).optional()
}
