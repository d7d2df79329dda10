//! What somebody is to be told: one message, about one alert or about several that belong together.

use std::collections::BTreeSet;

use jiff::Timestamp;
use netmonitor_protocol::payload::Severity;
use netmonitor_protocol::{DeviceId, Rule, Subject};
use serde::{Deserialize, Serialize};

/// One message. It says what is so; who sends it puts it into words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// The same for the same message, whoever sends it, and however often: receivers know by it what
    /// they have already. Characters of [`Rule`]'s text and of a device's id, and `/`.
    pub id: String,
    /// What it tells.
    pub kind: NoticeKind,
    /// When there was something to tell, by the hub's clock.
    pub time: Timestamp,
    /// The highest of its alerts.
    pub severity: Severity,
    /// What it is about: never empty, but for [`NoticeKind::Test`].
    pub alerts: Vec<Told>,
}

/// What a message tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// Something has gone wrong.
    Firing,
    /// It is still wrong, and nobody has taken it on.
    Reminder,
    /// It is over.
    Resolved,
    /// Nothing: somebody wants to see whether a channel works.
    Test,
}

/// One alert in a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// Whose it is.
    pub subject: Subject,
    /// What people call the device. Empty for the hub.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// In which groups the device is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Which rule.
    pub rule: Rule,
    /// How much it matters.
    pub severity: Severity,
    /// Since when it is wrong; of one that is over: since when it had been.
    pub since: Timestamp,
    /// What was measured, in the unit of the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// What it is compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// More about it: see [`detail`](netmonitor_protocol::payload::Alert::detail); of one that is
    /// over, why, unless all is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Devices that hang behind this one and are gone with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub behind: Vec<DeviceId>,
    /// Of one that is over: the [channels that were told](super::Engine::told) that it began. None:
    /// not known. It says to whom the message goes, and is no part of it.
    #[serde(skip)]
    pub channels: Option<BTreeSet<String>>,
}

impl Notice {
    /// A message to see whether a channel works.
    pub fn test(time: Timestamp) -> Self {
        Self {
            id: format!("test/{}", time.as_millisecond()),
            kind: NoticeKind::Test,
            time,
            severity: Severity::Info,
            alerts: Vec::new(),
        }
    }
}
