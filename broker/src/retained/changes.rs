//! Which retained topics the file on disk has yet to hear of.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use netmonitor_protocol::Topic;
use netmonitor_protocol::topics::Retained;

/// How soon a change of a topic is to be on disk. Each write wears out the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// At once: what changes seldom and matters.
    Soon,
    /// Within minutes: what the next message replaces anyway.
    Later,
    /// Never: what the broker says of itself, and what ends with it.
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
            Ok(Retained::InMemory) => Self::Never,
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

impl Change {
    /// Topic and message, in bytes.
    pub(crate) fn size(&self) -> usize {
        let message = self.message.as_ref();
        self.topic.len() + message.map_or(0, |(packed, _)| packed.len())
    }
}

/// Topics that have changed. Never more than there are retained messages in memory and in the
/// file: what did not reach the file before it was cleared leaves no trace.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    soon: BTreeSet<Arc<str>>,
    later: BTreeSet<Arc<str>>,
    /// Those to be deleted from the file.
    cleared: BTreeSet<Arc<str>>,
    /// What the pass that is under way has yet to write, so that one topic that changes all the
    /// time neither makes it endless nor keeps others from their turn.
    due: BTreeSet<Arc<str>>,
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

    /// The same for a topic that the file may have and memory has not; for no more topics than
    /// `max`, beyond which one that was cleared may come back.
    pub(crate) fn forget_unseen(&mut self, topic: &str, max: usize) {
        if self.cleared.len() < max {
            self.cleared.insert(topic.into());
        }
    }

    /// Whether the file still has a message of the topic that is to be deleted.
    pub(crate) fn is_cleared(&self, topic: &str) -> bool {
        self.cleared.contains(topic) || self.due.contains(topic)
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether anything is to be written at [`Pace::Soon`].
    pub(crate) fn is_due_soon(&self) -> bool {
        ![&self.soon, &self.cleared, &self.due]
            .iter()
            .all(|waiting| waiting.is_empty())
    }

    /// Makes a pass of what is to be written now at this pace or sooner. What is left of the last
    /// one comes first; what changes from now on is for the next.
    pub(crate) fn begin(&mut self, slowest: Pace) {
        let is_all = slowest == Pace::Later;
        if !is_all && !self.due.is_empty() {
            return;
        }
        self.due.append(&mut self.cleared);
        self.due.append(&mut self.soon);
        if is_all {
            self.due.append(&mut self.later);
        }
    }

    /// The next batch of the pass, with what `now_has` says. Empty: it is over.
    pub(crate) fn take(
        &mut self,
        mut now_has: impl FnMut(&str) -> Option<(Bytes, Arc<str>)>,
    ) -> Vec<Change> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < BATCH_MESSAGES && bytes < BATCH_BYTES {
            let Some(topic) = self.due.pop_first() else {
                break;
            };
            // What has changed meanwhile is written with it.
            for waiting in [&mut self.cleared, &mut self.soon, &mut self.later] {
                waiting.remove(&topic);
            }
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
    use netmonitor_protocol::{DeviceId, ServiceName};

    #[test]
    fn a_batch_is_bounded_and_the_rest_comes_with_the_next() {
        let mut changes = Changes::default();
        for n in 0..=BATCH_MESSAGES {
            changes.set(n.to_string().into(), Pace::Later);
        }
        let no_message = |_: &str| None;
        changes.begin(Pace::Soon);
        assert!(changes.take(no_message).is_empty());
        changes.begin(Pace::Later);
        assert_eq!(changes.take(no_message).len(), BATCH_MESSAGES);
        assert_eq!(changes.take(no_message).len(), 1);
        assert!(changes.take(no_message).is_empty());
    }

    #[test]
    fn a_pass_ends_whatever_changes_meanwhile_and_each_topic_has_its_turn() {
        let mut changes = Changes::default();
        let mut written = Vec::new();
        for n in 0..2 * BATCH_MESSAGES {
            changes.set(format!("{n:04}").into(), Pace::Soon);
        }
        changes.set("metrics".into(), Pace::Later);
        // The budget is used up after each batch.
        for pass in [Pace::Soon, Pace::Soon, Pace::Later] {
            changes.begin(pass);
            let batch = changes.take(|_| None);
            let topics = batch.iter().map(|change| change.topic.clone());
            for topic in topics {
                changes.set(topic.clone(), Pace::Soon);
                written.push(topic);
            }
        }
        assert_eq!(&*written[2 * BATCH_MESSAGES - 1], "0999");
        assert_eq!(written.len(), 3 * BATCH_MESSAGES);
        let mut rest = Vec::new();
        loop {
            let batch = changes.take(|_| None);
            let Some(last) = batch.last() else {
                break;
            };
            rest.push(last.topic.clone());
            changes.set("0000".into(), Pace::Soon);
        }
        assert_eq!(rest.last().map(|topic| &**topic), Some("metrics"));
    }

    #[test]
    fn metrics_wait_and_states_do_not() {
        let device: DeviceId = "ws-14".parse().unwrap();
        let check = |topic: &str, expected: Pace| assert_eq!(Pace::of(topic), expected, "{topic}");
        check(&Topic::DeviceStatus(device.clone()).to_string(), Pace::Soon);
        check(&Topic::DeviceMetrics(device).to_string(), Pace::Later);
        let health = Topic::HubService(ServiceName::Alerting);
        check(&health.to_string(), Pace::Never);
        check("homeassistant/device/x/config", Pace::Soon);
        check("zigbee2mqtt/lamp", Pace::Later);
        check("$SYS/broker/uptime", Pace::Never);
    }
}
