//! How long to wait before the next attempt to connect.

use std::time::Duration;

/// The longest wait: after a long outage everyone is back within this, and the time that one
/// attempt takes.
pub const RECONNECT_WAIT_MAX: Duration = Duration::from_secs(8);

/// How soon a client comes back after its connection was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// A service of the hub: there are a few of them, the broker is beside them, and others
    /// wait for them. At most 250 ms before the first attempt.
    Service,
    /// An agent: there may be a thousand, and each costs the broker a TLS handshake. At most
    /// one second before the first attempt.
    Agent,
}

impl Pace {
    fn first(self) -> Duration {
        match self {
            Self::Service => Duration::from_millis(250),
            Self::Agent => Duration::from_secs(1),
        }
    }
}

/// The part of a wait that is not left to chance, so that a broker that refuses is not asked
/// all the time.
const CERTAIN: f64 = 0.1;

/// Doubling waits with a cap. Nine tenths of each are random: a thousand agents that lost the
/// broker in the same instant spread over the whole first wait.
#[derive(Debug)]
pub(crate) struct Backoff {
    pace: Pace,
    failures: u32,
}

impl Backoff {
    pub(crate) fn new(pace: Pace) -> Self {
        Self { pace, failures: 0 }
    }

    /// The connection stood: the next failure is the first again.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// Whether nothing has failed since the connection stood, or since the start.
    pub(crate) fn is_fresh(&self) -> bool {
        self.failures == 0
    }

    /// The next wait; `random` is from 0 to 1.
    pub(crate) fn next(&mut self, random: f64) -> Duration {
        let doubled = self.pace.first().saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        let full = doubled.min(RECONNECT_WAIT_MAX);
        full.mul_f64(CERTAIN + (1.0 - CERTAIN) * random.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap_and_start_anew_after_a_connection() {
        let check = |pace, expected: [u128; 7], least| {
            let mut backoff = Backoff::new(pace);
            let waits = [(); 7].map(|()| backoff.next(1.0).as_millis());
            assert_eq!(waits, expected);
            backoff.reset();
            assert_eq!(backoff.next(0.0).as_millis(), least);
        };
        check(Pace::Service, [250, 500, 1000, 2000, 4000, 8000, 8000], 25);
        check(Pace::Agent, [1000, 2000, 4000, 8000, 8000, 8000, 8000], 100);
    }

    #[test]
    fn a_long_outage_does_not_overflow() {
        let mut backoff = Backoff::new(Pace::Agent);
        for _ in 0..100 {
            assert!(backoff.next(1.0) <= RECONNECT_WAIT_MAX);
        }
    }

    #[test]
    fn a_thousand_agents_do_not_come_back_in_one_instant() {
        let mut tenths = [0; 10];
        for agent in 0..1000 {
            let random = f64::from(agent) / 1000.0;
            let wait = Backoff::new(Pace::Agent).next(random);
            let tenth = usize::try_from(wait.as_millis() / 100).unwrap();
            tenths[tenth] += 1;
        }
        assert_eq!(tenths.iter().sum::<i32>(), 1000);
        assert!(tenths.iter().all(|agents| *agents < 150), "{tenths:?}");
    }
}
