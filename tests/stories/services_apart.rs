//! Each service in a process of its own: one that dies takes nobody with it, and whoever starts
//! it again need not touch the others.

use netmonitor_testkit::eventually;
use serde_json::Value;

use crate::support::DEADLINE;
use crate::support::agent::Agent;
use crate::support::hub::{Home, Hub};
use netmonitor_testkit::http::Client;

/// Waits until `GET /hub` says this of a service.
fn until(client: &Client, service: &str, states: &[&str]) {
    let what = format!("{service} is {states:?}");
    client.until(&what, "/api/v1/hub", |hub| {
        let services = hub["services"].as_array()?;
        let found = services.iter().find(|found| found["name"] == service)?;
        states.contains(&found["state"].as_str()?).then_some(())
    });
}

/// Waits until the device is online with a sample that is later than all before.
fn until_fresh(client: &Client, device: &str) {
    let path = format!("/api/v1/devices/{device}");
    let seen = client.read(&path)["last_seen"].clone();
    client.until("a fresh sample", &path, |device| {
        (device["status"] == "online" && device["last_seen"].as_str() > seen.as_str()).then_some(())
    });
}

fn stored(client: &Client, device: &str) -> Vec<i64> {
    let history = client.read(&format!("/api/v1/devices/{device}/history?points=5000"));
    let times = history["times"].as_array().unwrap();
    times.iter().filter_map(Value::as_i64).collect()
}

fn until_stored(client: &Client, device: &str, more_than: usize) {
    eventually("more samples are stored", DEADLINE, || {
        stored(client, device).len() > more_than
    });
}

#[test]
fn each_service_may_die_and_come_back_alone() {
    let home = Home::quick();
    // Whatever the order: who finds nobody tries again.
    let mut ingest = Hub::service(&home, "ingest");
    let mut api = Hub::service(&home, "api");
    let mut broker = Hub::service(&home, "broker");
    let client = api.client("viewer");
    for service in ["api", "ingest", "broker"] {
        until(&client, service, &["running"]);
    }
    let (mut agent, device) = Agent::joined(&home.told(&["join-code"]));
    agent.run();
    client.until(
        "the device",
        &format!("/api/v1/devices/{device}"),
        |device| (device["status"] == "online" && device["metrics"].is_object()).then_some(()),
    );
    until_stored(&client, &device, 2);

    ingest.process.kill();
    until(&client, "ingest", &["stopped"]);
    until(&client, "broker", &["running"]);
    until_fresh(&client, &device);
    let before = stored(&client, &device);
    ingest.start_again();
    until(&client, "ingest", &["running"]);
    until_stored(&client, &device, before.len() + 1);

    broker.process.kill();
    until(&client, "broker", &["missing", "stopped"]);
    // What was stored can be read all the while.
    assert!(stored(&client, &device).len() > before.len());
    assert_eq!(
        client.read(&format!("/api/v1/devices/{device}"))["status"],
        "unknown"
    );
    broker.start_again();
    for service in ["api", "ingest", "broker"] {
        until(&client, service, &["running"]);
    }
    until_fresh(&client, &device);
    until_stored(&client, &device, stored(&client, &device).len() + 1);

    api.process.kill();
    let log = home.path().join("monitor.db-wal");
    let size = || std::fs::metadata(&log).map_or(0, |file| file.len());
    let before = size();
    eventually("ingest stores without an api", DEADLINE, || {
        size() != before
    });
    api.start_again();
    for service in ["api", "ingest", "broker"] {
        until(&client, service, &["running"]);
    }
    until_fresh(&client, &device);

    agent.process().kill();
    client.until(
        "the device is offline",
        &format!("/api/v1/devices/{device}"),
        |device| (device["status"] == "offline").then_some(()),
    );
    agent.run();
    until_fresh(&client, &device);

    for mut service in [api, ingest, broker] {
        assert_eq!(service.process.terminate().code(), Some(0));
    }
}
