//! What has to be done with the history now and then: which of it is due.

mod changes;
mod merge;
mod month;
mod remove;
mod retain;
mod seal;

use std::collections::VecDeque;

use rusqlite::Connection;

use super::keys::{DAY_HOURS, hour_of};
use super::names::Names;
use super::received::Received;
use super::tail::Extent;
use super::{Retention, Tended};
use crate::StoreError;

use merge::{DeviceDay, merge_days};
pub(super) use month::first_hour_of_month;
use retain::Retain;
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
    retain: Retain,
}

/// The open file, and what is remembered of it.
#[derive(Debug)]
pub(super) struct Open<'a> {
    pub(super) connection: &'a mut Connection,
    pub(super) names: &'a Names,
    pub(super) received: &'a mut Received,
    pub(super) extent: &'a mut Extent,
}

impl Upkeep {
    /// One step.
    pub(super) fn step(
        &mut self,
        open: &mut Open<'_>,
        now: i64,
        retention: Retention<'_>,
    ) -> Result<Tended, StoreError> {
        let over = hour_of(now - SEAL_AFTER) - 1;
        if let Some(last_hour) = self.hour_to_seal(open.extent, over) {
            seal::seal(open, last_hour)?;
            self.sealed_to = Some(over);
            return Ok(Tended::More);
        }
        self.sealed_to = Some(over);
        let day = (over + 1 - MERGE_AFTER_HOURS).div_euclid(DAY_HOURS);
        if self.days.is_empty() && self.day_looked_at != Some(day) {
            self.days = merge::unmerged_days(open.connection, day * DAY_HOURS)?.into();
            self.day_looked_at = Some(day);
        }
        if !self.days.is_empty() {
            let done = merge_days(open.connection, self.days.make_contiguous())?;
            self.days.drain(..done);
            return Ok(Tended::More);
        }
        self.retain.step(open, now, retention)
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
fn is_full(extent: &Extent) -> bool {
    extent.bytes > TAIL_BYTES || extent.commits() > TAIL_COMMITS
}
