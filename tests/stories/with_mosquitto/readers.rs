//! Home Assistant and its like: they read, and may do nothing else.

use serde_json::Value;

use crate::support::DEADLINE;
use crate::support::hub::Hub;
use crate::support::mqtt::Peer;

/// What `mosquitto_sub` and `mosquitto_pub` exit with when the broker lets them not in.
const NOT_AUTHORISED: Option<i32> = Some(5);

#[test]
fn a_reader_sees_what_is_retained_at_once_and_live_samples_after_and_changes_nothing() {
    let hub = Hub::start(&[]);
    let reader = Peer::reader(&hub);
    let all = reader.subscribe("netmonitor/v1/#");
    let status = all.wait("the status of this machine", DEADLINE, 0, |message| {
        message.topic.ends_with("/status") && message.topic.contains("/device/")
    });
    assert!(status.retained);
    assert_eq!(status.payload, "online");
    let device = status.topic.strip_suffix("/status").unwrap().to_owned();
    for part in ["session", "info", "metrics", "services"] {
        let topic = format!("{device}/{part}");
        let message = all.wait(&topic, DEADLINE, 0, |message| message.topic == topic);
        assert!(message.retained, "{topic}");
        let payload: Value = serde_json::from_str(&message.payload).unwrap();
        assert!(payload.is_object(), "{topic}");
    }
    for service in ["api", "broker", "ingest"] {
        let topic = format!("netmonitor/v1/hub/service/{service}");
        let message = all.wait(&topic, DEADLINE, 0, |message| message.topic == topic);
        let payload: Value = serde_json::from_str(&message.payload).unwrap();
        assert_eq!(payload["state"], "running");
    }
    let metrics = format!("{device}/metrics");
    let is_live =
        |message: &crate::support::mqtt::Received| message.topic == metrics && !message.retained;
    all.wait("a live sample", DEADLINE, 0, is_live);
    let so_far = all.received().len();
    all.wait("another live sample", DEADLINE, so_far, is_live);

    // MQTT 5 has a word for it. MQTT 3.1.1 has none but to disconnect, which would set off the
    // will: the message is acknowledged and dropped.
    let refused = reader.publish(&status.topic, "offline", &["-V", "5", "-r"]);
    assert!(refused.stderr.contains("Not authorized"), "{refused:?}");
    let dropped = reader.publish(&status.topic, "offline", &["-V", "311", "-r"]);
    assert_eq!((dropped.code, dropped.stderr.as_str()), (Some(0), ""));
    let late = reader.subscribe(&status.topic);
    let still = late.wait("the status", DEADLINE, 0, |_| true);
    assert_eq!((still.retained, still.payload.as_str()), (true, "online"));
    assert!(
        all.received()
            .iter()
            .all(|message| message.payload != "offline")
    );

    // Nobody reads what is for the services only.
    reader.assert_may_not_read("netmonitor-private/v1/#");
}

#[test]
fn nobody_is_let_in_without_the_right_password() {
    let hub = Hub::start(&["--no-agent"]);
    let reader = Peer::reader(&hub);
    let look = ["-t", "netmonitor/v1/#", "-C", "1", "-W", "20"];
    assert_eq!(reader.sub(&look).code, Some(0));
    for (user, password) in [
        ("", ""),
        ("homeassistant", "wrong"),
        ("homeassistant", ""),
        ("nobody", "wrong"),
        ("netmonitor-hub", "hub"),
        ("join", "wrong"),
    ] {
        for version in ["5", "311"] {
            let stranger = Peer::new(&hub, user, password);
            let ended = stranger.sub(&[&look[..], &["-V", version]].concat());
            // In MQTT 5 it exits with the reason code instead: 0x86 or 0x87.
            let is_refused = ended.code == NOT_AUTHORISED
                || (version == "5" && matches!(ended.code, Some(134 | 135)));
            assert!(is_refused, "{user:?} with {password:?}: {ended:?}");
            assert_eq!(ended.stdout, "");
        }
    }
}
