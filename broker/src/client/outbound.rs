//! The way to one subscriber: what it has to be sent again, what came while it was away, retained
//! messages, then what the router has, as fast as the client takes it. What it does not take
//! stays in the router's logs, where the oldest is overwritten; the gaps are counted.

use crate::client::{Client, End};
use crate::counters::Counter;
use crate::packet::reply::{self, Outgoing, reason};
use crate::packet::{AckKind, QoS, Version};
use crate::router::{Delivery, Link};
use crate::session::Pending;
use crate::session::inflight::{Again, Settled};
use crate::session::share::Shared;

/// Bytes that may wait to be written before no more messages are taken for the client.
const HIGH_WATER: usize = 64 * 1024;
/// Messages that are taken from the router in one go.
const BATCH: usize = 64;
/// Pages of retained messages that are looked through before others get their turn.
const PAGES: usize = 4;

impl Client {
    /// Whether the router should be asked for more.
    pub(crate) fn wants_more(&self) -> bool {
        self.session.is_open() && self.out.len() < HIGH_WATER
    }

    /// Passes on what waits here, as far as the client has room for it.
    pub(crate) fn pump(&mut self) {
        let mut pages = 0;
        while self.out.len() < HIGH_WATER {
            if !self.session.window.is_caught_up() {
                if !self.send_again() {
                    return;
                }
            } else if let Some(pending) = self.session.waiting.take() {
                if !self.offer(pending) {
                    return;
                }
            } else if let Some(pending) = self.session.offline.pop() {
                self.offer_if_readable(Some(pending));
            } else if let Some((number, walk)) = self.session.retained.front_mut() {
                if let Some(kept) = walk.take() {
                    let (number, is_again) = (*number, walk.is_again());
                    let pending = self.session.read_retained(number, &kept, is_again);
                    self.offer_if_readable(pending);
                } else if walk.is_done() {
                    self.session.retained.pop_front();
                } else if pages < PAGES {
                    pages += 1;
                    self.edge.exchange.turn_page(walk);
                } else {
                    return;
                }
            } else {
                return;
            }
        }
    }

    /// Whether [`pump`](Self::pump) has stopped for the sake of others, and not because the
    /// client takes no more.
    pub(crate) fn is_paging(&self) -> bool {
        let session = &self.session;
        session.window.is_caught_up()
            && session.waiting.is_none()
            && session.offline.is_empty()
            && !session.retained.is_empty()
            && self.out.len() < HIGH_WATER
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
            let next = self.session.link.as_mut().and_then(Link::try_next);
            match next {
                None => break,
                Some(Ok(delivery)) => self.deliver_live(&delivery),
                Some(Err(_)) => return Err(End::RouterStopped),
            }
        }
        Ok(())
    }

    fn deliver_live(&mut self, delivery: &Delivery) {
        if delivery.subscription == Delivery::RESTARTED {
            self.session.catch_up(delivery.offset);
            return;
        }
        let pending = self.session.read(&self.edge.counters, delivery);
        self.offer_if_readable(pending);
    }

    /// Whether the groups of the client should be asked for more: they have other members.
    pub(crate) fn wants_shared(&self) -> bool {
        self.wants_more() && !self.session.window.is_full()
    }

    /// Passes on a message of a group, and some more if no other member waits for them.
    pub(crate) fn deliver_shared(&mut self, index: usize, first: Shared) -> Result<(), End> {
        let mut next = Some(first);
        for taken in 1.. {
            let Some(shared) = next.take() else { break };
            let counters = &self.edge.counters;
            if let Some(pending) = self.session.read_shared(counters, index, shared) {
                self.offer(pending);
            }
            if taken < BATCH && self.wants_shared() {
                let member = self.session.shares.get(index);
                let more = member.and_then(|member| member.try_next(&self.edge.counters));
                next = more.transpose().map_err(|_| End::RouterStopped)?;
            }
        }
        // So that a busy group leaves room for the client's own subscriptions.
        self.deliver_ready()
    }

    fn offer_if_readable(&mut self, pending: Option<Pending>) {
        if let Some(pending) = pending
            && self.session.may_have(&self.edge.counters, &pending)
        {
            self.offer(pending);
        }
    }

    /// Writes the message, or keeps it until an acknowledgement comes. False: kept.
    fn offer(&mut self, pending: Pending) -> bool {
        let now = self.edge.exchange.now();
        if pending.envelope.has_expired(now) {
            self.edge.counters.one(Counter::DroppedExpired);
            return true;
        }
        let acknowledged = pending.qos != QoS::AtMostOnce;
        let id = if acknowledged {
            self.session.window.next_id()
        } else {
            Some(0)
        };
        let Some(id) = id else {
            self.session.waiting = Some(pending);
            return false;
        };
        let message = outgoing(&pending, id, false, now);
        if message.packet_len(self.version) > self.packet_max {
            self.edge.counters.one(Counter::DroppedTooLarge);
            return true;
        }
        let bytes = message.packet_len(self.version);
        if !self.buffers.may_write(&self.out, bytes) {
            self.session.waiting = Some(pending);
            return false;
        }
        message.write(&mut self.out, self.version);
        self.buffers.settle(&mut self.out);
        self.edge.counters.one(Counter::MessagesSent);
        if acknowledged {
            let qos = pending.qos;
            // Without another connection there will be no other attempt, unless by another client.
            let is_kept = self.outlives_connection() || pending.share.is_some();
            let again = is_kept.then(|| {
                let bytes = pending.bytes();
                (pending, bytes)
            });
            self.session.window.sent(id, qos, again);
        }
        true
    }

    /// Sends a returning client what it has not settled. False: it has to make room first.
    fn send_again(&mut self) -> bool {
        let now = self.edge.exchange.now();
        let window = &mut self.session.window;
        match window.peek_again() {
            None => return window.is_caught_up(),
            Some(Again::Release(id)) => {
                reply::ack(
                    &mut self.out,
                    self.version,
                    AckKind::Rel,
                    id,
                    reason::SUCCESS,
                );
            }
            Some(Again::Publish(id, pending)) => {
                let message = outgoing(pending, id, true, now);
                // The other end may know a `QoS` 2 message already, and then waits for its end.
                let has_expired =
                    pending.qos == QoS::AtLeastOnce && pending.envelope.has_expired(now);
                let is_too_large = message.packet_len(self.version) > self.packet_max;
                if has_expired || is_too_large {
                    window.give_up();
                    let counter = if has_expired {
                        Counter::DroppedExpired
                    } else {
                        Counter::DroppedTooLarge
                    };
                    self.edge.counters.one(counter);
                    return true;
                }
                let bytes = message.packet_len(self.version);
                if !self.buffers.may_write(&self.out, bytes) {
                    return false;
                }
                message.write(&mut self.out, self.version);
                self.buffers.settle(&mut self.out);
                self.edge.counters.one(Counter::MessagesSent);
            }
        }
        window.sent_again();
        true
    }

    /// An acknowledgement of what we sent, in whatever order. Those of nothing are passed over.
    pub(crate) fn acknowledged(&mut self, kind: AckKind, id: u16, reason: u8) {
        let refused = reason >= reason::UNSPECIFIED;
        match self.session.window.acknowledged(kind, id, refused) {
            Settled::Done => {}
            Settled::Release => self.ack(AckKind::Rel, id, reason::SUCCESS),
            Settled::Unknown => self.ack(AckKind::Rel, id, reason::PACKET_ID_NOT_FOUND),
        }
    }

    /// Whether the client has let its answers pile up: it sends and does not read.
    pub(crate) fn is_clogged(&self) -> bool {
        let message = self.edge.config.packet_max_bytes;
        self.out.len() > 2 * HIGH_WATER + message || self.buffers.is_clogged(&self.out)
    }

    /// For the log.
    pub(crate) fn speaks(&self) -> &'static str {
        match self.version {
            Version::V4 => "3.1.1",
            Version::V5 => "5",
        }
    }
}

fn outgoing(pending: &Pending, id: u16, dup: bool, now: std::time::Duration) -> Outgoing<'_> {
    Outgoing {
        topic: &pending.topic,
        payload: &pending.envelope.payload,
        qos: pending.qos,
        retain: pending.retain,
        dup,
        id,
        properties: &pending.envelope.properties,
        expiry_secs: pending.envelope.expiry_secs(now),
        subscription_ids: &pending.identifiers,
    }
}
