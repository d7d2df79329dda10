//! What can be set.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Table `[ingest]` of the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How long a live sample waits at most for its commit, in seconds, from 0.1 to 60. Each
    /// commit is one sync of the card: 1,440 a day with 60 s. Agents keep what is not committed.
    pub commit_interval_secs: f64,
    /// How long after its start a machine without a clock of its own may take to learn the time
    /// from the network, in seconds. Nothing is committed before; then its clock is believed.
    /// Nothing is removed for its age before it has gone on for six times as long unmoved.
    pub clock_wait_secs: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            commit_interval_secs: 60.0,
            clock_wait_secs: 600,
        }
    }
}

impl Config {
    /// The commit interval, within its bounds.
    pub fn commit_interval(&self) -> Duration {
        let seconds = if self.commit_interval_secs.is_finite() {
            self.commit_interval_secs.clamp(0.1, 60.0)
        } else {
            Self::default().commit_interval_secs
        };
        Duration::from_secs_f64(seconds)
    }

    /// How long to wait for the network to tell the time.
    pub fn clock_wait(&self) -> Duration {
        Duration::from_secs(self.clock_wait_secs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commit_interval_stays_within_its_bounds() {
        let check = |secs: f64, expected: f64| {
            let config = Config {
                commit_interval_secs: secs,
                ..Config::default()
            };
            assert_eq!(config.commit_interval(), Duration::from_secs_f64(expected));
        };
        check(2.0, 2.0);
        check(0.0, 0.1);
        check(-5.0, 0.1);
        check(1e9, 60.0);
        check(f64::NAN, 60.0);
    }
}
