//! What is only looked at now and then: whether devices do what they are told, and whether disks fill
//! up.

use std::time::Duration;

use jiff::SignedDuration;
use netmonitor_protocol::SessionId;
use netmonitor_protocol::payload::{Disk, Metrics};
use netmonitor_service::clock;
use netmonitor_store::HistoryWriter;
use netmonitor_store::history::{Layouts, NewSample};
use netmonitor_testkit::eventually_some;
use serde_json::{Value, json};

use super::{devices, heard, is, set_rule};
use crate::support::hub::{Home, Hub};
use netmonitor_testkit::http::Client;

/// Longer than the hub waits until it looks, at most.
const LOOKED: Duration = Duration::from_mins(7);

/// How full the disk is now, in percent, and how much more each day.
const FULL: (u64, u64) = (88, 5);

/// Writes down that its disk has been filling up for a week, an hour at a time.
fn has_filled_up(home: &Home, device: &str) {
    let mut writer = HistoryWriter::open(&home.history()).unwrap();
    let mut layouts = Layouts::default();
    let samples: Vec<NewSample> = (1..=7 * 24)
        .rev()
        .zip(1..)
        .map(|(hours_ago, seq)| {
            let time = clock::now() - SignedDuration::from_hours(hours_ago);
            let mut metrics = Metrics::blank(SessionId(99), seq, time);
            let less = u64::try_from(hours_ago).unwrap() * FULL.1 * 100 / 24;
            let used = FULL.0 * 100 - less;
            metrics.disks.push(Disk {
                mount: "/".to_owned(),
                total_bytes: 10_000,
                used_bytes: used,
                available_bytes: 10_000 - used,
                ..Disk::default()
            });
            NewSample::new(device.parse().unwrap(), time, &metrics, &mut layouts)
        })
        .collect();
    writer.commit(&samples, &[]).unwrap();
}

fn until_state(client: &Client, device: &str, rule: &str, state: &str) -> Value {
    let path = format!("/api/v1/alerts?device={device}");
    eventually_some(&format!("{rule} is {state}"), LOOKED, || {
        let page = client.read(&path);
        let mut items = page["items"].as_array()?.iter();
        let found = items.find(|it| it["rule"] == rule)?;
        (found["state"] == state).then(|| found.clone())
    })
}

#[test]
#[ignore = "seven minutes; `tests/run --long` runs it"]
fn a_disk_that_fills_up_is_told_with_its_day_and_who_does_not_do_what_it_is_told_by_name() {
    let home = Home::quick();
    let mut hub = Hub::lasting(&home, "run", None);
    hub.process.line("ready");
    let (admin, receiver) = heard(&hub);
    set_rule(&admin, "settings", json!({ "for_secs": 0 }));
    let mut devices = devices(&hub, 1);
    let device = &mut devices[0];
    device.becomes(|it| it.disk = FULL.0);
    device.die();
    assert!(hub.process.terminate().success());
    has_filled_up(&home, &device.id);
    hub.start_again();
    device.come();

    // It never does.
    let path = format!("/api/v1/devices/{}/settings", device.id);
    let slower = json!({ "interval_secs": 5.0 });
    assert_eq!(admin.ask("PATCH", &path, Some(&slower)).status, 200);
    let alert = until_state(&admin, "hub", "settings", "firing");
    assert_eq!(alert["detail"], device.id.as_str());
    receiver.until("it is told", is("firing", "hub settings".to_owned()));
    let any = json!({ "interval_secs": null });
    assert_eq!(admin.ask("PATCH", &path, Some(&any)).status, 200);
    until_state(&admin, "hub", "settings", "ok");
    receiver.until("its end", is("resolved", "hub settings".to_owned()));

    let alert = until_state(&admin, &device.id, "disk-trend-root", "firing");
    let days = alert["value"].as_f64().unwrap();
    let expected = (100 - FULL.0) as f64 / FULL.1 as f64;
    assert!((days - expected).abs() < 0.3, "{alert}");
    let told = format!("{} disk-trend-root", device.id);
    receiver.until("it is told", is("firing", told));
}
