//! Who it is that connects, publishes or subscribes, and how far it may use what all share.

use std::net::{IpAddr, Ipv6Addr};

use netmonitor_protocol::acl::{Principal, Role};

/// The number under which the broker itself publishes. Clients count from 1.
pub(crate) const BROKER: u64 = 0;

/// Who publishes or subscribes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'a> {
    /// Number of the connection.
    pub(crate) number: u64,
    /// MQTT user name.
    pub(crate) user: &'a str,
    pub(crate) standing: Standing,
}

/// How far a client may use what all share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// A service of the hub, or a device: up to the limit. What it can publish follows from the
    /// table of topics, and is little.
    Reserved,
    /// Anybody else: up to the limit of a user, and together only so far that the former find
    /// room.
    Common,
}

impl Standing {
    pub(crate) fn of(principal: &Principal) -> Self {
        match principal.role {
            Some(Role::Service(_) | Role::Agent(_)) => Self::Reserved,
            _ => Self::Common,
        }
    }

    /// The part of a limit that the client may use.
    pub(crate) fn part_of(self, limit: usize) -> usize {
        match self {
            Self::Reserved => limit,
            Self::Common => limit - limit / 4,
        }
    }
}

impl<'a> Origin<'a> {
    pub(crate) const BROKER: Origin<'static> = Origin {
        number: BROKER,
        user: "",
        standing: Standing::Reserved,
    };

    pub(crate) fn new(number: u64, principal: &'a Principal) -> Self {
        Self {
            number,
            user: &principal.user,
            standing: Standing::of(principal),
        }
    }
}

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
