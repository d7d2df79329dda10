//! One command in an empty directory, and everything is there.

use std::net::{IpAddr, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;

use crate::support::hub::{Home, Hub};

#[test]
fn one_command_shows_this_machine_with_numbers_that_move() {
    let home = Home::empty();
    let mut hub = Hub::start_in(&home, &["--http", "0.0.0.0:0"]);

    let link = hub.process.line("set up this hub at ");
    let (host, rest) = link
        .strip_prefix("http://")
        .and_then(|link| link.split_once(':'))
        .unwrap();
    assert_is_reachable(host);
    let expected = format!("{}/setup?token=", hub.port("http"));
    assert!(rest.starts_with(&expected), "{link}");

    let client = hub.client("viewer");
    let devices = client.read("/api/v1/devices");
    assert_eq!(devices["next"], Value::Null);
    let [device] = devices["items"].as_array().unwrap().as_slice() else {
        panic!("not one device: {devices}");
    };
    assert_eq!(device["status"], "online");
    assert_eq!(
        device["info"]["host_name"],
        client.read("/api/v1/hub")["name"]
    );
    assert_is_complete(&device["metrics"]);
    let before = device["metrics"].clone();

    let path = format!("/api/v1/devices/{}", device["id"].as_str().unwrap());
    let services = client.until("services of this machine", &path, |device| {
        device["services"]["total"]
            .as_u64()
            .filter(|total| *total > 0)
    });
    let list = client.read(&format!("{path}/services"));
    assert!(list["items"].as_array().unwrap().len() as u64 >= services.min(2));
    client.until("a later sample", &path, |device| {
        let now = &device["metrics"];
        let is_later = now["time"].as_str() > before["time"].as_str();
        (is_later && now["uptime_secs"].as_u64() > before["uptime_secs"].as_u64()).then_some(())
    });
    client.until("a stored sample", &format!("{path}/history"), |history| {
        let cpu = history["series"]["cpu"]["mean"].as_array()?;
        cpu.iter().any(Value::is_number).then_some(())
    });
    assert_is_private(home.path());
    assert_eq!(hub.process.terminate().code(), Some(0));
    for line in hub.process.stderr.all() {
        assert!(line.contains(" INFO "), "all is well, and still: {line}");
    }
}

/// Whoever opens the link sits at another machine, if this one has a network.
fn assert_is_reachable(host: &str) {
    let address: IpAddr = host.parse().unwrap();
    assert!(!address.is_unspecified(), "{host}");
    UdpSocket::bind((address, 0)).expect("an address of this machine");
    // Only looks up the route: nothing is sent (RFC 5737 reserves the target).
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    let has_network =
        socket.connect("192.0.2.1:9").is_ok() && !socket.local_addr().unwrap().ip().is_loopback();
    assert_eq!(address.is_loopback(), !has_network, "{host}");
}

/// Passwords and keys lie in there: nobody but the owner may look.
fn assert_is_private(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let metadata = entry.metadata().unwrap();
        let others = metadata.permissions().mode() & 0o077;
        assert_eq!(others, 0, "{} is open to others", entry.path().display());
        if metadata.is_dir() {
            assert_is_private(&entry.path());
        }
    }
}

fn assert_is_complete(metrics: &Value) {
    let cpu = metrics["cpu_percent"].as_f64().unwrap();
    assert!((0.0..=100.0).contains(&cpu), "{metrics}");
    let cores = metrics["per_core_percent"].as_array().unwrap();
    assert!(!cores.is_empty(), "{metrics}");
    let memory = &metrics["memory"];
    assert!(memory["used_bytes"].as_u64() > Some(0), "{metrics}");
    assert!(memory["used_bytes"].as_u64() < memory["total_bytes"].as_u64());
    let disks = metrics["disks"].as_array().unwrap();
    assert!(!disks.is_empty(), "{metrics}");
    for disk in disks {
        assert!(disk["total_bytes"].as_u64() > Some(0), "{disk}");
        assert!(disk["used_bytes"].as_u64() <= disk["total_bytes"].as_u64());
    }
}
