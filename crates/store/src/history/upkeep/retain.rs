//! What is too old, or too much, goes.

use std::collections::BTreeSet;

use netmonitor_protocol::payload::HistorySettings;
use rusqlite::Connection;

use super::Open;
use super::merge::{DeviceDay, merge_days, unmerged_days};
use super::remove::Remover;
use crate::history::keys::{self, DAY_HOURS, DAY_MS, Tier, hour_of};
use crate::history::overview::{Overview, overview};
use crate::history::{Retention, Tended, events, names};
use crate::{StoreError, migrate};

/// Sessions are known for so long after their newest sample, in days: a machine that was away
/// for longer and comes back with samples of then would have them stored twice.
const SESSION_DAYS: i64 = 400;

/// How many days sessions outlive samples at least: a day of samples goes when all of it is old.
const SESSION_RESERVE_DAYS: i64 = 2;

/// Above this share of the largest size, in percent, something goes: so much room is left to
/// what comes until the next look.
const FULL_PERCENT: u64 = 95;

/// What may come until the next look, in percent of the largest size. Else it is after an hour.
const LOOK_PERCENT: u64 = 1;

/// Free pages that make it worth to write the file anew, in percent of its size, if the file is
/// larger than it may be.
const SHRINK_PERCENT: u64 = 10;

/// Which chunks go first when there is no room: the oldest samples, then the finer points, then
/// the coarser. Last those samples of which there are no points yet.
const ORDER: [Tier; 4] = [Tier::Day, Tier::FiveMinutes, Tier::TwoHours, Tier::Hour];

/// What was forgotten, and what could not be.
#[derive(Debug, Default)]
pub(super) struct Retain {
    last: Option<Look>,
    /// Old days that were merged, as far as they can be, since the last look was over.
    tried: BTreeSet<DeviceDay>,
    remover: Remover,
}

/// When, by what and how far something was forgotten, and what was left.
#[derive(Debug)]
struct Look {
    hour: i64,
    settings: HistorySettings,
    is_by_age: bool,
    used_bytes: u64,
}

impl Retain {
    /// One step: removes what is too old, if that is wanted, then the oldest day of what is too
    /// much.
    pub(super) fn step(
        &mut self,
        open: &mut Open<'_>,
        now: i64,
        retention: Retention<'_>,
    ) -> Result<Tended, StoreError> {
        let Some(settings) = retention.settings() else {
            return Ok(Tended::Done);
        };
        let limit = u64::from(settings.max_megabytes) * 1_000_000;
        let is_by_age = retention.is_by_age();
        let used_bytes = overview(open.connection)?.used_bytes;
        let is_done = self.last.as_ref().is_some_and(|last| {
            last.hour == hour_of(now)
                && last.settings == *settings
                && last.is_by_age == is_by_age
                && used_bytes <= last.used_bytes + limit / 100 * LOOK_PERCENT
        });
        if is_done {
            return Ok(Tended::Done);
        }
        if forget_events(open.connection, now, settings, is_by_age)? == Tended::More {
            return Ok(Tended::More);
        }
        if is_by_age && self.merge_old(open.connection, now, settings)? == Tended::More {
            return Ok(Tended::More);
        }
        let devices: Vec<i64> = names::all_devices(open.connection)?
            .into_iter()
            .map(|(id, _)| id)
            .collect();
        if is_by_age {
            match self.forget_old(open, &devices, now, settings) {
                // What is too much goes nevertheless.
                Err(error) if error.is_unreadable() => {
                    tracing::error!(%error, "not all that is too old can be removed");
                }
                forgotten => forgotten?,
            }
        }
        if self.forget_much(open.connection, &devices, limit)? == Tended::Done {
            self.tried.clear();
            self.last = Some(Look {
                hour: hour_of(now),
                settings: settings.clone(),
                is_by_age,
                used_bytes: overview(open.connection)?.used_bytes,
            });
        }
        Ok(Tended::More)
    }

    /// Sums up what came so late that it goes at once.
    fn merge_old(
        &mut self,
        connection: &mut Connection,
        now: i64,
        settings: &HistorySettings,
    ) -> Result<Tended, StoreError> {
        let last = last_hour(now, Tier::Hour, settings.sample_days);
        let mut days = unmerged_days(connection, last + 1)?;
        days.retain(|day| !self.tried.contains(day));
        if days.is_empty() {
            return Ok(Tended::Done);
        }
        let done = merge_days(connection, &days)?;
        self.tried.extend(days.into_iter().take(done));
        Ok(Tended::More)
    }

    fn forget_old(
        &mut self,
        open: &mut Open<'_>,
        devices: &[i64],
        now: i64,
        settings: &HistorySettings,
    ) -> Result<(), StoreError> {
        let limits = [
            (Tier::Hour, settings.sample_days),
            (Tier::Day, settings.sample_days),
            (Tier::FiveMinutes, settings.five_minute_days),
            (Tier::TwoHours, settings.two_hour_days),
        ];
        let mut ranges = Vec::new();
        for (tier, days) in limits {
            let last = last_hour(now, tier, days);
            if last >= 0 {
                let of_devices = devices.iter();
                ranges.extend(of_devices.map(|device| keys::chunks(*device, tier, 0..=last)));
            }
        }
        self.remover.remove(open.connection, &ranges)?;
        let days = i64::from(settings.sample_days) + SESSION_RESERVE_DAYS;
        forget_sessions(open, now - SESSION_DAYS.max(days) * DAY_MS)
    }

    /// Removes the oldest day of the first tier that has one, if there is too much.
    fn forget_much(
        &mut self,
        connection: &mut Connection,
        devices: &[i64],
        limit: u64,
    ) -> Result<Tended, StoreError> {
        let size = overview(connection)?;
        let full = limit / 100 * FULL_PERCENT;
        if size.used_bytes > full && size.used_bytes - log_bytes(connection)? > full {
            return self.forget_oldest(connection, devices);
        }
        if size.file_bytes > limit && is_worth_shrinking(&size) {
            shrink(connection);
        }
        Ok(Tended::Done)
    }

    fn forget_oldest(
        &mut self,
        connection: &mut Connection,
        devices: &[i64],
    ) -> Result<Tended, StoreError> {
        for tier in ORDER {
            let mut oldest: Option<i64> = None;
            for device in devices {
                let hour = self.remover.oldest_hour(connection, *device, tier)?;
                oldest = [oldest, hour].into_iter().flatten().min();
            }
            let Some(oldest) = oldest else { continue };
            let last = oldest.div_euclid(DAY_HOURS) * DAY_HOURS + DAY_HOURS - 1;
            let of_devices = devices.iter();
            let ranges: Vec<_> = of_devices
                .map(|device| keys::chunks(*device, tier, 0..=last))
                .collect();
            self.remover.remove(connection, &ranges)?;
            return Ok(Tended::More);
        }
        Ok(Tended::Done)
    }
}

/// Removes some lines of the log that are too old, if that is wanted, or too many.
fn forget_events(
    connection: &Connection,
    now: i64,
    settings: &HistorySettings,
    is_by_age: bool,
) -> Result<Tended, StoreError> {
    let mut removed = events::keep_newest(connection, settings.max_events)?;
    if let Some(days) = settings
        .event_days
        .filter(|_| is_by_age && !removed.is_more)
    {
        removed = events::remove_before(connection, now - i64::from(days) * DAY_MS)?;
    }
    Ok(if removed.is_more {
        Tended::More
    } else {
        Tended::Done
    })
}

/// The last hour whose chunks are too old. What covers more goes when all of it is.
fn last_hour(now: i64, tier: Tier, days: u32) -> i64 {
    let reserve = if tier == Tier::TwoHours { 31 } else { 1 };
    hour_of(now - (i64::from(days) + reserve) * DAY_MS)
}

/// Removes sessions whose newest sample is before a moment. Those that are remembered stay: what
/// is remembered must be true, and by a clock that is wrong all look old.
fn forget_sessions(open: &mut Open<'_>, before: i64) -> Result<(), StoreError> {
    let transaction = open.connection.transaction()?;
    let mut statement = transaction.prepare_cached("SELECT id FROM session WHERE newest < ?")?;
    let rows = statement.query_map([before], |row| row.get(0))?;
    let mut old = rows.collect::<rusqlite::Result<Vec<i64>>>()?;
    drop(statement);
    old.retain(|session| !open.names.knows(*session) && !open.received.knows(*session));
    for session in &old {
        transaction
            .prepare_cached("DELETE FROM session WHERE id = ?")?
            .execute([session])?;
    }
    transaction.commit()?;
    Ok(())
}

/// How much the log takes. It cannot make room, and samples must not go because of it.
fn log_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE aggregate = TRUE AND name IN
               ('event', 'event_by_time', 'event_by_device', 'event_by_kind')";
    connection.query_row(sql, [], |row| row.get(0))
}

fn is_worth_shrinking(size: &Overview) -> bool {
    size.file_bytes - size.used_bytes > size.file_bytes / 100 * SHRINK_PERCENT
}

/// Writes the file anew, without what is free in it. Takes minutes for a large one.
fn shrink(connection: &Connection) {
    // Needs room for a copy. Without it the file stays as large as it is.
    let shrunk = connection
        .execute_batch("VACUUM")
        .and_then(|()| migrate::checkpoint(connection));
    if let Err(error) = shrunk {
        tracing::warn!(%error, "the history cannot be made smaller now");
    }
}
