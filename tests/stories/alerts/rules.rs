//! Each rule of what a device measures: it fires, somebody hears of it, and of its end.

use std::time::{Duration, Instant};

use netmonitor_protocol::payload::UnitState;
use serde_json::{Value, json};

use super::{devices, heard, is, set_rule, until_state};
use crate::support::device::Values;
use crate::support::hub::Hub;
use crate::support::receiver::{Receiver, about};
use netmonitor_testkit::http::Client;

/// How soon somebody must hear of a service.
const SERVICE_WITHIN: Duration = Duration::from_secs(10);

/// Rules as they stand in addresses, and what is measured while they are bad.
const MEASURED: [(&str, f64); 9] = [
    ("cpu", 96.0),
    ("ram", 97.0),
    ("swap", 98.0),
    ("disk-root", 95.0),
    ("inodes-root", 94.0),
    ("load", 3.0),
    ("temperature", 99.0),
    ("network", 2e8),
    ("clock", 3600.0),
];

fn bad() -> Values {
    Values {
        cpu: 96,
        ram: 97,
        swap: 98,
        disk: 95,
        inodes: 94,
        load: 3.0,
        celsius: 99.0,
        bytes_per_sec: 2e8,
        clock_ahead_secs: 3600,
        ..Values::default()
    }
}

/// All of them are watched, and fire after a second, with the limits that they have by themselves.
fn watch(admin: &Client) {
    let mut rules = json!({});
    for (rule, _) in MEASURED {
        let kind = rule.trim_end_matches("-root");
        rules[kind] = json!({ "enabled": true, "for_secs": 1 });
    }
    let changed = admin.ask("PATCH", "/api/v1/rules", Some(&json!({ "rules": rules })));
    assert_eq!(changed.status, 200, "{}", changed.body);
}

/// How often it was told of this alert.
fn times(receiver: &Receiver, kind: &str, alert: &str) -> usize {
    let is_it = |it: &&Value| it["kind"] == kind && about(it).iter().any(|it| it == alert);
    receiver.all().iter().filter(is_it).count()
}

#[test]
fn everything_that_is_measured_fires_and_clears() {
    let hub = Hub::start(&["--no-agent"]);
    let (admin, receiver) = heard(&hub);
    watch(&admin);
    let devices = devices(&hub, 1);
    let device = &devices[0];
    for (rule, _) in MEASURED {
        until_state(&admin, &device.id, rule, "ok");
    }

    device.becomes(|it| *it = bad());
    for (rule, measured) in MEASURED {
        let alert = until_state(&admin, &device.id, rule, "firing");
        let value = alert["value"].as_f64().unwrap();
        // The clock goes on between its machine and the hub.
        assert!((value - measured).abs() < 5.0, "{alert}");
        receiver.until(rule, is("firing", format!("{} {rule}", device.id)));
    }

    // Below the limit, and not good enough: at 85 it would be.
    device.becomes(|it| {
        *it = Values {
            cpu: 88,
            ..Values::default()
        }
    });
    for (rule, _) in &MEASURED[1..] {
        until_state(&admin, &device.id, rule, "ok");
        receiver.until(rule, is("resolved", format!("{} {rule}", device.id)));
    }
    until_state(&admin, &device.id, "cpu", "firing");
    device.becomes(|it| it.cpu = 85);
    until_state(&admin, &device.id, "cpu", "ok");
    receiver.until("cpu", is("resolved", format!("{} cpu", device.id)));

    for (rule, _) in MEASURED {
        let alert = format!("{} {rule}", device.id);
        for kind in ["firing", "resolved"] {
            assert_eq!(times(&receiver, kind, &alert), 1, "{kind}: {alert}");
        }
    }
}

#[test]
fn a_service_that_fails_is_told_within_ten_seconds_and_one_that_starts_again_and_again_as_well() {
    let hub = Hub::start(&["--no-agent"]);
    let (admin, receiver) = heard(&hub);
    let devices = devices(&hub, 1);
    let device = &devices[0];
    let nginx = format!("{} service-nginx", device.id);
    let backup = format!("{} service-backup", device.id);
    let are = |nginx, restarts| {
        device.becomes(|it| {
            it.services = vec![
                ("backup", UnitState::Running, restarts),
                ("nginx", nginx, 0),
            ];
        });
    };
    are(UnitState::Running, 0);
    until_state(&admin, &device.id, "service-nginx", "ok");
    until_state(&admin, &device.id, "service-backup", "ok");

    let failed = Instant::now();
    are(UnitState::Failed, 0);
    receiver.until("it fails", is("firing", nginx.clone()));
    let took = failed.elapsed();
    assert!(took < SERVICE_WITHIN, "{took:?}");
    let alert = until_state(&admin, &device.id, "service-nginx", "firing");
    assert_eq!(alert["detail"], "failed");
    assert_eq!(alert["target"], "nginx");

    are(UnitState::Running, 0);
    receiver.until("it runs", is("resolved", nginx));
    until_state(&admin, &device.id, "service-nginx", "ok");

    // Whenever somebody looks, it runs.
    are(UnitState::Running, 3);
    receiver.until("it is a loop", is("firing", backup));
    let alert = until_state(&admin, &device.id, "service-backup", "firing");
    assert_eq!(alert["detail"], "restart_loop");
}

#[test]
fn a_rule_that_is_switched_off_lets_its_alert_go() {
    let hub = Hub::start(&["--no-agent"]);
    let (admin, receiver) = heard(&hub);
    set_rule(&admin, "ram", json!({ "for_secs": 0 }));
    let devices = devices(&hub, 1);
    let device = &devices[0];
    until_state(&admin, &device.id, "ram", "ok");
    device.ram(96);
    let ram = format!("{} ram", device.id);
    receiver.until("it fires", is("firing", ram.clone()));

    // For this device alone.
    let path = format!("/api/v1/devices/{}/rules", device.id);
    let off = json!({ "rules": { "ram": { "enabled": false } } });
    assert_eq!(admin.ask("PATCH", &path, Some(&off)).status, 200);
    receiver.until("nobody watches it any more", is("resolved", ram));
    let path = format!("/api/v1/alerts?device={}", device.id);
    admin.until("it is none any more", &path, |page| {
        let items = page["items"].as_array()?;
        items.iter().all(|it| it["rule"] != "ram").then_some(())
    });
}
