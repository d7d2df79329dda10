//! The retained messages for a new subscription, read a page at a time and at the subscriber's
//! own pace, so that a slow one holds no copies, and many wide ones stop nobody.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use netmonitor_protocol::acl::filter_matches;

use crate::message::Envelope;
use crate::retained::Kept;

/// A walk over the topics that a filter matches, in their order.
///
/// What is published after its beginning comes through the router and is passed over here: each
/// message is sent once.
#[derive(Debug)]
pub(crate) struct Walk {
    filter: String,
    /// What was published up to here is known to the subscriber.
    after: Option<u64>,
    /// The number of the last message before the walk began.
    sequence: u64,
    /// The last topic that was looked at.
    position: Option<Arc<str>>,
    /// What was found and not taken yet: a page at most.
    found: VecDeque<Kept>,
    found_bytes: usize,
    is_at_end: bool,
}

impl Walk {
    /// Over everything that is retained up to the message with this number.
    pub(crate) fn new(filter: String, sequence: u64) -> Self {
        Self {
            filter,
            after: None,
            sequence,
            position: None,
            found: VecDeque::new(),
            found_bytes: 0,
            is_at_end: false,
        }
    }

    /// Over what was published after one message and up to another, for a subscriber whom it has
    /// not reached.
    pub(crate) fn again(filter: String, after: u64, until: u64) -> Self {
        Self {
            after: Some(after),
            ..Self::new(filter, until)
        }
    }

    /// Whether it is for a subscription that is older than what it finds.
    pub(crate) fn is_again(&self) -> bool {
        self.after.is_some()
    }

    /// Messages up to here are in the walk, or replaced by something newer.
    pub(crate) fn sequence(&self) -> u64 {
        self.sequence
    }

    pub(crate) fn filter(&self) -> &str {
        &self.filter
    }

    /// What every topic begins with that the filter can match. None: it has no wildcard.
    pub(crate) fn literal_prefix(&self) -> Option<String> {
        let wildcard = self.filter.find(['+', '#'])?;
        let literal = &self.filter[..wildcard];
        // `a/#` matches `a` as well.
        let is_parent_matched = self.filter[wildcard..].starts_with('#');
        let literal = literal
            .strip_suffix('/')
            .filter(|_| is_parent_matched)
            .unwrap_or(literal);
        Some(literal.to_owned())
    }

    pub(crate) fn position(&self) -> Option<&str> {
        self.position.as_deref()
    }

    pub(crate) fn wants(&self, topic: &str) -> bool {
        filter_matches(&self.filter, topic)
    }

    pub(crate) fn offer(&mut self, topic: &Arc<str>, packed: &Bytes, now: Duration) {
        let is_wanted = Envelope::unpack(packed.clone()).is_some_and(|envelope| {
            let is_known = self.after.is_some_and(|after| envelope.sequence <= after);
            !is_known && envelope.sequence <= self.sequence && !envelope.has_expired(now)
        });
        if is_wanted {
            self.found_bytes += packed.len();
            self.found.push_back(Kept {
                topic: topic.clone(),
                packed: packed.clone(),
            });
        }
    }

    pub(crate) fn pause_at(&mut self, topic: &Arc<str>) {
        self.position = Some(topic.clone());
    }

    pub(crate) fn finish(&mut self) {
        self.is_at_end = true;
    }

    /// The next message of those that were found.
    pub(crate) fn take(&mut self) -> Option<Kept> {
        let kept = self.found.pop_front()?;
        self.found_bytes -= kept.packed.len();
        Some(kept)
    }

    pub(crate) fn waiting(&self) -> usize {
        self.found.len()
    }

    pub(crate) fn waiting_bytes(&self) -> usize {
        self.found_bytes
    }

    /// Whether there is nothing more to be taken or found.
    pub(crate) fn is_done(&self) -> bool {
        self.is_at_end && self.found.is_empty()
    }
}
