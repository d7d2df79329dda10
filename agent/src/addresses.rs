//! Where the hub can be reached: what the join code said, and what the hub says since.

use std::path::PathBuf;

use netmonitor_service::mqtt::{Dial, Endpoint};
use netmonitor_service::tls;
use tokio::sync::watch;

use crate::Identity;

/// Addresses that are kept at most.
const KEPT: usize = 16;

/// Addresses that are taken from the hub at most, so that some places are left for those that
/// it does not name any more.
const NAMED: usize = 12;

/// A list longer than this is nobody's: it is passed over.
const BELIEVABLE: usize = 64;

/// The longest host name (RFC 1035, section 2.3.4).
const HOST_NAME: usize = 253;

/// The addresses of the hub, in memory and in the identity's file, which is written only when
/// the list changes.
pub(crate) struct Addresses {
    identity: Identity,
    state_dir: PathBuf,
    endpoints: watch::Sender<Vec<Endpoint>>,
}

impl Addresses {
    pub(crate) fn new(identity: Identity, state_dir: PathBuf) -> Self {
        let endpoints = watch::Sender::new(endpoints(&identity));
        Self {
            identity,
            state_dir,
            endpoints,
        }
    }

    /// Where and as whom to connect: follows every change.
    pub(crate) fn dial(&self) -> Dial {
        Dial::Listed {
            endpoints: self.endpoints.subscribe(),
            user: self.identity.device.to_string(),
            password: self.identity.password.clone(),
        }
    }

    /// The hub was reached at this address: it is the first from now on.
    pub(crate) fn reached(&mut self, address: &str) {
        let worked = self.identity.addresses.iter().find(|it| *it == address);
        if let Some(worked) = worked {
            self.replace(best_first(&self.identity.addresses, worked));
        }
    }

    /// The hub says where it can be reached.
    pub(crate) fn named(&mut self, named: &[String], reached: Option<&str>) {
        self.replace(merged(&self.identity.addresses, named, reached));
    }

    fn replace(&mut self, addresses: Vec<String>) {
        if addresses == self.identity.addresses {
            return;
        }
        tracing::info!(?addresses, "addresses of the hub");
        self.identity.addresses = addresses;
        self.endpoints.send_replace(endpoints(&self.identity));
        if let Err(error) = self.identity.store(&self.state_dir) {
            let error = format!("{error:#}");
            tracing::warn!(
                error,
                "the addresses of the hub are not kept beyond this run"
            );
        }
    }
}

/// Those that can be understood, over TLS, to the hub and nobody else.
pub(crate) fn endpoints(identity: &Identity) -> Vec<Endpoint> {
    let tls = tls::pinned(identity.ca_fingerprint);
    identity
        .addresses
        .iter()
        .filter_map(|address| Endpoint::parse(address, Some(tls.clone())))
        .collect()
}

/// All addresses, the one that has worked in front.
pub(crate) fn best_first(addresses: &[String], worked: &str) -> Vec<String> {
    let others = addresses.iter().filter(|address| *address != worked);
    std::iter::once(worked)
        .chain(others.map(String::as_str))
        .map(str::to_owned)
        .collect()
}

/// The list from now on: where the hub was reached, then what it names, in its order, then, as
/// a last resort, what was known before. Trying those costs little, and whoever answers there
/// must prove to be the hub before it is told anything.
fn merged(known: &[String], named: &[String], reached: Option<&str>) -> Vec<String> {
    if named.len() > BELIEVABLE {
        return known.to_vec();
    }
    let named = named.iter().filter_map(|text| normal(text)).take(NAMED);
    let mut merged: Vec<String> = Vec::with_capacity(KEPT);
    let reached = known.iter().find(|it| Some(it.as_str()) == reached);
    for address in reached
        .cloned()
        .into_iter()
        .chain(named)
        .chain(known.iter().cloned())
    {
        if merged.len() < KEPT && !merged.contains(&address) {
            merged.push(address);
        }
    }
    merged
}

/// The address as an endpoint writes it; none if it is none.
fn normal(text: &str) -> Option<String> {
    let endpoint = Endpoint::parse(text.trim(), None)?;
    let is_of_a_host = |c: char| c.is_ascii_alphanumeric() || ".:-_%".contains(c);
    let is_one = endpoint.port != 0
        && endpoint.host.len() <= HOST_NAME
        && endpoint.host.chars().all(is_of_a_host);
    is_one.then(|| endpoint.to_string().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    fn check(known: &[&str], named: &[&str], reached: Option<&str>, expected: &[&str]) {
        assert_eq!(merged(&list(known), &list(named), reached), expected);
    }

    #[test]
    fn the_address_that_worked_is_tried_first_from_then_on() {
        let addresses = list(&["a:1", "b:2", "c:3"]);
        assert_eq!(best_first(&addresses, "b:2"), ["b:2", "a:1", "c:3"]);
    }

    #[test]
    fn what_the_hub_names_goes_before_what_it_does_not_name_any_more() {
        check(
            &["old:1", "a:1"],
            &["b:1", "a:1"],
            None,
            &["b:1", "a:1", "old:1"],
        );
        // The way that works stays in front, also one of which the hub knows nothing.
        check(
            &["forwarded:9", "a:1"],
            &["a:1", "b:1"],
            Some("forwarded:9"),
            &["forwarded:9", "a:1", "b:1"],
        );
        check(&["a:1"], &[], Some("a:1"), &["a:1"]);
    }

    #[test]
    fn what_is_no_address_is_passed_over() {
        let garbage = [
            "",
            ":",
            "hub",
            "hub:",
            ":8883",
            "hub:0",
            "hub:99999",
            "hub:-1",
            "[::1:8883",
            "a b:1",
            "x\n:1",
            "hub/path:1",
            "<script>:1",
            "é:1",
        ];
        check(&["a:1"], &garbage, None, &["a:1"]);
        let long = format!("{}:1", "x".repeat(300));
        check(
            &["a:1"],
            &[&long, " B:2 ", "[2001:DB8::1]:8883"],
            None,
            &["b:2", "[2001:db8::1]:8883", "a:1"],
        );
    }

    #[test]
    fn an_endless_list_changes_nothing_and_a_long_one_leaves_room() {
        let named = |count: usize| (0..count).map(|n| format!("h{n}:1")).collect::<Vec<_>>();
        let known = list(&["a:1", "b:1", "c:1", "d:1", "e:1"]);
        assert_eq!(merged(&known, &named(65), None), known);
        let merged = merged(&known, &named(64), Some("b:1"));
        assert_eq!(merged.len(), KEPT);
        assert_eq!(merged[0], "b:1");
        assert_eq!(merged[12], "h11:1");
        assert_eq!(merged[13..], ["a:1", "c:1", "d:1"]);
    }

    #[test]
    fn the_file_is_written_when_the_list_changes_and_only_then() {
        let folder = tempfile::tempdir().unwrap();
        let identity = Identity {
            device: "ws-14".parse().unwrap(),
            name: None,
            password: netmonitor_service::Secret::new("x"),
            addresses: list(&["a:1", "b:1"]),
            ca_fingerprint: [1; 32],
            machine: crate::machine::Machine::default(),
        };
        let stored = || crate::joined(folder.path()).unwrap().map(|it| it.addresses);
        let mut addresses = Addresses::new(identity, folder.path().to_owned());
        addresses.named(&list(&["b:1"]), Some("a:1"));
        addresses.reached("a:1");
        addresses.reached("somewhere:else");
        assert_eq!(stored(), None);
        addresses.reached("b:1");
        assert_eq!(stored(), Some(list(&["b:1", "a:1"])));
        addresses.named(&list(&["c:1"]), Some("b:1"));
        assert_eq!(stored(), Some(list(&["b:1", "c:1", "a:1"])));
    }
}
