//! Which retained topics the file on disk has yet to hear of.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use netmonitor_protocol::Topic;
use netmonitor_protocol::topics::Retained;

/// How soon a change of a topic is to be on disk. Each write wears out the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Within seconds: what changes seldom and matters.
    Soon,
    /// Within minutes: what the next message replaces anyway.
    Later,
    /// Never: what the broker says of itself.
    Never,
}

impl Pace {
    /// Ours as the table of topics says; discovery of Home Assistant soon, since it comes once;
    /// and what others retain later.
    pub(crate) fn of(topic: &str) -> Self {
        if topic.starts_with('$') {
            return Self::Never;
        }
        match topic.parse::<Topic>().map(|topic| topic.row().retained) {
            Ok(Retained::Promptly) => Self::Soon,
            Err(_) if topic.starts_with("homeassistant/") => Self::Soon,
            Ok(Retained::NowAndThen | Retained::No) | Err(_) => Self::Later,
        }
    }
}

/// Changes that go to disk in one transaction.
const BATCH_MESSAGES: usize = 500;
const BATCH_BYTES: usize = 1024 * 1024;

/// A topic, and its message if it still has one, with the user who published it.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) topic: Arc<str>,
    pub(crate) message: Option<(Bytes, Arc<str>)>,
}

/// Topics that have changed. Never more than there are retained messages in memory and in the
/// file: what did not reach the file before it was cleared leaves no trace.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    soon: BTreeSet<Arc<str>>,
    later: BTreeSet<Arc<str>>,
    /// Those to be deleted from the file.
    cleared: BTreeSet<Arc<str>>,
}

impl Changes {
    /// The topic has a new message.
    pub(crate) fn set(&mut self, topic: Arc<str>, pace: Pace) {
        self.cleared.remove(&topic);
        match pace {
            // Once it is urgent it stays so.
            Pace::Later if self.soon.contains(&topic) => {}
            Pace::Later => drop(self.later.insert(topic)),
            Pace::Soon => drop(self.soon.insert(topic)),
            Pace::Never => {}
        }
    }

    /// The topic has no message any more. `on_disk`: the file may have one.
    pub(crate) fn forget(&mut self, topic: Arc<str>, on_disk: bool) {
        self.soon.remove(&topic);
        self.later.remove(&topic);
        if on_disk {
            self.cleared.insert(topic);
        }
    }

    /// Whether the file still has a message of the topic that is to be deleted.
    pub(crate) fn is_cleared(&self, topic: &str) -> bool {
        self.cleared.contains(topic)
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// A batch of what is to be written at this pace or sooner, with what `now_has` says.
    pub(crate) fn take(
        &mut self,
        slowest: Pace,
        mut now_has: impl FnMut(&str) -> Option<(Bytes, Arc<str>)>,
    ) -> Vec<Change> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < BATCH_MESSAGES && bytes < BATCH_BYTES {
            let next = self.cleared.pop_first().or_else(|| self.soon.pop_first());
            let next = match slowest {
                Pace::Soon => next,
                _ => next.or_else(|| self.later.pop_first()),
            };
            let Some(topic) = next else {
                break;
            };
            self.later.remove(&topic);
            let message = now_has(&topic);
            bytes += message.as_ref().map_or(0, |(packed, _)| packed.len());
            batch.push(Change { topic, message });
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netmonitor_protocol::DeviceId;

    #[test]
    fn a_batch_is_bounded_and_the_rest_comes_with_the_next() {
        let mut changes = Changes::default();
        for n in 0..=BATCH_MESSAGES {
            changes.set(n.to_string().into(), Pace::Later);
        }
        let no_message = |_: &str| None;
        assert!(changes.take(Pace::Soon, no_message).is_empty());
        assert_eq!(changes.take(Pace::Later, no_message).len(), BATCH_MESSAGES);
        assert_eq!(changes.take(Pace::Later, no_message).len(), 1);
        assert!(changes.take(Pace::Later, no_message).is_empty());
    }

    #[test]
    fn metrics_wait_and_states_do_not() {
        let device: DeviceId = "ws-14".parse().unwrap();
        let check = |topic: &str, expected: Pace| assert_eq!(Pace::of(topic), expected, "{topic}");
        check(&Topic::DeviceStatus(device.clone()).to_string(), Pace::Soon);
        check(&Topic::DeviceMetrics(device).to_string(), Pace::Later);
        check("homeassistant/device/x/config", Pace::Soon);
        check("zigbee2mqtt/lamp", Pace::Later);
        check("$SYS/broker/uptime", Pace::Never);
    }
}
