//! What is too old, or too much, goes.

use netmonitor_protocol::payload::HistorySettings;
use rusqlite::Connection;

use crate::StoreError;
use crate::history::Tended;
use crate::history::keys::{self, DAY_HOURS, DAY_MS, Tier, hour_of};
use crate::history::names;
use crate::history::overview::{Overview, overview};

/// Sessions are known for so long after their newest sample, in days: a machine that was away
/// for longer and comes back with samples of then would have them stored twice.
const SESSION_DAYS: i64 = 400;

/// Above this share of the largest size, in percent, something goes: the file must never grow
/// beyond it.
const FULL_PERCENT: u64 = 95;

/// Free pages that make it worth to write the file anew, in percent of its size, if the file is
/// larger than it may be.
const SHRINK_PERCENT: u64 = 10;

/// Which chunks go first when there is no room: the oldest samples, then the finer points, then
/// the coarser. Last those samples of which there are no points yet.
const ORDER: [Tier; 4] = [Tier::Day, Tier::FiveMinutes, Tier::TwoHours, Tier::Hour];

/// Removes what is too old, if that is wanted, then the oldest day of what is too much.
pub(super) fn forget(
    connection: &mut Connection,
    now: i64,
    settings: &HistorySettings,
    is_by_age: bool,
) -> Result<Tended, StoreError> {
    let devices = names::all_devices(connection)?;
    if is_by_age {
        forget_old(connection, &devices, now, settings)?;
    }
    let limit = u64::from(settings.max_megabytes) * 1_000_000;
    let size = overview(connection)?;
    let full = limit / 100 * FULL_PERCENT;
    if size.used_bytes > full && size.used_bytes - log_bytes(connection)? > full {
        let ids: Vec<i64> = devices.iter().map(|(id, _)| *id).collect();
        return forget_oldest(connection, &ids);
    }
    if size.file_bytes > limit && is_worth_shrinking(&size) {
        // Needs room for a copy. Without it the file stays as large as it is.
        if let Err(error) = connection.execute_batch("VACUUM") {
            tracing::warn!(%error, "the history cannot be made smaller now");
        }
    }
    Ok(Tended::Done)
}

fn forget_old(
    connection: &mut Connection,
    devices: &[(i64, String)],
    now: i64,
    settings: &HistorySettings,
) -> Result<(), StoreError> {
    let limits = [
        (Tier::Hour, settings.sample_days),
        (Tier::Day, settings.sample_days),
        (Tier::FiveMinutes, settings.five_minute_days),
        (Tier::TwoHours, settings.two_hour_days),
    ];
    let transaction = connection.transaction()?;
    for (tier, days) in limits {
        // A month goes when its last day is too old.
        let reserve = if tier == Tier::TwoHours { 31 } else { 1 };
        let last = hour_of(now - (i64::from(days) + reserve) * DAY_MS);
        for (device, _) in devices {
            delete(&transaction, *device, tier, last)?;
        }
    }
    let before = now - SESSION_DAYS.max(i64::from(settings.sample_days)) * DAY_MS;
    transaction.execute("DELETE FROM session WHERE newest < ?", [before])?;
    transaction.commit()?;
    Ok(())
}

/// Removes the oldest day of the first tier that has one.
fn forget_oldest(connection: &mut Connection, devices: &[i64]) -> Result<Tended, StoreError> {
    let transaction = connection.transaction()?;
    for tier in ORDER {
        let mut oldest: Option<i64> = None;
        for device in devices {
            let hour = oldest_hour(&transaction, *device, tier)?;
            oldest = [oldest, hour].into_iter().flatten().min();
        }
        let Some(oldest) = oldest else { continue };
        let last = oldest.div_euclid(DAY_HOURS) * DAY_HOURS + DAY_HOURS - 1;
        for device in devices {
            delete(&transaction, *device, tier, last)?;
        }
        transaction.commit()?;
        return Ok(Tended::More);
    }
    Ok(Tended::Done)
}

/// How much the log takes. It cannot make room, and samples must not go because of it.
fn log_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE aggregate = TRUE AND name IN
               ('event', 'event_by_time', 'event_by_device')";
    connection.query_row(sql, [], |row| row.get(0))
}

fn oldest_hour(connection: &Connection, device: i64, tier: Tier) -> rusqlite::Result<Option<i64>> {
    let keys = keys::chunks(device, tier, 0..=i64::MAX);
    let oldest: Option<i64> = connection
        .prepare_cached("SELECT min(id) FROM chunk WHERE id BETWEEN ? AND ?")?
        .query_row([keys.start(), keys.end()], |row| row.get(0))?;
    Ok(oldest.map(keys::hour_of_chunk))
}

fn delete(connection: &Connection, device: i64, tier: Tier, last: i64) -> rusqlite::Result<()> {
    if last < 0 {
        return Ok(());
    }
    let keys = keys::chunks(device, tier, 0..=last);
    connection
        .prepare_cached("DELETE FROM chunk WHERE id BETWEEN ? AND ?")?
        .execute([keys.start(), keys.end()])?;
    Ok(())
}

fn is_worth_shrinking(size: &Overview) -> bool {
    size.file_bytes - size.used_bytes > size.file_bytes / 100 * SHRINK_PERCENT
}
