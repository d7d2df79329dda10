//! The hub itself.

use netmonitor_protocol::payload::DegradedReason;
use poem_openapi::{Enum, Object};

use super::Time;

/// What a service of the hub does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum HubServiceState {
    /// Connected and at work.
    Running,
    /// Connected, and something keeps it from its work.
    Degraded,
    /// It said goodbye, or was lost.
    Stopped,
    /// Nothing was heard of it since the hub started.
    Missing,
}

/// What keeps a service from its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum HubServiceReason {
    /// There is no room on the disk.
    DiskFull,
    /// The disk or the database cannot be written.
    NotWritable,
    /// The database is damaged.
    Damaged,
    /// Nobody has told the hub yet what time it is.
    ClockNotSet,
}

impl HubServiceReason {
    /// None for a word that this version does not know.
    pub fn of(reason: DegradedReason) -> Option<Self> {
        match reason {
            DegradedReason::DiskFull => Some(Self::DiskFull),
            DegradedReason::NotWritable => Some(Self::NotWritable),
            DegradedReason::Damaged => Some(Self::Damaged),
            DegradedReason::ClockNotSet => Some(Self::ClockNotSet),
            DegradedReason::Unknown => None,
        }
    }
}

/// One service of the hub.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct HubService {
    /// `broker`, `ingest` or `api`.
    pub name: String,
    /// What it does.
    pub state: HubServiceState,
    /// What keeps it from its work, if it is `degraded` and says why.
    #[oai(skip_serializing_if_is_none)]
    pub reason: Option<HubServiceReason>,
    /// Since when it runs, or ran.
    #[oai(skip_serializing_if_is_none)]
    pub since: Option<Time>,
    /// Its version.
    #[oai(skip_serializing_if_is_none)]
    pub version: Option<String>,
}

/// One listener of the hub.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct Address {
    /// `http`, `https`, `mqtt`, `mqtts` or `mqtt-ws`.
    pub listener: String,
    /// Address and port.
    pub address: String,
}

/// The hub and how its services are doing.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct Hub {
    /// Host name of the hub.
    pub name: String,
    /// Version of the api service.
    pub version: String,
    /// The hub's clock.
    pub time: Time,
    /// Its services.
    pub services: Vec<HubService>,
    /// Where it listens.
    pub addresses: Vec<Address>,
}
