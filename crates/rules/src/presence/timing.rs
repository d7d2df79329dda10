//! How long to wait for what.

use std::time::Duration;

use netmonitor_protocol::payload::{OFFLINE_TIMEOUT_SECS, keepalive_secs};

/// How long agents may be silent, and how soon they come back. Everything else follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// The keepalive of the agents: a broker gives a connection up after one and a half of it
    /// (MQTT 5.0, section 3.1.2.10).
    pub keep_alive: Duration,
    /// Within this everybody comes back who noticed that the hub was away: the longest wait of
    /// an agent between two attempts, and what connecting takes.
    pub reconnect: Duration,
}

/// What a sample may be late beyond what the keepalive allows.
const LATE: Duration = Duration::from_secs(2);

impl Default for Timing {
    /// That of the agents: the keepalive that goes with the offline timeout, a backoff of up to
    /// 8 s, and 2 s to connect.
    fn default() -> Self {
        Self {
            keep_alive: Duration::from_secs(keepalive_secs(OFFLINE_TIMEOUT_SECS).into()),
            reconnect: Duration::from_secs(10),
        }
    }
}

impl Timing {
    /// After this without a sample a connected device is stale.
    pub fn stale_after(&self, interval: Duration) -> Duration {
        interval
            .saturating_mul(3)
            .max(self.given_up_after().saturating_add(LATE))
    }

    /// When a hub that was blind says that it does not know.
    pub fn unsure_after(&self) -> Duration {
        self.reconnect
    }

    /// When a hub that was blind concludes that a device is gone. A device that stayed connected
    /// had not to come back: it has only its samples to show that it is there: `interval` is the time between them.
    pub fn judged_after(&self, interval: Option<Duration>) -> Duration {
        let all_are_back = self.given_up_after().saturating_add(self.unsure_after());
        let has_sent = interval.map_or(Duration::ZERO, |interval| self.stale_after(interval));
        all_are_back.max(has_sent)
    }

    fn given_up_after(&self) -> Duration {
        self.keep_alive.saturating_mul(3) / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_are_those_of_the_design() {
        let timing = Timing::default();
        let secs = Duration::from_secs;
        assert_eq!(timing.stale_after(secs(3)), secs(11));
        assert_eq!(timing.stale_after(secs(60)), secs(180));
        assert_eq!(timing.unsure_after(), secs(10));
        assert_eq!(timing.judged_after(None), secs(19));
        assert_eq!(timing.judged_after(Some(secs(3))), secs(19));
        assert_eq!(timing.judged_after(Some(secs(60))), secs(180));
    }

    #[test]
    fn absurd_settings_do_not_overflow() {
        let timing = Timing {
            keep_alive: Duration::MAX,
            reconnect: Duration::MAX,
        };
        assert!(timing.judged_after(Some(Duration::MAX)) > Duration::from_secs(1));
    }
}
