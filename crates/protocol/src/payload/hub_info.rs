//! What the hub is and where it is reached.

use serde::{Deserialize, Serialize};

/// Name, version and addresses of the hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HubInfo {
    /// The hub's host name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where its listeners are.
    #[serde(default)]
    pub addresses: Vec<Address>,
    /// Where agents reach the hub over TLS, `host:port`, best first. They keep this list, so
    /// that none has to join anew when an address changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agent_addresses: Vec<String>,
}

/// One listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// `http`, `https`, `mqtt`, `mqtts` or `mqtt-ws`.
    pub listener: String,
    /// Address and port, e.g. `[::]:8443`.
    pub address: String,
}
