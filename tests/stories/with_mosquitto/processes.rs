//! An agent tells its processes while someone looks. Debian's clients play the agent.

use netmonitor_testkit::{eventually, in_repository};
use serde_json::{Value, json};

use crate::support::DEADLINE;
use crate::support::agent::Agent;
use crate::support::hub::Hub;
use crate::support::live::Live;
use crate::support::mqtt::Peer;

#[test]
fn who_looks_at_a_device_sees_its_processes() {
    let hub = Hub::start(&["--no-agent"]);
    let (agent, id) = Agent::joined(&hub.home.told(&["join-code"]));
    let device = Peer::new(&hub, &id, &agent.password());
    let viewer = hub.client("viewer");
    let (watch, processes) = (
        format!("/api/v1/devices/{id}/watch"),
        format!("/api/v1/devices/{id}/processes"),
    );
    assert_eq!(viewer.read(&processes)["items"], json!([]));
    viewer
        .post("/api/v1/devices/ghost/watch", &json!({}))
        .problem(404);

    // It is asked, and asked again: nothing is kept for one that is not there yet.
    let asked = device.subscribe(&format!("netmonitor/v1/device/{id}/watch"));
    eventually("the device hears that someone looks", DEADLINE, || {
        let answer = viewer.ask("POST", &watch, None);
        assert_eq!((answer.status, answer.body.as_str()), (204, ""));
        asked.received().iter().any(|it| !it.retained)
    });
    let said: Value = serde_json::from_str(&asked.received()[0].payload).unwrap();
    assert_eq!(said, json!({ "for_secs": 60 }));

    let page = Live::open(&viewer);
    let golden = in_repository("crates/protocol/golden/device_processes.json");
    let told = std::fs::read_to_string(golden).unwrap();
    let topic = format!("netmonitor/v1/device/{id}/processes");
    let ended = device.publish(&topic, told.trim_end(), &[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let live = page.event("processes", DEADLINE, |data| data["id"] == id.as_str());
    let first =
        json!({ "pid": 812, "name": "postgres", "cpu_percent": 3.4, "memory_bytes": 73_400_320 });
    assert_eq!(live["processes"]["items"][0], first);
    assert_eq!(live["processes"]["total"], 312);
    assert_eq!(viewer.read(&processes), live["processes"]);
}
