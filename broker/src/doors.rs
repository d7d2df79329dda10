//! Which sockets may be open. Those of strangers, who have not shown a credential yet, have a
//! small share of their own, so that they cannot take the place of those who are in.
//!
//! When that share is used up, a stranger who owes us its next word makes room for the newcomer:
//! the oldest one of the address that has most. Nobody can keep others out by saying nothing, not
//! even behind the same address.

pub(crate) mod guarded;
pub(crate) mod logins;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::counters::Counter;
use crate::origin::network_of;

/// Counts the sockets.
pub(crate) struct Doors {
    inner: Mutex<Inner>,
    sockets_max: usize,
    strangers_max: usize,
}

#[derive(Default)]
struct Inner {
    inside: usize,
    /// By the order in which they came.
    strangers: BTreeMap<u64, Stranger>,
    next: u64,
}

struct Stranger {
    address: IpAddr,
    waiting: Waiting,
    leave: CancellationToken,
}

/// Whether a socket waits for its peer, and not for us.
#[derive(Debug, Clone, Default)]
pub(crate) struct Waiting(Arc<AtomicBool>);

impl Waiting {
    /// Says so.
    pub(crate) fn set(&self, is_waiting: bool) {
        self.0.store(is_waiting, Ordering::Relaxed);
    }

    fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Doors {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            inner: Mutex::default(),
            sockets_max: config.connections_max,
            strangers_max: config.connections_unauthenticated_max,
        }
    }

    /// Room for a socket of a stranger, or what there is too much of. `shutdown` ends it, too.
    pub(crate) fn open(
        self: &Arc<Self>,
        peer: IpAddr,
        shutdown: &CancellationToken,
    ) -> Result<Ticket, Counter> {
        let mut inner = self.inner();
        let is_full = inner.inside + inner.strangers.len() >= self.sockets_max;
        let is_crowded = inner.strangers.len() >= self.strangers_max;
        if (is_full || is_crowded) && !inner.make_room() {
            return Err(if is_full {
                Counter::ConnectionsOverLimit
            } else {
                Counter::ConnectionsUnauthenticatedOverLimit
            });
        }
        let number = inner.next;
        inner.next += 1;
        let (waiting, leave) = (Waiting::default(), shutdown.child_token());
        let stranger = Stranger {
            address: network_of(peer),
            waiting: waiting.clone(),
            leave: leave.clone(),
        };
        inner.strangers.insert(number, stranger);
        drop(inner);
        Ok(Ticket {
            doors: self.clone(),
            number,
            is_inside: false,
            waiting,
            leave,
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Sends a stranger away. False: each of them waits for us.
    fn make_room(&mut self) -> bool {
        let mut crowds = HashMap::<IpAddr, usize>::new();
        for stranger in self.strangers.values() {
            *crowds.entry(stranger.address).or_default() += 1;
        }
        let waiting = self.strangers.iter().filter(|(_, s)| s.waiting.get());
        let first = waiting.max_by_key(|(number, s)| (crowds.get(&s.address), Reverse(**number)));
        let first = first.map(|(number, _)| *number);
        let sent_away = first.and_then(|number| self.strangers.remove(&number));
        if let Some(stranger) = &sent_away {
            stranger.leave.cancel();
        }
        sent_away.is_some()
    }
}

/// Leave for one socket to be open, given back when dropped.
pub(crate) struct Ticket {
    doors: Arc<Doors>,
    number: u64,
    /// Its client has shown its credential.
    is_inside: bool,
    waiting: Waiting,
    leave: CancellationToken,
}

impl Ticket {
    /// Where to say whether the stranger has anything to wait for.
    pub(crate) fn waiting(&self) -> Waiting {
        self.waiting.clone()
    }

    /// Cancelled when a stranger has to go, to make room or because the broker stops.
    pub(crate) fn leave(&self) -> CancellationToken {
        self.leave.clone()
    }

    /// Whether it had to make room for another.
    pub(crate) fn is_sent_away(&self) -> bool {
        !self.is_inside && !self.doors.inner().strangers.contains_key(&self.number)
    }

    /// Its client is no stranger any more.
    pub(crate) fn admitted(&mut self) {
        let mut inner = self.doors.inner();
        inner.strangers.remove(&self.number);
        inner.inside += usize::from(!self.is_inside);
        drop(inner);
        self.is_inside = true;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut inner = self.doors.inner();
        inner.strangers.remove(&self.number);
        inner.inside -= usize::from(self.is_inside);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doors() -> Arc<Doors> {
        Arc::new(Doors::new(&Config {
            connections_max: 6,
            connections_unauthenticated_max: 3,
            ..Config::default()
        }))
    }

    fn open(doors: &Arc<Doors>, peer: &str) -> Result<Ticket, Counter> {
        doors.open(peer.parse().unwrap(), &CancellationToken::new())
    }

    fn silent(doors: &Arc<Doors>, peer: &str) -> Ticket {
        let ticket = open(doors, peer).unwrap();
        ticket.waiting.set(true);
        ticket
    }

    #[test]
    fn the_oldest_silent_stranger_of_the_most_crowded_address_makes_room() {
        let doors = doors();
        let other = silent(&doors, "10.0.0.2");
        let speaking = open(&doors, "10.0.0.1").unwrap();
        let older = silent(&doors, "::ffff:10.0.0.1");
        let newer = silent(&doors, "10.0.0.1");
        assert!(older.is_sent_away() && older.leave().is_cancelled());
        let newest = silent(&doors, "10.0.0.1");
        assert!(newer.is_sent_away());
        assert!(![&other, &speaking, &newest].map(Ticket::is_sent_away)[..].contains(&true));
    }

    #[test]
    fn nobody_who_waits_for_us_makes_room() {
        let doors = doors();
        let mut all: Vec<_> = (0..3).map(|_| open(&doors, "10.0.0.1").unwrap()).collect();
        assert_eq!(
            open(&doors, "10.0.0.2").err(),
            Some(Counter::ConnectionsUnauthenticatedOverLimit)
        );
        all[0].admitted();
        all.push(open(&doors, "10.0.0.2").unwrap());
        assert!(!all.iter().any(Ticket::is_sent_away));
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let doors = doors();
        let other = silent(&doors, "2001:db8:0:1::1");
        let first = silent(&doors, "2001:db8::1");
        let _second = silent(&doors, "2001:db8::2");
        let _third = silent(&doors, "10.0.0.1");
        assert!(first.is_sent_away() && !other.is_sent_away());
    }

    #[test]
    fn those_who_are_in_count_among_all_sockets_and_leave_nothing_behind() {
        let doors = doors();
        let mut inside = Vec::new();
        for _ in 0..6 {
            let mut ticket = open(&doors, "10.0.0.1").unwrap();
            ticket.admitted();
            ticket.waiting.set(true);
            inside.push(ticket);
        }
        assert_eq!(
            open(&doors, "127.0.0.1").err(),
            Some(Counter::ConnectionsOverLimit)
        );
        drop(inside);
        let inner = doors.inner();
        assert_eq!((inner.inside, inner.strangers.len()), (0, 0));
    }
}
