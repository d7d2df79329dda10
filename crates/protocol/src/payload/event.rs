//! One line of the log.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::DeviceId;

/// Something that happened: kind and parameters. Whoever shows it puts it into words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When, by the clock of whoever says it.
    pub time: Timestamp,
    /// What.
    pub kind: EventKind,
    /// How much it matters.
    pub severity: Severity,
    /// The device that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceId>,
    /// Who did it: the name of an account, or of a service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// What the kind needs to be put into words.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
}

impl Event {
    /// A line about no device and by nobody in particular.
    pub fn new<const N: usize>(
        time: Timestamp,
        kind: EventKind,
        severity: Severity,
        parameters: [(&str, String); N],
    ) -> Self {
        Self {
            time,
            kind,
            severity,
            device: None,
            actor: None,
            parameters: parameters
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
        }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A machine was enrolled. Parameter `name`.
    DeviceJoined,
    /// A device is there. Parameter `cause`, where there is something to say.
    DeviceOnline,
    /// A device is gone. Parameter `cause`.
    DeviceOffline,
    /// A device is connected and sends no samples.
    DeviceStale,
    /// Two machines use the identity of one device. Parameter `addresses`, if they are known.
    DeviceCloned,
    /// A device was removed: its credential is worth nothing any more. Parameter `name`.
    DeviceRevoked,
    /// Samples of a device are missing for good: they could not be kept until they were stored.
    /// Parameter `samples`.
    SamplesLost,
    /// A service of the hub connected. Parameters `service`, `version`.
    ServiceStarted,
    /// A service of the hub said goodbye. Parameter `service`.
    ServiceStopped,
    /// Someone logged in. Parameter `address`.
    LoggedIn,
    /// Someone tried to log in and did not get in. Parameters `name`, `address`.
    LoginFailed,
    /// Someone logged out. Parameter `everywhere`, if it was of all browsers at once.
    LoggedOut,
    /// An account was made. Parameters `name`, `role`.
    UserAdded,
    /// An account was removed. Parameter `name`.
    UserRemoved,
    /// An account was given another role. Parameters `name`, `role`, and `was`, the role of before.
    UserChanged,
    /// A password was changed. Parameter `name`.
    PasswordChanged,
    /// A bearer token was made. Parameters `name`, `role`.
    TokenAdded,
    /// A bearer token was removed. Parameter `name`.
    TokenRemoved,
    /// An MQTT user was made. Parameters `name`, `role`.
    MqttUserAdded,
    /// An MQTT user was removed. Parameter `name`.
    MqttUserRemoved,
    /// A join code was made. Parameter `uses`.
    JoinCodeAdded,
    /// Settings were changed. Parameter `section`, and each name that was changed with what it was
    /// and what it is: `OLD → NEW`.
    SettingsChanged,
    /// An alert began to fire. Parameters `rule`; `value`, `limit` and `detail` where there are some.
    AlertFiring,
    /// An alert ended. Parameter `rule`; `detail` says why, unless all is well.
    AlertResolved,
    /// Somebody took an alert on. Parameters `rule`, `note`.
    AlertAcknowledged,
    /// Somebody gave an alert back. Parameter `rule`.
    AlertUnacknowledged,
    /// Somebody does not want to hear of an alert for a while. Parameters `rule`, `until`.
    AlertSnoozed,
    /// A message about alerts reached its channel. Parameters `channel`, `title`, `answer`.
    MessageSent,
    /// A message about alerts did not reach its channel, and is not tried again. Parameters
    /// `channel`, `title`, `error`.
    MessageFailed,
    /// A channel cannot be reached; what is to go there is tried again. Parameters `channel`, `error`.
    ChannelFailing,
    /// Lines of the log were removed. Parameters `before`, `lines`; `command`, where it was asked for
    /// with one.
    EventsRemoved,
    /// A kind that this version does not know: shown as it stands.
    #[serde(untagged)]
    Other(String),
}

impl EventKind {
    /// The word on the wire and in the store.
    pub fn as_str(&self) -> &str {
        match self {
            Self::DeviceJoined => "device_joined",
            Self::DeviceOnline => "device_online",
            Self::DeviceOffline => "device_offline",
            Self::DeviceStale => "device_stale",
            Self::DeviceCloned => "device_cloned",
            Self::DeviceRevoked => "device_revoked",
            Self::SamplesLost => "samples_lost",
            Self::ServiceStarted => "service_started",
            Self::ServiceStopped => "service_stopped",
            Self::LoggedIn => "logged_in",
            Self::LoginFailed => "login_failed",
            Self::LoggedOut => "logged_out",
            Self::UserAdded => "user_added",
            Self::UserRemoved => "user_removed",
            Self::UserChanged => "user_changed",
            Self::PasswordChanged => "password_changed",
            Self::TokenAdded => "token_added",
            Self::TokenRemoved => "token_removed",
            Self::MqttUserAdded => "mqtt_user_added",
            Self::MqttUserRemoved => "mqtt_user_removed",
            Self::JoinCodeAdded => "join_code_added",
            Self::SettingsChanged => "settings_changed",
            Self::AlertFiring => "alert_firing",
            Self::AlertResolved => "alert_resolved",
            Self::AlertAcknowledged => "alert_acknowledged",
            Self::AlertUnacknowledged => "alert_unacknowledged",
            Self::AlertSnoozed => "alert_snoozed",
            Self::MessageSent => "message_sent",
            Self::MessageFailed => "message_failed",
            Self::ChannelFailing => "channel_failing",
            Self::EventsRemoved => "events_removed",
            Self::Other(word) => word,
        }
    }
}

/// How much an event matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Worth a look.
    Warning,
    /// Someone must act.
    Critical,
    /// A word that this version does not know.
    #[serde(other)]
    Unknown,
}

impl Severity {
    /// The word on the wire and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_of_a_kind_is_the_word_on_the_wire() {
        for kind in [
            EventKind::DeviceJoined,
            EventKind::ServiceStarted,
            EventKind::ServiceStopped,
            EventKind::LoggedIn,
            EventKind::LoginFailed,
            EventKind::LoggedOut,
            EventKind::UserAdded,
            EventKind::UserRemoved,
            EventKind::UserChanged,
            EventKind::PasswordChanged,
            EventKind::TokenAdded,
            EventKind::TokenRemoved,
            EventKind::MqttUserAdded,
            EventKind::MqttUserRemoved,
            EventKind::DeviceRevoked,
            EventKind::JoinCodeAdded,
            EventKind::SettingsChanged,
            EventKind::AlertFiring,
            EventKind::AlertResolved,
            EventKind::AlertAcknowledged,
            EventKind::AlertUnacknowledged,
            EventKind::AlertSnoozed,
            EventKind::MessageSent,
            EventKind::MessageFailed,
            EventKind::ChannelFailing,
            EventKind::EventsRemoved,
            EventKind::Other("of_tomorrow".to_owned()),
        ] {
            let json = serde_json::to_value(&kind).unwrap();
            assert_eq!(json, kind.as_str());
            assert_eq!(serde_json::from_value::<EventKind>(json).unwrap(), kind);
        }
    }

    #[test]
    fn a_severity_of_tomorrow_is_unknown_and_not_an_error() {
        let severity: Severity = serde_json::from_str("\"catastrophe\"").unwrap();
        assert_eq!(severity, Severity::Unknown);
        assert_eq!(
            serde_json::to_value(Severity::Warning).unwrap(),
            Severity::Warning.as_str()
        );
    }
}
