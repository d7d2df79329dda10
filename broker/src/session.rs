//! What a client has with the broker beyond one connection (MQTT 5.0, section 4.1): its
//! subscriptions, with their link to the router, and what is unsettled in both directions.
//!
//! Sessions are in memory: they end with the broker. What must survive that is retained, or
//! acknowledged end to end by those who need it.

pub(crate) mod budget;
pub(crate) mod inflight;
pub(crate) mod offline;
pub(crate) mod parked;
pub(crate) mod sessions;
pub(crate) mod share;
pub(crate) mod subscriptions;
pub(crate) mod tally;

use std::collections::{HashSet, VecDeque};
use std::sync::Weak;

use netmonitor_protocol::acl::Principal;

use crate::counters::{Counter, Counters};
use crate::edge::Edge;
use crate::message::Envelope;
use crate::origin::{Origin, Standing};
use crate::packet::QoS;
use crate::retained::Kept;
use crate::retained::snapshot::Walk;
use crate::router::{Delivery, Link};
use crate::session::inflight::Window;
use crate::session::offline::Offline;
use crate::session::share::{Member, Share, Shared};
use crate::session::subscriptions::{Subscriptions, Wanted};
use crate::session::tally::Tally;

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
    pub(crate) subscriptions: Subscriptions,
    /// How many subscriptions there are, for all to see.
    tally: Tally,
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

/// A message for one subscriber, as its subscription wants it.
pub(crate) struct Pending {
    pub(crate) topic: String,
    pub(crate) envelope: Envelope,
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
    pub(crate) identifiers: Vec<usize>,
    /// The group that it came from.
    pub(crate) share: Option<Weak<Share>>,
}

impl Pending {
    fn new(topic: &str, envelope: Envelope, wanted: Wanted) -> Self {
        Self {
            topic: topic.to_owned(),
            envelope,
            qos: wanted.qos,
            retain: wanted.retain,
            identifiers: wanted.identifiers,
            share: None,
        }
    }

    fn from_share(shared: Shared, member: &Member) -> Self {
        let (envelope, options) = (shared.envelope, &member.options);
        Self {
            topic: shared.topic,
            qos: envelope.qos.min(options.qos),
            retain: envelope.retain && options.retain_as_published,
            identifiers: member.identifier.into_iter().collect(),
            share: Some(member.share()),
            envelope,
        }
    }

    /// Leaves it to another member of its group, if it has come from one.
    fn give_back(self) {
        let bytes = self.bytes();
        if let Some(share) = self.share.and_then(|share| share.upgrade()) {
            let (topic, envelope) = (self.topic, self.envelope);
            share.give_back(Shared { topic, envelope }, bytes);
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
        let standing = Standing::of(&principal);
        let holder = || edge.sessions.holder(&principal.user, standing);
        Self {
            number: edge.next_number(),
            window: Window::new(holder(), edge.config.session_queue_max_bytes),
            offline: Offline::new(holder()),
            tally: edge.subscriptions.tally(&principal.user),
            principal,
            received: HashSet::new(),
            link: None,
            subscriptions: Subscriptions::default(),
            shares: Vec::new(),
            turn: 0,
            waiting: None,
            retained: VecDeque::new(),
        }
    }

    /// To be called when there are more or fewer.
    pub(crate) fn count_subscriptions(&mut self) {
        self.tally.set(self.subscriptions.len() + self.shares.len());
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
        let number = delivery.subscription;
        let lost = self.subscriptions.lost(number, delivery.offset);
        counters.add(Counter::DroppedSlowSubscriber, lost);
        let topic = delivery.topic()?;
        let envelope = Envelope::unpack(delivery.packed.clone())?;
        let wanted = self
            .subscriptions
            .read(self.number, number, topic, &envelope)?;
        Some(Pending::new(topic, envelope, wanted))
    }

    /// What a retained message means for the client, which has the subscription since before it
    /// was published if it comes again.
    pub(crate) fn read_retained(
        &self,
        number: usize,
        kept: &Kept,
        is_again: bool,
    ) -> Option<Pending> {
        let subscription = self.subscriptions.get(number)?;
        let envelope = Envelope::unpack(kept.packed.clone())?;
        let retain = !is_again || subscription.options.retain_as_published;
        let wanted = subscription.wanted(&envelope, retain);
        Some(Pending::new(&kept.topic, envelope, wanted))
    }

    /// What a dead router had in its logs is lost. Of what is retained, the last state of each
    /// topic is not: it is sent unless something newer comes. Only while nothing else waits.
    pub(crate) fn catch_up(&mut self, lost_until: u64) {
        for (number, filter, seen) in self.subscriptions.seen() {
            let walk = Walk::again(filter.to_owned(), seen, lost_until);
            self.retained.push_back((number, walk));
        }
    }

    /// What a shared message means for the client. None: it may not have it, and neither may the
    /// other members, which have the same rights.
    pub(crate) fn read_shared(
        &mut self,
        counters: &Counters,
        index: usize,
        shared: Shared,
    ) -> Option<Pending> {
        self.turn = self.turn.wrapping_add(1);
        let pending = Pending::from_share(shared, self.shares.get(index)?);
        self.may_have(counters, &pending).then_some(pending)
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
