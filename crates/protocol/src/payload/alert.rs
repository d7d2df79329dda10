//! The state of one rule, and what can be done about it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Severity;
use crate::ids::DeviceId;

/// The state of one rule of one subject. Published when the state changes, not whenever the value
/// does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// What is concluded.
    pub state: AlertState,
    /// Since when the state holds, by the hub's clock.
    pub since: Timestamp,
    /// How much it matters while it fires.
    pub severity: Severity,
    /// What was measured when the state changed, in the unit of the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// What it is compared with, in the same unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// More about it: the state of a service, the cause of an absence, what keeps the hub from its
    /// work. A word of the contract, not a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Since when it fires, whatever has become of it since: acknowledged, snoozed, not to be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firing_since: Option<Timestamp>,
    /// Who has taken it on. A claim where it was said over MQTT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_by: Option<String>,
    /// What they have noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Until when nobody is to be told again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<Timestamp>,
    /// Why nobody is told of it, though it fires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted: Option<Muted>,
}

/// What is concluded of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// All is well.
    Ok,
    /// It is not, and has not been for long enough.
    Pending,
    /// It is not.
    Firing,
    /// It is not, and somebody has taken it on.
    Acknowledged,
    /// It is not, and nobody wants to hear of it for a while.
    Snoozed,
    /// It cannot be known: the device is away. Also a word that this version does not know.
    #[serde(other)]
    Unknown,
}

impl AlertState {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Pending => "pending",
            Self::Firing => "firing",
            Self::Acknowledged => "acknowledged",
            Self::Snoozed => "snoozed",
            Self::Unknown => "unknown",
        }
    }
}

/// Why nobody is told of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Muted {
    /// A maintenance window is open.
    Maintenance,
    /// The device hangs behind this one, which is gone as well: the alert of that one tells of it.
    Behind(DeviceId),
    /// A word that this version does not know.
    #[serde(untagged)]
    Other(serde_json::Value),
}

/// What somebody does about an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertCommand {
    /// What.
    #[serde(flatten)]
    pub action: AlertAction,
    /// Who. A claim: the broker does not check it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// What can be done about an alert that fires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum AlertAction {
    /// Take it on: it is not repeated any more. A snooze ends.
    Ack {
        /// For others to read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// Let it be as if nobody had taken it on, and nobody had snoozed it.
    Unack,
    /// Do not tell of it for a while.
    Snooze {
        /// For how long, in seconds.
        for_secs: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_of_a_state_is_the_word_on_the_wire() {
        for state in [
            AlertState::Ok,
            AlertState::Pending,
            AlertState::Firing,
            AlertState::Acknowledged,
            AlertState::Snoozed,
            AlertState::Unknown,
        ] {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
    }

    #[test]
    fn commands_are_what_people_type() {
        let read = |text| serde_json::from_str::<AlertCommand>(text);
        assert_eq!(
            read(r#"{"action":"ack"}"#).unwrap().action,
            AlertAction::Ack { note: None }
        );
        assert_eq!(
            read(r#"{"action":"snooze","for_secs":3600,"by":"ada"}"#).unwrap(),
            AlertCommand {
                action: AlertAction::Snooze { for_secs: 3600 },
                by: Some("ada".to_owned())
            }
        );
        assert_eq!(
            read(r#"{"action":"unack"}"#).unwrap().action,
            AlertAction::Unack
        );
        assert!(read(r#"{"action":"snooze"}"#).is_err());
        assert!(read(r#"{"action":"dance"}"#).is_err());
    }
}
