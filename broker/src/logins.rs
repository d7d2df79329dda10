//! Wrong passwords slow down the address that they come from. Passwords of machines cannot be
//! guessed (256 random bits): what is limited is the work that wrong ones cause.
//!
//! Nobody is locked out behind a shared address: a user who has been let in from there before
//! is checked as ever, and of the others a few at a time, after a wait.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a stranger waits for the check from an address with too many wrong passwords.
pub(crate) const WAIT: Duration = Duration::from_secs(1);
/// Strangers of such an address who may wait at once.
const WAITING_MAX: u32 = 8;
/// Addresses with wrong passwords that are remembered. When full, others share one place.
const ADDRESSES_MAX: usize = 4_096;
/// Users that are remembered with an address. When full, all are forgotten, and are known again
/// with their next login.
const KNOWN_MAX: usize = 10_000;
/// The place of those for whom there is none.
const SHARED: IpAddr = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);

/// What is remembered of logins.
#[derive(Debug)]
pub(crate) struct Logins {
    inner: Mutex<Inner>,
    failures_per_minute: f64,
}

#[derive(Debug, Default)]
struct Inner {
    addresses: HashMap<IpAddr, Failures>,
    known: HashSet<(IpAddr, Box<str>)>,
}

/// Wrong passwords of one address: a bucket that runs dry and fills up again in a minute.
#[derive(Debug)]
struct Failures {
    left: f64,
    at: Instant,
    waiting: u32,
}

/// When a password is checked.
#[derive(Debug)]
pub(crate) enum Check {
    Now,
    /// After [`WAIT`]; the place in the queue is given back when this is dropped.
    Later(Waiting),
    /// Not at all: too many wait already.
    Never,
}

/// A place in the queue of an address.
#[derive(Debug)]
pub(crate) struct Waiting {
    logins: Arc<Logins>,
    address: IpAddr,
}

impl Logins {
    /// So many wrong passwords in a minute are answered at once, for each address.
    pub(crate) fn new(failures_per_minute: u32) -> Self {
        Self {
            inner: Mutex::default(),
            failures_per_minute: f64::from(failures_per_minute.max(1)),
        }
    }

    /// Somebody wants to be let in as this user.
    pub(crate) fn ask(self: &Arc<Self>, now: Instant, address: IpAddr, user: &str) -> Check {
        let mut inner = self.inner();
        let is_known = inner.known.contains(&(address, user.into()));
        let address = inner.place(address);
        let max = self.failures_per_minute;
        let Some(failures) = inner.addresses.get_mut(&address) else {
            return Check::Now;
        };
        failures.refill(now, max);
        let (is_fine, waiting) = (failures.left >= 1.0, failures.waiting);
        if failures.left >= max && waiting == 0 {
            inner.addresses.remove(&address);
        }
        if is_fine || is_known {
            return Check::Now;
        }
        if waiting >= WAITING_MAX {
            return Check::Never;
        }
        if let Some(failures) = inner.addresses.get_mut(&address) {
            failures.waiting += 1;
        }
        Check::Later(Waiting {
            logins: self.clone(),
            address,
        })
    }

    /// The password was wrong.
    pub(crate) fn failed(&self, now: Instant, address: IpAddr) {
        let mut inner = self.inner();
        if inner.addresses.len() >= ADDRESSES_MAX {
            let max = self.failures_per_minute;
            inner.addresses.retain(|_, failures| {
                failures.refill(now, max);
                failures.left < max || failures.waiting > 0
            });
        }
        let address = inner.place(address);
        let failures = inner.addresses.entry(address).or_insert(Failures {
            left: self.failures_per_minute,
            at: now,
            waiting: 0,
        });
        failures.refill(now, self.failures_per_minute);
        failures.left = (failures.left - 1.0).max(0.0);
    }

    /// The user was let in.
    pub(crate) fn succeeded(&self, address: IpAddr, user: &str) {
        let mut inner = self.inner();
        let key = (address, user.into());
        if inner.known.contains(&key) {
            return;
        }
        if inner.known.len() >= KNOWN_MAX {
            inner.known = HashSet::new();
        }
        inner.known.insert(key);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn place(&self, address: IpAddr) -> IpAddr {
        if self.addresses.contains_key(&address) || self.addresses.len() < ADDRESSES_MAX {
            address
        } else {
            SHARED
        }
    }
}

impl Failures {
    fn refill(&mut self, now: Instant, max: f64) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + passed * max / 60.0).min(max);
        self.at = now;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(failures) = self.logins.inner().addresses.get_mut(&self.address) {
            failures.waiting = failures.waiting.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const TWO: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

    fn dry(now: Instant) -> Arc<Logins> {
        let logins = Arc::new(Logins::new(3));
        logins.succeeded(ONE, "agent");
        for _ in 0..3 {
            assert!(matches!(logins.ask(now, ONE, "x"), Check::Now));
            logins.failed(now, ONE);
        }
        logins
    }

    #[test]
    fn strangers_of_an_address_with_wrong_passwords_wait_a_few_at_a_time() {
        let now = Instant::now();
        let logins = dry(now);
        let waiting: Vec<_> = (0..WAITING_MAX)
            .map(|_| logins.ask(now, ONE, "x"))
            .collect();
        assert!(waiting.iter().all(|check| matches!(check, Check::Later(_))));
        assert!(matches!(logins.ask(now, ONE, "x"), Check::Never));
        drop(waiting);
        assert!(matches!(logins.ask(now, ONE, "x"), Check::Later(_)));
    }

    #[test]
    fn known_users_and_other_addresses_are_checked_as_ever() {
        let now = Instant::now();
        let logins = dry(now);
        assert!(matches!(logins.ask(now, ONE, "agent"), Check::Now));
        assert!(matches!(logins.ask(now, TWO, "x"), Check::Now));
    }

    #[test]
    fn it_passes_and_leaves_nothing_behind() {
        let now = Instant::now();
        let logins = dry(now);
        let later = now + Duration::from_secs(21);
        assert!(matches!(logins.ask(later, ONE, "x"), Check::Now));
        let much_later = now + Duration::from_secs(61);
        assert!(matches!(logins.ask(much_later, ONE, "x"), Check::Now));
        assert!(logins.inner().addresses.is_empty());
    }

    #[test]
    fn the_tables_are_bounded() {
        let now = Instant::now();
        let logins = Logins::new(3);
        for n in 0..u32::try_from(2 * ADDRESSES_MAX).unwrap() {
            logins.failed(now, IpAddr::V4((n + 1).into()));
            logins.succeeded(ONE, &n.to_string());
        }
        for n in 0..KNOWN_MAX {
            logins.succeeded(TWO, &n.to_string());
        }
        assert!(logins.inner().addresses.len() <= ADDRESSES_MAX + 1);
        assert!(logins.inner().known.len() <= KNOWN_MAX);
    }
}
