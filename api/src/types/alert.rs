//! Alerts: what is concluded of each rule that is watched.

use netmonitor_protocol::payload as wire;
use netmonitor_protocol::{Rule, Subject};
use poem_openapi::{Enum, Object};

use super::{RuleUnit, Severity, Time};

/// What is concluded of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
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
    /// It cannot be known: the device is away, or the service is newer than the api.
    Unknown,
}

/// Why nobody is told of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum MutedBy {
    /// A maintenance window is open.
    Maintenance,
    /// The device that it hangs behind is gone as well: the alert of that one tells of it.
    Uplink,
    /// Something that this hub does not know.
    Other,
}

/// The state of one rule of a device, or of the hub.
#[derive(Debug, Clone, PartialEq, Object)]
pub struct Alert {
    /// Id of the device; `hub` for the hub itself.
    pub device: String,
    /// Which rule, as it stands in addresses and topics, e.g. `disk-home`.
    pub rule: String,
    /// Which kind of rule, e.g. `disk`: see `/rules`.
    pub kind: String,
    /// The mount point or the service that it is about, e.g. `/home`.
    #[oai(skip_serializing_if_is_none)]
    pub target: Option<String>,
    /// What is concluded.
    pub state: AlertState,
    /// Since when the state holds.
    pub since: Time,
    /// How much it matters while it fires.
    pub severity: Severity,
    /// What was measured when the state changed, in `unit`.
    #[oai(skip_serializing_if_is_none)]
    pub value: Option<f64>,
    /// What it is compared with, in `unit`.
    #[oai(skip_serializing_if_is_none)]
    pub limit: Option<f64>,
    /// The unit of value and limit. Absent if the rule compares nothing.
    #[oai(skip_serializing_if_is_none)]
    pub unit: Option<RuleUnit>,
    /// More about it, in a word: the state of a service, the cause of an absence, what keeps the hub
    /// from its work.
    #[oai(skip_serializing_if_is_none)]
    pub detail: Option<String>,
    /// Since when it fires, whatever has become of it since.
    #[oai(skip_serializing_if_is_none)]
    pub firing_since: Option<Time>,
    /// Who has taken it on. A claim where it was said over MQTT.
    #[oai(skip_serializing_if_is_none)]
    pub acknowledged_by: Option<String>,
    /// What they have noted.
    #[oai(skip_serializing_if_is_none)]
    pub note: Option<String>,
    /// Until when nobody is told again.
    #[oai(skip_serializing_if_is_none)]
    pub snoozed_until: Option<Time>,
    /// Why nobody is told of it, though it fires.
    #[oai(skip_serializing_if_is_none)]
    pub muted: Option<MutedBy>,
    /// The device that it hangs behind, where `muted` is `uplink`.
    #[oai(skip_serializing_if_is_none)]
    pub behind: Option<String>,
}

/// A list of alerts.
#[derive(Debug, Clone, PartialEq, Object)]
pub struct AlertPage {
    /// Those that fire first, of those the ones that matter most, then the newest.
    pub items: Vec<Alert>,
    /// Where the next page begins; null on the last one.
    pub next: Option<String>,
}

/// An alert is taken on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Object)]
#[oai(deny_unknown_fields)]
pub struct Acknowledgement {
    /// For others to read: at most 500 characters.
    #[oai(skip_serializing_if_is_none, validator(max_length = 500))]
    pub note: Option<String>,
}

/// Nobody is to be told of an alert for a while.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(deny_unknown_fields)]
pub struct Snooze {
    /// For how long, in seconds: 1 to 2592000, which is 30 days.
    #[oai(validator(minimum(value = "1"), maximum(value = "2592000")))]
    pub for_secs: u64,
}

impl Alert {
    /// The alert as it is published.
    pub fn new(subject: &Subject, rule: &Rule, alert: &wire::Alert) -> Self {
        let (muted, behind) = match &alert.muted {
            None => (None, None),
            Some(wire::Muted::Maintenance) => (Some(MutedBy::Maintenance), None),
            Some(wire::Muted::Behind(id)) => (Some(MutedBy::Uplink), Some(id.to_string())),
            Some(wire::Muted::Other(_)) => (Some(MutedBy::Other), None),
        };
        Self {
            device: subject.to_string(),
            rule: rule.to_string(),
            kind: rule.kind().to_string(),
            target: rule.target().map(str::to_owned),
            state: alert.state.into(),
            since: alert.since.into(),
            severity: alert.severity.into(),
            value: alert.value,
            limit: alert.limit,
            unit: rule.kind().unit().map(Into::into),
            detail: alert.detail.clone(),
            firing_since: alert.firing_since.map(Into::into),
            acknowledged_by: alert.acknowledged_by.clone(),
            note: alert.note.clone(),
            snoozed_until: alert.snoozed_until.map(Into::into),
            muted,
            behind,
        }
    }
}

impl From<wire::AlertState> for AlertState {
    fn from(state: wire::AlertState) -> Self {
        match state {
            wire::AlertState::Ok => Self::Ok,
            wire::AlertState::Pending => Self::Pending,
            wire::AlertState::Firing => Self::Firing,
            wire::AlertState::Acknowledged => Self::Acknowledged,
            wire::AlertState::Snoozed => Self::Snoozed,
            wire::AlertState::Unknown => Self::Unknown,
        }
    }
}
