//! Traffic of network interfaces.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use netmonitor_protocol::payload::{Metrics, Network};
use sysinfo::{InterfaceOperationalState, NetworkData, Networks};

use super::link::Link;
use super::{Collector, rounded};
use crate::root::Root;

struct Traffic {
    links: Links,
    networks: Networks,
    /// The counters of the reading before.
    before: Option<(Instant, HashMap<String, Counters>)>,
}

/// Bytes since boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counters {
    received: u64,
    sent: u64,
}

/// Tells how interfaces are built in.
pub(crate) struct Links(Root);

impl Links {
    /// Looks below `root`.
    pub(crate) fn new(root: &Root) -> Self {
        Self(root.clone())
    }

    fn of(&self, interface: &str) -> Link {
        #[cfg(target_os = "linux")]
        return super::link_linux::link(&self.0, interface);
        #[cfg(not(target_os = "linux"))]
        {
            let _no_sysfs = (&self.0, interface);
            Link::default()
        }
    }
}

pub(super) fn open(root: &Root) -> anyhow::Result<Box<dyn Collector>> {
    let networks = Networks::new().context("cannot look for network interfaces")?;
    Ok(Box::new(Traffic {
        links: Links::new(root),
        networks,
        before: None,
    }))
}

impl Collector for Traffic {
    fn collect(&mut self, now: Instant, sample: &mut Metrics) -> anyhow::Result<()> {
        self.networks.refresh(true);
        let counters: HashMap<String, Counters> = self
            .networks
            .iter()
            .filter_map(|(name, data)| Some((name.to_str()?, data)))
            .filter(|(name, data)| is_worth_showing(&self.links, name, data))
            .map(|(name, data)| (name.to_owned(), counters(data)))
            .collect();
        let before = self
            .before
            .as_ref()
            .map(|(then, counters)| (now.duration_since(*then), counters));
        sample.network = traffic(&counters, before);
        self.before = Some((now, counters));
        Ok(())
    }
}

/// Whether people want to see this interface: the inventory and the samples show the same ones.
pub(crate) fn is_worth_showing(links: &Links, name: &str, data: &NetworkData) -> bool {
    let idle = data.operational_state() == InterfaceOperationalState::Down
        && data.total_received() == 0
        && data.total_transmitted() == 0;
    is_wanted(name, links.of(name), idle)
}

/// The loopback says nothing about the network. A virtual port of a bridge (one `veth` for each
/// container) is counted at its bridge. A virtual interface that never was up (`tunl0`, `sit0`)
/// is there in every kernel.
fn is_wanted(name: &str, link: Link, idle: bool) -> bool {
    let is_loopback = name == "lo" || name.starts_with("Loopback");
    !is_loopback && !(link.is_virtual && (link.is_port || idle))
}

fn counters(data: &NetworkData) -> Counters {
    Counters {
        received: data.total_received(),
        sent: data.total_transmitted(),
    }
}

/// Counters with rates, in the order of the names. An interface that was not there before, or
/// whose counter went back, has no rate this time.
fn traffic(
    now: &HashMap<String, Counters>,
    before: Option<(Duration, &HashMap<String, Counters>)>,
) -> Vec<Network> {
    let mut network: Vec<Network> = now
        .iter()
        .map(|(name, counters)| {
            let rate = |value: fn(&Counters) -> u64| {
                let (elapsed, before) = before?;
                let more = value(counters).checked_sub(value(before.get(name)?))?;
                (!elapsed.is_zero()).then(|| rounded(more as f64 / elapsed.as_secs_f64()))
            };
            Network {
                interface: name.clone(),
                received_bytes: counters.received,
                sent_bytes: counters.sent,
                received_bytes_per_sec: rate(|it| it.received),
                sent_bytes_per_sec: rate(|it| it.sent),
                ..Network::default()
            }
        })
        .collect();
    network.sort_by(|a, b| a.interface.cmp(&b.interface));
    network
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings(list: &[(&str, u64, u64)]) -> HashMap<String, Counters> {
        list.iter()
            .map(|&(name, received, sent)| (name.to_owned(), Counters { received, sent }))
            .collect()
    }

    #[test]
    fn a_rate_is_the_increase_per_second() {
        let before = readings(&[("eth0", 1000, 50)]);
        let now = readings(&[("wlan0", 7, 7), ("eth0", 2500, 50)]);
        let network = traffic(&now, Some((Duration::from_secs(3), &before)));
        assert_eq!(network[0].interface, "eth0");
        assert_eq!(network[0].received_bytes, 2500);
        assert_eq!(network[0].received_bytes_per_sec, Some(500.0));
        assert_eq!(network[0].sent_bytes_per_sec, Some(0.0));
        assert_eq!(network[1].interface, "wlan0");
        assert_eq!(network[1].received_bytes_per_sec, None, "new interface");
    }

    #[test]
    fn there_is_no_rate_without_a_reading_before_or_after_a_reset() {
        let now = readings(&[("eth0", 10, 60)]);
        assert_eq!(traffic(&now, None)[0].received_bytes_per_sec, None);
        let before = readings(&[("eth0", 1000, 50)]);
        let network = traffic(&now, Some((Duration::from_secs(2), &before)));
        assert_eq!(network[0].received_bytes_per_sec, None);
        assert_eq!(network[0].sent_bytes_per_sec, Some(5.0));
        let network = traffic(&now, Some((Duration::ZERO, &before)));
        assert_eq!(network[0].sent_bytes_per_sec, None);
    }

    #[test]
    fn loopback_container_ports_and_kernel_fallbacks_are_not_shown() {
        let hardware = Link::default();
        let virtual_port = Link {
            is_port: true,
            is_virtual: true,
        };
        let port = Link {
            is_port: true,
            is_virtual: false,
        };
        let alone = Link {
            is_port: false,
            is_virtual: true,
        };
        let check = |name, link, idle, wanted| {
            assert_eq!(is_wanted(name, link, idle), wanted, "{name}");
        };
        check("lo", alone, false, false);
        check("eth0", hardware, false, true);
        check("eth1", hardware, true, true);
        check("eth0", port, false, true);
        check("veth1a2b", virtual_port, false, false);
        check("docker0", alone, false, true);
        check("tunl0", alone, true, false);
        check("wg0", alone, false, true);
    }
}
