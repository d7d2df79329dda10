//! A machine outside the LAN: one forwarded port is all it needs.

use std::time::Duration;

use netmonitor_protocol::join_code::JoinCode;
use serde_json::Value;

use crate::support::DEADLINE;
use crate::support::agent::Agent;
use crate::support::hub::{Home, Hub};
use crate::support::mqtt::{Peer, Subscriber};
use crate::support::network::Machine;

/// Two seconds in which it might be back, and what a busy machine may take beside.
const DEATH_IS_CONCLUDED_WITHIN: Duration = Duration::from_secs(2 + 4);

/// A device behind a router, and a hub behind another address of it.
struct Site {
    hub: Machine,
    router: Machine,
    device: Machine,
}

const HUB: &str = "10.77.1.2";
/// What the router is called outside; addresses for documentation (RFC 5737).
const PUBLIC: &str = "203.0.113.1";
const OTHER_PUBLIC: &str = "203.0.113.9";

impl Site {
    fn new() -> Self {
        let (hub, router, device) = (
            Machine::new("hub"),
            Machine::new("router"),
            Machine::new("device"),
        );
        hub.wire("eth0", &router, "lan");
        device.wire("eth0", &router, "wan");
        hub.address("eth0", "10.77.1.2/24");
        router.address("lan", "10.77.1.1/24");
        router.address("wan", "203.0.113.1/24");
        // The device knows its neighbours and nothing of the LAN behind the router.
        device.address("eth0", "203.0.113.2/24");
        hub.ip(&["route", "add", "default", "via", "10.77.1.1"]);
        router.forward();
        router.forward_port(PUBLIC, "8883", &format!("{HUB}:8883"));
        Self {
            hub,
            router,
            device,
        }
    }
}

fn config(public: &[&str]) -> String {
    let public: Vec<String> = public.iter().map(|it| format!("\"{it}:8883\"")).collect();
    let public = public.join(", ");
    format!(
        "[hub]\npublic_addresses = [{public}]\n[ingest]\ncommit_interval_secs = 0.2\nclock_wait_secs = 0\n"
    )
}

fn state(payload: &str) -> String {
    let presence: Value = serde_json::from_str(payload).unwrap();
    presence["state"].as_str().unwrap().to_owned()
}

fn wait(presence: &Subscriber, from: usize, wanted: &str) {
    presence.wait(wanted, DEADLINE, from, |message| {
        state(&message.payload) == wanted
    });
}

#[test]
fn a_device_outside_the_lan_joins_and_stays_through_one_forwarded_port() {
    let site = Site::new();
    let home = Home::empty();
    home.write("netmonitor.toml", &config(&[PUBLIC]));
    let flags = [
        "--no-agent",
        "--mqtts",
        "0.0.0.0:8883",
        "--mqtt",
        "127.0.0.1:1883",
    ];
    let mut hub = Hub::start_on(&site.hub, &home, &flags);

    let code = home.told(&["join-code"]);
    let named = code.parse::<JoinCode>().unwrap().addresses;
    assert_eq!(named, [format!("{HUB}:8883"), format!("{PUBLIC}:8883")]);
    // The certificate is checked against the pinned authority, whatever address was dialled.
    let (mut agent, id) = Agent::joined_on(&site.device, &code);
    agent.run();
    let reader = Peer::reader(&hub);
    let topic = format!("netmonitor/v1/device/{id}/presence");
    let presence = reader.subscribe(&topic);
    wait(&presence, 0, "online");

    // The device gets another address: what was open is dead, and nobody says so.
    site.device.no_address("eth0", "203.0.113.2/24");
    site.device.address("eth0", "203.0.113.3/24");
    let metrics = reader.subscribe(&format!("netmonitor/v1/device/{id}/metrics"));
    metrics.wait("a sample from there", DEADLINE, 0, |sample| {
        !sample.retained
    });
    let last = presence.received().pop().unwrap();
    assert_eq!(state(&last.payload), "online");

    // A death out there is known as soon as one in here.
    let so_far = presence.received().len();
    agent.process().kill();
    presence.wait("its death", DEATH_IS_CONCLUDED_WITHIN, so_far, |message| {
        state(&message.payload) == "offline"
    });
    agent.run();
    wait(&presence, so_far + 1, "online");

    // The router gets another public address. The hub has told its devices before.
    drop((presence, metrics));
    assert_eq!(hub.process.terminate().code(), Some(0));
    home.write("netmonitor.toml", &config(&[PUBLIC, OTHER_PUBLIC]));
    hub.start_again();
    agent.until_knows(&format!("{OTHER_PUBLIC}:8883"));
    site.router
        .forward_port(OTHER_PUBLIC, "8883", &format!("{HUB}:8883"));
    site.router.no_address("wan", &format!("{PUBLIC}/24"));
    site.router.address("wan", &format!("{OTHER_PUBLIC}/24"));
    let metrics = reader.subscribe(&format!("netmonitor/v1/device/{id}/metrics"));
    let so_far = metrics.received().len();
    metrics.wait("a sample by the new way", DEADLINE, so_far, |sample| {
        !sample.retained
    });
    let presence = reader.subscribe(&topic);
    wait(&presence, 0, "online");
}
