//! The MQTT contract of `NetMonitor`, version 1: topics, payload types, ids, units.
//!
//! No I/O, no async, no clock: values in, values out. Topic strings and wire types exist
//! nowhere else. Reading order:
//!
//! - [`ids`]: the names of devices, services and sessions
//! - [`subject`], [`rule`]: whose alert, and which
//! - [`topics`]: the [`TOPICS`](topics::TOPICS) table, from which code, docs and ACL follow
//! - [`topic`]: one concrete topic, to and from its string
//! - [`payload`]: what travels on a topic, one file per type
//! - [`message`]: topic and payload together, encoded and decoded
//! - [`acl`]: who may publish, subscribe to and receive what
//! - [`join_code`]: the line that an admin pastes on a new machine

pub mod acl;
pub mod ids;
pub mod join_code;
pub mod message;
pub mod payload;
pub mod rule;
pub mod subject;
pub mod topic;
pub mod topics;

pub use ids::{DeviceId, JoinRequestId, ServiceName, SessionId};
pub use message::Message;
pub use rule::{Rule, RuleKind, Unit};
pub use subject::Subject;
pub use topic::{Section, Topic};

/// The name in the hub's server certificate. Agents verify it whatever address they dialled,
/// so that a change of address or a forwarded port needs no new certificate.
pub const HUB_TLS_NAME: &str = "hub.netmonitor";

/// The user name with which a machine that is not enrolled yet connects; its password is the
/// token of a join code.
pub const JOIN_USER: &str = "join";
