//! Where this machine is reached from its network.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;

/// Addresses of this machine on its networks, the one towards the router first. Loopback alone
/// if there is no network.
pub fn lan() -> Vec<IpAddr> {
    let mut found = interfaces();
    found.sort_by_key(rank);
    if let Some(primary) = towards_router()
        && let Some(index) = found.iter().position(|ip| *ip == primary)
    {
        found[..=index].rotate_right(1);
    }
    if found.is_empty() {
        found.push(IpAddr::from([127, 0, 0, 1]));
    }
    found
}

/// This machine's host name; `netmonitor` if it has none.
pub fn host_name() -> String {
    nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "netmonitor".to_owned())
}

/// The address as it stands in a URL.
pub fn in_url(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    }
}

fn interfaces() -> Vec<IpAddr> {
    let Ok(all) = getifaddrs() else {
        return Vec::new();
    };
    let is_usable = |flags: InterfaceFlags| {
        flags.contains(InterfaceFlags::IFF_UP) && !flags.contains(InterfaceFlags::IFF_LOOPBACK)
    };
    all.filter(|interface| is_usable(interface.flags) && !is_virtual(&interface.interface_name))
        .filter_map(|interface| {
            let address = interface.address?;
            let v4 = address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
            v4.or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))
        })
        .filter(is_reachable)
        .collect()
}

/// Bridges and cables to containers on this machine: nobody outside reaches them.
fn is_virtual(name: &str) -> bool {
    [
        "docker", "br-", "veth", "virbr", "podman", "cni", "lxc", "lxd",
    ]
    .iter()
    .any(|prefix| name.starts_with(prefix))
}

/// A link-local address means something else on each link.
fn is_reachable(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local(),
        IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unicast_link_local(),
    }
}

/// People read IPv4 more easily.
fn rank(address: &IpAddr) -> u8 {
    u8::from(address.is_ipv6())
}

/// The address that the system would send from towards the outside. Nothing is sent: a UDP
/// socket that is connected only looks up the route (the target is reserved by RFC 5737).
fn towards_router() -> Option<IpAddr> {
    let socket = UdpSocket::bind(("0.0.0.0", 0)).ok()?;
    socket.connect(("192.0.2.1", 9)).ok()?;
    socket
        .local_addr()
        .ok()
        .map(|address: SocketAddr| address.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_always_an_address() {
        let addresses = lan();
        assert!(!addresses.is_empty());
        assert!(addresses.iter().all(|address| !address.is_unspecified()));
    }

    #[test]
    fn an_ipv6_address_stands_in_brackets() {
        assert_eq!(in_url("2001:db8::1".parse().unwrap()), "[2001:db8::1]");
        assert_eq!(in_url("192.168.1.5".parse().unwrap()), "192.168.1.5");
    }

    #[test]
    fn link_local_and_loopback_addresses_are_left_out() {
        for address in ["127.0.0.1", "169.254.1.1", "::1", "fe80::1"] {
            assert!(!is_reachable(&address.parse().unwrap()), "{address}");
        }
        for address in ["192.168.1.5", "10.0.0.1", "2001:db8::1", "fd00::1"] {
            assert!(is_reachable(&address.parse().unwrap()), "{address}");
        }
    }
}
