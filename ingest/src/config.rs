//! What can be set.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Table `[ingest]` of the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Time between two commits, in seconds, from 0.1 to 60. What is not committed yet is lost
    /// when the hub is killed; each commit is a write to the card.
    pub commit_interval_secs: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            commit_interval_secs: 2.0,
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commit_interval_stays_within_its_bounds() {
        let check = |secs: f64, expected: f64| {
            let config = Config {
                commit_interval_secs: secs,
            };
            assert_eq!(config.commit_interval(), Duration::from_secs_f64(expected));
        };
        check(2.0, 2.0);
        check(0.0, 0.1);
        check(-5.0, 0.1);
        check(1e9, 60.0);
        check(f64::NAN, 2.0);
    }
}
