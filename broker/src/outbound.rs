//! The way to one subscriber: retained messages first, then what the router has, as fast as the
//! client takes it. What it does not take stays in the router's logs, where the oldest is
//! overwritten; the gaps are counted here.

use std::collections::{HashMap, VecDeque};

use crate::client::{Client, End};
use crate::counters::Counter;
use crate::message::Envelope;
use crate::packet::{AckKind, Options, QoS, RetainHandling, Version};
use crate::reply::{self, Outgoing, reason};
use crate::retained::Kept;
use crate::router::{Delivery, Link, RouteError};

/// Bytes that may wait to be written before no more messages are taken for the client.
const HIGH_WATER: usize = 64 * 1024;
/// Messages that are taken from the router in one go.
const BATCH: usize = 64;

/// What is known about one subscriber.
pub(crate) struct Outbound {
    /// Made with the first subscription: who only publishes costs the router nothing.
    pub(crate) link: Option<Link>,
    subscriptions: HashMap<usize, Subscription>,
    numbers: HashMap<String, usize>,
    last_number: usize,
    retained: VecDeque<(usize, Kept)>,
    /// The next message, which waits for an acknowledgement of an earlier one.
    waiting: Option<Pending>,
    inflight: HashMap<u16, Awaits>,
    inflight_max: usize,
    last_id: u16,
    /// The client's own limit.
    packet_max: usize,
}

struct Subscription {
    options: Options,
    identifier: Option<usize>,
    /// Messages up to here were there before the subscription.
    begins_after: u64,
    /// Retained messages up to here came with the snapshot.
    snapshot_sequence: u64,
    last_offset: Option<u64>,
}

struct Pending {
    topic: String,
    envelope: Envelope,
    qos: QoS,
    retain: bool,
    identifier: Option<usize>,
}

/// Which acknowledgement a message in flight waits for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Awaits {
    Ack,
    Rec,
    Comp,
}

impl Outbound {
    pub(crate) fn new(inflight_max: u16) -> Self {
        Self {
            link: None,
            subscriptions: HashMap::new(),
            numbers: HashMap::new(),
            last_number: 0,
            retained: VecDeque::new(),
            waiting: None,
            inflight: HashMap::new(),
            // Below 65,535, so that a free identifier can always be found.
            inflight_max: usize::from(inflight_max.clamp(1, 10_000)),
            last_id: 0,
            packet_max: usize::MAX,
        }
    }

    /// Keeps to what the client said in its CONNECT.
    pub(crate) fn limit(&mut self, receive_maximum: Option<u16>, packet_max: Option<u32>) {
        if let Some(maximum) = receive_maximum {
            self.inflight_max = self.inflight_max.min(usize::from(maximum));
        }
        self.packet_max = packet_max
            .and_then(|max| usize::try_from(max).ok())
            .unwrap_or(usize::MAX);
    }

    /// Whether a message from the router could be passed on now.
    fn is_open(&self) -> bool {
        self.waiting.is_none() && self.retained.is_empty()
    }

    fn take_id(&mut self) -> u16 {
        loop {
            self.last_id = self.last_id.checked_add(1).unwrap_or(1);
            if !self.inflight.contains_key(&self.last_id) {
                return self.last_id;
            }
        }
    }
}

impl Client {
    /// Whether the router should be asked for more.
    pub(crate) fn wants_more(&self) -> bool {
        self.outbound.is_open() && self.out.len() < HIGH_WATER
    }

    /// Passes on what waits here, as far as the client has room for it.
    pub(crate) fn pump(&mut self) {
        while self.out.len() < HIGH_WATER {
            if let Some(pending) = self.outbound.waiting.take() {
                if !self.offer(pending) {
                    return;
                }
            } else if let Some((number, kept)) = self.outbound.retained.pop_front() {
                self.deliver_retained(number, &kept);
            } else {
                return;
            }
        }
    }

    /// Passes on a message from the router, and some more if they are there.
    pub(crate) fn deliver(&mut self, first: &Delivery) -> Result<(), End> {
        self.deliver_live(first);
        self.deliver_ready()
    }

    /// Passes on a bounded number of messages that are there already.
    pub(crate) fn deliver_ready(&mut self) -> Result<(), End> {
        for _ in 0..BATCH {
            if !self.wants_more() {
                break;
            }
            let next = self.outbound.link.as_mut().and_then(Link::try_next);
            match next {
                None => break,
                Some(Ok(delivery)) => self.deliver_live(&delivery),
                Some(Err(_)) => return Err(End::RouterStopped),
            }
        }
        Ok(())
    }

    fn deliver_live(&mut self, delivery: &Delivery) {
        let subscriptions = &mut self.outbound.subscriptions;
        let Some(subscription) = subscriptions.get_mut(&delivery.subscription) else {
            // Unsubscribed while it was on its way.
            return;
        };
        let expected = subscription.last_offset.map_or(0, |last| last + 1);
        if expected > 0 && delivery.offset > expected {
            let lost = delivery.offset - expected;
            self.edge.counters.add(Counter::DroppedSlowSubscriber, lost);
        }
        subscription.last_offset = Some(delivery.offset);
        let (Some(topic), Some(envelope)) =
            (delivery.topic(), Envelope::unpack(delivery.packed.clone()))
        else {
            return;
        };
        let own = subscription.options.no_local && envelope.publisher == self.number;
        let known = envelope.sequence <= subscription.begins_after
            || envelope.stored && envelope.sequence <= subscription.snapshot_sequence;
        if own || known {
            return;
        }
        let pending = Pending {
            topic: topic.to_owned(),
            qos: envelope.qos.min(subscription.options.qos),
            retain: envelope.retain && subscription.options.retain_as_published,
            identifier: subscription.identifier,
            envelope,
        };
        self.offer_if_readable(pending);
    }

    fn deliver_retained(&mut self, number: usize, kept: &Kept) {
        let subscription = self.outbound.subscriptions.get(&number);
        let envelope = Envelope::unpack(kept.packed.clone());
        let (Some(subscription), Some(envelope)) = (subscription, envelope) else {
            return;
        };
        let pending = Pending {
            topic: kept.topic.to_string(),
            qos: envelope.qos.min(subscription.options.qos),
            retain: true,
            identifier: subscription.identifier,
            envelope,
        };
        self.offer_if_readable(pending);
    }

    /// A subscription may reach wider than what its client may read: that is no fault, and
    /// counted without a word.
    fn offer_if_readable(&mut self, pending: Pending) {
        if self.principal.may_receive(&pending.topic) {
            self.offer(pending);
        } else {
            self.edge.counters.one(Counter::DeliveriesWithheld);
        }
    }

    /// Writes the message, or keeps it until an acknowledgement comes. False: kept.
    fn offer(&mut self, pending: Pending) -> bool {
        let now = self.edge.exchange.now();
        if pending.envelope.has_expired(now) {
            self.edge.counters.one(Counter::DroppedExpired);
            return true;
        }
        let outbound = &mut self.outbound;
        let acknowledged = pending.qos != QoS::AtMostOnce;
        if acknowledged && outbound.inflight.len() >= outbound.inflight_max {
            outbound.waiting = Some(pending);
            return false;
        }
        let id = if acknowledged { outbound.take_id() } else { 0 };
        let message = Outgoing {
            topic: &pending.topic,
            payload: &pending.envelope.payload,
            qos: pending.qos,
            retain: pending.retain,
            id,
            properties: &pending.envelope.properties,
            expiry_secs: pending.envelope.expiry_secs(now),
            subscription_id: pending.identifier,
        };
        if message.packet_len(self.version) > outbound.packet_max {
            self.edge.counters.one(Counter::DroppedTooLarge);
            return true;
        }
        message.write(&mut self.out, self.version);
        self.edge.counters.one(Counter::MessagesSent);
        match pending.qos {
            QoS::AtMostOnce => None,
            QoS::AtLeastOnce => outbound.inflight.insert(id, Awaits::Ack),
            QoS::ExactlyOnce => outbound.inflight.insert(id, Awaits::Rec),
        };
        true
    }

    /// An acknowledgement of what we sent, in whatever order. Those of nothing are passed over.
    pub(crate) fn acknowledged(&mut self, kind: AckKind, id: u16, reason: u8) {
        let inflight = &mut self.outbound.inflight;
        match (kind, inflight.get(&id).copied()) {
            (AckKind::Ack, Some(Awaits::Ack)) | (AckKind::Comp, Some(Awaits::Comp)) => {
                inflight.remove(&id);
            }
            (AckKind::Rec, Some(Awaits::Rec)) if reason >= reason::UNSPECIFIED => {
                inflight.remove(&id);
            }
            (AckKind::Rec, Some(Awaits::Rec | Awaits::Comp)) => {
                inflight.insert(id, Awaits::Comp);
                self.ack(AckKind::Rel, id, reason::SUCCESS);
            }
            (AckKind::Rec, _) => {
                self.ack(AckKind::Rel, id, reason::PACKET_ID_NOT_FOUND);
            }
            _ => {}
        }
    }

    pub(crate) fn subscribe(
        &mut self,
        id: u16,
        filters: Vec<(String, Options)>,
        identifier: Option<usize>,
    ) -> Result<(), End> {
        let mut reasons = Vec::with_capacity(filters.len());
        for (index, (filter, options)) in filters.into_iter().enumerate() {
            // No packet may ask for more work than all the subscriptions that a client can have.
            let too_many = index >= self.edge.config.subscriptions_per_client_max;
            reasons.push(match self.check_filter(&filter) {
                Ok(()) if too_many => reason::QUOTA_EXCEEDED,
                Ok(()) => match self.subscribe_one(filter, options, identifier) {
                    Ok(()) => options.qos.bits(),
                    Err(RouteError::Full) => reason::QUOTA_EXCEEDED,
                    Err(RouteError::Dead) => return Err(End::RouterStopped),
                },
                Err(reason) => {
                    self.refuse(Counter::SubscriptionsRefused, &filter);
                    reason
                }
            });
        }
        reply::suback(&mut self.out, self.version, id, &reasons);
        Ok(())
    }

    fn check_filter(&self, filter: &str) -> Result<(), u8> {
        let is_new = !self.outbound.numbers.contains_key(filter);
        if !netmonitor_protocol::acl::is_well_formed(filter) {
            Err(reason::FILTER_INVALID)
        } else if filter.starts_with("$share/") {
            Err(reason::NO_SHARED_SUBSCRIPTIONS)
        } else if !self.principal.may_subscribe(filter) {
            Err(reason::NOT_AUTHORIZED)
        } else if is_new
            && self.outbound.numbers.len() >= self.edge.config.subscriptions_per_client_max
        {
            Err(reason::QUOTA_EXCEEDED)
        } else {
            Ok(())
        }
    }

    fn subscribe_one(
        &mut self,
        filter: String,
        options: Options,
        identifier: Option<usize>,
    ) -> Result<(), RouteError> {
        let begins_after = self.edge.exchange.sequence();
        let known = self.outbound.numbers.get(&filter).copied();
        let number = match known {
            Some(number) => number,
            None => self.subscribe_at_router(&filter)?,
        };
        let wants_retained = match options.retain_handling {
            RetainHandling::Always => true,
            RetainHandling::IfNew => known.is_none(),
            RetainHandling::Never => false,
        };
        let outbound = &mut self.outbound;
        let subscription = outbound
            .subscriptions
            .entry(number)
            .or_insert(Subscription {
                options,
                identifier,
                begins_after,
                snapshot_sequence: 0,
                last_offset: None,
            });
        subscription.options = options;
        subscription.identifier = identifier;
        if wants_retained {
            let snapshot = self.edge.exchange.snapshot(&filter);
            subscription.snapshot_sequence = snapshot.sequence;
            // What an earlier snapshot of this subscription still has to say is in the new one.
            outbound.retained.retain(|(other, _)| *other != number);
            let messages = snapshot.messages.into_iter();
            outbound
                .retained
                .extend(messages.map(|kept| (number, kept)));
        }
        outbound.numbers.insert(filter, number);
        Ok(())
    }

    fn subscribe_at_router(&mut self, filter: &str) -> Result<usize, RouteError> {
        let exchange = &self.edge.exchange;
        exchange.admit(filter)?;
        let outbound = &mut self.outbound;
        let link = match &mut outbound.link {
            Some(link) => link,
            empty => empty.insert(exchange.link()?),
        };
        outbound.last_number += 1;
        link.subscribe(filter, outbound.last_number)?;
        Ok(outbound.last_number)
    }

    pub(crate) fn unsubscribe(&mut self, id: u16, filters: &[String]) -> Result<(), End> {
        let mut reasons = Vec::with_capacity(filters.len());
        for filter in filters {
            let Some(number) = self.outbound.numbers.remove(filter) else {
                reasons.push(reason::NO_SUBSCRIPTION_EXISTED);
                continue;
            };
            self.outbound.subscriptions.remove(&number);
            self.outbound.retained.retain(|(other, _)| *other != number);
            if let Some(link) = &mut self.outbound.link {
                link.unsubscribe(filter).map_err(|_| End::RouterStopped)?;
            }
            reasons.push(reason::SUCCESS);
        }
        reply::unsuback(&mut self.out, self.version, id, &reasons);
        Ok(())
    }

    /// Whether the client has let its answers pile up: it sends and does not read.
    pub(crate) fn is_clogged(&self) -> bool {
        let message = self.edge.config.packet_max_bytes;
        self.out.len() > 2 * HIGH_WATER + message
    }

    /// For the log.
    pub(crate) fn speaks(&self) -> &'static str {
        match self.version {
            Version::V4 => "3.1.1",
            Version::V5 => "5",
        }
    }
}
