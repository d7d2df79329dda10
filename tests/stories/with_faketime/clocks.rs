//! The clock of the hub, or of a machine, is moved while the programs run: an admin sets it, or a
//! machine without a clock asks the network what time it is.

use jiff::{SignedDuration, Timestamp};
use netmonitor_testkit::eventually;
use serde_json::{Value, json};

use crate::support::DEADLINE;
use crate::support::agent::Agent;
use crate::support::clock::Clock;
use crate::support::hub::{Home, Hub};
use netmonitor_testkit::http::Client;

/// Where a clock is moved to, from the right time, each after the other.
const MOVED: [SignedDuration; 3] = [
    SignedDuration::from_hours(1),
    SignedDuration::from_hours(3 * 24),
    SignedDuration::from_hours(-2 * 24),
];

fn moment(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

/// A hub by this clock, a program that reads, and a browser whose user is logged in.
fn start(clock: &Clock) -> (Hub, Client, Client) {
    let hub = Hub::start_in(&Home::quick().by(clock), &["--no-agent"]);
    let add = ["user", "add", "Ada", "--role", "admin", "--password-stdin"];
    assert_eq!(hub.home.admin_with(&add, "correct horse").code, Some(0));
    let browser = hub.anybody().with_cookie(&log_in(&hub));
    let program = hub.client("viewer");
    (hub, program, browser)
}

/// Logs in, and returns the cookie.
fn log_in(hub: &Hub) -> String {
    let login = json!({ "name": "ada", "password": "correct horse" });
    let answer = hub.anybody().post("/api/v1/login", &login);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.cookie()
}

/// Waits until it is concluded that the device is there, since just now.
fn until_online(client: &Client, clock: &Clock, id: &str) {
    client.until("online since now", &format!("/api/v1/devices/{id}"), |it| {
        (it["status"] == "online" && is_since_now(it, clock)).then_some(())
    });
}

/// Waits until it is concluded that the device is gone, since just now.
fn until_lost(client: &Client, clock: &Clock, id: &str) {
    client.until("lost since now", &format!("/api/v1/devices/{id}"), |it| {
        let is_lost = it["status"] == "offline" && it["cause"] == "lost";
        (is_lost && is_since_now(it, clock)).then_some(())
    });
}

fn is_since_now(device: &Value, clock: &Clock) -> bool {
    device["since"].is_string() && clock.was_just_now(moment(&device["since"]))
}

/// Waits until what was taken just now can be seen: the latest sample, and the history.
fn until_samples_of_now(client: &Client, clock: &Clock, id: &str) {
    let begin = clock.now().as_millisecond();
    client.until("seen now", &format!("/api/v1/devices/{id}"), |device| {
        let seen = moment(device.get("last_seen")?);
        (seen.as_millisecond() >= begin && clock.was_just_now(seen)).then_some(())
    });
    // The last hour, as the dashboard asks for it.
    let path = format!("/api/v1/devices/{id}/history?metrics=cpu&points=5000");
    client.until("samples in the history", &path, |history| {
        let times = history["times"].as_array()?.iter();
        let of_now = times.filter(|time| time.as_i64() >= Some(begin));
        (of_now.count() >= 2).then_some(())
    });
}

/// Waits until the log has so many lines on the device, and returns what they say, the oldest
/// first.
fn logged(client: &Client, id: &str, lines: usize) -> Vec<String> {
    let mut kinds = Vec::new();
    client.until(&format!("{lines} lines"), "/api/v1/events", |events| {
        let of_it = events["items"].as_array()?.iter().rev();
        let of_it = of_it.filter(|line| line["device"] == id);
        kinds = of_it
            .map(|line| line["kind"].as_str().unwrap().to_owned())
            .collect();
        (kinds.len() >= lines).then_some(())
    });
    kinds
}

#[test]
fn the_hubs_clock_is_moved_and_nobody_is_gone_or_logged_out_for_it() {
    let clock = Clock::right();
    let (hub, program, browser) = start(&clock);
    let (mut agent, id) = Agent::joined(&hub.home.told(&["join-code"]));
    agent.run();
    until_online(&program, &clock, &id);
    let mut expected = vec!["device_joined", "device_online"];
    for offset in MOVED {
        clock.is_off_by(offset);
        until_samples_of_now(&program, &clock, &id);
        assert_eq!(logged(&program, &id, expected.len()), expected, "{offset}");
        assert_eq!(browser.read("/api/v1/account")["name"], "Ada", "{offset}");
        log_in(&hub);

        agent.process().kill();
        until_lost(&program, &clock, &id);
        expected.push("device_offline");
        assert_eq!(logged(&program, &id, expected.len()), expected, "{offset}");
        agent.run();
        until_online(&program, &clock, &id);
        expected.push("device_online");
    }
}

#[test]
fn the_clock_of_a_machine_is_moved_and_it_is_there_all_the_time() {
    let (hubs, clock) = (Clock::right(), Clock::right());
    let (hub, program, _browser) = start(&hubs);
    let (mut agent, id) = Agent::joined_by(&clock, &hub.home.told(&["join-code"]));
    agent.run();
    until_online(&program, &hubs, &id);
    let mut expected = vec!["device_joined", "device_online"];
    for offset in MOVED {
        clock.is_off_by(offset);
        // It has noticed.
        program.until("by its own clock", &format!("/api/v1/devices/{id}"), |it| {
            let taken = moment(it["metrics"].get("time")?);
            clock.was_just_now(taken).then_some(())
        });
        until_samples_of_now(&program, &hubs, &id);
        assert_eq!(logged(&program, &id, expected.len()), expected, "{offset}");
        agent.process().kill();
        until_lost(&program, &hubs, &id);
        expected.push("device_offline");
        assert_eq!(logged(&program, &id, expected.len()), expected, "{offset}");
        agent.run();
        until_online(&program, &hubs, &id);
        expected.push("device_online");
    }
}

#[test]
fn hub_and_machine_find_each_other_in_1970_and_keep_together_when_they_learn_the_time() {
    let (hubs, clock) = (Clock::of_1970(), Clock::of_1970());
    let (hub, program, _browser) = start(&hubs);
    let [(mut agent, id), (mut other, others_id)] = [&clock, &Clock::right()].map(|clock| {
        let code = hub.home.told(&["join-code"]);
        Agent::joined_by(clock, &code)
    });
    agent.run();
    other.run();
    let ids = [&id, &others_id];
    for id in ids {
        until_online(&program, &hubs, id);
    }
    for clock in [&hubs, &clock] {
        clock.is_off_by(SignedDuration::ZERO);
        for id in ids {
            until_samples_of_now(&program, &hubs, id);
            let said = logged(&program, id, 2);
            assert_eq!(said, ["device_joined", "device_online"]);
        }
    }
    // Who was logged in for thirty days in 1970 is so no more; he may come again.
    log_in(&hub);
    // Browsers are shown a certificate of today.
    let record = hub.home.path().join("tls/web.json");
    eventually("a new certificate", DEADLINE, || {
        let record = std::fs::read(&record).unwrap();
        let record: Value = serde_json::from_slice(&record).unwrap();
        moment(&record["expires"]) > hubs.now()
    });

    agent.process().kill();
    until_lost(&program, &hubs, &id);
    agent.run();
    until_online(&program, &hubs, &id);
}
