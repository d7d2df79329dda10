//! The disk of the hub is full for a while, as a card gets when something else fills it.

use serde_json::Value;

use crate::no_gaps::site::Site;
use crate::support::disk::SmallDisk;
use crate::support::hub::Home;
use netmonitor_testkit::http::Client;

/// A commit each second, so that the disk is missed soon.
const CONFIG: &str = "[ingest]\ncommit_interval_secs = 1\nclock_wait_secs = 0\n";

/// Room for a hub that begins.
const DISK_MIB: u32 = 16;

/// What a service may say of it, from the first fault to the end: the fault itself, that it is
/// over, and a few words on something else.
const LINES: usize = 12;

/// Waits until the dashboard would show this of ingest.
fn until_ingest_is(client: &Client, state: &str, reason: &Value) {
    let what = format!("ingest is {state}, {reason}");
    client.until(&what, "/api/v1/hub", |hub| {
        let services = hub["services"].as_array()?;
        let ingest = services.iter().find(|it| it["name"] == "ingest")?;
        (ingest["state"] == state && ingest["reason"] == *reason).then_some(())
    });
}

fn until_device_is(client: &Client, device: &str, status: &str) {
    let path = format!("/api/v1/devices/{device}");
    client.until(&format!("{device} is {status}"), &path, |device| {
        (device["status"] == status).then_some(())
    });
}

/// Fills the disk under three agents until so many samples were measured; presence goes on.
fn the_disk_is_full_for(samples: usize) {
    let disk = SmallDisk::new(DISK_MIB);
    let mut site = Site::in_home(Home::on(&disk), CONFIG, 3);
    let client = site.service("api").client("viewer");
    site.run();
    site.until_measured(10);
    site.until_stored();
    let lines: Vec<usize> = said(&site);

    disk.fill();
    until_ingest_is(&client, "degraded", &Value::from("disk_full"));
    site.kill(0);
    let first = site.agents[0].1.to_string();
    until_device_is(&client, &first, "offline");
    site.agents[0].0.run();
    until_device_is(&client, &first, "online");
    site.until_measured(samples);
    until_ingest_is(&client, "degraded", &Value::from("disk_full"));
    for service in &mut site.services {
        assert!(service.process.is_running());
    }

    disk.free();
    until_ingest_is(&client, "running", &Value::Null);
    site.until_stored();
    for (service, before) in site.services.iter().zip(lines) {
        let log = service.process.stderr.all();
        let new = &log[before..];
        assert!(new.len() <= LINES, "{new:#?}");
    }
    site.settle();
}

/// How many lines each service has written to its log.
fn said(site: &Site) -> Vec<usize> {
    let services = site.services.iter();
    services.map(|it| it.process.stderr.all().len()).collect()
}

#[test]
fn while_the_disk_is_full_presence_goes_on_and_afterwards_all_samples_are_there() {
    the_disk_is_full_for(30);
}

#[test]
#[ignore = "a minute, and what it takes to make up for it"]
fn a_disk_that_is_full_for_a_minute_costs_no_sample() {
    the_disk_is_full_for(180);
}

#[test]
fn a_hub_that_dies_and_starts_while_its_disk_is_full_sees_who_is_there_and_misses_no_sample() {
    let disk = SmallDisk::new(DISK_MIB);
    let mut site = Site::in_one_process(Home::on(&disk), CONFIG, 2);
    let client = site.services[0].client("viewer");
    site.run();
    site.until_measured(6);
    site.until_stored();

    disk.fill();
    until_ingest_is(&client, "degraded", &Value::from("disk_full"));
    for is_clean in [false, true] {
        if is_clean {
            assert_eq!(site.services[0].process.terminate().code(), Some(0));
        } else {
            site.services[0].process.kill();
        }
        // What it gave back is taken as well.
        disk.fill();
        site.until_measured(2);
        site.services[0].start_again();
    }
    site.kill(0);
    let [first, second] = [0, 1].map(|at| site.agents[at].1.to_string());
    until_device_is(&client, &first, "offline");
    until_device_is(&client, &second, "online");
    site.agents[0].0.run();
    until_device_is(&client, &first, "online");
    until_ingest_is(&client, "degraded", &Value::from("disk_full"));
    site.until_measured(10);

    disk.free();
    until_ingest_is(&client, "running", &Value::Null);
    site.until_stored();
    site.settle();
}
