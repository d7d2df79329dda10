//! A second machine joins, dies, and comes back.

use std::time::Duration;

use crate::support::DEADLINE;
use crate::support::agent::Agent;
use crate::support::hub::Hub;
use crate::support::live::Live;
use crate::support::mqtt::Peer;

/// The design promises 250 ms; a machine that builds something else at the same time may
/// take longer.
const DEATH_IS_KNOWN_WITHIN: Duration = Duration::from_secs(5);

#[test]
fn a_second_machine_joins_dies_and_comes_back_and_everybody_sees_it() {
    let hub = Hub::start(&[]);
    let client = hub.client("viewer");
    let first = client.read("/api/v1/devices")["items"][0]["id"].clone();

    let code = hub.home.told(&["join-code"]);
    let (mut agent, id) = Agent::joined(&code);
    assert_ne!(
        first,
        id.as_str(),
        "the same host name, and still another device"
    );
    let path = format!("/api/v1/devices/{id}");
    assert_ne!(client.read(&path)["status"], "online");
    agent.run();
    client.until("the second device with numbers", &path, |device| {
        (device["status"] == "online" && device["metrics"].is_object()).then_some(())
    });
    let devices = client.read("/api/v1/devices");
    assert_eq!(devices["items"].as_array().unwrap().len(), 2);

    let topic = format!("netmonitor/v1/device/{id}/status");
    let status = Peer::reader(&hub).subscribe(&topic);
    status.wait("online", DEADLINE, 0, |message| message.payload == "online");
    let live = Live::open(&client);
    let is = |state: &'static str| {
        let id = id.clone();
        move |data: &serde_json::Value| {
            data["device"]["id"] == id && data["device"]["status"] == state
        }
    };
    live.event("device", DEADLINE, is("online"));
    let so_far = status.received().len();
    agent.process().kill();
    let offline = status.wait("offline", DEATH_IS_KNOWN_WITHIN, so_far, |_| true);
    assert_eq!(offline.payload, "offline");
    live.event("device", DEATH_IS_KNOWN_WITHIN, is("offline"));
    assert_eq!(client.read(&path)["status"], "offline");
    assert_eq!(
        client.read(&format!("/api/v1/devices/{}", first.as_str().unwrap()))["status"],
        "online"
    );

    let so_far = status.received().len();
    agent.run();
    let online = status.wait("online again", DEADLINE, so_far, |_| true);
    assert_eq!(online.payload, "online");
    live.event("device", DEADLINE, is("online"));
    live.event("metrics", DEADLINE, |data| data["id"] == id.as_str());

    // A clean stop says so as well.
    let so_far = status.received().len();
    assert_eq!(agent.process().terminate().code(), Some(0));
    let offline = status.wait("offline", DEATH_IS_KNOWN_WITHIN, so_far, |_| true);
    assert_eq!(offline.payload, "offline");
    live.event("device", DEATH_IS_KNOWN_WITHIN, is("offline"));
}
