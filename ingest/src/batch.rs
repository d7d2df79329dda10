//! What waits for the next commit.

use netmonitor_protocol::payload::Event;
use netmonitor_store::history::NewSample;

/// Samples that may wait while the database cannot be written: about 40 MB, or half an hour of
/// 50 devices. When it is full the oldest go first, since the newest tell how things are.
const MAX_SAMPLES: usize = 30_000;

/// Events that may wait.
const MAX_EVENTS: usize = 10_000;

/// Samples and events in the order in which they came, bounded.
#[derive(Debug, Default)]
pub struct Batch {
    samples: Vec<NewSample>,
    events: Vec<Event>,
}

impl Batch {
    /// Adds a sample. Returns how many old ones it pushed out.
    pub fn push_sample(&mut self, sample: NewSample) -> u64 {
        self.samples.push(sample);
        drop_oldest(&mut self.samples, MAX_SAMPLES)
    }

    /// Adds an event. Returns how many old ones it pushed out.
    pub fn push_event(&mut self, event: Event) -> u64 {
        self.events.push(event);
        drop_oldest(&mut self.events, MAX_EVENTS)
    }

    /// Puts a batch that could not be committed before this one. Returns how many old entries
    /// had to go.
    pub fn put_back(&mut self, mut older: Self) -> u64 {
        older.samples.append(&mut self.samples);
        older.events.append(&mut self.events);
        *self = older;
        drop_oldest(&mut self.samples, MAX_SAMPLES) + drop_oldest(&mut self.events, MAX_EVENTS)
    }

    /// What waits, in the order in which it came.
    pub fn samples(&self) -> &[NewSample] {
        &self.samples
    }

    /// What waits, in the order in which it came.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// How many entries wait.
    pub fn len(&self) -> usize {
        self.samples.len() + self.events.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Makes room in steps of a sixteenth, so that a full queue is not moved for each newcomer.
fn drop_oldest<T>(queue: &mut Vec<T>, max: usize) -> u64 {
    if queue.len() <= max {
        return 0;
    }
    let excess = queue.len() - max + max / 16;
    queue.drain(..excess);
    excess as u64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use netmonitor_protocol::payload::{EventKind, Severity};

    use super::*;

    fn event(number: usize) -> Event {
        Event {
            time: "2026-11-22T10:00:00Z".parse().unwrap(),
            kind: EventKind::LoggedIn,
            severity: Severity::Info,
            device: None,
            actor: Some(number.to_string()),
            parameters: BTreeMap::new(),
        }
    }

    #[test]
    fn a_batch_that_failed_comes_first_again() {
        let mut failed = Batch::default();
        failed.push_event(event(1));
        let mut next = Batch::default();
        next.push_event(event(2));
        assert_eq!(next.put_back(failed), 0);
        let actors: Vec<_> = next.events().iter().flat_map(|e| &e.actor).collect();
        assert_eq!(actors, ["1", "2"]);
    }

    #[test]
    fn the_oldest_go_when_the_database_is_away_for_long_and_they_are_counted() {
        let mut batch = Batch::default();
        let dropped: u64 = (0..25_000)
            .map(|number| batch.push_event(event(number)))
            .sum();
        assert!(batch.len() <= MAX_EVENTS);
        assert_eq!(batch.len() as u64 + dropped, 25_000);
        assert_eq!(
            batch.events().last().unwrap().actor.as_deref(),
            Some("24999")
        );
    }
}
