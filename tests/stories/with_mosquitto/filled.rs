//! Nobody sees that the history is committed once in a while only; and what a device makes up for
//! is in its place as soon as it is there.

use jiff::{SignedDuration, Timestamp};
use netmonitor_service::clock;
use serde_json::{Value, json};

use crate::support::DEADLINE;
use crate::support::agent::Agent;
use crate::support::hub::{Home, Hub};
use crate::support::live::Live;
use crate::support::mqtt::Peer;
use netmonitor_testkit::http::Client;

/// The clock of the device is wrong by this.
const AHEAD_SECS: i64 = 3600;

/// How long a message takes at most on a machine that has much else to do.
const MOST_LATE_SECS: i64 = 90;

/// A sample that was taken so many seconds ago.
fn sample(seq: u64, age_secs: u64) -> Value {
    let age = SignedDuration::from_secs(i64::try_from(age_secs).unwrap() - AHEAD_SECS);
    json!({
        "session": "00000000000000aa", "seq": seq, "time": (clock::now() - age).to_string(),
        "monotonic_ms": 1_000_000_000 - age_secs * 1000, "age_ms": age_secs * 1000,
        "uptime_secs": 1_000_000, "cpu": { "usage_percent": seq },
        "memory": { "total_bytes": 100, "used_bytes": 50 },
    })
}

/// The processor's use in the last hour, with the time of each sample in seconds before now.
fn history(client: &Client, device: &str) -> Vec<(String, i64)> {
    let history = client.read(&format!("/api/v1/devices/{device}/history"));
    let now = clock::now().as_millisecond();
    let times = history["times"].as_array().unwrap();
    let ages = times
        .iter()
        .map(|at| (now - at.as_i64().unwrap() + 500) / 1000);
    let cpu = history["series"]["cpu"]["mean"].as_array();
    let cpu = cpu.into_iter().flatten().map(Value::to_string);
    cpu.zip(ages).collect()
}

fn assert_near(found: &[(String, i64)], expected: &[(&str, i64)]) {
    let is_near = |((cpu, age), (value, least)): (&(String, i64), &(&str, i64))| {
        cpu == value && (0..=MOST_LATE_SECS).contains(&(age - least))
    };
    let same = found.len() == expected.len() && found.iter().zip(expected).all(is_near);
    assert!(same, "{found:?} is not about {expected:?}");
}

/// Waits until the page is told of a stretch, and says how long that is, in seconds. What the hub
/// has not heard while it started is longer, and told some time later.
fn told(page: &Live) -> i64 {
    let length = |data: &Value| {
        let moment = |name: &str| data[name].as_str().unwrap().parse::<Timestamp>().unwrap();
        moment("to").duration_since(moment("from")).as_secs()
    };
    length(&page.event("filled", DEADLINE, |data| length(data) < 150))
}

#[test]
fn samples_are_in_the_history_before_they_are_committed_and_filled_stretches_are_told_once() {
    let home = Home::empty();
    home.write("netmonitor.toml", "[ingest]\ncommit_interval_secs = 60\n");
    let hub = Hub::start_in(&home, &["--no-agent"]);
    let client = hub.client("viewer");
    let (agent, id) = Agent::joined(&hub.home.told(&["join-code"]));
    let device = Peer::new(&hub, &id, &agent.password());
    let publish = |part: &str, payload: &Value| {
        let topic = format!("netmonitor/v1/device/{id}/{part}");
        let done = device.publish(&topic, &payload.to_string(), &[]);
        assert_eq!(done.code, Some(0), "{done:?}");
    };
    let page = Live::open(&client);

    publish("metrics", &sample(100, 0));
    let live = page.event("metrics", DEADLINE, |data| data["id"] == id.as_str());
    let placed: Timestamp = live["at"].as_str().unwrap().parse().unwrap();
    let off = clock::now().duration_since(placed).as_secs();
    assert!((0..=MOST_LATE_SECS).contains(&off), "placed {off} s ago");
    assert_near(&history(&client, &id), &[("100.0", 0)]);
    // Its clock is wrong, which is said, and shifts nothing.
    let shown = page.event("device", DEADLINE, |data| {
        data["device"]["clock_skew_secs"].is_number()
    });
    let skew = shown["device"]["clock_skew_secs"].as_f64().unwrap();
    assert!(
        (skew - AHEAD_SECS as f64).abs() < MOST_LATE_SECS as f64,
        "{skew}"
    );

    let batch = |seqs: [u64; 3]| {
        let samples = seqs.map(|seq| sample(seq, 10 * (100 - seq)));
        json!({ "session": "00000000000000aa", "oldest_seq": 1, "samples": samples })
    };
    publish("backfill", &batch([50, 51, 60]));
    assert_eq!(told(&page), 100);
    let all = [("50.0", 500), ("51.0", 490), ("60.0", 400), ("100.0", 0)];
    assert_near(&history(&client, &id), &all);

    // Sent again for want of an acknowledgement: nothing is there twice, nothing is told of what
    // was there.
    publish("backfill", &batch([50, 51, 60]));
    publish("backfill", &batch([60, 61, 62]));
    assert_eq!(told(&page), 10);
    assert_eq!(history(&client, &id).len(), 6);
}
