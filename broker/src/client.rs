//! One client that has been let in: its state, and what its packets do. No I/O: packets come
//! in understood, answers go into a buffer.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;
use netmonitor_protocol::acl::Principal;

use crate::counters::{Counter, Who};
use crate::edge::Edge;
use crate::exchange::Published;
use crate::message::Message;
use crate::outbound::Outbound;
use crate::packet::{AckKind, Packet, Publish, QoS, Version};
use crate::reply::{self, TOPIC_ALIAS_MAX, reason};
use crate::router::RouteError;
use crate::sessions::{Kick, Lease};
use crate::wire::Fault;

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// A DISCONNECT that takes the will with it.
    Goodbye,
    /// A DISCONNECT that asks for the will.
    GoodbyeWithWill,
    /// The socket has failed or been closed.
    Lost,
    /// Nothing came for one and a half keepalives, or nothing could be written for as long.
    Silent,
    Fault(Fault),
    Kicked(Kick),
    ShuttingDown,
    RouterStopped,
}

impl End {
    fn publishes_will(self) -> bool {
        !matches!(self, Self::Goodbye | Self::ShuttingDown)
    }

    /// The reason for DISCONNECT, if one is sent.
    pub(crate) fn reason(self) -> Option<u8> {
        match self {
            Self::Goodbye | Self::GoodbyeWithWill | Self::Lost => None,
            Self::Silent => Some(reason::KEEPALIVE_TIMEOUT),
            Self::Fault(Fault::Malformed(_)) => Some(reason::MALFORMED),
            Self::Fault(Fault::Protocol(_)) => Some(reason::PROTOCOL_ERROR),
            Self::Fault(Fault::TopicAlias) => Some(reason::TOPIC_ALIAS_INVALID),
            Self::Fault(Fault::TooLarge) => Some(reason::PACKET_TOO_LARGE),
            Self::Kicked(Kick::TakenOver) => Some(reason::TAKEN_OVER),
            Self::Kicked(Kick::Revoked) => Some(reason::ADMINISTRATIVE),
            Self::ShuttingDown => Some(reason::SHUTTING_DOWN),
            Self::RouterStopped => Some(reason::UNSPECIFIED),
        }
    }
}

impl From<Fault> for End {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// A client and its session.
///
/// Dropping it, for whatever reason, publishes the will, ends the link to the router and gives
/// the seat back, in this order: whoever takes the seat next speaks after the will.
pub(crate) struct Client {
    pub(crate) edge: Arc<Edge>,
    pub(crate) version: Version,
    pub(crate) principal: Principal,
    pub(crate) number: u64,
    /// What waits to be written.
    pub(crate) out: BytesMut,
    pub(crate) outbound: Outbound,
    pub(crate) lease: Lease,
    peer: SocketAddr,
    /// Published without delay: the will delay interval of MQTT 5 is taken as 0, because a
    /// death is to be seen at once.
    will: Option<Message>,
    aliases: HashMap<u16, String>,
    /// Identifiers of `QoS` 2 messages that have been published and not been released.
    received: HashSet<u16>,
}

impl Client {
    pub(crate) fn new(
        edge: Arc<Edge>,
        version: Version,
        principal: Principal,
        lease: Lease,
        peer: SocketAddr,
        will: Option<Message>,
    ) -> Self {
        Self {
            version,
            principal,
            number: edge.next_number(),
            out: BytesMut::new(),
            outbound: Outbound::new(edge.config.inflight_max_messages),
            lease,
            peer,
            will,
            aliases: HashMap::new(),
            received: HashSet::new(),
            edge,
        }
    }

    /// Settles how the connection ended. What is left in the buffer may still be written.
    pub(crate) fn end(mut self, end: End) -> BytesMut {
        match end {
            End::Silent => self.edge.counters.one(Counter::KeepalivesExpired),
            End::Fault(fault) => {
                let what = fault.to_string();
                self.refuse(Counter::ProtocolFaults, &what);
            }
            _ => {}
        }
        if !end.publishes_will() {
            self.will = None;
        }
        let mut out = std::mem::take(&mut self.out);
        if let Some(reason) = end.reason() {
            reply::disconnect(&mut out, self.version, reason);
        }
        out
    }

    /// Does what the packet says. An end is not an error of ours, but of this connection.
    pub(crate) fn handle(&mut self, packet: Packet) -> Result<(), End> {
        match packet {
            Packet::Publish(publish) => return self.publish(publish),
            Packet::Ack {
                kind: AckKind::Rel,
                id,
                ..
            } => {
                let known = self.received.remove(&id);
                self.ack(AckKind::Comp, id, not_found_unless(known));
            }
            Packet::Ack { kind, id, reason } => self.acknowledged(kind, id, reason),
            Packet::Subscribe {
                id,
                filters,
                subscription_id,
            } => return self.subscribe(id, filters, subscription_id),
            Packet::Unsubscribe { id, filters } => return self.unsubscribe(id, &filters),
            Packet::Ping => reply::pong(&mut self.out),
            Packet::Disconnect { reason: 0 } => return Err(End::Goodbye),
            Packet::Disconnect { .. } => return Err(End::GoodbyeWithWill),
        }
        Ok(())
    }

    fn publish(&mut self, mut publish: Publish) -> Result<(), End> {
        self.edge.counters.one(Counter::MessagesReceived);
        self.resolve_alias(&mut publish)?;
        let (id, qos) = (publish.id, publish.qos);
        let outcome = if qos == QoS::ExactlyOnce && self.received.contains(&id) {
            // Sent again because our PUBREC was lost: published once already.
            reason::SUCCESS
        } else {
            self.publish_new(publish)?
        };
        match qos {
            QoS::AtMostOnce => {}
            QoS::AtLeastOnce => self.ack(AckKind::Ack, id, outcome),
            QoS::ExactlyOnce => {
                // A refusal ends the exchange in MQTT 5; 3.1.1 cannot hear of it and goes on.
                if outcome == reason::SUCCESS || self.version == Version::V4 {
                    self.received.insert(id);
                }
                self.ack(AckKind::Rec, id, outcome);
            }
        }
        Ok(())
    }

    fn publish_new(&mut self, publish: Publish) -> Result<u8, End> {
        if !may_publish(&self.principal, &publish.topic) {
            self.refuse(Counter::PublishesRefused, &publish.topic);
            return Ok(reason::NOT_AUTHORIZED);
        }
        let message = Message {
            topic: publish.topic,
            payload: publish.payload,
            qos: publish.qos,
            retain: publish.retain,
            properties: publish.properties.forwarded,
            expiry_secs: publish.properties.message_expiry_secs,
        };
        let counters = &self.edge.counters;
        match self.edge.exchange.publish(self.number, message) {
            Ok(Published::Done) => Ok(reason::SUCCESS),
            Ok(Published::NotKept) => {
                counters.one(Counter::RetainedNotKept);
                Ok(reason::QUOTA_EXCEEDED)
            }
            Err(RouteError::Full) => {
                counters.one(Counter::DroppedRouterFull);
                Ok(reason::QUOTA_EXCEEDED)
            }
            Err(RouteError::Dead) => Err(End::RouterStopped),
        }
    }

    fn resolve_alias(&mut self, publish: &mut Publish) -> Result<(), Fault> {
        let Some(alias) = publish.properties.topic_alias else {
            return Ok(());
        };
        if alias > TOPIC_ALIAS_MAX {
            return Err(Fault::TopicAlias);
        }
        if publish.topic.is_empty() {
            let topic = self.aliases.get(&alias).ok_or(Fault::TopicAlias)?;
            publish.topic.clone_from(topic);
        } else {
            self.aliases.insert(alias, publish.topic.clone());
        }
        Ok(())
    }

    pub(crate) fn ack(&mut self, kind: AckKind, id: u16, reason: u8) {
        reply::ack(&mut self.out, self.version, kind, id, reason);
    }

    pub(crate) fn refuse(&self, counter: Counter, what: &str) {
        let who = Who {
            user: &self.lease.key().user,
            client_id: &self.lease.key().client_id,
            peer: self.peer,
        };
        self.edge.counters.refuse(counter, &who, what);
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // A broker that stops says nothing about its clients, not even those it cuts off.
        let will = self.will.take();
        if let Some(will) = will.filter(|_| !self.edge.shutdown.is_cancelled()) {
            // Why the will could not be published is counted or known by now: nobody is left
            // who could be told.
            if self.edge.exchange.publish(self.number, will).is_ok() {
                self.edge.counters.one(Counter::WillsPublished);
            }
        }
        // Then the fields: the link before the lease, as they are declared.
    }
}

/// Whether the client may publish there. Topics with `$` are the broker's own.
pub(crate) fn may_publish(principal: &Principal, topic: &str) -> bool {
    !topic.starts_with('$') && principal.may_publish(topic)
}

fn not_found_unless(known: bool) -> u8 {
    if known {
        reason::SUCCESS
    } else {
        reason::PACKET_ID_NOT_FOUND
    }
}

/// Reads all whole packets that have arrived, and does what they say.
pub(crate) fn handle_all(client: &mut Client, incoming: &mut BytesMut) -> Result<usize, End> {
    let max = client.edge.config.packet_max_bytes;
    let mut packets = 0;
    while let Some(frame) = crate::wire::take_frame(incoming, max)? {
        client.handle(crate::packet::read(client.version, frame)?)?;
        packets += 1;
    }
    Ok(packets)
}
