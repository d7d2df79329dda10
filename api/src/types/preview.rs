//! What rules would have done in the past.

use poem_openapi::Object;

use super::{RuleChange, RuleValues, Time};

/// A question: how often would a rule have fired?
#[derive(Debug, Clone, PartialEq, Object)]
#[oai(deny_unknown_fields)]
pub struct PreviewQuestion {
    /// Id of a device. All devices if absent.
    #[oai(skip_serializing_if_is_none)]
    pub device: Option<String>,
    /// Which rule, e.g. `cpu`: `cpu`, `ram`, `swap`, `disk`, `inodes`, `load`, `temperature`,
    /// `network` or `offline`. Of the others the history has nothing.
    pub rule: String,
    /// Of a rule about disks: the mount point, e.g. `/home`. All disks if absent.
    #[oai(skip_serializing_if_is_none)]
    pub target: Option<String>,
    /// What would be set of the rule, beside what is: of the device, or of all devices.
    #[oai(default)]
    pub settings: RuleChange,
    /// How far back, in days: 1 to 30. 7 if absent.
    #[oai(
        default = "week",
        validator(minimum(value = "1"), maximum(value = "30"))
    )]
    pub days: u32,
}

fn week() -> u32 {
    7
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Object)]
pub struct PreviewAnswer {
    /// How often the rule would have fired.
    pub count: u64,
    /// From when on there was something to look at: the begin of the question, or of what is stored.
    pub from: Time,
    /// Until when.
    pub to: Time,
    /// What would have been in force, where one device was asked for.
    #[oai(skip_serializing_if_is_none)]
    pub values: Option<RuleValues>,
    /// Each time, by their begin: the newest 100 at most.
    pub firings: Vec<PreviewFiring>,
}

/// One time that a rule would have fired.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct PreviewFiring {
    /// Id of the device.
    pub device: String,
    /// Which rule, as its alert would have it, e.g. `disk-home`.
    pub rule: String,
    /// When it would have begun to fire.
    pub since: Time,
    /// When all would have been well again. Absent: it would still fire.
    #[oai(skip_serializing_if_is_none)]
    pub until: Option<Time>,
}
