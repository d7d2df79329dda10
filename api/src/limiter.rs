//! Login attempts are limited per account and per address, so that passwords cannot be guessed.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};

/// At once per account, and then one more in [`ACCOUNT_REFILL`]. Logins that succeed count as
/// well; nobody logs in so often.
const ACCOUNT_BURST: NonZeroU32 = NonZeroU32::new(20).expect("not zero");
const ACCOUNT_REFILL: Duration = Duration::from_secs(20);

/// At once per address: a school may share one.
const ADDRESS_BURST: NonZeroU32 = NonZeroU32::new(60).expect("not zero");
const ADDRESS_REFILL: Duration = Duration::from_secs(5);

/// Who is remembered at most before those that matter no more are forgotten.
const KEYS: usize = 10_000;

/// Counts attempts.
#[derive(Debug)]
pub(crate) struct Limiter {
    accounts: DefaultKeyedRateLimiter<String>,
    addresses: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
}

impl Limiter {
    pub(crate) fn new() -> Self {
        let quota =
            |refill, burst| Quota::with_period(refill).map(|quota| quota.allow_burst(burst));
        Self {
            accounts: DefaultKeyedRateLimiter::keyed(
                quota(ACCOUNT_REFILL, ACCOUNT_BURST).expect("the period is not zero"),
            ),
            addresses: DefaultKeyedRateLimiter::keyed(
                quota(ADDRESS_REFILL, ADDRESS_BURST).expect("the period is not zero"),
            ),
            clock: DefaultClock::default(),
        }
    }

    /// Counts an attempt, or says how long to wait before the next.
    pub(crate) fn attempt(&self, account: &str, address: Option<IpAddr>) -> Result<(), Duration> {
        if self.accounts.len() + self.addresses.len() > KEYS {
            self.accounts.retain_recent();
            self.addresses.retain_recent();
        }
        let now = self.clock.now();
        if let Some(address) = address {
            self.addresses
                .check_key(&network(address))
                .map_err(|until| until.wait_time_from(now))?;
        }
        self.accounts
            .check_key(&account.to_lowercase())
            .map_err(|until| until.wait_time_from(now))
    }
}

/// An IPv6 host has a whole /64 to itself (RFC 4291, section 2.5.1); IPv4 in IPv6 is IPv4.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_one_password_is_stopped_whatever_the_case_and_the_address() {
        let limiter = Limiter::new();
        let address = |n: u32| Some(IpAddr::from(n.to_be_bytes()));
        for n in 0..20 {
            let name = if n % 2 == 0 { "Admin" } else { "admin" };
            assert_eq!(limiter.attempt(name, address(n)), Ok(()));
        }
        let wait = limiter.attempt("ADMIN", address(99)).unwrap_err();
        assert!(
            wait > Duration::from_secs(1) && wait <= ACCOUNT_REFILL,
            "{wait:?}"
        );
        assert_eq!(limiter.attempt("other", address(99)), Ok(()));
    }

    #[test]
    fn trying_many_names_from_one_network_is_stopped() {
        let limiter = Limiter::new();
        let from = |n: u16| Some(IpAddr::from([0x2001, 0xdb8, 0, 1, n, 0, 0, n]));
        let allowed = (0..100)
            .filter(|n| limiter.attempt(&format!("name{n}"), from(*n)).is_ok())
            .count();
        assert_eq!(allowed, 60);
        let neighbour = Some(IpAddr::from([0x2001, 0xdb8, 0, 2, 0, 0, 0, 1]));
        assert_eq!(limiter.attempt("name", neighbour), Ok(()));
    }
}
