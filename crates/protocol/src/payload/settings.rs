//! What an agent is told to do.

use serde::{Deserialize, Serialize};

/// The settings of one device. What is left out is up to the agent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Time between two samples, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_secs: Option<f64>,
    /// After how long without connection the device is reported as offline, in seconds. The
    /// agent's keepalive follows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offline_timeout_secs: Option<u32>,
    /// Names of the services that are watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watched_services: Option<Vec<String>>,
    /// Whether notifications may be shown to the person at the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notifications: Option<bool>,
}
