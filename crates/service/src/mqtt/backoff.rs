//! How long to wait before the next attempt to connect.

use std::time::Duration;

/// The first wait. Short, because most often it is the broker that restarts.
const FIRST: Duration = Duration::from_millis(250);

/// The longest wait: after a long outage everyone is back within this.
const LONGEST: Duration = Duration::from_secs(8);

/// Doubling waits with a cap. Half of each is random, so that a thousand agents do not come
/// back in the same instant.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The connection stood: the next failure is the first again.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// The next wait; `random` is from 0 to 1.
    pub(crate) fn next(&mut self, random: f64) -> Duration {
        let doubled = FIRST.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        let full = doubled.min(LONGEST);
        full.mul_f64(0.5 + 0.5 * random.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap_and_start_anew_after_a_connection() {
        let mut backoff = Backoff::default();
        let waits: Vec<u128> = (0..8).map(|_| backoff.next(1.0).as_millis()).collect();
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 8000, 8000, 8000]);
        backoff.reset();
        assert_eq!(backoff.next(0.0), Duration::from_millis(125));
    }

    #[test]
    fn a_long_outage_does_not_overflow() {
        let mut backoff = Backoff::default();
        for _ in 0..100 {
            assert!(backoff.next(1.0) <= LONGEST);
        }
    }
}
