//! Debian's mosquitto in place of the embedded broker.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use rumqttc::{Client as Publisher, Event, MqttOptions, Packet, QoS};
use serde_json::Value;

use crate::support::DEADLINE;
use crate::support::agent::Agent;
use crate::support::hub::{Home, Hub};
use crate::support::mosquitto::Mosquitto;
use crate::support::mqtt::{Peer, Received, Subscriber};
use netmonitor_testkit::http::Client;

const MINUTE: Duration = Duration::from_mins(1);

const MQTT_USER: [&str; 5] = ["mqtt-user", "add", "look", "--role", "reader"];

/// A hub that uses that mosquitto.
fn start(home: &Home, scheme: &str, mosquitto: &Mosquitto) -> Hub {
    let port = if scheme == "mqtts" {
        mosquitto.mqtts
    } else {
        mosquitto.mqtt
    };
    Hub::start_in(
        home,
        &["--mqtt-url", &format!("{scheme}://127.0.0.1:{port}")],
    )
}

/// A hub that was started before, so that there is something to export. Agents reach the
/// mosquitto where the configuration says.
fn prepared() -> (Home, [u16; 2]) {
    let ports = Mosquitto::ports();
    let home = Home::quick();
    let text = format!(
        "[hub]\npublic_addresses = [\"127.0.0.1:{}\"]\n\n[ingest]\ncommit_interval_secs = 0.2\nclock_wait_secs = 0\n",
        ports[1]
    );
    home.write("netmonitor.toml", &text);
    home.told(&["token", "add", "first", "--role", "viewer"]);
    (home, ports)
}

fn until(client: &Client, device: &str, status: &'static str) {
    let path = format!("/api/v1/devices/{device}");
    client.until(&format!("{device} is {status}"), &path, |device| {
        (device["status"] == status && device["metrics"].is_object()).then_some(())
    });
}

/// A machine joins over mosquitto, and is known to it afterwards.
fn joined(hub: &Hub, mosquitto: &Mosquitto) -> (Agent, String) {
    let code = mosquitto.export_again(&hub.home, &["--join-code"]);
    let (agent, id) = Agent::joined(&code);
    let refused = Agent::new().join(&code);
    assert!(refused.stderr.contains("used up"), "{}", refused.stderr);
    mosquitto.export_again(&hub.home, &[]);
    let refused = Agent::new().join(&code);
    assert!(
        refused.stderr.contains("does not accept this code"),
        "{}",
        refused.stderr
    );
    (agent, id)
}

#[test]
fn machines_join_are_watched_and_removed_over_a_mosquitto_with_what_the_hub_exports() {
    let (home, ports) = prepared();
    let mosquitto = Mosquitto::start(&home, ports);
    let hub = start(&home, "mqtt", &mosquitto);
    let client = hub.client("admin");
    for service in ["api", "ingest"] {
        client.until(&format!("{service} runs"), "/api/v1/hub", |hub| {
            let services = hub["services"].as_array()?;
            let found = services.iter().find(|found| found["name"] == service)?;
            (found["state"] == "running").then_some(())
        });
    }
    let (mut first, id) = joined(&hub, &mosquitto);
    let (mut second, other) = joined(&hub, &mosquitto);
    first.run();
    second.run();
    until(&client, &id, "online");
    until(&client, &other, "online");
    let history = format!("/api/v1/devices/{id}/history");
    client.until("stored samples", &history, |history| {
        (!history["times"].as_array()?.is_empty()).then_some(())
    });

    // A death is seen, and a clean stop.
    first.process().kill();
    until(&client, &id, "offline");
    first.run();
    until(&client, &id, "online");
    assert_eq!(second.process().terminate().code(), Some(0));
    until(&client, &other, "offline");

    // With the next export a removed device is thrown out.
    let path = format!("/api/v1/devices/{id}");
    assert_eq!(client.ask("DELETE", &path, None).status, 204);
    mosquitto.export_again(&home, &[]);
    let log = first.process().stderr.clone();
    netmonitor_testkit::eventually("the device is refused", DEADLINE, || {
        let lines = log.all();
        lines
            .iter()
            .any(|line| line.contains("does not accept the credential"))
    });
    client.get(&path).problem(404);
}

#[test]
fn a_mosquitto_lets_everybody_do_what_the_hub_would_and_nothing_else() {
    let (home, ports) = prepared();
    let mosquitto = Mosquitto::start(&home, ports);
    let hub = start(&home, "mqtts", &mosquitto);
    let (mut agent, id) = joined(&hub, &mosquitto);
    let (rogue, rogue_id) = joined(&hub, &mosquitto);
    agent.run();
    until(&hub.client("viewer"), &id, "online");
    let password = home.told(&["mqtt-user", "add", "homeassistant", "--role", "reader"]);
    let add = ["mqtt-user", "add", "zigbee", "--publish", "zigbee/+/set"];
    let things = home.told(&[&add[..], &["--subscribe", "zigbee/#"]].concat());
    mosquitto.export_again(&home, &[]);

    // mosquitto grants every subscription: what counts is what is delivered.
    let reader = Peer::at(mosquitto.mqtt, "homeassistant", &password);
    let public = reader.subscribe("netmonitor/v1/#");
    let private = reader.subscribe("netmonitor-private/v1/#");
    let everything = reader.subscribe("#");
    let rogue = Peer::at(mosquitto.mqtt, &rogue_id, &rogue.password());
    let spied = rogue.subscribe("netmonitor/v1/device/#");
    let things = Peer::at(mosquitto.mqtt, "zigbee", &things);
    let lamp = things.subscribe("#");
    let status = format!("netmonitor/v1/device/{id}/status");
    let retained = public.wait("its status", DEADLINE, 0, |message| message.topic == status);
    assert_eq!(
        (retained.payload.as_str(), retained.retained),
        ("online", true)
    );

    let presence = format!("netmonitor/v1/device/{id}/presence");
    public.wait("what the hub concludes", DEADLINE, 0, |message| {
        let presence = message.topic == presence;
        presence && message.payload.contains("\"state\":\"online\"")
    });

    let forbidden = [
        (&rogue, status.clone()),
        (&rogue, format!("netmonitor/v1/device/{rogue_id}/ack")),
        (&rogue, format!("netmonitor/v1/device/{rogue_id}/settings")),
        (&reader, format!("netmonitor/v1/device/{rogue_id}/status")),
        (
            &reader,
            "netmonitor/v1/device/homeassistant/status".to_owned(),
        ),
        (
            &reader,
            "netmonitor-private/v1/credentials/changed".to_owned(),
        ),
        (&things, "netmonitor/v1/hub/status".to_owned()),
        (&things, "other/lamp/set".to_owned()),
    ];
    for (who, topic) in &forbidden {
        let refused = who.publish(topic, "forged", &["-V", "5", "-r"]);
        assert!(
            refused.stderr.contains("Not authorized"),
            "{topic}: {refused:?}"
        );
        who.publish(topic, "forged", &["-V", "311", "-r"]);
    }
    // A private message that is there to be seen, and then what all may see.
    home.told(&["mqtt-user", "add", "later", "--role", "reader"]);
    things.publish("zigbee/lamp/set", "on", &["-r"]);
    lamp.wait("the lamp", DEADLINE, 0, |message| {
        message.topic == "zigbee/lamp/set"
    });
    let own = format!("netmonitor/v1/device/{rogue_id}/status");
    rogue.publish(&own, "online", &["-r"]);
    for subscriber in [&public, &everything, &spied] {
        subscriber.wait("the last status", DEADLINE, 0, |message| {
            message.topic == own
        });
    }
    let is_forged = |message: &Received| message.payload == "forged";
    let all = [&public, &private, &everything, &spied, &lamp].map(Subscriber::received);
    assert_eq!(
        all.iter().flatten().find(|message| is_forged(message)),
        None
    );
    let [_, private, everything, spied, lamp] = &all;
    assert_eq!(private, &[]);
    assert!(
        everything
            .iter()
            .all(|message| message.topic.starts_with("netmonitor/v1/"))
    );
    assert!(
        spied
            .iter()
            .all(|message| message.topic.contains(&format!("/{rogue_id}/")))
    );
    assert!(
        lamp.iter()
            .all(|message| message.topic.starts_with("zigbee/"))
    );

    // The agent keeps the addresses that the hub names.
    let info = reader.subscribe("netmonitor/v1/hub/info");
    let info = info.wait("the hub's addresses", DEADLINE, 0, |_| true);
    let info: Value = serde_json::from_str(&info.payload).unwrap();
    let expected = format!("127.0.0.1:{}", mosquitto.mqtts);
    assert_eq!(info["agent_addresses"], serde_json::json!([expected]));
}

/// Publishes to each of the topics, retained, until the broker has confirmed it.
fn retain(mosquitto: &Mosquitto, user: &str, password: &str, topics: &[String], payload: &str) {
    let mut options = MqttOptions::new(user, "127.0.0.1", mosquitto.mqtt);
    options.set_credentials(user, password);
    let (publisher, mut connection) = Publisher::new(options, topics.len());
    for topic in topics {
        let sent = publisher.publish(topic, QoS::AtLeastOnce, true, payload);
        sent.unwrap();
    }
    let mut left = topics.len();
    while left > 0 {
        let event = connection.recv_timeout(DEADLINE).unwrap().unwrap();
        if let Event::Incoming(Packet::PubAck(_)) = event {
            left -= 1;
        }
    }
}

/// The state of a large network, as a service of the hub or Home Assistant asks for it.
#[test]
fn a_mosquitto_tells_who_comes_late_all_that_is_retained_of_four_hundred_devices() {
    let (home, ports) = prepared();
    let add = ["mqtt-user", "add", "large", "--publish", "large/#"];
    let password = home.told(&[&add[..], &["--subscribe", "large/#"]].concat());
    let mosquitto = Mosquitto::start(&home, ports);
    let kinds = ["status", "session", "presence", "info", "metrics"];
    let topics: Vec<String> = (0..400)
        .flat_map(|device| kinds.map(|kind| format!("large/{device:03}/{kind}")))
        .collect();
    retain(&mosquitto, "large", &password, &topics, &"x".repeat(800));
    let late = Peer::at(mosquitto.mqtt, "large", &password);
    let (number, patience) = (topics.len().to_string(), DEADLINE.as_secs().to_string());
    let told = late.sub(&[
        "-t", "#", "-q", "1", "-C", &number, "-W", &patience, "-F", "%t",
    ]);
    let mut found: Vec<&str> = told.stdout.lines().collect();
    found.sort_unstable();
    found.dedup();
    assert_eq!(found.len(), topics.len(), "{}", told.stderr);
}

#[test]
fn what_is_exported_is_for_its_owner_only_and_replaces_nothing_of_others() {
    let home = Home::quick();
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("export");
    let export = || home.admin(&["export-mosquitto", to.to_str().unwrap()]);
    let refused = export();
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("there is no hub"),
        "{}",
        refused.stderr
    );
    assert!(!to.exists());

    let token = home.told(&["token", "add", "first", "--role", "viewer"]);
    assert_eq!(export().code, Some(0));
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&to), 0o700);
    let mut names = Vec::new();
    for file in std::fs::read_dir(&to).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&token), "{}", path.display());
        names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
    }
    names.sort();
    assert_eq!(
        names,
        ["acl", "ca.pem", "passwd", "server.key", "server.pem"]
    );
    assert_eq!(export().code, Some(0), "its own files may be replaced");

    std::fs::write(to.join("acl"), "user me\n").unwrap();
    let refused = export();
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("is there already"),
        "{}",
        refused.stderr
    );
    assert_eq!(
        std::fs::read_to_string(to.join("acl")).unwrap(),
        "user me\n"
    );
}

#[test]
fn a_conclusion_that_a_broker_refuses_is_published_as_soon_as_it_takes_it() {
    let (home, ports) = prepared();
    let mosquitto = Mosquitto::start(&home, ports);
    let hub = start(&home, "mqtt", &mosquitto);
    let (mut agent, id) = joined(&hub, &mosquitto);
    let peer = Peer::at(ports[0], "look", &home.told(&MQTT_USER));
    let acl = mosquitto.exported().join("acl");
    let right = "topic readwrite netmonitor/v1/device/+/presence";
    mosquitto.export_again(&home, &[]);
    let text = std::fs::read_to_string(&acl).unwrap();
    assert!(text.contains(right), "{text}");
    std::fs::write(&acl, text.replace(right, &right.replace("write", ""))).unwrap();
    mosquitto.reload();

    let health = peer.subscribe("netmonitor/v1/hub/service/alerting");
    agent.run();
    let is_refused = |message: &Received| {
        let health: Value = serde_json::from_str(&message.payload).unwrap();
        health["counters"]["not_published"].as_u64() > Some(0)
    };
    health.wait("a conclusion is refused", MINUTE, 0, is_refused);
    let topic = format!("netmonitor/v1/device/{id}/presence");
    let presence = peer.subscribe(&topic);
    mosquitto.export_again(&home, &[]);
    presence.wait("it is published", MINUTE, 0, |message| {
        message.payload.contains("online")
    });
}
