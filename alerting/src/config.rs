//! What can be set.

use std::time::Duration;

use netmonitor_rules::presence::Timing;
use serde::{Deserialize, Serialize};

/// Table `[alerting]` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How long agents may take to come back after the hub was away, in seconds. A hub that has
    /// started judges nobody before this and one and a half keepalives have passed.
    pub reconnect_secs: u16,
}

impl Default for Config {
    fn default() -> Self {
        Self { reconnect_secs: 10 }
    }
}

impl Config {
    /// How long to wait for what.
    pub fn timing(&self) -> Timing {
        Timing {
            reconnect: Duration::from_secs(self.reconnect_secs.into()),
            ..Timing::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use netmonitor_service::mqtt::RECONNECT_WAIT_MAX;

    use super::*;

    #[test]
    fn by_default_every_agent_has_the_time_to_come_back() {
        assert_eq!(Config::default().timing(), Timing::default());
        assert!(Timing::default().reconnect > RECONNECT_WAIT_MAX);
    }
}
