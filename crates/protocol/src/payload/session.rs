//! The birth certificate of one start of an agent, and how it ended.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::SessionId;

/// One start of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Random for each start.
    pub session: SessionId,
    /// The kernel's id of the current boot (`/proc/sys/kernel/random/boot_id` on Linux).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<String>,
    /// When the agent started, by the device's clock.
    pub since: Timestamp,
    /// The agent's version.
    pub agent_version: String,
    /// Set at a clean stop, before the agent says `offline`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

/// How a session ended cleanly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Why.
    pub cause: EndCause,
    /// When, by the device's clock.
    pub time: Timestamp,
}

/// Why an agent stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndCause {
    /// The agent was told to stop; the machine may run on.
    Stop,
    /// The machine shuts down.
    Shutdown,
    /// The machine goes to sleep.
    Suspend,
    /// A word that this version does not know.
    #[serde(other)]
    Unknown,
}
