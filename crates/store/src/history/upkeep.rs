//! What has to be done with the history now and then: which of it is due.

mod merge;
mod retain;
mod seal;

use std::collections::VecDeque;

use netmonitor_protocol::payload::HistorySettings;
use rusqlite::Connection;

use super::keys::{DAY_HOURS, hour_of};
use super::received::Received;
use super::tail::Extent;
use super::{Retention, Tended};
use crate::StoreError;

pub(super) use merge::first_hour_of_month;
use merge::{DeviceDay, merge_days};
pub(super) use seal::insert as insert_chunk;

/// So long after the end of an hour it is sealed, in milliseconds: what is a little late is in it.
const SEAL_AFTER: i64 = 120_000;

/// A tail of this size is sealed at once, in bytes: a query reads it from end to end.
const TAIL_BYTES: usize = 16 << 20;

/// The same by number of commits: an hour has 60 of them, and more while agents make up for an
/// outage, at most one each second.
const TAIL_COMMITS: i64 = 600;

/// So many hours after the end of a day it is merged, when the last of them is sealed. Agents
/// come back after the night.
const MERGE_AFTER_HOURS: i64 = 1;

/// What is known to be due.
#[derive(Debug, Default)]
pub(super) struct Upkeep {
    /// Up to which hour the tail was sealed last. What comes late waits in it for the next hour:
    /// each time that a tail is sealed, what stays in it is written once more.
    sealed_to: Option<i64>,
    /// Day and hour of the last look: merging is looked for once a day, and after a start.
    day_looked_at: Option<i64>,
    days: VecDeque<DeviceDay>,
    retained: Option<Retained>,
}

/// When, by what and how far something was forgotten last.
#[derive(Debug, PartialEq, Eq)]
struct Retained {
    hour: i64,
    settings: HistorySettings,
    is_by_age: bool,
}

impl Upkeep {
    /// One step.
    pub(super) fn step(
        &mut self,
        connection: &mut Connection,
        received: &mut Received,
        extent: &mut Extent,
        now: i64,
        retention: Retention<'_>,
    ) -> Result<Tended, StoreError> {
        let over = hour_of(now - SEAL_AFTER) - 1;
        if let Some(last_hour) = self.hour_to_seal(extent, over) {
            seal::seal(connection, received, extent, last_hour)?;
            self.sealed_to = Some(over);
            return Ok(Tended::More);
        }
        self.sealed_to = Some(over);
        let day = (over + 1 - MERGE_AFTER_HOURS).div_euclid(DAY_HOURS);
        if self.days.is_empty() && self.day_looked_at != Some(day) {
            self.days = merge::unmerged_days(connection, day * DAY_HOURS)?.into();
            self.day_looked_at = Some(day);
        }
        if !self.days.is_empty() {
            let done = merge_days(connection, self.days.make_contiguous())?;
            self.days.drain(..done);
            return Ok(Tended::More);
        }
        let Some(settings) = retention.settings() else {
            return Ok(Tended::Done);
        };
        let wanted = Retained {
            hour: hour_of(now),
            settings: settings.clone(),
            is_by_age: retention.is_by_age(),
        };
        if self.retained.as_ref() != Some(&wanted) {
            let done = retain::forget(connection, now, settings, wanted.is_by_age)?;
            if done == Tended::Done {
                self.retained = Some(wanted);
            }
            return Ok(Tended::More);
        }
        Ok(Tended::Done)
    }

    /// Up to which hour the tail is to be sealed now; none if not at all. `over`: the last hour
    /// of which hardly anything is on its way.
    fn hour_to_seal(&self, extent: &Extent, over: i64) -> Option<i64> {
        if is_full(extent) {
            return Some(i64::MAX);
        }
        // Any other hour: a clock that was put back must not keep the tail from being sealed.
        let is_new = self.sealed_to != Some(over);
        (is_new && extent.oldest_hour? <= over).then_some(over)
    }
}

/// Whether the tail is as large as it may be.
pub(super) fn is_full(extent: &Extent) -> bool {
    extent.bytes > TAIL_BYTES || extent.commits() > TAIL_COMMITS
}
