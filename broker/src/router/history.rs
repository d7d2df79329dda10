//! When routers died and were renewed, and what follows for the next. Pure: time is an argument.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Routers that may die within `DEATHS_WITHIN`: the one after them is not replaced.
const DEATHS_MAX: usize = 2;
const DEATHS_WITHIN: Duration = Duration::from_mins(1);
/// How long subscribers may take to read what is left in a router that is no longer used.
const DRAIN_MAX: Duration = Duration::from_secs(30);
/// The same when others cannot publish meanwhile.
const DRAIN_MIN: Duration = Duration::from_secs(5);
/// The share of the topics' limit at which a new router is due, in percent; and when the last
/// is younger than `SETTLED`.
const TOPICS_PERCENT: (usize, usize) = (50, 90);
const SETTLED: Duration = Duration::from_mins(10);
/// A new router takes over when the logs hold such a part of what they may; and when the last is
/// younger than `CALM`. Much less than all: what nobody reads any more stays in them until it is
/// overwritten, and a hub with little to do would keep it for ever.
const HELD_PARTS: (usize, usize) = (16, 4);
const CALM: Duration = Duration::from_mins(2);
/// A new router that is not needed for life takes no more than this share of the time.
const REST_PER_WORK: u32 = 20;
const REST_MIN: Duration = Duration::from_secs(1);
/// The same for one that is needed only because a user has met its own limit: whoever goes on
/// bringing topics gets no more than the limit in this time.
const REST_OF_USERS: Duration = Duration::from_mins(1);

/// What happened to the routers of one broker.
#[derive(Debug, Default)]
pub(super) struct History {
    deaths: VecDeque<Instant>,
    renewed: Option<Renewed>,
    /// Routers that died and were replaced.
    pub(super) replacements: u64,
    /// Routers that were replaced so that what is gone is forgotten.
    pub(super) renewals: u64,
}

#[derive(Debug, Clone, Copy)]
struct Renewed {
    at: Instant,
    took: Duration,
}

impl History {
    /// A router has died. False: it is not to be replaced.
    pub(super) fn died(&mut self, now: Instant) -> bool {
        self.deaths.retain(|death| now - *death < DEATHS_WITHIN);
        if self.deaths.len() >= DEATHS_MAX {
            return false;
        }
        self.deaths.push_back(now);
        self.replacements += 1;
        true
    }

    /// A router was renewed, or was to be.
    pub(super) fn renewed(&mut self, at: Instant, took: Duration, done: bool) {
        self.renewed = Some(Renewed { at, took });
        self.renewals += u64::from(done);
    }

    /// Whether the last renewal is long enough ago for another.
    pub(super) fn is_rested(&self, now: Instant) -> bool {
        self.renewed.is_none_or(|renewed| {
            now.duration_since(renewed.at) >= REST_MIN.max(renewed.took * REST_PER_WORK)
        })
    }

    /// Whether a user that has met its own limit is reason enough for another.
    pub(super) fn is_user_due(&self, now: Instant) -> bool {
        self.renewed
            .is_none_or(|renewed| now.duration_since(renewed.at) >= REST_OF_USERS)
    }

    /// Whether those who still read from the router before have had their time.
    /// `is_urgent`: the memory is needed.
    pub(super) fn is_drain_over(&self, now: Instant, is_urgent: bool) -> bool {
        let max = if is_urgent { DRAIN_MIN } else { DRAIN_MAX };
        self.renewed
            .is_none_or(|renewed| now.duration_since(renewed.at) >= max)
    }

    /// The share of the topics' limit at which a new router is due, in percent.
    pub(super) fn topics_percent(&self, now: Instant) -> usize {
        match self.renewed {
            // Topics that come back at once are in use.
            Some(renewed) if now.duration_since(renewed.at) < SETTLED => TOPICS_PERCENT.1,
            _ => TOPICS_PERCENT.0,
        }
    }

    /// By what to divide all that the logs may hold, to get that at which a new router is due.
    pub(super) fn held_part(&self, now: Instant) -> usize {
        match self.renewed {
            // Logs that fill so fast are in use.
            Some(renewed) if now.duration_since(renewed.at) < CALM => HELD_PARTS.1,
            _ => HELD_PARTS.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_death_within_a_minute_is_one_too_many() {
        let (mut history, start) = (History::default(), Instant::now());
        let mut died = |secs| history.died(start + Duration::from_secs(secs));
        assert_eq!(
            [0, 59, 61, 70, 119].map(&mut died),
            [true, true, true, false, true]
        );
        assert_eq!(history.replacements, 4);
    }

    #[test]
    fn renewals_rest_and_wait_for_a_higher_mark() {
        let (mut history, start) = (History::default(), Instant::now());
        let after = |secs| start + Duration::from_secs(secs);
        assert!(history.is_rested(start) && history.is_drain_over(start, false));
        assert!(history.is_user_due(start));
        assert_eq!(history.topics_percent(start), 50);
        assert_eq!(history.held_part(start), 16);
        history.renewed(start, Duration::from_millis(500), true);
        assert_eq!(
            [9, 10].map(|secs| history.is_rested(after(secs))),
            [false, true]
        );
        assert_eq!(
            [29, 30].map(|secs| history.is_drain_over(after(secs), false)),
            [false, true]
        );
        assert_eq!(
            [4, 5].map(|secs| history.is_drain_over(after(secs), true)),
            [false, true]
        );
        assert_eq!(
            [59, 60].map(|secs| history.is_user_due(after(secs))),
            [false, true]
        );
        assert_eq!(
            [599, 600].map(|secs| history.topics_percent(after(secs))),
            [90, 50]
        );
        assert_eq!(
            [119, 120].map(|secs| history.held_part(after(secs))),
            [4, 16]
        );
        assert_eq!(history.renewals, 1);
    }
}
