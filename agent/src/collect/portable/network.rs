//! Traffic of network interfaces.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use netmonitor_protocol::payload::{InterfaceInfo, Network};
use sysinfo::{InterfaceOperationalState, NetworkData, Networks};

use super::super::{Collector, Part, rounded};
use crate::root::Root;

struct Traffic {
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

pub(super) fn open(_root: &Root) -> anyhow::Result<Box<dyn Collector>> {
    let networks = Networks::new().context("cannot look for network interfaces")?;
    Ok(Box::new(Traffic {
        networks,
        before: None,
    }))
}

impl Collector for Traffic {
    fn read(&mut self, now: Instant) -> anyhow::Result<Part> {
        self.networks.refresh(true);
        let counters: HashMap<String, Counters> = self
            .networks
            .iter()
            .filter_map(|(name, data)| Some((name.to_str()?, data)))
            .filter(|(name, data)| is_worth_showing(name, data))
            .map(|(name, data)| (name.to_owned(), counters(data)))
            .collect();
        let before = self
            .before
            .as_ref()
            .map(|(then, counters)| (now.duration_since(*then), counters));
        let network = traffic(&counters, before);
        self.before = Some((now, counters));
        Ok(Part::Network(network))
    }
}

/// Whether people want to see this interface: the inventory and the samples show the same ones.
/// The loopback says nothing about the network.
fn is_worth_showing(name: &str, data: &NetworkData) -> bool {
    let is_idle = data.operational_state() == InterfaceOperationalState::Down
        && data.total_received() == 0
        && data.total_transmitted() == 0;
    name != "lo" && !name.starts_with("Loopback") && !is_idle
}

/// Interfaces in the order of their names, with sorted addresses, so that two readings of the
/// same state are equal.
pub(crate) fn interfaces(_root: &Root) -> anyhow::Result<Vec<InterfaceInfo>> {
    let networks =
        Networks::new_with_refreshed_list().context("cannot look for network interfaces")?;
    let mut interfaces: Vec<InterfaceInfo> = networks
        .iter()
        .filter_map(|(name, data)| Some((name.to_str()?, data)))
        .filter(|(name, data)| is_worth_showing(name, data))
        .map(|(name, data)| {
            let mac = data.mac_address();
            let mut addresses: Vec<_> = data
                .ip_networks()
                .iter()
                .map(|network| (network.addr, network.prefix))
                .collect();
            addresses.sort_unstable();
            InterfaceInfo {
                name: name.to_owned(),
                mac: (!mac.is_unspecified()).then(|| mac.to_string()),
                addresses: addresses
                    .into_iter()
                    .map(|(address, prefix)| format!("{address}/{prefix}"))
                    .collect(),
            }
        })
        .collect();
    interfaces.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(interfaces)
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
}
