//! Somebody hears of every trouble, once, and of its end: whatever dies meanwhile.

mod crowd;
mod hub;
mod people;
mod presence;
mod rules;
mod seldom;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use netmonitor_testkit::{eventually, eventually_some};
use rand::Rng as _;
use serde_json::{Value, json};

use crate::support::DEADLINE;
use crate::support::device::Device;
use crate::support::hub::{Home, Hub};
use crate::support::receiver::{Receiver, about};
use netmonitor_testkit::http::Client;

/// An admin of the hub, and who is told of alerts. But not of the disk of this machine: how full that
/// is is no part of a story.
pub(crate) fn heard(hub: &Hub) -> (Client, Receiver) {
    let admin = hub.client("admin");
    set_rule(&admin, "storage", json!({ "enabled": false }));
    let receiver = Receiver::start();
    receiver.becomes_channel(&admin, "hook");
    (admin, receiver)
}

pub(crate) fn set_rule(admin: &Client, rule: &str, settings: Value) {
    let mut rules = json!({ "rules": {} });
    rules["rules"][rule] = settings;
    let changed = admin.ask("PATCH", "/api/v1/rules", Some(&rules));
    assert_eq!(changed.status, 200, "{}", changed.body);
}

/// Devices that are there.
pub(crate) fn devices(hub: &Hub, number: usize) -> Vec<Device> {
    let uses = number.to_string();
    let code = hub.home.told(&["join-code", "--uses", &uses]);
    let mut all: Vec<Device> = (0..number).map(|_| Device::joined(hub, &code)).collect();
    for device in &mut all {
        device.come();
    }
    all
}

pub(crate) fn until_state(client: &Client, device: &str, rule: &str, state: &str) -> Value {
    let what = format!("{rule} of {device} is {state}");
    let path = format!("/api/v1/alerts?device={device}");
    client.within(2 * DEADLINE, &what, &path, &mut |page| {
        let items = page["items"].as_array()?;
        let found = items.iter().find(|it| it["rule"] == rule)?;
        (found["state"] == state).then(|| found.clone())
    })
}

pub(crate) fn is(kind: &'static str, alert: String) -> impl Fn(&Value) -> bool {
    move |message| message["kind"] == kind && about(message).contains(&alert)
}

#[test]
fn of_seven_devices_one_has_no_memory_left_and_three_die_at_once() {
    let hub = Hub::start(&["--no-agent"]);
    let (admin, receiver) = heard(&hub);
    set_rule(&admin, "ram", json!({ "for_secs": 1 }));
    let mut devices = devices(&hub, 7);
    for device in &devices {
        until_state(&admin, &device.id, "offline", "ok");
        until_state(&admin, &device.id, "ram", "ok");
    }

    let full = devices[3].id.clone();
    devices[3].ram(96);
    let alert = until_state(&admin, &full, "ram", "firing");
    assert_eq!(
        (&alert["value"], &alert["limit"]),
        (&json!(96.0), &json!(90.0))
    );
    let message = receiver.until(
        "a message about memory",
        is("firing", format!("{full} ram")),
    );
    let title = message["title"].as_str().unwrap();
    assert!(title.contains("96"), "{title}");

    for device in &mut devices[..3] {
        device.die();
    }
    let names: BTreeSet<String> = devices[..3].iter().map(|it| it.id.clone()).collect();
    let first = format!("{} offline", devices[0].id);
    let message = receiver.until("a message about three", is("firing", first.clone()));
    let told: BTreeSet<String> = about(&message).into_iter().collect();
    assert_eq!(
        told,
        names.iter().map(|it| format!("{it} offline")).collect()
    );
    let text = format!("{} {}", message["title"], message["text"]);
    assert!(names.iter().all(|name| text.contains(name)), "{text}");

    for device in &mut devices[..3] {
        device.come();
    }
    devices[3].ram(40);
    receiver.until(
        "memory is well again",
        is("resolved", format!("{full} ram")),
    );
    let message = receiver.until("they are back", is("resolved", first));
    assert_eq!(about(&message).len(), 3);
    assert_eq!(receiver.all().len(), 4, "{:?}", receiver.all());
}

#[test]
fn a_channel_that_is_dead_holds_up_no_other_and_is_told_everything_later() {
    let hub = Hub::start(&["--no-agent"]);
    let admin = hub.client("admin");
    let (alive, mut dead) = (Receiver::start(), Receiver::not_there());
    let dead_id = dead.becomes_channel(&admin, "dead");
    let alive_id = alive.becomes_channel(&admin, "alive");
    set_rule(&admin, "ram", json!({ "for_secs": 0 }));
    let devices = devices(&hub, 1);
    let ram = format!("{} ram", devices[0].id);
    until_state(&admin, &devices[0].id, "ram", "ok");
    devices[0].ram(96);
    alive.until("a message", is("firing", ram.clone()));
    devices[0].ram(10);
    alive.until("its end", is("resolved", ram.clone()));

    let test = |id: &str| {
        admin
            .post(&format!("/api/v1/channels/{id}/test"), &json!({}))
            .json()
    };
    let tried = test(&alive_id);
    assert_eq!(tried["sent"], true, "{tried}");
    assert!(tried["answer"].as_str().unwrap().contains("200"), "{tried}");
    assert_eq!(test(&dead_id)["sent"], false);
    admin.until(
        "the log tells of it",
        "/api/v1/events?kind=channel_failing",
        |page| {
            let first = page["items"].as_array()?.first()?;
            (first["parameters"]["channel"] == "dead").then_some(())
        },
    );

    // It is there again, and has no time yet.
    dead.answers(503);
    dead.begin();
    dead.until_answered(503);
    dead.answers(200);
    dead.until("the message, late", is("firing", ram.clone()));
    dead.until("its end, late", is("resolved", ram));
    // The test was not kept: whoever wanted it has seen what came of it.
    assert_eq!(dead.all().len(), 2);
}

#[test]
fn what_somebody_has_taken_on_stays_so_when_the_hub_is_killed() {
    let hub = Home::quick();
    let mut hub = Hub::lasting(&hub, "run", None);
    hub.process.line("ready");
    let (admin, receiver) = heard(&hub);
    set_rule(&admin, "ram", json!({ "for_secs": 0 }));
    let devices = devices(&hub, 2);
    for device in &devices {
        until_state(&admin, &device.id, "ram", "ok");
        device.ram(96);
        until_state(&admin, &device.id, "ram", "firing");
        receiver.until("a message", is("firing", format!("{} ram", device.id)));
    }
    let taken = &devices[0].id;
    let path = format!("/api/v1/alerts/{taken}/ram/ack");
    let answer = admin.post(&path, &json!({ "note": "new memory is ordered" }));
    assert_eq!(answer.status, 204, "{}", answer.body);
    until_state(&admin, taken, "ram", "acknowledged");

    hub.process.kill();
    hub.start_again();
    let alert = until_state(&admin, taken, "ram", "acknowledged");
    assert_eq!(alert["acknowledged_by"], "admin-program");
    assert_eq!(alert["note"], "new memory is ordered");
    until_state(&admin, &devices[1].id, "ram", "firing");
    for device in &devices {
        device.ram(10);
        receiver.until("its end", is("resolved", format!("{} ram", device.id)));
    }
    assert_eq!(
        receiver.all().len(),
        4,
        "nobody was told twice: {:?}",
        receiver.all()
    );
}

/// So often alerting dies.
const KILLS: usize = 50;

/// So long it lives at most. It needs half of a second to know what is so before it tells anybody.
const LONGEST_LIFE_MS: u64 = 3000;

/// Alerting dies at random while troubles come and go: no message is lost, and at most one for each
/// death comes twice.
#[test]
fn alerting_may_be_killed_at_any_moment() {
    let home = Home::quick();
    let broker = Hub::lasting(&home, "broker", None);
    let api = Hub::lasting(&home, "api", None);
    let _ingest = Hub::service(&home, "ingest");
    let mut alerting = Hub::service(&home, "alerting");
    let (admin, receiver) = heard(&api);
    set_rule(&admin, "ram", json!({ "for_secs": 1 }));
    let devices = devices(&broker, 2);
    for device in &devices {
        until_state(&admin, &device.id, "ram", "ok");
    }
    let killed = AtomicUsize::new(0);
    let mut random = rand::rng();
    // Which message is next, and whether it came.
    let mut expected = vec![0; devices.len()];
    while killed.load(Ordering::Relaxed) < KILLS {
        for (device, expected) in devices.iter().zip(&mut expected) {
            let is_bad = *expected % 2 == 0;
            device.ram(if is_bad { 96 } else { 10 });
            *expected += 1;
        }
        eventually_some("every message", 4 * DEADLINE, || {
            std::thread::park_timeout(Duration::from_millis(
                random.random_range(0..LONGEST_LIFE_MS),
            ));
            alerting.process.kill();
            alerting.start_unseen();
            killed.fetch_add(1, Ordering::Relaxed);
            let all = told(&receiver);
            let is_there = |(device, expected): (&Device, &usize)| {
                let ids = all.iter().filter(|it| it.1 == format!("{} ram", device.id));
                ids.count() >= *expected
            };
            devices.iter().zip(&expected).all(is_there).then_some(())
        });
    }
    for device in &devices {
        device.ram(10);
        until_state(&admin, &device.id, "ram", "ok");
    }
    let kills = killed.load(Ordering::Relaxed);
    let (all, once) = (receiver.all().len(), told(&receiver).len());
    assert!(
        all - once <= kills,
        "{all} messages for {once}, {kills} kills"
    );
    for device in &devices {
        let alert = format!("{} ram", device.id);
        let kinds: Vec<String> = told(&receiver)
            .into_iter()
            .filter(|it| it.1 == alert)
            .map(|it| it.2)
            .collect();
        for (number, kind) in kinds.iter().enumerate() {
            let expected = ["firing", "resolved"][number % 2];
            assert_eq!(kind, expected, "{alert}: {kinds:?}");
        }
    }
}

/// Messages, each once, in the order in which they came first: id, alert, kind.
fn told(receiver: &Receiver) -> Vec<(String, String, String)> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for message in receiver.all() {
        let text = |name: &str| message[name].as_str().unwrap().to_owned();
        for alert in about(&message) {
            if alert.ends_with(" ram") && seen.insert((text("id"), alert.clone())) {
                all.push((text("id"), alert, text("kind")));
            }
        }
    }
    all
}

#[test]
fn an_alert_of_a_device_that_is_removed_goes_with_it() {
    let hub = Hub::start(&["--no-agent"]);
    let admin = hub.client("admin");
    let devices = devices(&hub, 1);
    let id = &devices[0].id;
    until_state(&admin, id, "ram", "ok");
    let removed = admin.ask("DELETE", &format!("/api/v1/devices/{id}"), None);
    assert!(removed.status < 300, "{}", removed.body);
    eventually("no alert is left", DEADLINE, || {
        let page = admin.read("/api/v1/alerts");
        let items = page["items"].as_array().unwrap();
        items.iter().all(|it| it["device"] != id.as_str())
    });
}
