//! What a client has with the broker beyond one connection (MQTT 5.0, section 4.1): its
//! subscriptions, with their link to the router, and what is unsettled in both directions.
//!
//! Sessions are in memory: they end with the broker. What must survive that is retained, or
//! acknowledged end to end by those who need it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Weak;

use netmonitor_protocol::acl::Principal;

use crate::counters::{Counter, Counters};
use crate::edge::Edge;
use crate::exchange::Origin;
use crate::inflight::Window;
use crate::message::Envelope;
use crate::offline::Offline;
use crate::packet::{Options, QoS};
use crate::retained::Kept;
use crate::router::{Delivery, Link};
use crate::share::{Member, Share, Shared};
use crate::snapshot::Walk;
use crate::tally::Tally;

/// What a message takes beside its bytes, roughly.
const MESSAGE_OVERHEAD: usize = 192;

/// A session, with or without a connection.
pub(crate) struct Session {
    /// By which others know who published a message. Stays the same when the client comes back,
    /// so that "no local" holds.
    pub(crate) number: u64,
    /// What the client may do, as of its last login.
    pub(crate) principal: Principal,
    /// Identifiers of `QoS` 2 messages that it has published and not released.
    pub(crate) received: HashSet<u16>,
    /// Made with the first subscription: who only publishes costs the router nothing.
    pub(crate) link: Option<Link>,
    pub(crate) subscriptions: HashMap<usize, Subscription>,
    /// The number of each filter's subscription.
    pub(crate) numbers: HashMap<String, usize>,
    /// How many subscriptions there are, for all to see.
    tally: Tally,
    pub(crate) last_number: usize,
    /// The groups with which it shares a subscription.
    pub(crate) shares: Vec<Member>,
    /// Grows with each shared message, so that every group has its turn.
    pub(crate) turn: usize,
    /// Sent and not settled. Comes first when the client is back; then the fields below, in
    /// their order, then what the router has.
    pub(crate) window: Window<Pending>,
    /// The next message, which waits for an acknowledgement of an earlier one.
    pub(crate) waiting: Option<Pending>,
    /// What came while the client was away.
    pub(crate) offline: Offline<Pending>,
    /// Retained messages for new subscriptions, one subscription after the other.
    pub(crate) retained: VecDeque<(usize, Walk)>,
}

/// One filter of a client.
pub(crate) struct Subscription {
    pub(crate) options: Options,
    pub(crate) identifier: Option<usize>,
    /// The filter begins with a wildcard, which stands for no topic with `$` (section 4.7.2).
    pub(crate) is_wild: bool,
    /// Messages up to here were there before the subscription.
    pub(crate) begins_after: u64,
    /// Retained messages up to here came with the first snapshot.
    pub(crate) snapshot_sequence: u64,
    pub(crate) last_offset: Option<u64>,
}

/// A message for one subscriber, as its subscription wants it.
pub(crate) struct Pending {
    pub(crate) topic: String,
    pub(crate) envelope: Envelope,
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
    pub(crate) identifier: Option<usize>,
    /// The group that it came from.
    pub(crate) share: Option<Weak<Share>>,
}

impl Pending {
    fn new(topic: &str, envelope: Envelope, subscription: &Subscription, retain: bool) -> Self {
        Self {
            topic: topic.to_owned(),
            qos: envelope.qos.min(subscription.options.qos),
            retain,
            identifier: subscription.identifier,
            share: None,
            envelope,
        }
    }

    fn from_share(shared: Shared, member: &Member) -> Self {
        let (envelope, options) = (shared.envelope, &member.options);
        Self {
            topic: shared.topic,
            qos: envelope.qos.min(options.qos),
            retain: envelope.retain && options.retain_as_published,
            identifier: member.identifier,
            share: Some(member.share()),
            envelope,
        }
    }

    /// Leaves it to another member of its group, if it has come from one.
    fn give_back(self) {
        if let Some(share) = self.share.and_then(|share| share.upgrade()) {
            share.give_back(Shared::new(self.topic, self.envelope));
        }
    }

    /// What it takes in memory, roughly.
    pub(crate) fn bytes(&self) -> usize {
        let envelope = &self.envelope;
        self.topic.len() + envelope.properties.len() + envelope.payload.len() + MESSAGE_OVERHEAD
    }
}

impl Session {
    pub(crate) fn new(edge: &Edge, principal: Principal) -> Self {
        Self {
            number: edge.next_number(),
            tally: edge.subscriptions.tally(&principal.user),
            principal,
            received: HashSet::new(),
            link: None,
            subscriptions: HashMap::new(),
            numbers: HashMap::new(),
            last_number: 0,
            shares: Vec::new(),
            turn: 0,
            window: Window::new(edge.sessions.holder(), edge.config.session_queue_max_bytes),
            waiting: None,
            offline: Offline::new(edge.sessions.holder()),
            retained: VecDeque::new(),
        }
    }

    /// To be called when there are more or fewer.
    pub(crate) fn count_subscriptions(&mut self) {
        self.tally.set(self.numbers.len() + self.shares.len());
    }

    /// Who publishes when its client does.
    pub(crate) fn origin(&self) -> Origin<'_> {
        Origin::new(self.number, &self.principal)
    }

    /// Whether a message from the router could be passed on now.
    pub(crate) fn is_open(&self) -> bool {
        self.waiting.is_none()
            && self.retained.is_empty()
            && self.offline.is_empty()
            && self.window.is_caught_up()
    }

    /// What a delivery of the router means for the client. None: it is not for it.
    pub(crate) fn read(&mut self, counters: &Counters, delivery: &Delivery) -> Option<Pending> {
        // None if it was unsubscribed while the message was on its way.
        let subscription = self.subscriptions.get_mut(&delivery.subscription)?;
        let lost = lost_between(&mut subscription.last_offset, delivery.offset);
        counters.add(Counter::DroppedSlowSubscriber, lost);
        let topic = delivery.topic()?;
        let envelope = Envelope::unpack(delivery.packed.clone())?;
        let own = subscription.options.no_local && envelope.publisher == self.number;
        let known = envelope.sequence <= subscription.begins_after
            || envelope.stored && envelope.sequence <= subscription.snapshot_sequence;
        if own || known || subscription.is_wild && topic.starts_with('$') {
            return None;
        }
        let retain = envelope.retain && subscription.options.retain_as_published;
        Some(Pending::new(topic, envelope, subscription, retain))
    }

    /// What a retained message means for the client.
    pub(crate) fn read_retained(&self, number: usize, kept: &Kept) -> Option<Pending> {
        let subscription = self.subscriptions.get(&number)?;
        let envelope = Envelope::unpack(kept.packed.clone())?;
        Some(Pending::new(&kept.topic, envelope, subscription, true))
    }

    /// What a shared message means for the client. None: it may not have it, and it goes on to
    /// another member.
    pub(crate) fn read_shared(
        &mut self,
        counters: &Counters,
        index: usize,
        shared: Shared,
    ) -> Option<Pending> {
        self.turn = self.turn.wrapping_add(1);
        let member = self.shares.get(index)?;
        if self.principal.may_receive(&shared.topic) {
            return Some(Pending::from_share(shared, member));
        }
        member.pass_on(counters, shared);
        None
    }

    /// The client is there, or away. What it shares and was not given yet is for others then.
    pub(crate) fn set_connected(&mut self, connected: bool) {
        for member in &mut self.shares {
            member.set_connected(connected);
        }
        if !connected && let Some(pending) = self.waiting.take_if(|waiting| waiting.share.is_some())
        {
            pending.give_back();
        }
    }

    /// Whether the client may have it. A subscription may reach wider than what its client may
    /// read: that is no fault, and counted without a word.
    pub(crate) fn may_have(&self, counters: &Counters, pending: &Pending) -> bool {
        let may = self.principal.may_receive(&pending.topic);
        if !may {
            counters.one(Counter::DeliveriesWithheld);
        }
        may
    }

    /// Keeps the message until the client is back, if it is of a `QoS` that is kept.
    pub(crate) fn keep(&mut self, edge: &Edge, pending: Pending) {
        if pending.qos == QoS::AtMostOnce || !self.may_have(&edge.counters, &pending) {
            return;
        }
        let bytes = pending.bytes();
        let dropped = self.offline.push(pending, bytes, edge.config.offline());
        edge.counters.add(Counter::DroppedOfflineQueueFull, dropped);
    }
}

impl Drop for Session {
    /// What it shared with others and has not delivered is theirs. Not so a message of `QoS` 2
    /// that was sent: it could arrive twice (MQTT-4.8.2-5).
    fn drop(&mut self) {
        let sent = self.window.drain_unacknowledged().into_iter();
        let sent = sent.filter(|pending| pending.qos == QoS::AtLeastOnce);
        sent.chain(self.waiting.take()).for_each(Pending::give_back);
        while let Some(pending) = self.offline.pop() {
            pending.give_back();
        }
    }
}

/// Whether the filter begins with a wildcard.
pub(crate) fn is_wild(filter: &str) -> bool {
    filter.starts_with(['+', '#'])
}

/// How many messages of a log were overwritten before they were read. `last` becomes `offset`.
pub(crate) fn lost_between(last: &mut Option<u64>, offset: u64) -> u64 {
    let expected = last.map_or(offset, |last| last + 1);
    *last = Some(offset);
    offset.saturating_sub(expected)
}
