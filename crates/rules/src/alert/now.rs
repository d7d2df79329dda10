//! A moment by two clocks.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A moment, by the clock that nobody sets and by the one that people read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    /// For durations: milliseconds since the hub's machine was started, sleep included. Below 0: of an
    /// earlier start.
    pub ms: i64,
    /// For what people see.
    pub wall: Timestamp,
}

impl Now {
    /// Milliseconds from `earlier` until now; 0 if it is later.
    pub fn since(self, earlier: Self) -> i64 {
        self.ms.saturating_sub(earlier.ms).max(0)
    }

    /// The moment that people call `wall`, if the clock has not been set since.
    #[must_use]
    pub fn at(self, wall: Timestamp) -> Self {
        let ago = self.wall.duration_since(wall).as_millis();
        let ago = i64::try_from(ago).unwrap_or(i64::MAX);
        Self {
            ms: self.ms.saturating_sub(ago),
            wall,
        }
    }

    /// The same of a moment that is over: a clock that was set back makes it now.
    #[must_use]
    pub(super) fn past(self, wall: Timestamp) -> Self {
        Self {
            ms: self.at(wall).ms.min(self.ms),
            wall,
        }
    }

    /// So many milliseconds later.
    #[must_use]
    pub fn plus(self, ms: i64) -> Self {
        let wall = jiff::SignedDuration::from_millis(ms);
        Self {
            ms: self.ms.saturating_add(ms),
            wall: self.wall.checked_add(wall).unwrap_or(Timestamp::MAX),
        }
    }

    /// The same moment, which is over, after the machine was started anew: what its clock that nobody
    /// sets would show for it now. A machine that does not know the time yet believes that it is
    /// earlier: for it that is now.
    #[must_use]
    pub(super) fn after_restart(self, now: Self) -> Self {
        now.past(self.wall)
    }

    /// The same of a moment that may lie ahead, by `most` milliseconds at most.
    #[must_use]
    pub(super) fn ahead_after_restart(self, most: i64, now: Self) -> Self {
        let moved = now.at(self.wall);
        Self {
            ms: moved.ms.min(now.ms.saturating_add(most)),
            ..moved
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_of_an_earlier_start_is_as_long_ago_as_people_say() {
        let wall = |text: &str| text.parse::<Timestamp>().unwrap();
        let before = Now {
            ms: 90_000,
            wall: wall("2026-11-30T10:00:00Z"),
        };
        let now = Now {
            ms: 5_000,
            wall: wall("2026-11-30T10:01:00Z"),
        };
        let moved = before.after_restart(now);
        assert_eq!((moved.ms, moved.wall), (-55_000, before.wall));
        assert_eq!(now.since(moved), 60_000);
        // The machine has no clock of its own, and nobody has told it the time yet.
        let lost = Now {
            ms: 5_000,
            wall: wall("1970-01-01T00:00:05Z"),
        };
        assert_eq!(before.after_restart(lost).ms, 5_000);
        assert_eq!(before.ahead_after_restart(600_000, lost).ms, 605_000);
        assert_eq!(now.at(wall("2026-11-30T10:02:00Z")).ms, 65_000);
        assert_eq!(before.since(now.plus(1_000_000)), 0);
    }
}
