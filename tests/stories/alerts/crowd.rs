//! A hundred devices that go at once: one message.

use std::collections::BTreeSet;
use std::time::Duration;

use netmonitor_benches::fleet::Config;
use netmonitor_testkit::eventually;
use serde_json::Value;

use super::heard;
use crate::support::DEADLINE;
use crate::support::fleet;
use crate::support::hub::Hub;
use crate::support::receiver::about;
use netmonitor_testkit::http::Client;

const DEVICES: usize = 100;

/// Waits until all of them are in this state.
fn until_all_are(admin: &Client, state: &str) {
    let path = format!("/api/v1/alerts?state={state}");
    let what = format!("all are {state}");
    admin.within(2 * DEADLINE, &what, &path, &mut |page| {
        let items = page["items"].as_array()?.iter();
        let count = items.filter(|it| it["rule"] == "offline").count();
        (count == DEVICES).then_some(())
    });
}

fn is_about_absence(message: &Value) -> bool {
    about(message).iter().any(|it| it.ends_with(" offline"))
}

#[test]
fn a_hundred_devices_that_are_lost_at_once_are_one_message_and_one_when_they_are_back() {
    let hub = Hub::start(&["--no-agent"]);
    let (admin, receiver) = heard(&hub);
    let config = Config {
        interval: Duration::from_secs(10),
        relays: false,
        ..Config::default()
    };
    let (runtime, mut fleet) = fleet::join(&hub.home, DEVICES, config);
    until_all_are(&admin, "ok");
    let names: BTreeSet<String> = fleet
        .agents
        .iter()
        .map(|it| format!("{} offline", it.device()))
        .collect();
    assert_eq!(names.len(), DEVICES);

    {
        let _inside = runtime.enter();
        for agent in &mut fleet.agents {
            agent.kill();
        }
    }
    let lost = receiver.until("they are lost", |it| {
        it["kind"] == "firing" && is_about_absence(it)
    });
    assert_eq!(about(&lost).into_iter().collect::<BTreeSet<_>>(), names);
    let title = lost["title"].as_str().unwrap();
    assert!(title.contains("100"), "{title}");
    until_all_are(&admin, "firing");

    {
        let _inside = runtime.enter();
        for agent in &mut fleet.agents {
            agent.start();
        }
    }
    let back = receiver.until("they are back", |it| {
        it["kind"] == "resolved" && is_about_absence(it)
    });
    assert_eq!(about(&back).into_iter().collect::<BTreeSet<_>>(), names);
    until_all_are(&admin, "ok");
    eventually("two messages, and no more", DEADLINE, || {
        receiver
            .all()
            .iter()
            .filter(|it| is_about_absence(it))
            .count()
            == 2
    });
}
