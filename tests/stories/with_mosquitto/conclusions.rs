//! What the hub concludes of its devices, as a subscriber hears it: who is there, and if not, why.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::DEADLINE;
use crate::support::agent::Agent;
use crate::support::hub::{Home, Hub};
use crate::support::mqtt::{Peer, Subscriber};
use netmonitor_testkit::http::Client;

/// A hub that has started judges nobody before 19 s, and this machine is slow.
const JUDGED_WITHIN: Duration = Duration::from_mins(1);

/// After this without a sample a device is stale, if it sends one each second.
const QUIET_FOR: Duration = Duration::from_secs(12);

/// What was concluded of the device, in order: state and cause.
fn concluded(presence: &Subscriber, device: &str) -> Vec<(String, String)> {
    let topic = format!("netmonitor/v1/device/{device}/presence");
    let received = presence.received().into_iter();
    received
        .filter(|message| message.topic == topic)
        .map(|message| {
            let payload: Value = serde_json::from_str(&message.payload).unwrap();
            let word = |key: &str| payload[key].as_str().unwrap_or_default().to_owned();
            (word("state"), word("cause"))
        })
        .collect()
}

/// Waits until the last conclusion is this one.
fn until(presence: &Subscriber, device: &str, deadline: Duration, state: &str, causes: &[&str]) {
    let what = format!("{device} is {state}, {causes:?}");
    netmonitor_testkit::eventually(&what, deadline, || {
        let last = concluded(presence, device).pop();
        last.is_some_and(|(is, cause)| is == state && causes.contains(&cause.as_str()))
    });
}

fn presence_of_all(hub: &Hub) -> Subscriber {
    Peer::reader(hub).subscribe("netmonitor/v1/device/+/presence")
}

/// So many agents that have joined, run and are online.
fn online(home: &Home, presence: &Subscriber, number: usize) -> Vec<(Agent, String)> {
    let mut agents: Vec<_> = (0..number)
        .map(|_| Agent::joined(&home.told(&["join-code"])))
        .collect();
    for (agent, _) in &mut agents {
        agent.run();
    }
    for (_, id) in &agents {
        until(presence, id, DEADLINE, "online", &[""]);
    }
    agents
}

/// Fails unless the agents are online, and nothing else was ever concluded of them.
fn assert_never_gone(client: &Client, presence: &Subscriber, agents: &[(Agent, String)]) {
    for (_, id) in agents {
        client.until("online", &format!("/api/v1/devices/{id}"), |device| {
            (device["status"] == "online").then_some(())
        });
        let all = concluded(presence, id);
        assert!(all.iter().all(|(state, _)| state == "online"), "{all:?}");
    }
}

#[test]
fn every_end_has_its_cause_and_every_return_is_seen() {
    let hub = Hub::start(&["--no-agent"]);
    let client = hub.client("viewer");
    let presence = presence_of_all(&hub);
    let (mut agent, id) = Agent::joined(&hub.home.told(&["join-code"]));
    agent.run();
    until(&presence, &id, DEADLINE, "online", &[""]);

    agent.process().kill();
    until(&presence, &id, DEADLINE, "offline", &["lost"]);
    let path = format!("/api/v1/devices/{id}");
    client.until("offline, and why", &path, |device| {
        (device["status"] == "offline" && device["cause"] == "lost").then_some(())
    });
    client.until("a line of the log", "/api/v1/events", |events| {
        let mut items = events["items"].as_array()?.iter();
        let is_it = |event: &&Value| {
            event["device"] == id.as_str()
                && event["kind"] == "device_offline"
                && event["parameters"]["cause"] == "lost"
        };
        items.find(is_it).map(|_| ())
    });
    agent.run();
    until(&presence, &id, DEADLINE, "online", &[""]);

    assert_eq!(agent.process().terminate().code(), Some(0));
    until(&presence, &id, DEADLINE, "offline", &["stopped"]);
    agent.run();
    until(&presence, &id, DEADLINE, "online", &[""]);

    // Its socket stays open and it says nothing: the keepalive tells.
    agent.process().signal(Signal::SIGSTOP);
    until(&presence, &id, DEADLINE, "offline", &["lost"]);
    agent.process().signal(Signal::SIGCONT);
    until(&presence, &id, DEADLINE, "online", &[""]);
    client.until("online", &path, |device| {
        (device["status"] == "online").then_some(())
    });
}

/// The agent connects anew for it, and the broker speaks its will in between.
#[test]
fn another_offline_timeout_makes_nobody_offline_and_the_next_death_is_seen() {
    let hub = Hub::start(&["--no-agent"]);
    let presence = presence_of_all(&hub);
    let (mut agent, id) = Agent::joined(&hub.home.told(&["join-code"]));
    agent.run();
    until(&presence, &id, DEADLINE, "online", &[""]);
    let password = std::fs::read_to_string(hub.home.path().join("secrets/api")).unwrap();
    let api = Peer::new(&hub, "service-api", password.trim());
    let log = agent.process().stderr.clone();
    let connections = || {
        let is_one = |line: &&String| line.contains("connected to the hub device");
        log.all().iter().filter(is_one).count()
    };
    for (number, timeout_secs) in [30, 60, 10].into_iter().enumerate() {
        let settings = format!("{{\"offline_timeout_secs\":{timeout_secs}}}");
        let topic = format!("netmonitor/v1/device/{id}/settings");
        assert_eq!(api.publish(&topic, &settings, &["-r"]).code, Some(0));
        netmonitor_testkit::eventually("it is back", DEADLINE, || connections() == number + 2);
    }
    agent.process().kill();
    until(&presence, &id, DEADLINE, "offline", &["lost"]);
    let mut all = concluded(&presence, &id);
    all.pop();
    assert!(all.iter().all(|(state, _)| state == "online"), "{all:?}");
}

#[test]
fn a_hub_that_is_killed_and_started_again_says_of_nobody_that_he_is_gone_but_of_the_dead() {
    let mut hub = Hub::start(&["--no-agent"]);
    let presence = presence_of_all(&hub);
    let mut agents = online(&hub.home, &presence, 5);
    // A clean stop leaves everything on the disk, and makes nobody offline either.
    assert_eq!(hub.process.terminate().code(), Some(0));
    hub.start_again();
    hub.process.kill();
    let (mut dead, its_id) = agents.pop().unwrap();
    dead.process().kill();
    hub.start_again();
    // Once this is known, everybody has been judged.
    until(&presence, &its_id, JUDGED_WITHIN, "offline", &["lost"]);
    let client = hub.client("viewer");
    assert_never_gone(&client, &presence, &agents);
    // The next death is still seen.
    let (mut agent, id) = agents.pop().unwrap();
    agent.process().kill();
    until(&presence, &id, DEADLINE, "offline", &["lost"]);
}

#[test]
fn a_hub_that_stood_still_calls_nobody_gone_or_stale_but_who_died_meanwhile() {
    let hub = Hub::start(&["--no-agent"]);
    let presence = presence_of_all(&hub);
    let mut agents = online(&hub.home, &presence, 3);
    let (mut dead, its_id) = agents.pop().unwrap();
    hub.process.signal(Signal::SIGSTOP);
    let stopped = Instant::now();
    dead.process().kill();
    // By then a sample is missed, and the agents have given the hub up.
    netmonitor_testkit::eventually("the agents have left", DEADLINE, || {
        let left = |(agent, _): &mut (Agent, String)| {
            let said = agent.process().stderr.all();
            said.iter().any(|line| line.contains("has not been heard"))
        };
        agents.iter_mut().all(left) && stopped.elapsed() > QUIET_FOR
    });
    hub.process.signal(Signal::SIGCONT);
    // Once this is known, everybody has been judged.
    until(&presence, &its_id, JUDGED_WITHIN, "offline", &["lost"]);
    let client = hub.client("viewer");
    assert_never_gone(&client, &presence, &agents);
}

#[test]
fn alerting_alone_may_die_and_begins_again_with_what_it_had_said() {
    let home = Home::quick();
    let broker = Hub::service(&home, "broker");
    let _api = Hub::service(&home, "api");
    let mut alerting = Hub::service(&home, "alerting");
    let presence = presence_of_all(&broker);
    let [(mut one, its_id), (mut other, others_id)] =
        [(), ()].map(|()| Agent::joined(&home.told(&["join-code"])));
    one.run();
    other.run();
    for id in [&its_id, &others_id] {
        until(&presence, id, DEADLINE, "online", &[""]);
    }
    alerting.process.kill();
    one.process().kill();
    alerting.start_again();
    until(&presence, &its_id, JUDGED_WITHIN, "offline", &["lost"]);
    // Of the other there was nothing to say.
    assert_eq!(concluded(&presence, &others_id).len(), 1);
    one.run();
    until(&presence, &its_id, DEADLINE, "online", &[""]);
    other.process().kill();
    until(&presence, &others_id, DEADLINE, "offline", &["lost"]);
}
