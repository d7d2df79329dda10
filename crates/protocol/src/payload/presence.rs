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

impl PresenceState {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Stale => "stale",
            Self::Unknown => "unknown",
        }
    }
}

impl PresenceCause {
    /// The word on the wire, and in the parameters of an event.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Shutdown => "shutdown",
            Self::Suspend => "suspend",
            Self::Reboot => "reboot",
            Self::Lost => "lost",
            Self::Replaced => "replaced",
            Self::HubRestart => "hub_restart",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_of_a_cause_is_the_word_on_the_wire() {
        for cause in [
            PresenceCause::Stopped,
            PresenceCause::Shutdown,
            PresenceCause::Suspend,
            PresenceCause::Reboot,
            PresenceCause::Lost,
            PresenceCause::Replaced,
            PresenceCause::HubRestart,
            PresenceCause::Unknown,
        ] {
            assert_eq!(serde_json::to_value(cause).unwrap(), cause.as_str());
        }
        for state in [
            PresenceState::Online,
            PresenceState::Offline,
            PresenceState::Stale,
            PresenceState::Unknown,
        ] {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
    }
}
