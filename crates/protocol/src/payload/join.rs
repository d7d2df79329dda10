//! How a machine is enrolled: it asks, the hub answers.

use serde::{Deserialize, Serialize};

use crate::ids::DeviceId;

/// A machine asks to be enrolled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinRequest {
    /// The host name as the system has it.
    pub host_name: String,
    /// The name that the admin wants people to see, if another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The token of the join code once more: the hub uses it up in the same step in which it
    /// enrols the device.
    pub token: String,
    /// The agent's version.
    pub agent_version: String,
}

/// The hub answers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum JoinReply {
    /// The machine is a device now.
    Joined {
        /// Its id, which is its MQTT user name as well.
        device: DeviceId,
        /// Its MQTT password.
        password: String,
    },
    /// The hub refused.
    Refused {
        /// Why, in a sentence for the admin.
        reason: String,
    },
    /// A word that this version does not know.
    #[serde(other)]
    Unknown,
}

impl std::fmt::Debug for JoinReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Joined { device, .. } => write!(f, "Joined {{ device: {device}, .. }}"),
            Self::Refused { reason } => write!(f, "Refused {{ reason: {reason:?} }}"),
            Self::Unknown => f.write_str("Unknown"),
        }
    }
}
