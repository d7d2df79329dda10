//! What a service counts: received, sent, dropped and why.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Named counters of one service, published with its health. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Counters(
    // A handful of names, counted a few hundred times a second: a lock costs less than it would
    // to declare each counter in three places.
    Arc<Mutex<BTreeMap<&'static str, u64>>>,
);

impl Counters {
    /// Counts one.
    pub fn count(&self, name: &'static str) {
        self.add(name, 1);
    }

    /// Counts several.
    pub fn add(&self, name: &'static str, number: u64) {
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counter = map.entry(name).or_default();
        *counter = counter.saturating_add(number);
    }

    /// All that was counted so far.
    pub fn snapshot(&self) -> BTreeMap<String, u64> {
        let map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        map.iter()
            .map(|(name, number)| ((*name).to_owned(), *number))
            .collect()
    }
}
