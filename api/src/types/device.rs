//! Devices as the API shows them.

use netmonitor_protocol::payload as wire;
use poem_openapi::{Enum, Object};

use super::Time;
use super::alert::Alert;
use super::info::DeviceInfo;
use super::metrics::DeviceMetrics;
use super::round::tenth;
use super::service::ServiceCounts;

/// Whether a device is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum DeviceStatus {
    /// Its agent is connected.
    Online,
    /// Its agent is gone.
    Offline,
    /// Its agent is connected and sends no samples.
    Stale,
    /// The hub cannot tell: it has no word of the device since it is connected itself.
    Unknown,
}

/// Why a device is not online, or how it came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum DeviceCause {
    /// The agent was stopped; the machine may run on.
    Stopped,
    /// The machine was shut down.
    Shutdown,
    /// The machine went to sleep.
    Suspend,
    /// It went without a word, and the machine has started anew since.
    Reboot,
    /// It went without a word: a crash, a power cut, or the network.
    Lost,
    /// Another start of the agent, or another machine with the same identity, took its place.
    Replaced,
    /// The hub itself was away.
    HubRestart,
    /// The agent is newer than the hub.
    Unknown,
}

/// One device with its latest numbers.
#[derive(Debug, Clone, PartialEq, Object)]
pub struct Device {
    /// Id in URLs and MQTT topics.
    pub id: String,
    /// What people see.
    pub name: String,
    /// In which groups it is, for channels and maintenance windows.
    pub groups: Vec<String>,
    /// It is never shut down on purpose: a planned absence is an alert as well.
    pub always_on: bool,
    /// Id of the device that it hangs behind: without that one it cannot be reached.
    #[oai(skip_serializing_if_is_none)]
    pub uplink: Option<String>,
    /// Whether it is there.
    pub status: DeviceStatus,
    /// Why, where there is something to say.
    #[oai(skip_serializing_if_is_none)]
    pub cause: Option<DeviceCause>,
    /// Since when it has this status, as far as is known.
    #[oai(skip_serializing_if_is_none)]
    pub since: Option<Time>,
    /// When it last sent a sample.
    #[oai(skip_serializing_if_is_none)]
    pub last_seen: Option<Time>,
    /// By how much its clock is ahead of the hub's, in seconds; negative: behind. Absent while
    /// they agree within two seconds. Its samples are in the right place all the same.
    #[oai(skip_serializing_if_is_none)]
    pub clock_skew_secs: Option<f64>,
    /// How many of its samples are missing for good: they could not be kept until they were stored.
    /// Only in the answer about this one device, and absent while none is.
    #[oai(skip_serializing_if_is_none)]
    pub samples_lost: Option<u64>,
    /// Version of its agent.
    #[oai(skip_serializing_if_is_none)]
    pub agent_version: Option<String>,
    /// What it is. Absent until its agent has connected for the first time.
    #[oai(skip_serializing_if_is_none)]
    pub info: Option<DeviceInfo>,
    /// Its latest sample.
    #[oai(skip_serializing_if_is_none)]
    pub metrics: Option<DeviceMetrics>,
    /// Its services in numbers.
    #[oai(skip_serializing_if_is_none)]
    pub services: Option<ServiceCounts>,
    /// What is wrong with it; empty when all is well.
    pub troubles: Vec<Trouble>,
    /// Above these it is in trouble.
    pub limits: Limits,
    /// Its alerts that are not `ok`: see `/alerts`. Those that fire come first.
    pub alerts: Vec<Alert>,
}

/// A list of devices.
#[derive(Debug, Clone, PartialEq, Object)]
pub struct DevicePage {
    /// By id.
    pub items: Vec<Device>,
    /// Where the next page begins; null on the last one.
    pub next: Option<String>,
}

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum TroubleKind {
    /// The agent is gone.
    Offline,
    /// The agent is connected and sends no samples.
    Stale,
    /// Processor above its limit.
    Cpu,
    /// Memory above its limit.
    Ram,
    /// A disk above its limit.
    Disk,
    /// Services have failed.
    Services,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Object)]
pub struct Trouble {
    /// What.
    pub kind: TroubleKind,
    /// Which disk, or which services.
    #[oai(skip_serializing_if_is_none)]
    pub subject: Option<String>,
    /// The number that is too high, in percent; for services how many.
    #[oai(skip_serializing_if_is_none)]
    pub value: Option<f64>,
    /// What it should not exceed, in percent.
    #[oai(skip_serializing_if_is_none)]
    pub limit: Option<f64>,
}

/// Above these a device is in trouble. They follow its rules; 100 where the rule is off.
#[derive(Debug, Clone, Copy, PartialEq, Object)]
pub struct Limits {
    /// Processor, in percent.
    pub cpu_percent: f64,
    /// Memory, in percent.
    pub ram_percent: f64,
    /// Each disk, in percent.
    pub disk_percent: f64,
}

impl From<wire::PresenceState> for DeviceStatus {
    fn from(state: wire::PresenceState) -> Self {
        match state {
            wire::PresenceState::Online => Self::Online,
            wire::PresenceState::Offline => Self::Offline,
            wire::PresenceState::Stale => Self::Stale,
            wire::PresenceState::Unknown => Self::Unknown,
        }
    }
}

impl From<wire::PresenceCause> for DeviceCause {
    fn from(cause: wire::PresenceCause) -> Self {
        match cause {
            wire::PresenceCause::Stopped => Self::Stopped,
            wire::PresenceCause::Shutdown => Self::Shutdown,
            wire::PresenceCause::Suspend => Self::Suspend,
            wire::PresenceCause::Reboot => Self::Reboot,
            wire::PresenceCause::Lost => Self::Lost,
            wire::PresenceCause::Replaced => Self::Replaced,
            wire::PresenceCause::HubRestart => Self::HubRestart,
            wire::PresenceCause::Unknown => Self::Unknown,
        }
    }
}

impl From<netmonitor_rules::Limits> for Limits {
    fn from(limits: netmonitor_rules::Limits) -> Self {
        Self {
            cpu_percent: limits.cpu_percent,
            ram_percent: limits.ram_percent,
            disk_percent: limits.disk_percent,
        }
    }
}

impl From<netmonitor_rules::Exceeded> for Trouble {
    fn from(exceeded: netmonitor_rules::Exceeded) -> Self {
        let (kind, subject) = match exceeded.resource {
            netmonitor_rules::Resource::Cpu => (TroubleKind::Cpu, None),
            netmonitor_rules::Resource::Ram => (TroubleKind::Ram, None),
            netmonitor_rules::Resource::Disk(mount) => (TroubleKind::Disk, Some(mount)),
        };
        Self {
            kind,
            subject,
            value: Some(tenth(exceeded.value)),
            limit: Some(exceeded.limit),
        }
    }
}
