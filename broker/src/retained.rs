//! The last retained message of each topic, in memory. One type, so that a journal on disk can
//! be put behind it: every change goes through [`Retained::set`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use netmonitor_protocol::acl::filter_matches;

use crate::message::Envelope;

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

/// All retained messages, bounded in number and in bytes. When full, a message on a new topic
/// is delivered but not kept.
#[derive(Debug)]
pub(crate) struct Retained {
    topics: BTreeMap<Arc<str>, Bytes>,
    bytes: usize,
    max_messages: usize,
    max_bytes: usize,
}

impl Retained {
    pub(crate) fn new(max_messages: usize, max_bytes: usize) -> Self {
        Self {
            topics: BTreeMap::new(),
            bytes: 0,
            max_messages,
            max_bytes,
        }
    }

    /// Keeps the message, or with an empty payload forgets the topic's. False: no room; then
    /// what was kept of the topic is forgotten as well, since it is not true any more.
    pub(crate) fn set(&mut self, topic: &str, envelope: &Envelope, packed: &Bytes) -> bool {
        let old = self.topics.get(topic).map_or(0, |old| size(topic, old));
        if envelope.payload.is_empty() {
            self.topics.remove(topic);
            self.bytes -= old;
            return true;
        }
        let bytes = self.bytes - old + size(topic, packed);
        // A state of a few bytes (`offline` for `online`) always finds room.
        let is_small_change = old > 0 && packed.len() <= SMALL_BYTES;
        let is_full =
            bytes > self.max_bytes || (old == 0 && self.topics.len() >= self.max_messages);
        if is_full && !is_small_change {
            self.topics.remove(topic);
            self.bytes -= old;
            return false;
        }
        self.bytes = bytes;
        match self.topics.get_mut(topic) {
            Some(kept) => *kept = packed.clone(),
            None => drop(self.topics.insert(topic.into(), packed.clone())),
        }
        true
    }

    /// Everything that the filter matches and that has not expired, by topic.
    pub(crate) fn matching(&self, filter: &str, now: Duration) -> Vec<Kept> {
        let expired = |packed: &Bytes| {
            Envelope::unpack(packed.clone()).is_none_or(|envelope| envelope.has_expired(now))
        };
        let kept = |(topic, packed): (&Arc<str>, &Bytes)| Kept {
            topic: topic.clone(),
            packed: packed.clone(),
        };
        if !filter.contains(['+', '#']) {
            let found = self.topics.get_key_value(filter);
            let fresh = found.filter(|(_, packed)| !expired(packed));
            return fresh.into_iter().map(kept).collect();
        }
        self.topics
            .iter()
            .filter(|(topic, packed)| filter_matches(filter, topic) && !expired(packed))
            .map(kept)
            .collect()
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

    fn envelope(payload: &'static str, expires_at: Option<Duration>) -> Envelope {
        Envelope {
            sequence: 0,
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
        let envelope = envelope(payload, None);
        store.set(topic, &envelope, &envelope.pack())
    }

    fn topics(store: &Retained, filter: &str) -> Vec<String> {
        let kept = store.matching(filter, Duration::ZERO);
        kept.iter().map(|kept| kept.topic.to_string()).collect()
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
    fn what_has_expired_is_not_handed_out() {
        let mut store = Retained::new(10, 1000);
        let envelope = envelope("x", Some(Duration::from_secs(5)));
        store.set("a", &envelope, &envelope.pack());
        assert_eq!(store.matching("#", Duration::from_secs(4)).len(), 1);
        assert_eq!(store.matching("#", Duration::from_secs(5)).len(), 0);
    }
}
