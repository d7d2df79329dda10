//! The contract: every payload and the table of topics, as files that others can rely on.

use netmonitor_protocol::acl::filter_matches;
use netmonitor_protocol::topics::{self, TOPICS};
use netmonitor_protocol::{Message, Topic};
use netmonitor_testkit::golden;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A topic of each kind, and the file that has its payload with every field filled in.
const GOLDEN: [(&str, &str); 29] = [
    ("device_status", "netmonitor/v1/device/ws-14/status"),
    ("device_session", "netmonitor/v1/device/ws-14/session"),
    ("device_presence", "netmonitor/v1/device/ws-14/presence"),
    ("device_info", "netmonitor/v1/device/ws-14/info"),
    ("device_metrics", "netmonitor/v1/device/ws-14/metrics"),
    ("device_services", "netmonitor/v1/device/ws-14/services"),
    ("device_processes", "netmonitor/v1/device/ws-14/processes"),
    ("device_backfill", "netmonitor/v1/device/ws-14/backfill"),
    ("device_ack", "netmonitor/v1/device/ws-14/ack"),
    ("device_settings", "netmonitor/v1/device/ws-14/settings"),
    ("device_watch", "netmonitor/v1/device/ws-14/watch"),
    ("device_notify", "netmonitor/v1/device/ws-14/notify"),
    ("alert", "netmonitor/v1/alert/ws-14/cpu"),
    ("alert_set", "netmonitor/v1/alert/ws-14/disk-home/set"),
    ("event", "netmonitor/v1/event"),
    ("hub_status", "netmonitor/v1/hub/status"),
    ("hub_info", "netmonitor/v1/hub/info"),
    ("hub_service", "netmonitor/v1/hub/service/ingest"),
    ("settings_history", "netmonitor-private/v1/settings/history"),
    (
        "settings_alerting",
        "netmonitor-private/v1/settings/alerting",
    ),
    (
        "settings_channels",
        "netmonitor-private/v1/settings/channels",
    ),
    (
        "device_alerting",
        "netmonitor-private/v1/device/ws-14/alerting",
    ),
    ("history_command", "netmonitor-private/v1/history/command"),
    (
        "credentials_changed",
        "netmonitor-private/v1/credentials/changed",
    ),
    ("device_revoke", "netmonitor-private/v1/device/ws-14/revoke"),
    ("channel_test", "netmonitor-private/v1/channels/test"),
    ("channel_tested", "netmonitor-private/v1/channels/tested"),
    (
        "join_request",
        "netmonitor-private/v1/join/000000000000000000000000c0ffee00/request",
    ),
    (
        "join_reply",
        "netmonitor-private/v1/join/000000000000000000000000c0ffee00/reply",
    ),
];

/// A payload that this version reads and writes back differently has changed the contract. The
/// files are written by hand: a change of one is a change of what others send.
#[test]
fn every_golden_payload_is_read_and_written_back_to_the_letter() {
    for (name, topic) in GOLDEN {
        let path = format!("{ROOT}/golden/{name}.json");
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.trim_end();
        let message = Message::decode(topic, text.as_bytes(), None).unwrap();
        assert_eq!(message.topic().to_string(), topic);
        assert_eq!(
            String::from_utf8(message.payload()).unwrap(),
            text,
            "{path}"
        );
    }
}

#[test]
fn every_topic_has_a_golden_payload() {
    for row in TOPICS {
        let filter = row.filter();
        let has_one = GOLDEN
            .iter()
            .any(|(_, topic)| topic.parse::<Topic>().is_ok() && filter_matches(&filter, topic));
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
