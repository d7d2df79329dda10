//! What a router has come to know. It forgets neither filters nor topics, so both are counted:
//! to refuse what would be too much, and to see when a new router is due, which knows only
//! what is in use.

use std::collections::HashMap;
use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::RouteError;
use crate::exchange::{Origin, Standing};

/// Filters that nobody has subscribed any more and that may stay behind, beside as many as are
/// in use: some 6 MB.
const FILTERS_LEFT_MAX: usize = 1_024;

/// Filters known to the router, each with the number of links that have it subscribed.
pub(super) struct Filters {
    links: HashMap<Arc<str>, usize>,
    live: usize,
    max: usize,
}

impl Filters {
    pub(super) fn new(max: usize) -> Self {
        Self {
            links: HashMap::new(),
            live: 0,
            max,
        }
    }

    /// Whether the router may come to know the spelled filter.
    pub(super) fn admit(&self, filter: &str, from: Origin<'_>) -> Result<(), RouteError> {
        let max = from.standing.part_of(self.max);
        if self.links.contains_key(filter) || self.links.len() < max {
            Ok(())
        } else {
            Err(RouteError::Full)
        }
    }

    /// A link subscribes.
    pub(super) fn add(&mut self, filter: &Arc<str>) {
        let links = self.links.entry(filter.clone()).or_default();
        *links += 1;
        self.live += usize::from(*links == 1);
    }

    /// A link does not subscribe any more.
    pub(super) fn remove(&mut self, filter: &str) {
        if let Some(links) = self.links.get_mut(filter) {
            *links = links.saturating_sub(1);
            self.live -= usize::from(*links == 0);
        }
    }

    /// There is a new router, which knows what is in use.
    pub(super) fn forget_dead(&mut self) {
        self.links.retain(|_, links| *links > 0);
        self.links.shrink_to_fit();
    }

    /// Those that some link has subscribed.
    pub(super) fn live(&self) -> impl Iterator<Item = &Arc<str>> {
        let live = self.links.iter().filter(|(_, links)| **links > 0);
        live.map(|(filter, _)| filter)
    }

    /// Whether most is dead, and too much of it.
    pub(super) fn is_stale(&self) -> bool {
        let dead = self.links.len() - self.live;
        dead > self.live && (dead > FILTERS_LEFT_MAX || self.links.len() > self.max / 2)
    }

    pub(super) fn len(&self) -> usize {
        self.links.len()
    }
}

/// Topics known to the router, by their hashes.
pub(super) struct Topics {
    hashes: HashSet<u64>,
    /// How many each user has brought, of those for whom there is a limit.
    users: HashMap<Box<str>, usize>,
    max: usize,
    per_user_max: usize,
}

impl Topics {
    pub(super) fn new(max: usize, per_user_max: usize) -> Self {
        Self {
            hashes: HashSet::new(),
            users: HashMap::new(),
            max,
            per_user_max,
        }
    }

    /// Whether the router may come to know the topic.
    pub(super) fn admit(&mut self, topic: &str, from: Origin<'_>) -> Result<(), RouteError> {
        let mut hasher = DefaultHasher::new();
        topic.hash(&mut hasher);
        let hash = hasher.finish();
        if self.hashes.contains(&hash) {
            return Ok(());
        }
        if self.hashes.len() >= from.standing.part_of(self.max) {
            return Err(RouteError::Full);
        }
        if from.standing == Standing::Common {
            match self.users.get_mut(from.user) {
                Some(count) if *count >= self.per_user_max => return Err(RouteError::Full),
                Some(count) => *count += 1,
                None => drop(self.users.insert(from.user.into(), 1)),
            }
        }
        self.hashes.insert(hash);
        Ok(())
    }

    /// There is a new router, which knows none.
    pub(super) fn forget(&mut self) {
        self.hashes = HashSet::new();
        self.users = HashMap::new();
    }

    /// The share of the limit that is used, in percent.
    pub(super) fn used_percent(&self) -> usize {
        self.hashes.len() * 100 / self.max.max(1)
    }

    pub(super) fn len(&self) -> usize {
        self.hashes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(number: usize) -> Arc<str> {
        format!("f/{number}").into()
    }

    #[test]
    fn filters_without_links_make_room_in_the_next_router() {
        let mut filters = Filters::new(10);
        for number in 0..10 {
            filters.add(&filter(number));
        }
        filters.add(&filter(0));
        assert_eq!(filters.admit("f/10", Origin::BROKER), Err(RouteError::Full));
        assert_eq!(filters.admit("f/9", Origin::BROKER), Ok(()));
        for number in 0..6 {
            assert!(!filters.is_stale(), "{number}");
            filters.remove(&filter(number));
        }
        // The first is still subscribed by somebody.
        assert!(!filters.is_stale());
        filters.remove(&filter(6));
        assert!(filters.is_stale());
        filters.forget_dead();
        assert_eq!(filters.len(), 4);
        assert_eq!(filters.live().count(), 4);
        assert_eq!(filters.admit("f/10", Origin::BROKER), Ok(()));
    }

    #[test]
    fn a_topic_counts_once() {
        let mut topics = Topics::new(2, 2);
        for topic in ["a", "a", "b", "b"] {
            assert_eq!(topics.admit(topic, Origin::BROKER), Ok(()));
        }
        assert_eq!(topics.used_percent(), 100);
        assert_eq!(topics.admit("c", Origin::BROKER), Err(RouteError::Full));
        topics.forget();
        assert_eq!(topics.admit("c", Origin::BROKER), Ok(()));
        assert_eq!(topics.len(), 1);
    }

    #[test]
    fn a_user_has_a_share_and_leaves_room_for_devices_and_services() {
        let user = |user| Origin {
            number: 1,
            user,
            standing: Standing::Common,
        };
        let mut topics = Topics::new(8, 4);
        let mut brought = |from: Origin<'_>| {
            let topics: Vec<_> = (0..8)
                .map(|n| topics.admit(&format!("{}/{n}", from.user), from))
                .collect();
            topics.iter().filter(|admitted| admitted.is_ok()).count()
        };
        assert_eq!(brought(user("one")), 4);
        assert_eq!(brought(user("two")), 2);
        assert_eq!(brought(Origin::BROKER), 2);
        topics.forget();
        assert_eq!(topics.admit("one/7", user("one")), Ok(()));

        let mut filters = Filters::new(8);
        for number in 0..6 {
            filters.add(&filter(number));
        }
        assert_eq!(filters.admit("new", user("one")), Err(RouteError::Full));
        assert_eq!(filters.admit("f/5", user("one")), Ok(()));
        assert_eq!(filters.admit("new", Origin::BROKER), Ok(()));
    }
}
