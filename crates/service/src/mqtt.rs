//! MQTT 5 as every service and agent uses it.
//!
//! [`client`] gives three parts: a [`Publisher`] to send with, [`Events`] to receive from, and
//! the [`Connection`] that must be run, which a [`Control`] steers. A connection that ends, or on
//! which the broker is not heard any more, is followed by another, after a capped, jittered
//! backoff. Nothing that was meant for one connection is ever sent on the
//! next: a replayed `offline` would be a lie.

mod backoff;
mod connection;
mod control;
mod dial;
mod events;
mod outage;
mod publisher;
mod reachable;
mod round;
mod session;
mod silence;
mod url;

pub use backoff::{Pace, RECONNECT_WAIT_MAX};
pub use connection::Connection;
pub use control::{Control, Parting};
pub use dial::{Dial, DialError, Endpoint, Target};
pub use events::{ConnectionError, Event, Events};
pub use outage::Outage;
pub use publisher::{PublishError, Publisher};
pub use reachable::reachable;
pub use url::{BrokerUrl, NotABroker};

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use netmonitor_protocol::Message;
use tokio::sync::mpsc;

use crate::Counters;

/// Messages that wait for their turn to be sent: a publisher that finds it full waits.
const OUTGOING_QUEUE: usize = 64;

/// The shortest keepalive: rumqttc takes none below.
pub const KEEP_ALIVE_MIN: Duration = Duration::from_secs(5);

/// How a client appears and what it wants.
pub struct Options {
    /// Where to connect, as whom.
    pub dial: Dial,
    /// MQTT client id: stable, so that the broker takes over from a half-open connection.
    pub client_id: String,
    /// How long the broker may hear nothing: whole seconds, from [`KEEP_ALIVE_MIN`] on.
    /// [`Control`] changes it later.
    pub keep_alive: Duration,
    /// How soon to come back after the connection was lost.
    pub pace: Pace,
    /// What the broker publishes when the connection is lost.
    pub will: Option<Message>,
    /// What to subscribe to on every connection.
    pub filters: Vec<String>,
    /// Published on every connection once the subscriptions stand, before anything else.
    pub birth: Option<Birth>,
    /// Received messages that may wait for [`Events::next`]. When it is full the client stops
    /// reading for a moment; if nobody takes anything for some seconds it reconnects, says so
    /// as soon as there is room, and retained topics bring the state again.
    pub queue: usize,
    /// Where messages that cannot be understood are counted, as `messages_not_understood`.
    pub counters: Counters,
}

/// Makes the messages that announce a client.
pub type Birth = Arc<dyn Fn() -> Vec<Message> + Send + Sync>;

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("client_id", &self.client_id)
            .field("dial", &self.dial)
            .field("filters", &self.filters)
            .finish_non_exhaustive()
    }
}

impl Options {
    /// A client without will, subscriptions or birth, with a keepalive of six seconds.
    pub fn new(client_id: impl Into<String>, dial: Dial) -> Self {
        Self {
            dial,
            client_id: client_id.into(),
            keep_alive: Duration::from_secs(6),
            pace: Pace::Service,
            will: None,
            filters: Vec::new(),
            birth: None,
            queue: 1024,
            counters: Counters::default(),
        }
    }
}

/// Makes a client. Nothing happens before [`Connection::run`].
pub fn client(options: Options) -> (Publisher, Events, Connection) {
    let (outgoing, requests) = mpsc::channel(OUTGOING_QUEUE);
    let (arrivals, events) = mpsc::channel(options.queue);
    (
        Publisher::new(outgoing),
        Events::new(events),
        Connection::new(options, requests, arrivals),
    )
}
