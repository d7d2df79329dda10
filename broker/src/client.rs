//! One client that has been let in: its state, and what its packets do. No I/O: packets come
//! in understood, answers go into a buffer.

pub(crate) mod buffers;
pub(crate) mod outbound;
pub(crate) mod subscribe;
pub(crate) mod will;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use netmonitor_protocol::acl::Principal;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

use crate::client::buffers::Buffers;
use crate::client::will::Will;
use crate::counters::{Counter, Who};
use crate::edge::Edge;
use crate::exchange::Published;
use crate::message::{Message, may_be_kept};
use crate::origin::Standing;
use crate::packet::reply::{self, TOPIC_ALIAS_MAX, reason};
use crate::packet::wire::{Fault, peek_frame, take_frame};
use crate::packet::{self, AckKind, Packet, Publish, QoS, Version};
use crate::router::RouteError;
use crate::session::Session;
use crate::session::parked::Parked;
use crate::session::sessions::{Kick, Lease};

/// How long the packets of one client are dealt with before others get their turn.
const TURN: Duration = Duration::from_millis(1);

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
        !matches!(
            self,
            Self::Goodbye | Self::ShuttingDown | Self::RouterStopped
        )
    }

    /// Whether the session cannot outlive this connection, however long it was meant to.
    fn ends_session(self) -> bool {
        match self {
            Self::Kicked(Kick::TakenOver { clean }) => clean,
            Self::Kicked(_) | Self::ShuttingDown | Self::RouterStopped => true,
            Self::Goodbye | Self::GoodbyeWithWill | Self::Lost | Self::Silent | Self::Fault(_) => {
                false
            }
        }
    }

    /// The reason for DISCONNECT, if one is sent.
    pub(crate) fn reason(self) -> Option<u8> {
        match self {
            Self::Goodbye | Self::GoodbyeWithWill | Self::Lost => None,
            Self::Silent => Some(reason::KEEPALIVE_TIMEOUT),
            Self::Fault(Fault::Malformed(_)) => Some(reason::MALFORMED),
            Self::Fault(Fault::Protocol(_)) => Some(reason::PROTOCOL_ERROR),
            Self::Fault(Fault::TopicAlias) => Some(reason::TOPIC_ALIAS_INVALID),
            Self::Fault(Fault::ReceiveMaximum) => Some(reason::RECEIVE_MAXIMUM_EXCEEDED),
            Self::Fault(Fault::TooManyFilters) => Some(reason::QUOTA_EXCEEDED),
            Self::Fault(Fault::TooLarge) => Some(reason::PACKET_TOO_LARGE),
            Self::Kicked(Kick::TakenOver { .. }) => Some(reason::TAKEN_OVER),
            Self::Kicked(Kick::Revoked | Kick::Evicted) => Some(reason::ADMINISTRATIVE),
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

/// A client, its connection and its session.
///
/// Dropping it, for whatever reason, publishes the will, ends the link to the router and gives
/// the seat back, in this order: whoever takes the seat next speaks after the will.
pub(crate) struct Client {
    pub(crate) edge: Arc<Edge>,
    pub(crate) version: Version,
    /// What waits to be written.
    pub(crate) out: BytesMut,
    pub(crate) buffers: Buffers,
    will: Will,
    pub(crate) session: Box<Session>,
    pub(crate) lease: Lease,
    peer: SocketAddr,
    /// How long the session outlives the connection.
    expiry: Duration,
    /// The client's own limit.
    pub(crate) packet_max: usize,
    /// Empty: a topic that is too long.
    aliases: HashMap<u16, String>,
}

/// What CONNECT says of a connection.
pub(crate) struct Terms {
    pub(crate) version: Version,
    pub(crate) peer: SocketAddr,
    pub(crate) will: Option<Message>,
    pub(crate) will_delay: Duration,
    pub(crate) expiry: Duration,
    pub(crate) receive_maximum: u16,
    pub(crate) packet_max: usize,
}

/// What is left to do when a connection has ended.
pub(crate) struct Ended {
    /// What may still be written.
    pub(crate) last_words: BytesMut,
    /// The session, if it goes on.
    pub(crate) parked: Option<Parked>,
}

impl Client {
    /// A client that is let in, with the session that it had or a new one.
    pub(crate) fn new(
        edge: Arc<Edge>,
        terms: Terms,
        principal: Principal,
        lease: Lease,
        session: Option<Box<Session>>,
    ) -> Self {
        let mut session = match session {
            Some(mut session) => {
                session.principal = principal;
                // What was left of them is older than what came since.
                for (_, walk) in &mut session.retained {
                    *walk = edge.exchange.snapshot(walk.filter());
                }
                session
            }
            None => Box::new(Session::new(&edge, principal)),
        };
        let inflight_max = edge.config.inflight_max_messages.min(terms.receive_maximum);
        session.window.begin(usize::from(inflight_max));
        let standing = Standing::of(&session.principal);
        let held = edge.buffers.holder(&session.principal.user, standing);
        session.set_connected(true);
        Self {
            version: terms.version,
            out: BytesMut::new(),
            buffers: Buffers::new(held),
            will: Will::new(edge.clone(), session.origin(), terms.will, terms.will_delay),
            session,
            lease,
            peer: terms.peer,
            expiry: terms.expiry,
            packet_max: terms.packet_max,
            aliases: HashMap::new(),
            edge,
        }
    }

    /// Settles how the connection ended: what is said last, what becomes of the will and of the
    /// session.
    pub(crate) fn end(mut self, end: End) -> Ended {
        match end {
            End::Silent => self.edge.counters.one(Counter::KeepalivesExpired),
            End::Kicked(Kick::Revoked) => self.will.revoke(),
            End::Fault(fault) => {
                let what = fault.to_string();
                self.refuse(Counter::ProtocolFaults, &what);
            }
            _ => {}
        }
        if !end.publishes_will() {
            self.will.cancel();
        }
        let mut last_words = std::mem::take(&mut self.out);
        if let Some(reason) = end.reason() {
            reply::disconnect(&mut last_words, self.version, reason);
        }
        let parked = if end.ends_session() || !self.outlives_connection() {
            None
        } else if let End::Kicked(Kick::TakenOver { .. }) = end {
            if !self.will.delay().is_zero() {
                self.will.cancel();
            }
            // The will goes before whatever the newcomer does.
            self.will.publish();
            self.lease.leave(self.session);
            None
        } else {
            let Self {
                edge,
                will,
                session,
                lease,
                expiry,
                ..
            } = self;
            Some(Parked::new(edge, will, session, lease, expiry))
        };
        Ended { last_words, parked }
    }

    /// Whether its session goes on without it.
    pub(crate) fn outlives_connection(&self) -> bool {
        !self.expiry.is_zero()
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
                let known = self.session.received.remove(&id);
                self.ack(AckKind::Comp, id, not_found_unless(known));
            }
            Packet::Ack { kind, id, reason } => self.acknowledged(kind, id, reason),
            Packet::Subscribe {
                id,
                filters,
                beyond,
                subscription_id,
            } => return self.subscribe(id, filters, beyond, subscription_id),
            Packet::Unsubscribe { id, filters } => return self.unsubscribe(id, &filters),
            Packet::Ping => {
                self.edge.counters.one(Counter::AnswersSent);
                reply::pong(&mut self.out);
            }
            Packet::Disconnect {
                reason,
                session_expiry_secs,
            } => return Err(self.goodbye(reason, session_expiry_secs)),
        }
        Ok(())
    }

    fn goodbye(&mut self, reason: u8, session_expiry_secs: Option<u32>) -> End {
        if let Some(secs) = session_expiry_secs {
            if secs > 0 && !self.outlives_connection() {
                return Fault::Protocol("a session that was to end now is to go on").into();
            }
            self.expiry = session_expiry(&self.edge, secs);
        }
        if reason == reason::SUCCESS {
            End::Goodbye
        } else {
            End::GoodbyeWithWill
        }
    }

    fn publish(&mut self, mut publish: Publish) -> Result<(), End> {
        self.edge.counters.one(Counter::MessagesReceived);
        self.resolve_alias(&mut publish)?;
        let (id, qos) = (publish.id, publish.qos);
        let outcome = if qos == QoS::ExactlyOnce && self.session.received.contains(&id) {
            // Sent again because our PUBREC was lost: published once already.
            reason::SUCCESS
        } else if qos == QoS::ExactlyOnce && self.has_received_too_many() {
            return Err(Fault::ReceiveMaximum.into());
        } else {
            self.publish_new(publish)?
        };
        match qos {
            QoS::AtMostOnce => {}
            QoS::AtLeastOnce => self.ack(AckKind::Ack, id, outcome),
            QoS::ExactlyOnce => {
                // A refusal ends the exchange in MQTT 5; 3.1.1 cannot hear of it and goes on.
                if outcome == reason::SUCCESS || self.version == Version::V4 {
                    self.session.received.insert(id);
                }
                self.ack(AckKind::Rec, id, outcome);
            }
        }
        Ok(())
    }

    /// Those of `QoS` 1 are settled at once and need not be counted.
    fn has_received_too_many(&self) -> bool {
        self.session.received.len() >= usize::from(self.edge.config.receive_max_messages)
    }

    fn publish_new(&mut self, publish: Publish) -> Result<u8, End> {
        if publish.topic.is_empty() || publish.topic.len() > self.edge.config.topic_max_bytes {
            self.refuse(Counter::PublishesRefused, &publish.topic);
            return Ok(reason::TOPIC_INVALID);
        }
        if !may_publish(&self.session.principal, &publish.topic) {
            self.refuse(Counter::PublishesRefused, &publish.topic);
            return Ok(reason::NOT_AUTHORIZED);
        }
        let message = Message {
            retain: publish.retain && may_be_kept(&publish.topic, &publish.payload),
            topic: publish.topic,
            payload: publish.payload,
            qos: publish.qos,
            properties: publish.properties.forwarded,
            expiry_secs: publish.properties.message_expiry_secs,
        };
        match self.edge.exchange.publish(self.session.origin(), &message) {
            Ok(Published::Done) => Ok(reason::SUCCESS),
            Ok(Published::NotKept) => {
                // No failure to the client, which would send again what has been delivered.
                self.refuse(Counter::RetainedNotKept, &message.topic);
                Ok(reason::SUCCESS)
            }
            Err(RouteError::Full) => {
                self.refuse(Counter::DroppedRouterFull, &message.topic);
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
            let is_too_long = publish.topic.len() > self.edge.config.topic_max_bytes;
            let topic = if is_too_long { "" } else { &publish.topic };
            self.aliases.insert(alias, topic.to_owned());
        }
        Ok(())
    }

    pub(crate) fn ack(&mut self, kind: AckKind, id: u16, reason: u8) {
        self.edge.counters.one(Counter::AnswersSent);
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

/// How long a session is kept for a client that asks for so many seconds.
pub(crate) fn session_expiry(edge: &Edge, secs: u32) -> Duration {
    Duration::from_secs(secs.min(edge.config.session_expiry_max_secs).into())
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

/// What came of some packets.
pub(crate) struct Turn {
    /// How many there were.
    pub(crate) packets: usize,
    /// There was a PUBLISH among them.
    pub(crate) published: bool,
    pub(crate) left: Left,
}

/// What has arrived and is not dealt with yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    /// Nothing, or a part of a packet.
    Part,
    /// Perhaps whole packets: others had to have their turn.
    Packets,
    /// A packet for which the router has to be asked, and perhaps more behind it.
    ForRouter,
}

/// Does what whole packets say that have arrived, for a while. Only `may_ask` lets it take one
/// for which the router has to be asked, and not more than one: that takes a while, and waits.
pub(crate) fn handle_some(
    client: &mut Client,
    incoming: &mut BytesMut,
    mut may_ask: bool,
) -> Result<Turn, End> {
    let max = client.edge.config.packet_max_bytes;
    let until = Instant::now() + TURN;
    let mut turn = Turn {
        packets: 0,
        published: false,
        left: Left::Part,
    };
    while let Some((first, ..)) = peek_frame(incoming, max)? {
        let asks = packet::asks_router(first);
        if asks && !may_ask {
            turn.left = Left::ForRouter;
            break;
        }
        let Some(frame) = take_frame(incoming, max)? else {
            break;
        };
        client.edge.counters.one(Counter::PacketsReceived);
        // No packet may ask for more work than all the subscriptions that a client can have.
        let filters_max = client.edge.config.subscriptions_per_client_max;
        let packet = packet::read(client.version, frame, filters_max)?;
        turn.packets += 1;
        turn.published |= matches!(packet, Packet::Publish(_));
        if asks {
            may_ask = false;
            waiting(|| client.handle(packet))?;
        } else {
            client.handle(packet)?;
        }
        if Instant::now() >= until {
            turn.left = Left::Packets;
            break;
        }
    }
    Ok(turn)
}

/// Does what waits for another thread so that no other client has to wait with it.
fn waiting<T>(work: impl FnOnce() -> T) -> T {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::MultiThread => block_in_place(work),
        // There is nobody to leave the others to.
        _ => work(),
    }
}
