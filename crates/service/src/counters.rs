//! What a service counts: received, sent, dropped and why.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Named counters of one service, published with its health. Cloning shares them.
#[derive(Clone, Default)]
pub struct Counters {
    // A handful of names, counted a few hundred times a second: a lock costs less than it would
    // to declare each counter in three places.
    counted: Arc<Mutex<BTreeMap<&'static str, u64>>>,
    source: Option<Source>,
}

/// Counters that somebody else keeps.
type Source = Arc<dyn Fn() -> BTreeMap<String, u64> + Send + Sync>;

impl Counters {
    /// Shows what `source` counts as well.
    pub fn with_source(source: impl Fn() -> BTreeMap<String, u64> + Send + Sync + 'static) -> Self {
        Self {
            source: Some(Arc::new(source)),
            ..Self::default()
        }
    }

    /// Counts one.
    pub fn count(&self, name: &'static str) {
        self.add(name, 1);
    }

    /// Counts several.
    pub fn add(&self, name: &'static str, number: u64) {
        let mut map = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let counter = map.entry(name).or_default();
        *counter = counter.saturating_add(number);
    }

    /// All that was counted so far.
    pub fn snapshot(&self) -> BTreeMap<String, u64> {
        let mut all = self
            .source
            .as_ref()
            .map(|source| source())
            .unwrap_or_default();
        let map = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(
            map.iter()
                .map(|(name, number)| ((*name).to_owned(), *number)),
        );
        all
    }
}

impl fmt::Debug for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Counters").field(&self.snapshot()).finish()
    }
}
