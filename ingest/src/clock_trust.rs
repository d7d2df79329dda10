//! Whether the hub knows what time it is.
//!
//! A Raspberry Pi has no clock that goes on without power: it starts in 1970, or with the time of
//! its last stop, until the network tells it. What is written down before then would stand at the
//! wrong time for ever.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use netmonitor_service::clock::TimeSource;
use netmonitor_store::history::Moment;

/// It is later than this: set anew with each release, to some weeks before. Not the time of the
/// build, so that equal sources make equal programs.
pub const RELEASED: Timestamp = Timestamp::constant(1_793_491_200, 0); // 2026-11-01

/// How far before the newest entry of the history the clock may be without a doubt.
const STEP_BACK: SignedDuration = SignedDuration::from_hours(24);

/// How long a clock that contradicts the history is doubted, if it has a reason to be right.
const DOUBT: Duration = Duration::from_mins(10);

/// A clock that was moved by so much was set by somebody.
const STEP: SignedDuration = SignedDuration::from_millis(500);

/// Judges the hub's clock from start on. Once believed, it is believed until it says what cannot
/// be: a clock that is moved later is moved by somebody.
#[derive(Debug)]
pub struct ClockTrust {
    /// How long after the machine's start the network may take to tell the time.
    wait: Duration,
    /// The newest entry of the history at the start.
    newest: Option<Timestamp>,
    began: Moment,
    before: Moment,
    was_stepped: bool,
    is_believed: bool,
}

impl ClockTrust {
    /// Begins to judge.
    pub fn new(wait: Duration, newest: Option<Timestamp>, now: Moment) -> Self {
        Self {
            wait,
            newest,
            began: now,
            before: now,
            was_stepped: false,
            is_believed: false,
        }
    }

    /// By how much the clock was moved since the last call; none if it was not.
    pub fn step(&mut self, now: Moment) -> Option<SignedDuration> {
        let gone = now.since_boot.saturating_sub(self.before.since_boot);
        let shown = now.wall.duration_since(self.before.wall);
        let step = shown - SignedDuration::try_from(gone).unwrap_or_default();
        if step.abs() < STEP {
            return None;
        }
        self.before = now;
        self.was_stepped = true;
        Some(step)
    }

    /// Whether the clock shows the time.
    pub fn is_set(&mut self, now: Moment, source: impl FnOnce() -> TimeSource) -> bool {
        if now.wall < RELEASED {
            return false;
        }
        self.is_believed = self.is_believed || self.believes(now, source());
        self.is_believed
    }

    fn believes(&self, now: Moment, source: TimeSource) -> bool {
        if source.is_synchronised {
            return true;
        }
        let has_source = self.was_stepped || source.rtc.is_some_and(|rtc| rtc >= RELEASED);
        if self
            .newest
            .is_some_and(|newest| now.wall < newest - STEP_BACK)
        {
            // Either is wrong. A clock that nobody has set is; else it may be the history.
            let doubted = now.since_boot.saturating_sub(self.began.since_boot);
            return has_source && doubted >= DOUBT.min(self.wait);
        }
        has_source || now.since_boot >= self.wait
    }
}
