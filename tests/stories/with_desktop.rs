//! Messages about alerts on the hub's own desktop. Needs Debian's dunst, dbus-daemon and Xvfb.

use netmonitor_testkit::eventually;
use serde_json::json;

use crate::alerts::{devices, set_rule, until_state};
use crate::support::DEADLINE;
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
