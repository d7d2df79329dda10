//! What the log says of refusals: the first of each kind and user at once, the rest as a number
//! a minute later, so that a flood of one kind hides no other and fills no disk.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::counters::Counter;

/// For how long the same is not said again.
const SILENCE: Duration = Duration::from_mins(1);
/// Kinds and users that are told apart. When full, others share a place for each kind.
const LINES_MAX: usize = 256;

/// A kind of refusal and who was refused; the name is empty for all those without a place.
type Key = (Counter, Box<str>);

/// What was said, and what was not.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    lines: HashMap<Key, Line>,
}

#[derive(Debug)]
struct Line {
    said: Instant,
    not_shown: u64,
}

/// So many more of the same were not shown.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) reason: Counter,
    /// Empty: several.
    pub(crate) who: Box<str>,
    pub(crate) count: u64,
}

impl Refusals {
    /// Whether to say it now. If not, it will be in a summary.
    pub(crate) fn note(&mut self, now: Instant, reason: Counter, who: &str) -> bool {
        let mut key: Key = (reason, who.into());
        if !self.lines.contains_key(&key) && self.lines.len() >= LINES_MAX {
            key.1 = Box::default();
        }
        if let Some(line) = self.lines.get_mut(&key) {
            line.not_shown += 1;
            return false;
        }
        let line = Line {
            said: now,
            not_shown: 0,
        };
        self.lines.insert(key, line);
        true
    }

    /// What has to be said of those that were not shown. What has been quiet is forgotten.
    pub(crate) fn summaries(&mut self, now: Instant) -> Vec<Summary> {
        let mut summaries = Vec::new();
        self.lines.retain(|(reason, who), line| {
            if now.saturating_duration_since(line.said) < SILENCE {
                return true;
            }
            if line.not_shown == 0 {
                return false;
            }
            summaries.push(Summary {
                reason: *reason,
                who: who.clone(),
                count: std::mem::take(&mut line.not_shown),
            });
            line.said = now;
            true
        });
        summaries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_said_once_and_summed_up_and_hides_no_other() {
        let now = Instant::now();
        let mut refusals = Refusals::default();
        let publish = Counter::PublishesRefused;
        assert!(refusals.note(now, publish, "a"));
        for _ in 0..1_000 {
            assert!(!refusals.note(now, publish, "a"));
        }
        assert!(refusals.note(now, publish, "b"));
        assert!(refusals.note(now, Counter::SubscriptionsRefused, "a"));
        assert_eq!(refusals.summaries(now), []);
        let later = now + SILENCE;
        let summary = Summary {
            reason: publish,
            who: "a".into(),
            count: 1_000,
        };
        assert_eq!(refusals.summaries(later), [summary]);
        assert!(!refusals.note(later, publish, "a"), "summed up once more");
        assert!(refusals.note(later, publish, "b"));
    }

    #[test]
    fn many_names_share_a_place_and_are_counted() {
        let now = Instant::now();
        let mut refusals = Refusals::default();
        let mut said = 0;
        for n in 0..10_000 {
            let reason = Counter::LoginsRefused;
            said += usize::from(refusals.note(now, reason, &n.to_string()));
        }
        assert_eq!(said, LINES_MAX + 1);
        assert_eq!(refusals.lines.len(), LINES_MAX + 1);
        let summaries = refusals.summaries(now + SILENCE);
        assert_eq!(summaries.len(), 1);
        assert_eq!(summaries[0].count, 10_000 - said as u64);
        assert_eq!(refusals.summaries(now + 2 * SILENCE), []);
        assert!(refusals.lines.is_empty());
    }
}
