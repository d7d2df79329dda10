//! Which logs of the router a message goes to, so that it is known how much they hold and where
//! they end. The router does not say.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use rumqttd::protocol::matches;

/// The logs of one router: one for each filter that it knows, also of those that nobody has
/// subscribed any more. Filters and topics are spelled.
#[derive(Default)]
pub(super) struct Logs {
    exact: HashMap<Arc<str>, u64>,
    wild: Vec<Log>,
    /// By the hash of the topic. As many as the router knows topics, which are limited.
    topics: HashMap<u64, Met>,
}

struct Log {
    filter: Arc<str>,
    /// Messages since it was made.
    appended: u64,
}

/// The logs with wildcards that a topic matches.
#[derive(Default)]
struct Met {
    /// How many were looked at; those that were made since have to be.
    seen: usize,
    wild: Vec<u32>,
}

impl Logs {
    pub(super) fn of<'a>(filters: impl Iterator<Item = &'a Arc<str>>) -> Self {
        let mut logs = Self::default();
        filters.for_each(|filter| logs.add(filter));
        logs
    }

    /// The router has come to know a filter.
    pub(super) fn add(&mut self, filter: &Arc<str>) {
        if filter.contains(['+', '#']) {
            self.wild.push(Log {
                filter: filter.clone(),
                appended: 0,
            });
        } else {
            self.exact.insert(filter.clone(), 0);
        }
    }

    /// A message is published. Returns how many logs get it.
    pub(super) fn append(&mut self, topic: &str) -> usize {
        let mut hasher = DefaultHasher::new();
        topic.hash(&mut hasher);
        let met = self.topics.entry(hasher.finish()).or_default();
        for (index, log) in (0_u32..).zip(&self.wild).skip(met.seen) {
            if matches(topic, &log.filter) {
                met.wild.push(index);
            }
        }
        met.seen = self.wild.len();
        for index in &met.wild {
            self.wild[*index as usize].appended += 1;
        }
        let exact = self.exact.get_mut(topic);
        let is_exact = exact.map(|appended| *appended += 1).is_some();
        met.wild.len() + usize::from(is_exact)
    }

    /// How many messages each filter's log has had.
    pub(super) fn ends(&self) -> HashMap<Arc<str>, u64> {
        let wild = self.wild.iter();
        let wild = wild.map(|log| (log.filter.clone(), log.appended));
        let exact = self.exact.iter();
        exact
            .map(|(filter, appended)| (filter.clone(), *appended))
            .chain(wild)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_goes_to_each_log_whose_filter_it_matches() {
        let filters = ["f/a/b", "f/a/+", "+/#", "f/c"].map(Arc::from);
        let mut logs = Logs::of(filters.iter());
        assert_eq!(logs.append("f/a/b"), 3);
        assert_eq!(logs.append("f/a/c"), 2);
        assert_eq!(logs.append("m/x"), 1);
        // One that comes later gets what comes later.
        logs.add(&Arc::from("f/+/b"));
        assert_eq!(logs.append("f/a/b"), 4);
        let ends = logs.ends();
        let end = |filter: &str| ends[filter];
        assert_eq!(
            ["f/a/b", "f/a/+", "+/#", "f/c", "f/+/b"].map(end),
            [2, 3, 4, 0, 1]
        );
    }
}
