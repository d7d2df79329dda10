//! The last retained message of each topic, in memory: what is true. Every change goes through
//! [`Retained::set`], which also notes it for the [file](crate::journal) that follows.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::changes::{Change, Changes, Pace};
use crate::message::{Envelope, is_same_content};
use crate::snapshot::Walk;

/// A retained message as it is handed to a subscriber. The bytes are shared with the store.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) topic: Arc<str>,
    /// A packed [`Envelope`].
    pub(crate) packed: Bytes,
}

/// A message that replaces another is kept up to this size, also when the store is full. It
/// cannot grow by it more than once per topic.
const SMALL_BYTES: usize = 256;

/// Topics that are looked at in one go, while everybody else waits: about a tenth of a
/// millisecond.
const PAGE_LOOKS: usize = 1_000;
/// Messages that are taken in one go.
const PAGE_MESSAGES: usize = 128;

/// All retained messages, bounded in number and in bytes. When full, a message on a new topic
/// is delivered but not kept.
#[derive(Debug)]
pub(crate) struct Retained {
    topics: BTreeMap<Arc<str>, Entry>,
    bytes: usize,
    max_messages: usize,
    max_bytes: usize,
    /// None: nothing is written to disk.
    changes: Option<Changes>,
}

#[derive(Debug)]
struct Entry {
    packed: Bytes,
    /// The user who published it.
    owner: Arc<str>,
    pace: Pace,
    /// The file has, or is about to have, a message of this topic.
    on_disk: bool,
}

impl Retained {
    pub(crate) fn new(max_messages: usize, max_bytes: usize) -> Self {
        Self {
            topics: BTreeMap::new(),
            bytes: 0,
            max_messages,
            max_bytes,
            changes: None,
        }
    }

    /// From now on, changes are noted for the file.
    pub(crate) fn note_changes(&mut self) {
        self.changes.get_or_insert_default();
    }

    /// Keeps the message, or with an empty payload forgets the topic's. False: no room; then
    /// what was kept of the topic is forgotten as well, since it is not true any more.
    pub(crate) fn set(
        &mut self,
        topic: &str,
        owner: &str,
        envelope: &Envelope,
        packed: &Bytes,
    ) -> bool {
        if envelope.payload.is_empty() {
            self.forget(topic);
            return true;
        }
        let old = self.topics.get(topic);
        let old_size = old.map_or(0, |old| size(topic, &old.packed));
        let bytes = self.bytes - old_size + size(topic, packed);
        // A state of a few bytes (`offline` for `online`) always finds room.
        let is_small_change = old_size > 0 && packed.len() <= SMALL_BYTES;
        let is_full =
            bytes > self.max_bytes || (old_size == 0 && self.topics.len() >= self.max_messages);
        if is_full && !is_small_change {
            self.forget(topic);
            return false;
        }
        self.bytes = bytes;
        let Some((topic, entry)) = self.topics.get_key_value(topic) else {
            self.insert(topic.into(), owner.into(), packed.clone());
            return true;
        };
        let is_news = !is_same_content(&entry.packed, packed);
        let (topic, pace) = (topic.clone(), entry.pace);
        if let Some(entry) = self.topics.get_mut(&topic) {
            entry.packed = packed.clone();
            if *entry.owner != *owner {
                entry.owner = owner.into();
            }
        }
        if is_news && let Some(changes) = &mut self.changes {
            changes.set(topic, pace);
        }
        true
    }

    fn insert(&mut self, topic: Arc<str>, owner: Arc<str>, packed: Bytes) {
        let pace = Pace::of(&topic);
        // A topic that was cleared a moment ago is still there.
        let mut on_disk = false;
        if let Some(changes) = &mut self.changes {
            on_disk = changes.is_cleared(&topic);
            changes.set(topic.clone(), pace);
        }
        let entry = Entry {
            packed,
            owner,
            pace,
            on_disk,
        };
        self.topics.insert(topic, entry);
    }

    fn forget(&mut self, topic: &str) {
        let Some((topic, entry)) = self.topics.remove_entry(topic) else {
            return;
        };
        self.bytes -= size(&topic, &entry.packed);
        if let Some(changes) = &mut self.changes {
            changes.forget(topic, entry.on_disk);
        }
    }

    /// Puts in what the file has, unless there is something newer. False: no room, and the file
    /// is to forget it, too.
    pub(crate) fn restore(&mut self, topic: &str, owner: &str, packed: Bytes) -> bool {
        let is_full = self.topics.len() >= self.max_messages
            || self.bytes + size(topic, &packed) > self.max_bytes;
        let is_kept = !is_full && !self.topics.contains_key(topic);
        let topic: Arc<str> = topic.into();
        if is_kept {
            self.bytes += size(&topic, &packed);
            let entry = Entry {
                packed,
                owner: owner.into(),
                pace: Pace::of(&topic),
                on_disk: true,
            };
            self.topics.insert(topic, entry);
        } else if is_full && let Some(changes) = &mut self.changes {
            changes.forget(topic, true);
        }
        is_kept
    }

    /// What has changed and is to be written now, a batch of it. Nothing: all is written.
    pub(crate) fn take_changes(&mut self, slowest: Pace) -> Vec<Change> {
        let Some(changes) = &mut self.changes else {
            return Vec::new();
        };
        let topics = &mut self.topics;
        changes.take(slowest, |topic| {
            let entry = topics.get_mut(topic)?;
            entry.on_disk = true;
            Some((entry.packed.clone(), entry.owner.clone()))
        })
    }

    /// What could not be written has to be written later.
    pub(crate) fn put_back(&mut self, topics: impl Iterator<Item = Arc<str>>) {
        let Some(changes) = &mut self.changes else {
            return;
        };
        for topic in topics {
            match self.topics.get(&topic) {
                Some(entry) => changes.set(topic, entry.pace),
                None => changes.forget(topic, true),
            }
        }
    }

    /// The file is new and empty: all has to be written, and soon.
    pub(crate) fn put_back_all(&mut self) {
        if let Some(changes) = &mut self.changes {
            changes.clear();
            let lasting = self
                .topics
                .iter()
                .filter(|(_, entry)| entry.pace != Pace::Never);
            for (topic, _) in lasting {
                changes.set(topic.clone(), Pace::Soon);
            }
        }
    }

    /// Takes the next messages of a walk, a bounded number of them.
    pub(crate) fn page(&self, walk: &mut Walk, now: Duration) {
        let Some(literal) = walk.literal_prefix() else {
            let found = self.topics.get_key_value(walk.filter());
            if let Some((topic, entry)) = found {
                walk.offer(topic, &entry.packed, now);
            }
            walk.finish();
            return;
        };
        let from = match walk.position() {
            Some(topic) => Bound::Excluded(topic),
            None => Bound::Included(&literal[..]),
        };
        let range = self.topics.range::<str, _>((from, Bound::Unbounded));
        let mut last = None;
        for (looks, (topic, entry)) in range.enumerate() {
            if !topic.starts_with(&literal) {
                break;
            }
            if looks >= PAGE_LOOKS || walk.waiting() >= PAGE_MESSAGES {
                if let Some(last) = last {
                    walk.pause_at(last);
                }
                return;
            }
            if walk.wants(topic) {
                walk.offer(topic, &entry.packed, now);
            }
            last = Some(topic);
        }
        walk.finish();
    }

    /// Forgets what has expired among the next topics, and returns where to go on.
    pub(crate) fn purge(&mut self, after: Option<&str>, now: Duration) -> Option<Arc<str>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let page = self.topics.range::<str, _>((from, Bound::Unbounded));
        let mut last = None;
        let mut expired: Vec<Arc<str>> = Vec::new();
        for (topic, entry) in page.take(PAGE_LOOKS) {
            let envelope = Envelope::unpack(entry.packed.clone());
            if envelope.is_none_or(|envelope| envelope.has_expired(now)) {
                expired.push(topic.clone());
            }
            last = Some(topic.clone());
        }
        for topic in expired {
            self.forget(&topic);
        }
        last
    }

    pub(crate) fn len(&self) -> usize {
        self.topics.len()
    }

    /// Topics and messages, without what the map itself takes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

fn size(topic: &str, packed: &Bytes) -> usize {
    topic.len() + packed.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::QoS;

    fn envelope(sequence: u64, payload: &'static str, expires_at: Option<Duration>) -> Envelope {
        Envelope {
            sequence,
            publisher: 0,
            qos: QoS::AtLeastOnce,
            retain: true,
            stored: true,
            expires_at,
            properties: Bytes::new(),
            payload: Bytes::from_static(payload.as_bytes()),
        }
    }

    fn set(store: &mut Retained, topic: &str, payload: &'static str) -> bool {
        let envelope = envelope(1, payload, None);
        store.set(topic, "u", &envelope, &envelope.pack())
    }

    fn walk(store: &Retained, filter: &str, sequence: u64, now: Duration) -> Vec<String> {
        let mut walk = Walk::new(filter.to_owned(), sequence);
        let mut topics = Vec::new();
        while !walk.is_done() {
            store.page(&mut walk, now);
            assert!(walk.waiting() <= PAGE_MESSAGES);
            while let Some(kept) = walk.take() {
                topics.push(kept.topic.to_string());
            }
        }
        topics
    }

    fn topics(store: &Retained, filter: &str) -> Vec<String> {
        walk(store, filter, 1, Duration::ZERO)
    }

    #[test]
    fn an_empty_payload_forgets_and_the_bytes_come_back() {
        let mut store = Retained::new(10, 1000);
        assert!(set(&mut store, "a/b", "one") && set(&mut store, "a/c", "two"));
        assert!(set(&mut store, "a/b", "longer than one"));
        assert_eq!(topics(&store, "a/+"), ["a/b", "a/c"]);
        assert!(set(&mut store, "a/b", "") && set(&mut store, "a/c", ""));
        assert!(set(&mut store, "never/was", ""));
        assert_eq!((store.len(), store.bytes()), (0, 0));
    }

    #[test]
    fn a_full_store_still_replaces_what_it_has() {
        let mut store = Retained::new(1, 1000);
        assert!(set(&mut store, "a", "one"));
        assert!(!set(&mut store, "b", "two"));
        assert!(set(&mut store, "a", "three"));
        let mut small = Retained::new(10, 40);
        assert!(set(&mut small, "a", "one"));
        assert!(!set(&mut small, "b", "two"));
    }

    #[test]
    fn a_full_store_never_keeps_what_is_not_true_any_more() {
        let mut store = Retained::new(10, 60);
        assert!(set(&mut store, "status", "online"));
        assert!(set(
            &mut store,
            "status",
            "offline, and more than fits into it"
        ));
        let long = "x".repeat(2 * SMALL_BYTES).leak();
        assert!(!set(&mut store, "status", long));
        assert!(topics(&store, "#").is_empty());
        assert_eq!(store.bytes(), 0);
    }

    #[test]
    fn what_has_expired_is_not_handed_out_and_purged_later() {
        let mut store = Retained::new(10, 1000);
        let envelope = envelope(1, "x", Some(Duration::from_secs(5)));
        store.set("a", "u", &envelope, &envelope.pack());
        set(&mut store, "b", "for ever");
        assert_eq!(walk(&store, "#", 1, Duration::from_secs(4)).len(), 2);
        assert_eq!(walk(&store, "#", 1, Duration::from_secs(5)), ["b"]);
        let last = store.purge(None, Duration::from_secs(5));
        assert_eq!(store.len(), 1);
        assert_eq!(store.purge(last.as_deref(), Duration::from_secs(5)), None);
    }

    #[test]
    fn pages_join_without_a_gap_and_a_filter_finds_what_it_matches() {
        let mut store = Retained::new(100_000, 100_000_000);
        let mut expected = Vec::new();
        for n in 0..5 * PAGE_LOOKS {
            let topic = format!("a/{n:06}/{}", if n % 7 == 0 { "x" } else { "y" });
            assert!(set(&mut store, &topic, "1"));
            if n % 7 == 0 {
                expected.push(topic);
            }
        }
        for other in ["a", "ab/x", "a/000007", "b/000007/x", "$SYS/x", "/a"] {
            set(&mut store, other, "1");
        }
        assert_eq!(topics(&store, "a/+/x"), expected);
        assert_eq!(topics(&store, "a/#").len(), 5 * PAGE_LOOKS + 2);
        assert_eq!(topics(&store, "a"), ["a"]);
        assert_eq!(topics(&store, "a/000007/#"), ["a/000007", "a/000007/x"]);
        assert_eq!(topics(&store, "+/000007/x"), ["a/000007/x", "b/000007/x"]);
        assert_eq!(topics(&store, "$SYS/#"), ["$SYS/x"]);
        assert_eq!(topics(&store, "/+"), ["/a"]);
        assert_eq!(topics(&store, "#").len(), store.len() - 1);
    }

    #[test]
    fn what_came_after_the_subscription_is_left_to_the_router() {
        let mut store = Retained::new(10, 1000);
        for (topic, sequence) in [("a", 1), ("b", 2), ("c", 3)] {
            let envelope = envelope(sequence, "x", None);
            store.set(topic, "u", &envelope, &envelope.pack());
        }
        assert_eq!(walk(&store, "#", 2, Duration::ZERO), ["a", "b"]);
    }

    fn written(store: &mut Retained, slowest: Pace) -> Vec<(String, bool)> {
        let taken = store.take_changes(slowest);
        let written = |change: Change| (change.topic.to_string(), change.message.is_some());
        taken.into_iter().map(written).collect()
    }

    #[test]
    fn only_what_differs_is_written_and_only_what_was_written_is_deleted() {
        let mut store = Retained::new(10, 1000);
        store.note_changes();
        set(&mut store, "a", "1");
        set(&mut store, "b", "1");
        set(&mut store, "b", "");
        set(&mut store, "$SYS/x", "1");
        assert_eq!(written(&mut store, Pace::Soon), []);
        assert_eq!(
            written(&mut store, Pace::Later),
            [("a".to_owned(), true)],
            "b never reached the file"
        );
        set(&mut store, "a", "1");
        assert_eq!(written(&mut store, Pace::Later), []);
        set(&mut store, "a", "2");
        store.put_back(["a".into()].into_iter());
        assert_eq!(written(&mut store, Pace::Later), [("a".to_owned(), true)]);
        set(&mut store, "a", "");
        assert_eq!(written(&mut store, Pace::Soon), [("a".to_owned(), false)]);
        store.put_back(["a".into()].into_iter());
        set(&mut store, "a", "3");
        set(&mut store, "a", "");
        assert_eq!(
            written(&mut store, Pace::Soon),
            [("a".to_owned(), false)],
            "cleared, set and cleared before it could be written"
        );
    }

    #[test]
    fn what_the_file_has_is_not_written_again() {
        let mut store = Retained::new(1, 1000);
        store.note_changes();
        let packed = envelope(0, "old", None).pack();
        assert!(store.restore("a", "u", packed.clone()));
        assert!(!store.restore("b", "u", packed));
        assert_eq!(written(&mut store, Pace::Later), [("b".to_owned(), false)]);
        set(&mut store, "a", "");
        assert_eq!(written(&mut store, Pace::Later), [("a".to_owned(), false)]);
    }
}
