//! The broker as clients see it that are in use everywhere: each of them has to find the same,
//! in MQTT 3.1.1 and 5, over TCP, TLS and, if it can, WebSocket.
//!
//! - [`client`]: what a client is
//! - [`bench`]: what a case works with
//! - [`cases`], [`cases_5`]: the cases
//! - [`scripted`], [`tools`], [`rumqttc_3`], [`rumqttc_5`]: the clients
//! - [`driven`]: what the last two share

mod bench;
mod cases;
mod cases_5;
mod client;
mod driven;
mod rumqttc_3;
mod rumqttc_5;
mod scripted;
mod tools;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::thread;

use self::bench::Bench;
use self::client::{Client, Door, Transport, Version};
use self::rumqttc_3::Rumqttc3;
use self::rumqttc_5::Rumqttc5;
use self::scripted::Scripted;
use crate::support::hub::{Home, Hub};
use crate::support::programs::in_repository;

/// Transports of clients that can do all.
const ALL: &[Transport] = &[Transport::Tcp, Transport::Tls, Transport::WebSocket];

#[test]
fn the_mqtt_package_of_npm_finds_what_mqtt_promises() {
    let package = in_repository("tests/clients/node_modules/mqtt");
    assert!(package.exists(), "npm ci --prefix tests/clients");
    conformance(ALL, |door| {
        let mut command = Command::new("node");
        command.arg(in_repository("tests/clients/npm_client.mjs"));
        Box::new(Scripted::start(&mut command, door))
    });
}

#[test]
fn rumqttc_finds_what_mqtt_promises() {
    // Its WebSocket is an option that nothing of ours needs.
    conformance(&[Transport::Tcp, Transport::Tls], |door| {
        match door.version {
            Version::V3 => Box::new(Rumqttc3(door)),
            Version::V5 => Box::new(Rumqttc5(door)),
        }
    });
}

mod with_mosquitto {
    use super::client::Transport;
    use super::conformance;
    use super::tools::Tools;

    #[test]
    fn mosquittos_tools_find_what_mqtt_promises() {
        conformance(&[Transport::Tcp, Transport::Tls], |door| {
            Box::new(Tools(door))
        });
    }
}

mod with_paho {
    use std::process::Command;

    use super::scripted::Scripted;
    use super::{ALL, conformance};
    use crate::support::programs::in_repository;

    #[test]
    fn paho_for_python_finds_what_mqtt_promises() {
        conformance(ALL, |door| {
            // Debian's Python, which has Debian's package.
            let mut command = Command::new("/usr/bin/python3");
            command.arg(in_repository("tests/clients/paho_client.py"));
            Box::new(Scripted::start(&mut command, door))
        });
    }
}

/// Tries every case in both versions over each transport, and fails with the list of those that
/// do not hold.
fn conformance(transports: &[Transport], client: impl Fn(Door) -> Box<dyn Client> + Sync) {
    let flags = ["--no-agent", "--mqtt-ws", "127.0.0.1:0"];
    let mut hub = Hub::start_in(&Home::empty(), &flags);
    let websocket = hub.process.line("listening mqtt-ws ");
    let add = |user: &str, grants: &[&str]| {
        let add = ["mqtt-user", "add", user];
        hub.home.told(&[&add[..], grants].concat())
    };
    let read = [
        "--publish",
        "x/#",
        "--subscribe",
        "x/#",
        "--subscribe",
        "y/#",
    ];
    let passwords = [add("user", &read), add("owner", &["--publish", "y/#"])];
    let door = |version, transport| Door {
        version,
        transport,
        port: match transport {
            Transport::Tcp => hub.port("mqtt").to_owned(),
            Transport::Tls => hub.port("mqtts").to_owned(),
            Transport::WebSocket => websocket.rsplit_once(':').unwrap().1.to_owned(),
        },
        ca: hub.home.path().join("tls/ca.pem").display().to_string(),
        passwords: passwords.clone(),
    };
    let faults: Vec<String> = thread::scope(|scope| {
        let mut running = Vec::new();
        for version in [Version::V3, Version::V5] {
            for transport in transports {
                let (door, client) = (door(version, *transport), &client);
                running.push(scope.spawn(move || try_all(&door, &*client(door.clone()))));
            }
        }
        let ended = running.into_iter().map(|thread| thread.join().unwrap());
        ended.flatten().collect()
    });
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What does not hold.
fn try_all(door: &Door, client: &dyn Client) -> Vec<String> {
    let more = match door.version {
        Version::V3 => &[],
        Version::V5 => cases_5::CASES,
    };
    let able = |needs: &[_]| needs.iter().all(|ability| client.can(*ability));
    let cases = cases::CASES.iter().chain(more).enumerate();
    let mut faults = Vec::new();
    for (number, case) in cases.filter(|(_, case)| able(case.needs)) {
        let bench = Bench {
            client,
            version: door.version,
            name: format!("{:?}-{:?}", door.version, door.transport),
            case: number,
            names: Cell::default(),
        };
        let checked = catch_unwind(AssertUnwindSafe(|| (case.check)(&bench)));
        if let Err(panic) = checked {
            let said = panic.downcast_ref::<String>().map(String::as_str);
            let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
            let (version, transport) = (door.version, door.transport);
            let said = said.unwrap_or_default();
            faults.push(format!("{version:?}, {transport:?}: {}: {said}", case.name));
        }
    }
    faults
}
