//! The contract: every payload and the table of topics, as files that others can rely on.

use netmonitor_protocol::acl::filter_matches;
use netmonitor_protocol::payload::Presence;
use netmonitor_protocol::topics::{self, TOPICS};
use netmonitor_protocol::{DeviceId, JoinRequestId, Message, ServiceName};
use netmonitor_testkit::golden;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// One message of each topic, with every field filled in.
fn examples() -> Vec<(&'static str, Message)> {
    let device: DeviceId = "ws-14".parse().unwrap();
    let request = JoinRequestId::from_bits(0x00c0_ffee);
    let decode = |topic: String, json: &str| Message::decode(&topic, json.as_bytes()).unwrap();
    let of_device =
        |leaf: &str, json: &str| decode(format!("netmonitor/v1/device/{device}/{leaf}"), json);
    vec![
        (
            "device_status",
            Message::DeviceStatus(device.clone(), Presence::Online),
        ),
        (
            "device_session",
            of_device("session", include_str!("full/session.json")),
        ),
        (
            "device_info",
            of_device("info", include_str!("full/info.json")),
        ),
        (
            "device_metrics",
            of_device("metrics", include_str!("full/metrics.json")),
        ),
        (
            "device_services",
            of_device("services", include_str!("full/services.json")),
        ),
        (
            "event",
            decode(
                "netmonitor/v1/event".to_owned(),
                include_str!("full/event.json"),
            ),
        ),
        ("hub_status", Message::HubStatus(Presence::Offline)),
        (
            "hub_info",
            decode(
                "netmonitor/v1/hub/info".to_owned(),
                include_str!("full/hub_info.json"),
            ),
        ),
        (
            "hub_service",
            decode(
                format!("netmonitor/v1/hub/service/{}", ServiceName::Ingest),
                include_str!("full/health.json"),
            ),
        ),
        ("credentials_changed", Message::CredentialsChanged),
        (
            "join_request",
            decode(
                format!("netmonitor-private/v1/join/{request}/request"),
                include_str!("full/join_request.json"),
            ),
        ),
        (
            "join_reply",
            decode(
                format!("netmonitor-private/v1/join/{request}/reply"),
                include_str!("full/join_reply.json"),
            ),
        ),
    ]
}

#[test]
fn every_payload_is_written_as_its_golden_file_says() {
    for (name, message) in examples() {
        let text = String::from_utf8(message.payload()).unwrap();
        golden(format!("{ROOT}/golden/{name}.json"), &(text + "\n"));
    }
}

#[test]
fn every_golden_file_is_read_back_as_what_was_written() {
    for (name, message) in examples() {
        let path = format!("{ROOT}/golden/{name}.json");
        let text = std::fs::read_to_string(path).unwrap();
        let topic = message.topic().to_string();
        let decoded = Message::decode(&topic, text.trim_end().as_bytes()).unwrap();
        assert_eq!(decoded, message, "{name}");
    }
}

#[test]
fn every_topic_has_a_golden_file() {
    for row in TOPICS {
        let filter = row.filter();
        let has_one = examples()
            .iter()
            .any(|(_, message)| filter_matches(&filter, &message.topic().to_string()));
        assert!(has_one, "{filter}");
    }
}

#[test]
fn the_reference_of_topics_is_what_the_table_says() {
    let head = "# Topics\n\n\
        Every topic that a hub and its agents use. Made from the table in\n\
        `crates/protocol/src/topics.rs`, from which the broker's access rules follow as well;\n\
        after a change run `UPDATE_EXPECT=1 cargo test -p netmonitor-protocol`.\n\n\
        A client may publish the topics whose *from* names it, and is sent those whose *to*\n\
        names it or all. An agent has its own device only. Payloads are JSON unless it says\n\
        otherwise; `crates/protocol/golden` has one of each.\n\n";
    let text = head.to_owned() + &topics::markdown();
    golden(format!("{ROOT}/../../docs/ref/topics.md"), &text);
}
