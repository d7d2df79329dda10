//! When the person at this machine hears of the hub: a pure engine.

use std::time::{Duration, Instant};

/// An outage that is shorter is none.
const UNREACHABLE_AFTER: Duration = Duration::from_secs(10);

/// How often they are reminded of one that lasts.
const AGAIN_AFTER: Duration = Duration::from_mins(2);

/// What is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// The hub is reached, for the first time or after an outage that was told.
    Connected,
    /// It is not.
    Unreachable,
}

/// What was told, and when the next thing is to be.
#[derive(Debug)]
pub(super) struct Schedule {
    /// The last thing.
    told: Option<Due>,
    /// When `Unreachable` is due, while there is no connection.
    unreachable_at: Option<Instant>,
}

impl Schedule {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            told: None,
            unreachable_at: Some(now + UNREACHABLE_AFTER),
        }
    }

    /// What is to be told now.
    pub(super) fn look(&mut self, is_connected: bool, now: Instant) -> Option<Due> {
        let due = if is_connected {
            self.unreachable_at = None;
            (self.told != Some(Due::Connected)).then_some(Due::Connected)
        } else {
            let at = *self.unreachable_at.get_or_insert(now + UNREACHABLE_AFTER);
            (now >= at).then(|| {
                self.unreachable_at = Some(now + AGAIN_AFTER);
                Due::Unreachable
            })
        };
        self.told = due.or(self.told);
        due
    }

    /// When to look again, unless something happens before.
    pub(super) fn next(&self) -> Option<Instant> {
        self.unreachable_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told at which second, of these seconds in which the connection changes; it is looked
    /// at once a second.
    fn check(changes: &[(u64, bool)], until: u64, expected: &[(u64, Due)]) {
        let start = Instant::now();
        let mut schedule = Schedule::new(start);
        let mut is_connected = false;
        let mut told = Vec::new();
        for second in 0..=until {
            if let Some((_, is)) = changes.iter().find(|(at, _)| *at == second) {
                is_connected = *is;
            }
            let due = schedule.look(is_connected, start + Duration::from_secs(second));
            told.extend(due.map(|due| (second, due)));
        }
        assert_eq!(told, expected);
    }

    #[test]
    fn a_connection_is_told_at_the_start_and_after_each_outage_that_was_told() {
        check(
            &[
                (1, true),
                (50, false),
                (55, true),
                (100, false),
                (115, true),
            ],
            200,
            &[
                (1, Due::Connected),
                (110, Due::Unreachable),
                (115, Due::Connected),
            ],
        );
    }

    #[test]
    fn an_outage_is_told_after_ten_seconds_and_every_two_minutes() {
        check(
            &[],
            260,
            &[
                (10, Due::Unreachable),
                (130, Due::Unreachable),
                (250, Due::Unreachable),
            ],
        );
    }
}
