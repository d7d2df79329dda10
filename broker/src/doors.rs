//! Which sockets may be open. Those of strangers, who have not shown a credential yet, have a
//! small share of their own, so that they cannot take the place of those who are in.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::config::Config;
use crate::counters::Counter;

/// What counts as one address: a host of IPv4, a network of IPv6, in which every host can take
/// as many addresses as it likes.
pub(crate) fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(host) => IpAddr::V4(host),
        IpAddr::V6(host) => {
            let [a, b, c, d, ..] = host.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

/// Counts the sockets.
pub(crate) struct Doors {
    inner: Mutex<Inner>,
    sockets_max: usize,
    strangers_max: usize,
    strangers_per_address_max: usize,
}

#[derive(Default)]
struct Inner {
    sockets: usize,
    strangers: usize,
    /// Strangers of each address; those that have none are not in it.
    addresses: HashMap<IpAddr, usize>,
}

impl Doors {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            inner: Mutex::default(),
            sockets_max: config.connections_max,
            strangers_max: config.connections_unauthenticated_max,
            strangers_per_address_max: config.connections_unauthenticated_per_address_max,
        }
    }

    /// Room for a socket of a stranger, or what there is too much of.
    pub(crate) fn open(self: &Arc<Self>, peer: IpAddr) -> Result<Ticket, Counter> {
        let address = network_of(peer);
        let mut inner = self.inner();
        if inner.sockets >= self.sockets_max {
            return Err(Counter::ConnectionsOverLimit);
        }
        // Whoever is on this machine is no stranger; its own services must get in.
        let is_crowded = inner.strangers >= self.strangers_max && !address.is_loopback();
        let of_address = inner.addresses.get(&address).copied().unwrap_or(0);
        if is_crowded || of_address >= self.strangers_per_address_max {
            return Err(Counter::ConnectionsUnauthenticatedOverLimit);
        }
        inner.sockets += 1;
        inner.strangers += 1;
        *inner.addresses.entry(address).or_default() += 1;
        drop(inner);
        Ok(Ticket {
            doors: self.clone(),
            stranger: Some(address),
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leave for one socket to be open, given back when dropped.
pub(crate) struct Ticket {
    doors: Arc<Doors>,
    /// None: its client has shown its credential.
    stranger: Option<IpAddr>,
}

impl Ticket {
    /// Its client is no stranger any more.
    pub(crate) fn admitted(&mut self) {
        if let Some(address) = self.stranger.take() {
            self.doors.inner().forget_stranger(address);
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.admitted();
        self.doors.inner().sockets -= 1;
    }
}

impl Inner {
    fn forget_stranger(&mut self, address: IpAddr) {
        self.strangers -= 1;
        if let Some(count) = self.addresses.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.addresses.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doors() -> Arc<Doors> {
        Arc::new(Doors::new(&Config {
            connections_max: 6,
            connections_unauthenticated_max: 3,
            connections_unauthenticated_per_address_max: 2,
            ..Config::default()
        }))
    }

    fn open(doors: &Arc<Doors>, peer: &str) -> Result<Ticket, Counter> {
        doors.open(peer.parse().unwrap())
    }

    #[test]
    fn strangers_have_a_share_of_each_address_and_one_of_all() {
        let doors = doors();
        let mut first = open(&doors, "10.0.0.1").unwrap();
        let _second = open(&doors, "::ffff:10.0.0.1").unwrap();
        assert_eq!(
            open(&doors, "10.0.0.1").err(),
            Some(Counter::ConnectionsUnauthenticatedOverLimit)
        );
        let third = open(&doors, "10.0.0.2").unwrap();
        assert!(open(&doors, "10.0.0.3").is_err());
        let _local = open(&doors, "127.0.0.1").unwrap();
        first.admitted();
        drop(third);
        let _fourth = open(&doors, "10.0.0.1").unwrap();
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let doors = doors();
        let _first = open(&doors, "2001:db8::1").unwrap();
        let _second = open(&doors, "2001:db8::2").unwrap();
        assert!(open(&doors, "2001:db8::3").is_err());
        let _other = open(&doors, "2001:db8:0:1::1").unwrap();
    }

    #[test]
    fn those_who_are_in_count_among_all_sockets_and_leave_nothing_behind() {
        let doors = doors();
        let mut inside = Vec::new();
        for _ in 0..6 {
            let mut ticket = open(&doors, "10.0.0.1").unwrap();
            ticket.admitted();
            inside.push(ticket);
        }
        assert_eq!(
            open(&doors, "127.0.0.1").err(),
            Some(Counter::ConnectionsOverLimit)
        );
        drop(inside);
        let inner = doors.inner();
        assert_eq!((inner.sockets, inner.strangers), (0, 0));
        assert!(inner.addresses.is_empty());
    }
}
