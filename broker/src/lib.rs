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
//! - `listen`, `websocket`, `connect`, `connection`, `clock`: a socket from bind to close
//! - `wire`, `properties`, `packet`, `reply`: the bytes of MQTT, in and out
//! - `client`, `subscribe`, `outbound`, `buffers`, `will`: one connection's state, and what its packets do
//! - `session`, `subscriptions`, `inflight`, `offline`, `budget`, `parked`: what outlives a
//!   connection; `share`: what several clients have together
//! - `sessions`, `edge`, `counters`, `tally`, `sys`: what all clients share, and what is told of it
//! - `doors`, `guarded`, `logins`, `bucket`, `refusals`: what strangers can do, and what is said of it
//! - `service`: the broker as one of the hub's services
//! - `exchange`, `retained`, `snapshot`, `message`, `router`: where messages go
//! - `changes`, `journal`, `wear`: retained messages on disk

mod broker;
mod bucket;
mod budget;
mod buffers;
mod changes;
mod client;
mod clock;
mod config;
mod connect;
mod connection;
mod counters;
mod doors;
mod edge;
mod exchange;
#[cfg(test)]
mod fuzz;
mod guarded;
mod inflight;
mod journal;
mod listen;
mod logins;
mod message;
mod offline;
mod outbound;
mod packet;
mod parked;
mod properties;
mod refusals;
mod reply;
mod retained;
mod router;
mod service;
mod session;
mod sessions;
mod share;
mod snapshot;
mod subscribe;
mod subscriptions;
mod sys;
mod tally;
mod wear;
mod websocket;
mod will;
mod wire;

pub use broker::{Broker, Handle, RouterLost};
pub use config::Config;
pub use edge::{Authenticate, Claim};
pub use listen::StartError;
#[doc(hidden)]
pub use router::Break;
pub use service::BrokerService;
