//! Wrong passwords slow down the name that they are tried with, from the address that they come
//! from. Passwords of machines cannot be guessed (256 random bits): what is limited is the work
//! that wrong ones cause.
//!
//! Nobody is held up by what others behind the same address do: a name that has not failed itself
//! is checked at once, also after a restart, and so is one that was let in from there before, even
//! if somebody else tries it with wrong passwords. Names that nobody has count as one.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::bucket::{Bucket, Rate};

/// How long a login waits for the check when its name has had too many wrong passwords.
pub(crate) const WAIT: Duration = Duration::from_secs(1);
/// Logins of such a name that may wait at once.
const WAITING_MAX: u32 = 8;
/// Names and addresses with wrong passwords that are remembered. When full, further ones share
/// one place, and so do names that nobody has.
const PLACES_MAX: usize = 4_096;

/// Names and addresses that were let in and are remembered. When full, all are forgotten, and are
/// known again with their next login.
const KNOWN_MAX: usize = 10_000;

/// What is remembered of logins.
#[derive(Debug)]
pub(crate) struct Logins {
    inner: Mutex<Inner>,
    failures: Rate,
}

#[derive(Debug, Default)]
struct Inner {
    places: HashMap<Place, Failures>,
    known: HashSet<Place>,
}

/// A name and where it is used.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    /// None: of all those for whom there is no place.
    address: Option<IpAddr>,
    /// Empty: of all names that nobody has.
    user: Box<str>,
}

impl Place {
    /// `is_user`: there is somebody of that name.
    pub(crate) fn new(address: IpAddr, user: &str, is_user: bool) -> Self {
        let user = if is_user {
            // Names are without regard to case.
            user.to_lowercase()
        } else {
            String::new()
        };
        Self {
            address: Some(address),
            user: user.into(),
        }
    }

    /// The place of those for whom there is none.
    fn shared() -> Self {
        Self {
            address: None,
            user: Box::default(),
        }
    }
}

/// Wrong passwords in one place: a bucket that runs dry and fills up again in a minute.
#[derive(Debug)]
struct Failures {
    bucket: Bucket,
    waiting: u32,
}

/// When a password is checked.
#[derive(Debug)]
pub(crate) enum Check {
    Now,
    /// After [`WAIT`]; the turn is given back when this is dropped.
    Later(Waiting),
    /// Not at all: too many wait already.
    Never,
}

/// A turn in the queue of a place.
#[derive(Debug)]
pub(crate) struct Waiting {
    logins: Arc<Logins>,
    place: Place,
}

impl Logins {
    /// So many wrong passwords in a minute are answered at once, for each name and address.
    pub(crate) fn new(failures_per_minute: u32) -> Self {
        Self {
            inner: Mutex::default(),
            failures: Rate::new(failures_per_minute, failures_per_minute),
        }
    }

    /// Somebody wants to be let in.
    pub(crate) fn ask(self: &Arc<Self>, now: Instant, place: &Place) -> Check {
        let mut inner = self.inner();
        if inner.known.contains(place) {
            return Check::Now;
        }
        let places = &mut inner.places;
        // A name that has not failed has no place, also when there is no room for it.
        let place = if place.user.is_empty() {
            find(places, place)
        } else {
            place.clone()
        };
        let Some(failures) = places.get_mut(&place) else {
            return Check::Now;
        };
        if failures.bucket.has_one(now, self.failures) {
            if failures.bucket.is_full(now, self.failures) && failures.waiting == 0 {
                places.remove(&place);
            }
            return Check::Now;
        }
        if failures.waiting >= WAITING_MAX {
            return Check::Never;
        }
        failures.waiting += 1;
        Check::Later(Waiting {
            logins: self.clone(),
            place,
        })
    }

    /// The password was wrong.
    pub(crate) fn failed(&self, now: Instant, place: &Place) {
        let mut inner = self.inner();
        let places = &mut inner.places;
        if places.len() >= PLACES_MAX {
            places.retain(|_, failures| {
                !failures.bucket.is_full(now, self.failures) || failures.waiting > 0
            });
        }
        let place = find(places, place);
        let failures = places.entry(place).or_insert(Failures {
            bucket: Bucket::full(now, self.failures),
            waiting: 0,
        });
        failures.bucket.take(now, self.failures);
    }

    /// The user was let in.
    pub(crate) fn succeeded(&self, place: Place) {
        let known = &mut self.inner().known;
        if known.len() >= KNOWN_MAX && !known.contains(&place) {
            *known = HashSet::new();
        }
        known.insert(place);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place, or the shared one if there is no room.
fn find(places: &HashMap<Place, Failures>, place: &Place) -> Place {
    if places.contains_key(place) || places.len() < PLACES_MAX {
        place.clone()
    } else {
        Place::shared()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(failures) = self.logins.inner().places.get_mut(&self.place) {
            failures.waiting = failures.waiting.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const TWO: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

    fn revoked() -> Place {
        Place::new(ONE, "revoked", false)
    }

    fn dry(now: Instant) -> Arc<Logins> {
        let logins = Arc::new(Logins::new(3));
        for place in [revoked(), Place::new(ONE, "clumsy", true)] {
            for _ in 0..3 {
                assert!(matches!(logins.ask(now, &place), Check::Now));
                logins.failed(now, &place);
            }
        }
        logins
    }

    #[test]
    fn a_name_with_wrong_passwords_waits_a_few_at_a_time() {
        let now = Instant::now();
        let logins = dry(now);
        for name in [Place::new(ONE, "Clumsy", true), revoked()] {
            let waiting: Vec<_> = (0..WAITING_MAX).map(|_| logins.ask(now, &name)).collect();
            assert!(waiting.iter().all(|check| matches!(check, Check::Later(_))));
            assert!(matches!(logins.ask(now, &name), Check::Never));
            drop(waiting);
            assert!(matches!(logins.ask(now, &name), Check::Later(_)));
        }
    }

    #[test]
    fn names_that_have_not_failed_and_other_addresses_are_checked_as_ever() {
        let now = Instant::now();
        let logins = dry(now);
        let honest = Place::new(ONE, "agent", true);
        assert!(matches!(logins.ask(now, &honest), Check::Now));
        let elsewhere = Place::new(TWO, "clumsy", true);
        assert!(matches!(logins.ask(now, &elsewhere), Check::Now));
        let invented = Place::new(ONE, "invented", false);
        assert!(matches!(logins.ask(now, &invented), Check::Later(_)));
    }

    #[test]
    fn a_name_that_was_let_in_from_there_is_checked_as_ever_whatever_others_try() {
        let now = Instant::now();
        let logins = dry(now);
        let clumsy = Place::new(ONE, "clumsy", true);
        assert!(matches!(logins.ask(now, &clumsy), Check::Later(_)));
        logins.succeeded(clumsy.clone());
        assert!(matches!(logins.ask(now, &clumsy), Check::Now));
    }

    #[test]
    fn it_passes_and_leaves_nothing_behind() {
        let now = Instant::now();
        let logins = dry(now);
        let later = now + Duration::from_secs(21);
        assert!(matches!(logins.ask(later, &revoked()), Check::Now));
        let much_later = now + Duration::from_secs(61);
        for place in [revoked(), Place::new(ONE, "clumsy", true)] {
            assert!(matches!(logins.ask(much_later, &place), Check::Now));
        }
        assert!(logins.inner().places.is_empty());
    }

    #[test]
    fn the_table_is_bounded_and_honest_names_need_no_place_in_it() {
        let now = Instant::now();
        let logins = Arc::new(Logins::new(3));
        for n in 0..u32::try_from(2 * PLACES_MAX).unwrap() {
            let address = IpAddr::V4((n + 1).into());
            logins.failed(now, &Place::new(address, "x", n % 2 == 0));
            logins.succeeded(Place::new(ONE, &n.to_string(), true));
            logins.succeeded(Place::new(TWO, &n.to_string(), true));
        }
        assert!(logins.inner().known.len() <= KNOWN_MAX);
        assert!(logins.inner().places.len() <= PLACES_MAX + 1);
        let far = IpAddr::V4(std::net::Ipv4Addr::BROADCAST);
        let honest = Place::new(far, "agent", true);
        assert!(matches!(logins.ask(now, &honest), Check::Now));
        let invented = Place::new(far, "invented", false);
        assert!(matches!(logins.ask(now, &invented), Check::Later(_)));
    }
}
