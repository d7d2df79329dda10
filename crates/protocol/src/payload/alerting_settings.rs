//! What an admin has set about alerts, for the service that raises them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Severity;
use super::weekly::WeeklyHours;
use crate::ids::DeviceId;
use crate::rule::RuleKind;

/// What is different from the defaults of one rule. Which those are: `netmonitor_rules::alert`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RuleSettings {
    /// Whether it is watched at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Above this it is bad (of a rule that is below: under it), in the unit of the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// At this it is good again. Between the two it stays what it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clear: Option<f64>,
    /// How long it must be bad before it fires, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub for_secs: Option<u32>,
    /// How much it matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
}

/// Rules by their kinds. One that is not there follows the defaults.
pub type Rules = BTreeMap<RuleKind, RuleSettings>;

/// What holds for all devices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AlertingSettings {
    /// Counts the changes: the highest is the newest.
    pub revision: u64,
    /// Rules of every device, and of the hub.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rules: Rules,
    /// An alert that nobody has taken on is told again after so many hours; 0: never.
    pub repeat_hours: u32,
    /// So long after the start of a machine its services are not judged, in seconds.
    pub boot_grace_secs: u32,
    /// The language of messages: `en` or `fr`. None: that of the hub's system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// In which hours of the week they are meant, a name of the IANA time zone database. None: that
    /// of the hub's system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// When only what is critical is told. The rest waits for the end.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quiet_hours: Vec<WeeklyHours>,
    /// When nobody is told of what.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub maintenance: Vec<Maintenance>,
    /// Where the dashboard is, for links in messages: `http://192.168.1.5:8080`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dashboard_url: Option<String>,
}

impl Default for AlertingSettings {
    fn default() -> Self {
        Self {
            revision: 0,
            rules: Rules::new(),
            repeat_hours: 24,
            boot_grace_secs: 120,
            language: None,
            time_zone: None,
            quiet_hours: Vec::new(),
            maintenance: Vec::new(),
            dashboard_url: None,
        }
    }
}

/// A time in which somebody works on machines, and nobody is told what is wrong with them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maintenance {
    /// What tells it from others.
    pub id: String,
    /// What people call it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Of which devices. With no device and no group: of all, and of the hub.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<DeviceId>,
    /// Of the devices in which groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// When.
    pub when: MaintenanceTime,
}

/// When a maintenance window is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaintenanceTime {
    /// One time.
    Once {
        /// From when.
        from: Timestamp,
        /// Until when.
        to: Timestamp,
    },
    /// Each week.
    Weekly(WeeklyHours),
}

/// What is different for one device.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeviceAlerting {
    /// Counts the changes: the highest is the newest.
    pub revision: u64,
    /// What people call it. None: its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Rules that differ from those of all devices.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rules: Rules,
    /// In which groups it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// It is never shut down on purpose: a planned absence is an alert as well.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub always_on: bool,
    /// The device behind which it hangs: without that one it cannot be reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uplink: Option<DeviceId>,
}
