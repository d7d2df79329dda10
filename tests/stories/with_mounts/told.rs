//! The disk of the hub is full: what it cannot remember, it tells all the same.

use serde_json::json;

use crate::alerts::{devices, heard, is, set_rule, until_state};
use crate::support::disk::SmallDisk;
use crate::support::hub::{Home, Hub};

/// A commit each second, so that the disk is missed soon.
const CONFIG: &str = "[ingest]\ncommit_interval_secs = 1\nclock_wait_secs = 0\n";

/// Room for a hub that begins.
const DISK_MIB: u32 = 16;

#[test]
fn a_hub_that_cannot_write_says_so_and_still_tells_what_is_wrong_with_devices() {
    let disk = SmallDisk::new(DISK_MIB);
    let home = Home::on(&disk);
    home.write("netmonitor.toml", CONFIG);
    let hub = Hub::start_in(&home, &["--no-agent"]);
    let (admin, receiver) = heard(&hub);
    set_rule(&admin, "database", json!({ "for_secs": 1 }));
    set_rule(&admin, "ram", json!({ "for_secs": 0 }));
    let devices = devices(&hub, 1);
    let ram = format!("{} ram", devices[0].id);
    until_state(&admin, &devices[0].id, "ram", "ok");
    until_state(&admin, "hub", "database", "ok");

    disk.fill();
    let alert = until_state(&admin, "hub", "database", "firing");
    assert_eq!(alert["detail"], "disk_full");
    receiver.until("the hub's trouble", is("firing", "hub database".to_owned()));
    devices[0].ram(96);
    receiver.until("the device's", is("firing", ram.clone()));

    disk.free();
    until_state(&admin, "hub", "database", "ok");
    receiver.until("its end", is("resolved", "hub database".to_owned()));
    devices[0].ram(10);
    receiver.until("its end", is("resolved", ram));
    assert_eq!(receiver.all().len(), 4, "{:?}", receiver.all());
}
