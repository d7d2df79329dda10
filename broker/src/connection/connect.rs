//! From the first byte to CONNACK: who is it, and may it come in.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use netmonitor_protocol::acl::{Principal, Role};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use crate::client::{Client, Terms, may_publish, session_expiry};
use crate::counters::{Counter, Who};
use crate::edge::{Denied, Edge};
use crate::message::Message;
use crate::origin::Origin;
use crate::packet::reply::{self, Welcome, reason};
use crate::packet::wire::take_frame;
use crate::packet::{Connect, Hello, Password, Version, Will, read_hello};
use crate::session::sessions::{Key, Taken};

/// Longest client id. MQTT asks for 23 bytes; names of ours are far shorter than this.
const CLIENT_ID_MAX: usize = 256;

/// Longest CONNECT, will included: what a stranger may make us keep.
const CONNECT_MAX: usize = 16 * 1024;

/// Connections of one device: an agent has one, and may be a moment from losing another.
const DEVICE_CONNECTIONS_MAX: usize = 4;
/// Those of all machines that join; all have one user name.
const JOINER_CONNECTIONS_MAX: usize = 64;

/// A client that is let in. Its CONNACK waits to be written.
pub(crate) struct Admitted {
    pub(crate) client: Box<Client>,
    /// What came behind CONNECT.
    pub(crate) rest: BytesMut,
    /// How long it may be silent. None: for ever, as it asked for with 3.1.1.
    pub(crate) patience: Option<Duration>,
}

/// Why there will be no connection. The peer has been told, as far as its version allows.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Rejected {
    #[error("closed before CONNECT")]
    Closed,
    #[error("{0}")]
    Fault(#[from] crate::packet::wire::Fault),
    #[error("input/output: {0}")]
    Io(#[from] std::io::Error),
    #[error("refused with reason {0:#04x}")]
    Refused(u8),
    #[error("no whole CONNECT in time")]
    TooLate,
}

/// Reads CONNECT, checks it and answers. The peer has until the deadline; once it is known, it
/// takes its seat without one.
pub(crate) async fn admit<S>(
    edge: &Arc<Edge>,
    stream: &mut S,
    peer: SocketAddr,
    deadline: Instant,
) -> Result<Admitted, Rejected>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut incoming = BytesMut::new();
    let hello = timeout_at(deadline, read_connect(edge, stream, &mut incoming)).await;
    let (version, refusal) = match hello.map_err(|_| Rejected::TooLate)?? {
        Hello::Connect(connect) => {
            let version = connect.version;
            match enter(edge, *connect, peer, deadline).await {
                Ok((client, patience)) => {
                    return Ok(Admitted {
                        client: Box::new(client),
                        rest: incoming,
                        patience,
                    });
                }
                Err(reason) => (version, reason),
            }
        }
        Hello::OtherVersion(level) => {
            let version = if level > 5 { Version::V5 } else { Version::V4 };
            (version, reason::UNSUPPORTED_VERSION)
        }
    };
    let told = timeout_at(deadline, refuse(stream, version, refusal)).await;
    Err(told.unwrap_or(Rejected::TooLate))
}

async fn read_connect<S>(
    edge: &Edge,
    stream: &mut S,
    incoming: &mut BytesMut,
) -> Result<Hello, Rejected>
where
    S: AsyncRead + Unpin,
{
    loop {
        if let Some(frame) = take_frame(incoming, CONNECT_MAX.min(edge.config.packet_max_bytes))? {
            return Ok(read_hello(frame)?);
        }
        // Whoever does not speak MQTT need not send a whole packet to be found out.
        if incoming.first().is_some_and(|first| *first != 0x10) {
            return Err(Rejected::Closed);
        }
        incoming.reserve(1024);
        if stream.read_buf(incoming).await? == 0 {
            return Err(Rejected::Closed);
        }
    }
}

async fn refuse<S>(stream: &mut S, version: Version, reason: u8) -> Rejected
where
    S: AsyncWrite + Unpin,
{
    let mut out = BytesMut::new();
    reply::refusal(&mut out, version, reason);
    let told = async {
        stream.write_all(&out).await?;
        stream.shutdown().await
    };
    match told.await {
        Ok(()) => Rejected::Refused(reason),
        Err(err) => Rejected::Io(err),
    }
}

/// The client, or the reason why it is not let in.
async fn enter(
    edge: &Arc<Edge>,
    connect: Connect,
    peer: SocketAddr,
    deadline: Instant,
) -> Result<(Client, Option<Duration>), u8> {
    if connect.properties.wants_authentication_method {
        return Err(reason::BAD_AUTH_METHOD);
    }
    let (client_id, assigned) = client_id(&connect)?;
    let user = connect.user.as_deref().unwrap_or_default();
    let who = Who {
        user,
        client_id: &client_id,
        peer,
    };
    let (Some(_), Some(_)) = (&connect.user, &connect.password) else {
        edge.counters
            .refuse(Counter::LoginsRefused, &who, "no user name or password");
        return Err(reason::NOT_AUTHORIZED);
    };
    let (principal, taken) = sit_down(edge, &who, &connect, deadline).await?;
    if taken.from_connection {
        edge.counters.one(Counter::Takeovers);
    }
    let session_present = taken.session.is_some();
    if session_present {
        edge.counters.one(Counter::SessionsResumed);
    }

    let (patience, server_keepalive_secs) = patience(edge, &connect);
    let asked = asked_expiry_secs(&connect);
    let expiry = session_expiry(edge, asked);
    let will_delay_secs = connect
        .will
        .as_ref()
        .and_then(|w| w.properties.will_delay_secs);
    let packet_max = connect.properties.maximum_packet_size;
    let terms = Terms {
        version: connect.version,
        peer,
        will: connect.will.map(Message::from),
        will_delay: Duration::from_secs(will_delay_secs.unwrap_or(0).into()),
        expiry,
        receive_maximum: connect.properties.receive_maximum.unwrap_or(u16::MAX),
        packet_max: packet_max.map_or(usize::MAX, |max| max.try_into().unwrap_or(usize::MAX)),
    };
    let mut client = Client::new(edge.clone(), terms, principal, taken.lease, taken.session);
    let granted = u32::try_from(expiry.as_secs()).unwrap_or(u32::MAX);
    let welcome = Welcome {
        assigned_client_id: assigned.then_some(client_id.as_str()),
        server_keepalive_secs,
        maximum_packet_size: u32::try_from(edge.config.packet_max_bytes).unwrap_or(u32::MAX),
        session_expiry_secs: (granted != asked).then_some(granted),
        session_present,
        receive_maximum: edge.config.receive_max_messages.max(1),
    };
    edge.counters.one(Counter::PacketsReceived);
    edge.counters.one(Counter::AnswersSent);
    reply::welcome(&mut client.out, connect.version, &welcome);
    Ok((client, patience))
}

/// For how long the client wants its session kept.
fn asked_expiry_secs(connect: &Connect) -> u32 {
    match connect.version {
        Version::V5 => connect.properties.session_expiry_secs.unwrap_or(0),
        // 3.1.1 has no word for how long (section 3.1.2.4).
        Version::V4 if connect.clean => 0,
        Version::V4 => u32::MAX,
    }
}

/// Checks credential and will, and takes the seat of an older connection or session of the same
/// client.
async fn sit_down(
    edge: &Arc<Edge>,
    who: &Who<'_>,
    connect: &Connect,
    deadline: Instant,
) -> Result<(Principal, Taken), u8> {
    let password = connect.password.as_ref().map(|Password(bytes)| &bytes[..]);
    loop {
        let revocations = edge.sessions.revocations();
        let check = edge.authenticate(who, password.unwrap_or_default());
        let Ok(known) = timeout_at(deadline, check).await else {
            return Err(reason::SERVER_UNAVAILABLE);
        };
        let principal = known.map_err(|denied| match denied {
            Denied::Wrong => {
                let what = "wrong user name or password";
                edge.counters.refuse(Counter::LoginsRefused, who, what);
                reason::NOT_AUTHORIZED
            }
            Denied::TooMany => {
                let what = "too many wrong passwords of this user";
                edge.counters.refuse(Counter::LoginsTurnedAway, who, what);
                reason::SERVER_UNAVAILABLE
            }
        })?;
        check_will(edge, who, &principal, connect.will.as_ref())?;
        let key = Key {
            user: principal.user.clone(),
            client_id: who.client_id.to_owned(),
        };
        let standing = Origin::new(0, &principal).standing;
        let places = standing.part_of(edge.config.connections_max);
        // A client that is back takes the place that it has, perhaps on a socket long dead.
        let (others, others_of_user) = edge.sessions.connected_beside(&key);
        if others >= places {
            let what = "places left only for devices and services";
            edge.counters
                .refuse(Counter::ConnectionsOverLimit, who, what);
            return Err(reason::QUOTA_EXCEEDED);
        }
        if others_of_user >= connections_max(edge, &principal) {
            let what = "too many connections of this user";
            let counter = Counter::ConnectionsOfUserOverLimit;
            edge.counters.refuse(counter, who, what);
            return Err(reason::QUOTA_EXCEEDED);
        }
        if let Ok(taken) = edge.sessions.take(key, revocations, connect.clean).await {
            return Ok((principal, taken));
        }
    }
}

/// How many connections the user may have at once.
fn connections_max(edge: &Edge, principal: &Principal) -> usize {
    let max = edge.config.connections_per_user_max;
    match &principal.role {
        Some(Role::Agent(_)) => max.min(DEVICE_CONNECTIONS_MAX),
        Some(Role::Joiner(_)) => max.min(JOINER_CONNECTIONS_MAX),
        _ => max,
    }
}

/// Whether the will may be published, and can be when the time has come.
fn check_will(
    edge: &Edge,
    who: &Who<'_>,
    principal: &Principal,
    will: Option<&Will>,
) -> Result<(), u8> {
    let Some(will) = will else {
        return Ok(());
    };
    if will.topic.len() > edge.config.topic_max_bytes {
        edge.counters
            .refuse(Counter::WillsRefused, who, &will.topic);
        return Err(reason::TOPIC_INVALID);
    }
    if !may_publish(principal, &will.topic) {
        edge.counters
            .refuse(Counter::WillsRefused, who, &will.topic);
        return Err(reason::NOT_AUTHORIZED);
    }
    if edge
        .exchange
        .reserve(Origin::new(0, principal), &will.topic)
        .is_err()
    {
        edge.counters.one(Counter::DroppedRouterFull);
        return Err(reason::SERVER_UNAVAILABLE);
    }
    Ok(())
}

/// The client's id, and whether it was us who gave it.
fn client_id(connect: &Connect) -> Result<(String, bool), u8> {
    if connect.client_id.len() > CLIENT_ID_MAX {
        return Err(reason::CLIENT_ID_INVALID);
    }
    if !connect.client_id.is_empty() {
        return Ok((connect.client_id.clone(), false));
    }
    if connect.version == Version::V4 && !connect.clean {
        return Err(reason::CLIENT_ID_INVALID);
    }
    // Unique is enough: it only has meaning together with the user.
    let random = RandomState::new().build_hasher().finish();
    Ok((format!("auto-{random:016x}"), true))
}

/// One and a half keepalives, and the keepalive to tell the client if it is not its own.
fn patience(edge: &Edge, connect: &Connect) -> (Option<Duration>, Option<u16>) {
    let (asked, max) = (connect.keepalive_secs, edge.config.keepalive_max_secs);
    let replaced = connect.version == Version::V5 && (asked == 0 || asked > max);
    let (secs, told) = if replaced {
        (max, Some(max))
    } else {
        (asked, None)
    };
    let patience = (secs > 0).then(|| Duration::from_millis(u64::from(secs) * 1500));
    (patience, told)
}
