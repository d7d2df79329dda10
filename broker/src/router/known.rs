//! What a router has come to know. It forgets neither filters nor topics, so both are counted:
//! to refuse what would be too much, and to see when a new router is due, which knows only
//! what is in use.

use std::collections::HashMap;
use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Instant;

use super::RouteError;
use crate::bucket::{Bucket, Rate};
use crate::origin::{Origin, Standing};

/// Filters that nobody has subscribed any more and that may stay behind, beside as many as are
/// in use: some 6 MB.
const FILTERS_LEFT_MAX: usize = 1_024;

/// Filters known to the router, each with the number of links that have it subscribed.
pub(super) struct Filters {
    links: HashMap<Arc<str>, usize>,
    live: usize,
    max: usize,
    /// How many new ones each user may still bring. Those who may bring all are not in it, after a
    /// while.
    users: HashMap<Box<str>, Bucket>,
    rate: Rate,
}

impl Filters {
    pub(super) fn new(max: usize, rate: Rate) -> Self {
        Self {
            links: HashMap::new(),
            live: 0,
            max,
            users: HashMap::new(),
            rate,
        }
    }

    /// Whether the router may come to know the spelled filter.
    pub(super) fn admit(
        &mut self,
        filter: &str,
        from: Origin<'_>,
        now: Instant,
    ) -> Result<(), RouteError> {
        if self.links.contains_key(filter) {
            return Ok(());
        }
        if self.links.len() >= from.standing.part_of(self.max) || !self.take_turn(from.user, now) {
            return Err(RouteError::Full);
        }
        Ok(())
    }

    fn take_turn(&mut self, user: &str, now: Instant) -> bool {
        if let Some(bucket) = self.users.get_mut(user) {
            return bucket.take(now, self.rate);
        }
        let mut bucket = Bucket::full(now, self.rate);
        let may = bucket.take(now, self.rate);
        self.users.insert(user.into(), bucket);
        may
    }

    /// A link subscribes. True: the router did not know the filter.
    pub(super) fn add(&mut self, filter: &Arc<str>) -> bool {
        let known = self.links.len();
        let links = self.links.entry(filter.clone()).or_default();
        *links += 1;
        self.live += usize::from(*links == 1);
        self.links.len() > known
    }

    /// A link does not subscribe any more.
    pub(super) fn remove(&mut self, filter: &str) {
        if let Some(links) = self.links.get_mut(filter) {
            *links = links.saturating_sub(1);
            self.live -= usize::from(*links == 0);
        }
    }

    /// There is a new router, which knows what is in use.
    pub(super) fn forget_dead(&mut self, now: Instant) {
        self.users
            .retain(|_, bucket| !bucket.is_full(now, self.rate));
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
    /// A user was refused because of its own limit.
    has_full_user: bool,
}

impl Topics {
    pub(super) fn new(max: usize, per_user_max: usize) -> Self {
        Self {
            hashes: HashSet::new(),
            users: HashMap::new(),
            max,
            per_user_max,
            has_full_user: false,
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
                Some(count) if *count >= self.per_user_max => {
                    self.has_full_user = true;
                    return Err(RouteError::Full);
                }
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
        self.has_full_user = false;
    }

    /// Whether a new router would help a user that has met its own limit.
    pub(super) fn has_full_user(&self) -> bool {
        self.has_full_user
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
    use std::time::Duration;

    const RATE: fn() -> Rate = || Rate::new(1_000, 1);

    fn user(user: &str) -> Origin<'_> {
        Origin {
            number: 1,
            user,
            standing: Standing::Common,
        }
    }

    fn filter(number: usize) -> Arc<str> {
        format!("f/{number}").into()
    }

    #[test]
    fn filters_without_links_make_room_in_the_next_router() {
        let now = Instant::now();
        let mut filters = Filters::new(10, RATE());
        for number in 0..10 {
            filters.add(&filter(number));
        }
        filters.add(&filter(0));
        assert_eq!(
            filters.admit("f/10", Origin::BROKER, now),
            Err(RouteError::Full)
        );
        assert_eq!(filters.admit("f/9", Origin::BROKER, now), Ok(()));
        for number in 0..6 {
            assert!(!filters.is_stale(), "{number}");
            filters.remove(&filter(number));
        }
        // The first is still subscribed by somebody.
        assert!(!filters.is_stale());
        filters.remove(&filter(6));
        assert!(filters.is_stale());
        filters.forget_dead(now);
        assert_eq!(filters.len(), 4);
        assert_eq!(filters.live().count(), 4);
        assert_eq!(filters.admit("f/10", Origin::BROKER, now), Ok(()));
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
        assert!(topics.has_full_user());
        topics.forget();
        assert_eq!(topics.admit("one/7", user("one")), Ok(()));
        assert!(!topics.has_full_user());

        let now = Instant::now();
        let mut filters = Filters::new(8, RATE());
        for number in 0..6 {
            filters.add(&filter(number));
        }
        assert_eq!(
            filters.admit("new", user("one"), now),
            Err(RouteError::Full)
        );
        assert_eq!(filters.admit("f/5", user("one"), now), Ok(()));
        assert_eq!(filters.admit("new", Origin::BROKER, now), Ok(()));
    }

    #[test]
    fn a_user_brings_so_many_new_filters_at_once_and_so_many_in_a_minute() {
        let (now, later) = (Instant::now(), Instant::now() + Duration::from_mins(1));
        let mut filters = Filters::new(100, Rate::new(3, 2));
        let mut bring = |first: usize, from, now| {
            let brought = (first..first + 10).filter(|number| {
                let filter = filter(*number);
                let admitted = filters.admit(&filter, from, now).is_ok();
                if admitted {
                    filters.add(&filter);
                }
                admitted
            });
            brought.count()
        };
        assert_eq!(bring(0, user("one"), now), 3);
        assert_eq!(bring(10, user("two"), now), 3);
        assert_eq!(bring(20, user("one"), later), 2);
        assert_eq!(bring(0, user("one"), later), 3, "those are known");
        filters.forget_dead(now + Duration::from_hours(1));
        assert!(filters.users.is_empty());
    }
}
