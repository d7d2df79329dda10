//! Whether a service is started again and again.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::now::Now;

/// So many starts within [`WITHIN_MS`] are a loop.
const LOOP: usize = 3;

/// How far back starts count, in milliseconds. Without one for so long a loop is over.
const WITHIN_MS: i64 = 10 * 60 * 1000;

/// The restarts of one service, as they were seen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Restarts {
    /// What the manager counted when it was asked last.
    counted: Option<u32>,
    /// When each of the last ones was seen.
    seen: VecDeque<Now>,
    loops: bool,
}

impl Restarts {
    /// The manager says how often it has restarted it. What it counts starts anew with 0 when somebody
    /// starts the service.
    pub(super) fn count(&mut self, restarts: u32, now: Now) {
        let before = self.counted.replace(restarts);
        let more = before.map_or(0, |before| restarts.saturating_sub(before));
        let seen = (0..more).take(LOOP).map(|_| now);
        self.seen.extend(seen);
        while self.seen.len() > LOOP {
            self.seen.pop_front();
        }
    }

    /// Whether it is in a loop.
    pub(super) fn is_loop(&mut self, now: Now) -> bool {
        while self
            .seen
            .front()
            .is_some_and(|it| now.since(*it) >= WITHIN_MS)
        {
            self.seen.pop_front();
        }
        self.loops = self.seen.len() >= LOOP || self.loops && !self.seen.is_empty();
        self.loops
    }

    /// One of which it is known that there had been none.
    pub(super) fn none_before() -> Self {
        Self {
            counted: Some(0),
            ..Self::default()
        }
    }

    /// Whether it is not even known that there were none.
    pub(super) fn is_unknown(&self) -> bool {
        *self == Self::default()
    }

    /// Whether there is nothing to remember of it by itself.
    pub(super) fn is_nothing(&self) -> bool {
        self.seen.is_empty() && self.counted.unwrap_or_default() == 0
    }

    /// When to look again if nothing more happens, in milliseconds.
    pub(super) fn again(&self) -> Option<i64> {
        let last = if self.loops {
            self.seen.back()
        } else {
            self.seen.front()
        };
        last.map(|it| it.plus(WITHIN_MS).ms)
    }

    /// As it is after the machine was started anew.
    pub(super) fn moved(&mut self, moved: impl FnMut(&mut Now)) {
        self.seen.iter_mut().for_each(moved);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Now {
        let start = Now {
            ms: 0,
            wall: "2026-11-30T10:00:00Z".parse().unwrap(),
        };
        start.plus(minutes * 60_000)
    }

    #[test]
    fn three_restarts_in_ten_minutes_are_a_loop_until_ten_quiet_minutes_have_passed() {
        let mut it = Restarts::default();
        it.count(5, at(0));
        assert!(!it.is_loop(at(0)), "what was before is no news");
        it.count(6, at(1));
        it.count(7, at(2));
        assert!(!it.is_loop(at(2)));
        it.count(8, at(10));
        assert!(it.is_loop(at(10)));
        assert_eq!(it.again(), Some(at(20).ms));
        assert!(it.is_loop(at(19)));
        assert!(!it.is_loop(at(20)));
    }

    #[test]
    fn slow_restarts_are_none_and_a_count_that_begins_anew_neither() {
        let mut it = Restarts::default();
        for restarts in 0..10 {
            let now = at(i64::from(restarts) * 6);
            it.count(restarts, now);
            assert!(!it.is_loop(now));
        }
        it.count(0, at(61));
        assert!(!it.is_loop(at(61)));
    }
}
