//! How a machine is enrolled: it asks, the hub answers.

use serde::{Deserialize, Serialize};

use crate::ids::DeviceId;

/// A machine asks to be enrolled. It asks again, with the same request id and in the same words,
/// until it hears the answer: that is the same each time.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinRequest {
    /// The host name as the system has it.
    pub host_name: String,
    /// The name that the admin wants people to see, if another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The token of the join code once more: the hub uses it up in the same step in which it
    /// enrols the device.
    pub token: String,
    /// The MQTT password that the machine proposes, 256 random bits as 64 hexadecimal digits: it
    /// proves that a repeated request is the same machine's. Without it the hub makes one, and a
    /// repeated request is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// The agent's version.
    pub agent_version: String,
}

impl JoinRequest {
    /// The proposed password, if it is as good as one that the hub makes itself.
    pub fn good_password(&self) -> Option<&str> {
        let is_good = |password: &&str| {
            let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            password.len() == 64 && password.bytes().all(is_hex)
        };
        self.password.as_deref().filter(is_good)
    }
}

impl std::fmt::Debug for JoinRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JoinRequest")
            .field("host_name", &self.host_name)
            .field("name", &self.name)
            .field("agent_version", &self.agent_version)
            .finish_non_exhaustive()
    }
}

/// The hub answers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum JoinReply {
    /// The machine is a device now.
    Joined {
        /// Its id, which is its MQTT user name as well.
        device: DeviceId,
        /// Its MQTT password: the one that it proposed, if the hub took it.
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
