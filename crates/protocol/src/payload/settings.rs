//! What an agent is told to do.

use serde::{Deserialize, Serialize};

/// After how long without connection a device is reported as offline, in seconds, unless its
/// settings say otherwise.
pub const OFFLINE_TIMEOUT_SECS: u32 = 10;

/// The keepalive of an agent, in seconds, that goes with an offline timeout: two thirds of it,
/// so that a lost connection is noticed in time, but never below 5 (a busy machine must be able
/// to answer) and never above 60 (a lost connection is to be seen some day). 6 for the default.
pub fn keepalive_secs(offline_timeout_secs: u32) -> u16 {
    let two_thirds = offline_timeout_secs.saturating_mul(2) / 3;
    u16::try_from(two_thirds).unwrap_or(u16::MAX).clamp(5, 60)
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keepalive_is_at_most_two_thirds_of_the_offline_timeout_within_limits() {
        let check = |timeout, expected| assert_eq!(keepalive_secs(timeout), expected, "{timeout}");
        check(OFFLINE_TIMEOUT_SECS, 6);
        check(8, 5);
        check(9, 6);
        check(30, 20);
        check(0, 5);
        check(90, 60);
        check(u32::MAX, 60);
    }
}
