//! What is wrong with the hub itself.

use serde_json::json;

use super::{heard, is, set_rule, until_state};
use crate::support::hub::{Home, Hub};

#[test]
fn a_disk_of_the_hub_that_is_fuller_than_allowed_is_told_and_so_is_its_end() {
    let hub = Hub::start(&["--no-agent"]);
    let (admin, receiver) = heard(&hub);
    // Whatever disk this is, something is on it, and not more than fits.
    let all = json!({ "enabled": true, "limit": 100, "clear": 100 });
    set_rule(&admin, "storage", all);
    until_state(&admin, "hub", "storage", "ok");
    set_rule(
        &admin,
        "storage",
        json!({ "limit": 0, "clear": 0, "for_secs": 1 }),
    );
    let alert = until_state(&admin, "hub", "storage", "firing");
    assert!(alert["value"].as_f64().unwrap() > 0.0, "{alert}");
    receiver.until("it is told", is("firing", "hub storage".to_owned()));
    set_rule(&admin, "storage", json!({ "limit": 100, "clear": 100 }));
    until_state(&admin, "hub", "storage", "ok");
    receiver.until("its end", is("resolved", "hub storage".to_owned()));
}

#[test]
fn when_nobody_writes_down_what_devices_send_somebody_hears_of_it() {
    let home = Home::quick();
    let _broker = Hub::lasting(&home, "broker", None);
    let api = Hub::lasting(&home, "api", None);
    let _alerting = Hub::service(&home, "alerting");
    let mut ingest = Hub::service(&home, "ingest");
    let (admin, receiver) = heard(&api);
    set_rule(&admin, "ingest", json!({ "for_secs": 1 }));
    until_state(&admin, "hub", "ingest", "ok");
    ingest.process.kill();
    let alert = until_state(&admin, "hub", "ingest", "firing");
    assert_eq!(alert["detail"], "stopped");
    receiver.until("it is told", is("firing", "hub ingest".to_owned()));
    ingest.start_again();
    until_state(&admin, "hub", "ingest", "ok");
    receiver.until("its end", is("resolved", "hub ingest".to_owned()));
    assert_eq!(receiver.all().len(), 2, "{:?}", receiver.all());
}
