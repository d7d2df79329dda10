//! Network interfaces: how they are built in, their links (`/sys/class/net`,
//! `Documentation/ABI/testing/sysfs-class-net`) and their addresses.

use std::collections::BTreeMap;

use anyhow::Context as _;
use netmonitor_protocol::payload::InterfaceInfo;
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::SockaddrStorage;

use super::sysfs;
use crate::root::Root;

/// What is known of an interface beside its counters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Link {
    /// It belongs to a bridge or bond.
    is_port: bool,
    /// There is no hardware behind it.
    pub(super) is_virtual: bool,
    /// It is switched on, or would be if it had a link.
    is_enabled: bool,
    /// Whether there is a link; none if nobody can tell.
    pub(super) carrier: Option<bool>,
}

impl Link {
    pub(super) fn read(root: &Root, interface: &str) -> Self {
        let folder = root.path("sys/class/net").join(interface);
        let state = sysfs::text(&folder.join("operstate"));
        Self {
            is_port: folder.join("master").exists(),
            is_virtual: !folder.join("device").exists(),
            is_enabled: state.as_deref() != Some("down"),
            carrier: state.as_deref().and_then(carrier_of),
        }
    }
}

/// RFC 2863, `ifOperStatus`, as the kernel writes it. Tunnels say `unknown`.
fn carrier_of(state: &str) -> Option<bool> {
    match state {
        "up" => Some(true),
        "down" | "lowerlayerdown" | "dormant" | "notpresent" => Some(false),
        _ => None,
    }
}

/// The loopback says nothing about the network. A virtual port of a bridge (one `veth` for each
/// container) is counted at its bridge. A virtual interface that never was up (`tunl0`, `sit0`)
/// is there in every kernel.
pub(super) fn is_worth_showing(name: &str, link: Link, is_unused: bool) -> bool {
    let never_was_up = is_unused && !link.is_enabled;
    name != "lo" && !(link.is_virtual && (link.is_port || never_was_up))
}

/// Interfaces in the order of their names, with sorted addresses, so that two readings of the
/// same state are equal: those that samples have.
pub(crate) fn interfaces(root: &Root) -> anyhow::Result<Vec<InterfaceInfo>> {
    let mut addresses: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for entry in getifaddrs().context("cannot look for network addresses")? {
        let (Some(address), Some(mask)) = (entry.address, entry.netmask) else {
            continue;
        };
        if let Some(address) = ip(&address).zip(ip(&mask)) {
            addresses
                .entry(entry.interface_name)
                .or_default()
                .push(address);
        }
    }
    let folder = root.path("sys/class/net");
    let interfaces = sysfs::entries(&folder)
        .into_iter()
        // Beside them is a file that lists bonds.
        .filter(|(_, path)| path.is_dir())
        .filter(|(name, path)| {
            let counter = |file: &str| sysfs::value::<u64>(&path.join("statistics").join(file));
            let is_unused = counter("rx_bytes") == Some(0) && counter("tx_bytes") == Some(0);
            is_worth_showing(name, Link::read(root, name), is_unused)
        })
        .map(|(name, path)| {
            let mut addresses = addresses.remove(&name).unwrap_or_default();
            addresses.sort_unstable();
            InterfaceInfo {
                mac: sysfs::text(&path.join("address")).filter(|mac| is_mac(mac)),
                addresses: addresses
                    .into_iter()
                    .map(|(address, mask)| format!("{address}/{}", prefix(mask)))
                    .collect(),
                name,
            }
        });
    let mut interfaces: Vec<_> = interfaces.collect();
    interfaces.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(interfaces)
}

fn ip(address: &SockaddrStorage) -> Option<std::net::IpAddr> {
    let v4 = address.as_sockaddr_in().map(|it| it.ip().into());
    v4.or_else(|| address.as_sockaddr_in6().map(|it| it.ip().into()))
}

/// How many bits of a netmask are set.
fn prefix(mask: std::net::IpAddr) -> u32 {
    match mask {
        std::net::IpAddr::V4(mask) => mask.to_bits().count_ones(),
        std::net::IpAddr::V6(mask) => mask.to_bits().count_ones(),
    }
}

/// Tunnels have none, or an address of another kind.
fn is_mac(text: &str) -> bool {
    text.len() == 17 && text != "00:00:00:00:00:00"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_has_a_master_hardware_has_a_device_and_a_link_has_a_state() {
        let folder = tempfile::tempdir().unwrap();
        let net = folder.path().join("sys/class/net");
        let write = |file: &str, text: &str| {
            let path = net.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("eth0/device/vendor", "0x8086\n");
        write("eth0/operstate", "up\n");
        write("eth1/device/vendor", "0x8086\n");
        write("eth1/operstate", "down\n");
        write("veth12/master/x", "");
        write("veth12/operstate", "up\n");
        write("wg0/operstate", "unknown\n");
        let root = Root::new(folder.path());
        let link = |name| Link::read(&root, name);
        let expected = Link {
            is_port: false,
            is_virtual: false,
            is_enabled: true,
            carrier: Some(true),
        };
        assert_eq!(link("eth0"), expected);
        assert_eq!(link("eth1").carrier, Some(false));
        let port = link("veth12");
        assert!(port.is_port && port.is_virtual);
        assert_eq!(link("wg0").carrier, None);
    }

    #[test]
    fn loopback_container_ports_and_kernel_fallbacks_are_not_shown() {
        let hardware = Link {
            is_enabled: true,
            ..Link::default()
        };
        let alone = Link {
            is_virtual: true,
            ..hardware
        };
        let off = |link: Link| Link {
            is_enabled: false,
            ..link
        };
        let port = |link: Link| Link {
            is_port: true,
            ..link
        };
        let check = |name, link: Link, is_unused, expected| {
            assert_eq!(is_worth_showing(name, link, is_unused), expected, "{name}");
        };
        check("lo", alone, false, false);
        check("eth0", hardware, false, true);
        check("eth1", off(hardware), true, true);
        check("eth0", port(hardware), false, true);
        check("veth1a2b", port(alone), false, false);
        check("docker0", alone, false, true);
        check("tunl0", off(alone), true, false);
        check("wg0", alone, false, true);
    }

    #[test]
    fn a_netmask_becomes_the_length_of_its_prefix() {
        assert_eq!(prefix("255.255.252.0".parse().unwrap()), 22);
        assert_eq!(prefix("ffff:ffff:ffff:ffff::".parse().unwrap()), 64);
    }
}
