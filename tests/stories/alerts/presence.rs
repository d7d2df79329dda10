//! Devices that are not there, or not as they should be: what is an alert, and what is none.

use netmonitor_protocol::payload::EndCause;
use serde_json::{Value, json};

use super::{devices, heard, is, set_rule, until_state};
use crate::support::hub::{Home, Hub};
use crate::support::receiver::{Receiver, about};
use netmonitor_testkit::http::Client;

/// A change of what is set about a device.
fn change(admin: &Client, device: &str, change: &Value) {
    let changed = admin.ask("PATCH", &format!("/api/v1/devices/{device}"), Some(change));
    assert_eq!(changed.status, 200, "{}", changed.body);
}

/// Every alert of which somebody was told that it fires.
fn fired(receiver: &Receiver) -> Vec<String> {
    let all = receiver.all().into_iter();
    let fired = all.filter(|it| it["kind"] == "firing");
    fired.flat_map(|it| about(&it)).collect()
}

#[test]
fn who_is_shut_down_is_missed_by_nobody_unless_it_is_always_on() {
    let hub = Hub::start(&["--no-agent"]);
    let (admin, receiver) = heard(&hub);
    set_rule(&admin, "offline", json!({ "for_secs": 3 }));
    let mut devices = devices(&hub, 3);
    let [desk, laptop, server] = [0, 1, 2].map(|at| devices[at].id.clone());
    change(&admin, &server, &json!({ "always_on": true }));
    for device in &devices {
        until_state(&admin, &device.id, "offline", "ok");
    }

    devices[0].leave(EndCause::Shutdown);
    devices[1].leave(EndCause::Suspend);
    devices[2].leave(EndCause::Shutdown);
    let is_gone = |id: &str, cause: &str| {
        admin.until("it is gone", &format!("/api/v1/devices/{id}"), |device| {
            (device["status"] == "offline" && device["cause"] == cause).then_some(())
        });
    };
    is_gone(&desk, "shutdown");
    is_gone(&laptop, "suspend");
    // It went last: what the others would have raised would have come before.
    let alert = until_state(&admin, &server, "offline", "firing");
    assert_eq!(alert["detail"], "shutdown");
    receiver.until("a message", is("firing", format!("{server} offline")));
    assert_eq!(fired(&receiver), [format!("{server} offline")]);
    until_state(&admin, &desk, "offline", "ok");
    until_state(&admin, &laptop, "offline", "ok");

    for device in &mut devices {
        device.come();
    }
    receiver.until("it is back", is("resolved", format!("{server} offline")));
    assert_eq!(receiver.all().len(), 2, "{:?}", receiver.all());
}

#[test]
fn what_hangs_behind_a_device_that_is_gone_is_told_with_it() {
    let hub = Hub::start(&["--no-agent"]);
    let (admin, receiver) = heard(&hub);
    set_rule(&admin, "offline", json!({ "for_secs": 5 }));
    let mut devices = devices(&hub, 4);
    let [switch, below, desk, other] = [0, 1, 2, 3].map(|at| devices[at].id.clone());
    change(&admin, &below, &json!({ "uplink": switch }));
    change(&admin, &desk, &json!({ "uplink": below }));
    for device in &devices {
        until_state(&admin, &device.id, "offline", "ok");
    }

    // As it happens when a cable is pulled: the switch is not the first that is missed.
    for at in [2, 1, 0] {
        devices[at].die();
    }
    let message = receiver.until("a message", is("firing", format!("{switch} offline")));
    assert_eq!(about(&message), [format!("{switch} offline")]);
    let mut behind: Vec<&str> = message["alerts"][0]["behind"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let mut expected = vec![below.as_str(), desk.as_str()];
    behind.sort_unstable();
    expected.sort_unstable();
    assert_eq!(behind, expected);
    for (device, uplink) in [(&below, &switch), (&desk, &below)] {
        let alert = until_state(&admin, device, "offline", "firing");
        assert_eq!(alert["muted"], "uplink", "{alert}");
        assert_eq!(alert["behind"], uplink.as_str(), "{alert}");
    }

    // One that hangs behind nothing is told by itself.
    devices[3].die();
    receiver.until("another message", is("firing", format!("{other} offline")));
    for device in &mut devices {
        device.come();
    }
    let back = receiver.until("they are back", is("resolved", format!("{switch} offline")));
    assert!(
        about(&back)
            .iter()
            .all(|it| *it != format!("{below} offline"))
    );
    receiver.until("all of them", is("resolved", format!("{other} offline")));
    assert_eq!(
        fired(&receiver),
        [format!("{switch} offline"), format!("{other} offline")]
    );
}

#[test]
fn who_is_connected_and_says_nothing_is_stale_until_it_speaks() {
    let hub = Hub::start(&["--no-agent"]);
    let (admin, receiver) = heard(&hub);
    set_rule(&admin, "stale", json!({ "for_secs": 0 }));
    set_rule(&admin, "ram", json!({ "for_secs": 0 }));
    let devices = devices(&hub, 1);
    let device = &devices[0];
    let alert = |rule: &str| format!("{} {rule}", device.id);
    device.ram(96);
    receiver.until("its memory is full", is("firing", alert("ram")));

    device.becomes(|it| it.is_silent = true);
    receiver.until("it is silent", is("firing", alert("stale")));
    until_state(&admin, &device.id, "stale", "firing");
    // Nobody can say how its memory is.
    until_state(&admin, &device.id, "ram", "unknown");
    device.becomes(|it| it.is_silent = false);
    receiver.until("it speaks", is("resolved", alert("stale")));
    until_state(&admin, &device.id, "stale", "ok");
    until_state(&admin, &device.id, "ram", "firing");
    assert_eq!(fired(&receiver), [alert("ram"), alert("stale")]);
}

#[test]
fn a_machine_that_starts_anew_and_samples_that_are_lost_are_told() {
    let hub = Hub::start(&["--no-agent"]);
    let (admin, receiver) = heard(&hub);
    let mut devices = devices(&hub, 2);
    let [machine, loser] = [0, 1].map(|at| devices[at].id.clone());
    for device in &devices {
        until_state(&admin, &device.id, "reboot", "ok");
        until_state(&admin, &device.id, "samples-lost", "ok");
    }
    devices[0].becomes(|it| it.uptime_secs = 3);
    devices[0].restart();
    receiver.until("a start", is("firing", format!("{machine} reboot")));
    until_state(&admin, &machine, "reboot", "firing");

    devices[1].lose(5);
    receiver.until("a loss", is("firing", format!("{loser} samples-lost")));
    until_state(&admin, &loser, "samples-lost", "firing");
    // Its agent started anew, and its machine did not: that is nobody's trouble.
    devices[1].die();
    devices[1].come();
    admin.until("it is back", &format!("/api/v1/devices/{loser}"), |it| {
        (it["status"] == "online").then_some(())
    });
    until_state(&admin, &loser, "reboot", "ok");
    assert_eq!(
        fired(&receiver),
        [format!("{machine} reboot"), format!("{loser} samples-lost")]
    );
}

#[test]
fn who_is_removed_while_the_broker_is_away_is_missed_by_nobody() {
    let home = Home::quick();
    let [api, mut broker, alerting] =
        ["api", "broker", "alerting"].map(|service| Hub::service(&home, service));
    let (admin, receiver) = heard(&api);
    set_rule(&admin, "offline", json!({ "for_secs": 5 }));
    let mut devices = devices(&broker, 2);
    let [removed, dead] = [0, 1].map(|at| devices[at].id.clone());
    for device in &devices {
        until_state(&admin, &device.id, "offline", "ok");
    }

    broker.process.kill();
    for device in &mut devices {
        device.die();
    }
    let gone = admin.ask("DELETE", &format!("/api/v1/devices/{removed}"), None);
    assert_eq!(gone.status, 204, "{}", gone.body);
    broker.start_again();
    // Whoever is not removed is missed.
    until_state(&admin, &dead, "offline", "firing");
    receiver.until("a message", is("firing", format!("{dead} offline")));
    assert_eq!(fired(&receiver), [format!("{dead} offline")]);
    let left = admin.read(&format!("/api/v1/alerts?device={removed}"));
    assert_eq!(left["items"], json!([]));
    drop(alerting);
}
