//! How much memory messages take in a router, down to the byte: a message counts from when it is
//! published until its last copy is dropped, by the last log that has it or the last subscriber.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use bytes::Bytes;
use rumqttd::protocol::{Publish, PublishProperties};

/// What a log keeps of each message beside topic and payload, which all logs share.
const ENTRY_BYTES: usize =
    size_of::<Publish>() + size_of::<Option<PublishProperties>>() + size_of::<Instant>();
/// What a message takes beside its bytes: those who count the copies of topic and payload.
const MESSAGE_BYTES: usize = 128;

/// The bytes of one router's messages.
#[derive(Debug, Clone, Default)]
pub(super) struct Held(Arc<AtomicUsize>);

impl Held {
    pub(super) fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// The same payload, counted for as long as there is a copy of it. `logs`: so many keep it.
    pub(super) fn count(&self, topic: &str, packed: Bytes, logs: usize) -> Bytes {
        let cost = MESSAGE_BYTES + topic.len() + packed.len() + logs * ENTRY_BYTES;
        self.0.fetch_add(cost, Ordering::Relaxed);
        Bytes::from_owner(Counted {
            packed,
            cost,
            held: self.clone(),
        })
    }
}

struct Counted {
    packed: Bytes,
    cost: usize,
    held: Held,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.packed
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.held.0.fetch_sub(self.cost, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_counts_until_its_last_copy_is_dropped() {
        let held = Held::default();
        let one = held.count("t", Bytes::from(vec![1; 1_000]), 3);
        let bytes = held.bytes();
        assert!(bytes >= 1_000 + 3 * ENTRY_BYTES, "{bytes}");
        let part = one.slice(10..20);
        drop(one);
        assert_eq!(held.bytes(), bytes);
        assert_eq!(part.len(), 10);
        drop(part);
        assert_eq!(held.bytes(), 0);
    }
}
