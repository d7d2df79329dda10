//! The filters of one client, and what a message means for it. Pure.

use std::collections::{BTreeMap, HashMap};

use netmonitor_protocol::acl::{filter_matches, filters_overlap};

use crate::message::Envelope;
use crate::packet::{Options, QoS};

/// Messages that are remembered until their other copies have come. When there are more, the
/// oldest is forgotten, and the client may get it twice.
const COPIES_MAX: usize = 1024;

/// What one client has subscribed to on its own, by number: the router says with each message
/// for which subscription it comes.
///
/// A message that several of them match comes once from the router for each; the client gets it
/// once, with the highest `QoS` of them and all their identifiers (MQTT 5.0, section 3.3.4).
#[derive(Default)]
pub(crate) struct Subscriptions {
    by_number: HashMap<usize, Subscription>,
    numbers: HashMap<String, usize>,
    last_number: usize,
    /// Messages that went out, and how many more copies of them will come.
    copies: BTreeMap<u64, usize>,
}

/// One filter.
pub(crate) struct Subscription {
    pub(crate) options: Options,
    pub(crate) identifier: Option<usize>,
    /// Messages up to here were there before the subscription.
    pub(crate) begins_after: u64,
    /// Retained messages up to here came with the first snapshot.
    pub(crate) snapshot_sequence: u64,
    filter: String,
    last_offset: Option<u64>,
    /// The last message that came from the router.
    last_sequence: u64,
    /// The others that may match the same messages.
    overlaps: Vec<usize>,
}

/// How a client wants a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
    pub(crate) identifiers: Vec<usize>,
}

impl Subscription {
    /// A subscription to what comes after the message with this number.
    pub(crate) fn new(
        filter: String,
        options: Options,
        identifier: Option<usize>,
        begins_after: u64,
    ) -> Self {
        Self {
            options,
            identifier,
            begins_after,
            snapshot_sequence: 0,
            filter,
            last_offset: None,
            last_sequence: 0,
            overlaps: Vec::new(),
        }
    }

    fn wants(&self, own: u64, topic: &str, envelope: &Envelope) -> bool {
        let is_own = self.options.no_local && envelope.publisher == own;
        let is_known = envelope.sequence <= self.begins_after
            || envelope.stored && envelope.sequence <= self.snapshot_sequence;
        let is_hidden = is_wild(&self.filter) && topic.starts_with('$');
        !is_own && !is_known && !is_hidden
    }

    /// How it wants a message, from the router or a retained one.
    pub(crate) fn wanted(&self, envelope: &Envelope, retain: bool) -> Wanted {
        Wanted {
            qos: envelope.qos.min(self.options.qos),
            retain,
            identifiers: self.identifier.into_iter().collect(),
        }
    }
}

impl Subscriptions {
    pub(crate) fn len(&self) -> usize {
        self.numbers.len()
    }

    pub(crate) fn number(&self, filter: &str) -> Option<usize> {
        self.numbers.get(filter).copied()
    }

    pub(crate) fn get(&self, number: usize) -> Option<&Subscription> {
        self.by_number.get(&number)
    }

    pub(crate) fn get_mut(&mut self, number: usize) -> Option<&mut Subscription> {
        self.by_number.get_mut(&number)
    }

    /// A number that was never used before.
    pub(crate) fn next_number(&mut self) -> usize {
        self.last_number += 1;
        self.last_number
    }

    pub(crate) fn insert(&mut self, number: usize, mut subscription: Subscription) {
        for (other_number, other) in &mut self.by_number {
            if filters_overlap(&other.filter, &subscription.filter) {
                other.overlaps.push(number);
                subscription.overlaps.push(*other_number);
            }
        }
        self.numbers.insert(subscription.filter.clone(), number);
        self.by_number.insert(number, subscription);
    }

    /// Gives one up, and returns its number.
    pub(crate) fn remove(&mut self, filter: &str) -> Option<usize> {
        let number = self.numbers.remove(filter)?;
        let removed = self.by_number.remove(&number)?;
        for other in removed.overlaps {
            if let Some(other) = self.by_number.get_mut(&other) {
                other.overlaps.retain(|overlapping| *overlapping != number);
            }
        }
        Some(number)
    }

    /// Each with its filter, and the message up to which it has seen what is retained.
    pub(crate) fn seen(&self) -> impl Iterator<Item = (usize, &str, u64)> {
        self.by_number.iter().map(|(number, subscription)| {
            let came = subscription.last_sequence.max(subscription.begins_after);
            let seen = came.max(subscription.snapshot_sequence);
            (*number, subscription.filter.as_str(), seen)
        })
    }

    /// How many messages of a subscription were overwritten before they were read, as the place
    /// of this one in its log tells.
    pub(crate) fn lost(&mut self, number: usize, offset: u64) -> u64 {
        let subscription = self.by_number.get_mut(&number);
        subscription.map_or(0, |known| lost_between(&mut known.last_offset, offset))
    }

    /// How the client with the number `own` wants a message that comes for one of them. None: it
    /// does not, or has it already.
    pub(crate) fn read(
        &mut self,
        own: u64,
        number: usize,
        topic: &str,
        envelope: &Envelope,
    ) -> Option<Wanted> {
        // None if it was unsubscribed while the message was on its way.
        let subscription = self.by_number.get_mut(&number)?;
        subscription.last_sequence = envelope.sequence;
        let subscription = self.by_number.get(&number)?;
        if !subscription.wants(own, topic, envelope) {
            return None;
        }
        let retain = envelope.retain && subscription.options.retain_as_published;
        let mut wanted = subscription.wanted(envelope, retain);
        if subscription.overlaps.is_empty() {
            return Some(wanted);
        }
        if let Some(left) = self.copies.get_mut(&envelope.sequence) {
            *left -= 1;
            if *left == 0 {
                self.copies.remove(&envelope.sequence);
            }
            return None;
        }
        let mut copies = 0;
        for other in &subscription.overlaps {
            let Some(other) = self.by_number.get(other) else {
                continue;
            };
            if filter_matches(&other.filter, topic) && other.wants(own, topic, envelope) {
                copies += 1;
                wanted.qos = wanted.qos.max(envelope.qos.min(other.options.qos));
                wanted.retain |= envelope.retain && other.options.retain_as_published;
                wanted.identifiers.extend(other.identifier);
            }
        }
        if copies > 0 {
            self.copies.insert(envelope.sequence, copies);
            if self.copies.len() > COPIES_MAX {
                self.copies.pop_first();
            }
        }
        Some(wanted)
    }
}

/// Whether the filter begins with a wildcard, which stands for no topic with `$` (MQTT 5.0,
/// section 4.7.2).
pub(crate) fn is_wild(filter: &str) -> bool {
    filter.starts_with(['+', '#'])
}

/// How many messages of a log were overwritten before they were read. `last` becomes `offset`.
pub(crate) fn lost_between(last: &mut Option<u64>, offset: u64) -> u64 {
    let expected = last.map_or(offset, |last| last + 1);
    *last = Some(offset);
    offset.saturating_sub(expected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::RetainHandling;

    const OWN: u64 = 7;

    fn add(all: &mut Subscriptions, filter: &str, qos: QoS, identifier: usize) -> usize {
        let options = Options {
            qos,
            no_local: true,
            retain_as_published: false,
            retain_handling: RetainHandling::Always,
        };
        let number = all.next_number();
        let new = Subscription::new(filter.to_owned(), options, Some(identifier), 0);
        all.insert(number, new);
        number
    }

    fn message(sequence: u64) -> Envelope {
        Envelope {
            sequence,
            publisher: 1,
            qos: QoS::ExactlyOnce,
            retain: false,
            stored: false,
            expires_at: None,
            properties: bytes::Bytes::new(),
            payload: bytes::Bytes::new(),
        }
    }

    #[test]
    fn what_several_match_is_wanted_once_as_the_best_of_them_wants_it() {
        let mut all = Subscriptions::default();
        let wide = add(&mut all, "a/#", QoS::AtMostOnce, 1);
        let narrow = add(&mut all, "a/b", QoS::AtLeastOnce, 2);
        let other = add(&mut all, "c", QoS::ExactlyOnce, 3);
        let both = Wanted {
            qos: QoS::AtLeastOnce,
            retain: false,
            identifiers: vec![1, 2],
        };
        // The copies may come in any order, and others between them.
        assert_eq!(all.read(OWN, wide, "a/b", &message(1)), Some(both));
        let wanted = all.read(OWN, narrow, "a/b", &message(2)).unwrap();
        assert_eq!(wanted.identifiers, [2, 1]);
        assert_eq!(all.read(OWN, narrow, "a/b", &message(1)), None);
        assert_eq!(all.read(OWN, wide, "a/b", &message(2)), None);
        assert!(all.copies.is_empty());
        let wanted = all.read(OWN, wide, "a/c", &message(3)).unwrap();
        assert_eq!(
            (wanted.qos, &wanted.identifiers[..]),
            (QoS::AtMostOnce, &[1][..])
        );
        assert!(all.read(OWN, other, "c", &message(4)).is_some());
        assert!(all.copies.is_empty());
    }

    #[test]
    fn a_subscription_given_up_takes_no_message_with_it() {
        let mut all = Subscriptions::default();
        let wide = add(&mut all, "a/#", QoS::AtMostOnce, 1);
        let narrow = add(&mut all, "a/b", QoS::AtLeastOnce, 2);
        assert_eq!(all.remove("a/#"), Some(wide));
        assert_eq!(all.read(OWN, wide, "a/b", &message(1)), None);
        let wanted = all.read(OWN, narrow, "a/b", &message(1)).unwrap();
        assert_eq!(wanted.identifiers, [2]);
        assert_eq!((all.len(), all.remove("a/#")), (1, None));
    }

    #[test]
    fn copies_that_never_come_are_forgotten() {
        let mut all = Subscriptions::default();
        let wide = add(&mut all, "a/#", QoS::AtMostOnce, 1);
        add(&mut all, "a/b", QoS::AtLeastOnce, 2);
        for sequence in 1..=2 * COPIES_MAX as u64 {
            assert!(all.read(OWN, wide, "a/b", &message(sequence)).is_some());
        }
        assert_eq!(all.copies.len(), COPIES_MAX);
    }

    #[test]
    fn own_messages_old_ones_and_hidden_topics_are_not_wanted() {
        let mut all = Subscriptions::default();
        let number = add(&mut all, "#", QoS::AtLeastOnce, 1);
        assert!(all.read(OWN, number, "a", &message(1)).is_some());
        assert!(all.read(1, number, "a", &message(2)).is_none());
        assert!(all.read(OWN, number, "$SYS/a", &message(3)).is_none());
        all.get_mut(number).unwrap().begins_after = 9;
        assert!(all.read(OWN, number, "a", &message(9)).is_none());
    }

    #[test]
    fn a_gap_in_a_log_is_what_was_lost() {
        let mut last = None;
        let gaps = [5, 6, 9, 3, 4].map(|offset| lost_between(&mut last, offset));
        assert_eq!(gaps, [0, 0, 2, 0, 0]);
    }
}
