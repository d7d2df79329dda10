//! A hub that does not know what time it is, as a Raspberry Pi that has just been switched on.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::support::agent::Agent;
use crate::support::clock::Clock;
use crate::support::hub::{Home, Hub};
use netmonitor_testkit::http::Client;

const SECOND: SignedDuration = SignedDuration::from_secs(1);

fn moment(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

/// State of ingest, and the reason for it.
fn until_ingest_is(program: &Client, state: &str, reason: Option<&str>) {
    program.until(state, "/api/v1/hub", |hub| {
        let mut services = hub["services"].as_array()?.iter();
        let ingest = services.find(|service| service["name"] == "ingest")?;
        (ingest["state"] == state && ingest["reason"].as_str() == reason).then_some(())
    });
}

/// Waits until a sample is shown that was taken since then, by the device's clock, which is right.
fn until_live(program: &Client, id: &str, since: Timestamp) {
    program.until("live values", &format!("/api/v1/devices/{id}"), |device| {
        (moment(device["metrics"].get("time")?) >= since).then_some(())
    });
}

/// When samples of the device were taken that are in the history, in milliseconds.
fn stored(program: &Client, id: &str, from: Timestamp, to: Timestamp) -> Vec<i64> {
    let range = format!("from={from}&to={to}&metrics=cpu&points=5000");
    let history = program.read(&format!("/api/v1/devices/{id}/history?{range}"));
    let times = history["times"].as_array().unwrap();
    times.iter().map(|time| time.as_i64().unwrap()).collect()
}

#[test]
fn a_hub_that_begins_in_1970_writes_down_everything_at_its_time_once_it_knows_that() {
    let (hubs, right) = (Clock::of_1970(), Clock::right());
    let mut hub = Hub::start_in(&Home::quick().by(&hubs), &["--no-agent"]);
    let program = hub.client("viewer");
    let (mut agent, id) = Agent::joined_by(&right, &hub.home.told(&["join-code"]));
    let began = right.now();
    agent.run();
    until_live(&program, &id, began + SECOND * 5);
    until_ingest_is(&program, "degraded", Some("clock_not_set"));

    hubs.is_off_by(SignedDuration::ZERO);
    let set = right.now();
    until_ingest_is(&program, "running", None);
    until_live(&program, &id, set + SECOND * 5);
    let ages = Timestamp::UNIX_EPOCH - SECOND * 3600;
    assert_eq!(stored(&program, &id, ages, began - SECOND * 60), [0; 0]);

    // What is on disk, and nothing else.
    hub.process.kill();
    hub.start_again();
    program.until("the history", "/api/v1/hub", |_| Some(()));
    assert_eq!(stored(&program, &id, ages, began - SECOND * 60), [0; 0]);
    let late = "2100-01-01T00:00:00Z".parse().unwrap();
    let ahead = stored(&program, &id, right.now() + SECOND * 60, late);
    assert_eq!(ahead, [0; 0]);
    let times = stored(
        &program,
        &id,
        began - SECOND * 60,
        right.now() + SECOND * 60,
    );
    // One each second from the first on, on a machine that is slow.
    let first = times[0] - began.as_millisecond();
    assert!((-100..10_000).contains(&first), "{first} ms");
    assert!(times.len() >= 9, "{times:?}");
    for pair in times.windows(2) {
        assert!(pair[1] - pair[0] < 5_000, "{times:?}");
    }
    let waited = times.iter().filter(|time| **time < set.as_millisecond());
    assert!(waited.count() >= 4, "{times:?}");

    let events = program.read("/api/v1/events");
    for event in events["items"].as_array().unwrap() {
        let age = right.now().duration_since(moment(&event["time"]));
        assert!(age.abs() < SECOND * 600, "{event}");
    }
}
