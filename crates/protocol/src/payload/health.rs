//! How one service of the hub is doing.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Presence and counters of one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceHealth {
    /// What it does now.
    pub state: ServiceState,
    /// What keeps it from its work, if it is [`ServiceState::Degraded`] and can say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<DegradedReason>,
    /// Since when, by the hub's clock. In a will: since when the service had been running.
    pub since: Timestamp,
    /// Its version.
    pub version: String,
    /// Ingest only: how long a sample waits at most until it is on disk and acknowledged, in
    /// milliseconds. An agent that has heard nothing for twice as long sends again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit_interval_ms: Option<u64>,
    /// What it has counted since its start: messages, errors, what was dropped and why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counters: BTreeMap<String, u64>,
}

/// What a service does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceState {
    /// Connected and at work.
    Running,
    /// Connected, and something keeps it from its work.
    Degraded,
    /// Gone: said by itself, or by the broker through its will.
    Stopped,
    /// A word that this version does not know.
    #[serde(other)]
    Unknown,
}

/// What keeps a service from its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DegradedReason {
    /// There is no room on the disk.
    DiskFull,
    /// The disk or the database cannot be written.
    NotWritable,
    /// The database is damaged.
    Damaged,
    /// Nobody has told the hub yet what time it is.
    ClockNotSet,
    /// A word that this version does not know.
    #[serde(other)]
    Unknown,
}
