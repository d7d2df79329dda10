//! The embedded MQTT broker: our network edge over the router of rumqttd.
//!
//! The edge has everything that meets the network: listeners, TLS, both protocol versions on
//! one port, authentication, access control, wills, retained messages, `QoS` 1 and 2, keepalive
//! and limits. The router does the matching, and keeps a log per filter from which each
//! subscriber reads at its own pace.
//!
//! It never trusts a byte that a client sends, never lets one client wait for another, and
//! never drops anything without counting it. It knows nothing of devices beyond the access
//! rules of [`netmonitor_protocol::acl`].
//!
//! From the outside in:
//!
//! - [`Config`], [`Broker`], [`Handle`], [`Authenticate`]: what the hub uses
//! - `listen`, `connection`: a socket from bind to close; `doors`: what strangers can do with it
//! - `packet`: the bytes of MQTT, in and out
//! - `client`: one connection's state, and what its packets do
//! - `session`: what outlives a connection, and what several clients have together
//! - `exchange`, `message`, `origin`: every message passes here, from whomever
//! - `retained`: what is kept of them, in memory and on disk
//! - `router`: all that knows rumqttd
//! - `edge`: what all clients share; `counters`: what is told of it; `bucket`: how fast is too fast
//! - `service`: the broker as one of the hub's services

mod broker;
mod bucket;
mod client;
mod config;
mod connection;
mod counters;
mod doors;
mod edge;
mod exchange;
#[cfg(test)]
mod fuzz;
mod listen;
mod message;
mod origin;
mod packet;
mod retained;
mod router;
mod service;
mod session;

pub use broker::{Broker, Handle, RouterLost};
pub use config::Config;
pub use edge::{Authenticate, Claim};
pub use listen::StartError;
#[doc(hidden)]
pub use router::Break;
pub use service::BrokerService;
