//! Messages about alerts on a desktop: the hub's own, and that of a machine with an agent. Needs Debian's dunst, dbus-daemon and Xvfb.

use netmonitor_testkit::eventually;
use serde_json::json;

use crate::alerts::{devices, set_rule, until_state};
use crate::support::DEADLINE;
use crate::support::agent::Agent;
use crate::support::desktop::Desktop;
use crate::support::hub::{Home, Hub};

#[test]
fn whoever_is_logged_in_at_the_hub_sees_what_is_wrong_and_its_end_in_its_place() {
    let desktop = Desktop::start();
    let home = Home::quick().with("DBUS_SESSION_BUS_ADDRESS", desktop.bus());
    let hub = Hub::start_in(&home, &["--no-agent"]);
    let admin = hub.client("admin");
    let channel = json!({ "name": "Screen of the hub", "kind": "desktop" });
    let made = admin.post("/api/v1/channels", &channel);
    assert_eq!(made.status, 200, "{}", made.body);
    set_rule(
        &admin,
        "ram",
        json!({ "for_secs": 0, "severity": "critical" }),
    );
    let devices = devices(&hub, 1);
    let id = &devices[0].id;
    until_state(&admin, id, "ram", "ok");

    let sent = |number: usize| {
        let path = "/api/v1/events?kind=message_sent";
        admin.until("it is said to be shown", path, |log| {
            (log["items"].as_array()?.len() == number).then_some(())
        });
    };
    devices[0].ram(96);
    sent(1);
    eventually("it is on the screen", DEADLINE, || desktop.on_screen() == 1);
    devices[0].ram(10);
    sent(2);
    assert_eq!(
        desktop.on_screen(),
        1,
        "the end takes the place of the begin"
    );
    let titles = desktop.put_away();
    assert_eq!(titles.len(), 1, "{titles:?}");
    assert!(titles[0].contains("memory"), "{titles:?}");
    assert!(!titles[0].contains("96"), "{titles:?}");
}

#[test]
fn an_admin_sees_on_a_machine_of_theirs_what_is_wrong_with_another() {
    let hub = Hub::start(&["--no-agent"]);
    let admin = hub.client("admin");
    set_rule(&admin, "ram", json!({ "for_secs": 0 }));
    let (mut agent, desk) = Agent::joined(&hub.home.told(&["join-code"]));
    agent.run();
    let desktop = Desktop::start();
    let _shows = agent.notify(&desktop.bus());
    let channel = json!({ "name": "My desk", "kind": "agent", "devices": [desk] });
    let made = admin.post("/api/v1/channels", &channel);
    assert_eq!(made.status, 200, "{}", made.body);
    let devices = devices(&hub, 1);
    let id = &devices[0].id;
    until_state(&admin, id, "ram", "ok");
    until_state(&admin, &desk, "offline", "ok");

    devices[0].ram(96);
    eventually("it is on the screen", DEADLINE, || {
        let titles = desktop.put_away();
        titles
            .iter()
            .any(|it| it.contains(id.as_str()) && it.contains("96"))
    });
}
