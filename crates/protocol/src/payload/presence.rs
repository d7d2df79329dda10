//! What the hub concludes about a device, from everything it has seen of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Whether a device is there, and if not, why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// The conclusion.
    pub state: PresenceState,
    /// Why it is not `online`, or how it came back; none where there is nothing to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<PresenceCause>,
    /// Since when the state holds, by the hub's clock.
    pub since: Timestamp,
    /// When the hub last heard from the device itself, by the hub's clock; none if never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
}

/// What the hub concludes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PresenceState {
    /// Connected, and samples come.
    Online,
    /// Gone.
    Offline,
    /// Connected, and no samples come.
    Stale,
    /// The hub cannot know: it was blind, or has only just started. Also a word that this
    /// version does not know.
    #[serde(other)]
    Unknown,
}

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PresenceCause {
    /// The agent was stopped; the machine may run on.
    Stopped,
    /// The machine was shut down.
    Shutdown,
    /// The machine went to sleep.
    Suspend,
    /// The machine has started anew since it was last seen.
    Reboot,
    /// It went without a word: a crash, a power cut, or the network.
    Lost,
    /// Another start of the agent, or another machine with the same identity, took its place.
    Replaced,
    /// The hub itself was away.
    HubRestart,
    /// A word that this version does not know.
    #[serde(other)]
    Unknown,
}
