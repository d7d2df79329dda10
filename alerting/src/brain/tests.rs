use netmonitor_protocol::payload::{AlertAction, AlertCommand, AlertState, Event, Severity};
use netmonitor_protocol::{Rule, Subject};
use netmonitor_service::language::Language;
use serde_json::json;

use super::*;
use crate::Config;

const DEVICE: &str = "pc-1";

fn device() -> DeviceId {
    DEVICE.parse().unwrap()
}

fn ram() -> Rule {
    "ram".parse().unwrap()
}

/// Somebody who has heard all that is set, and of a device that is there.
fn brain() -> Brain {
    let policy = Policy::new(Language::English);
    let mut brain = Brain::new(Config::default().timing(), policy, Counters::default());
    let mut to_do = ToDo::default();
    brain.connected(&mut to_do);
    let settings = json!({ "rules": { "ram": { "for_secs": 0 } } });
    let settings = serde_json::from_value(settings).unwrap();
    brain.hear(Message::AlertingSettings(settings), true, &mut to_do);
    brain.caught_up(&mut to_do);
    let online = json!({ "state": "online", "since": clock::now() });
    let online = serde_json::from_value(online).unwrap();
    brain.alert(alert::Input::Presence(device(), online), &mut to_do);
    brain
}

fn sample(ram: u64) -> Message {
    let metrics = json!({
        "session": "0000000000000001", "seq": 1, "time": clock::now(), "uptime_secs": 100_000,
        "cpu": { "usage_percent": 1.0 }, "disks": [],
        "memory": { "total_bytes": 100, "used_bytes": ram },
    });
    Message::DeviceMetrics(device(), serde_json::from_value(metrics).unwrap())
}

/// What is published of its memory after this was heard.
fn state(brain: &mut Brain, message: Message, is_retained: bool) -> Option<AlertState> {
    brain.hear(message, is_retained, &mut ToDo::default());
    let alert = brain.alerts.alert(&Subject::Device(device()), &ram());
    alert.map(|it| it.state)
}

#[test]
fn what_was_said_before_this_connection_is_no_order_and_no_sample_that_counts() {
    let mut brain = brain();
    assert_eq!(state(&mut brain, sample(10), false), Some(AlertState::Ok));
    assert_eq!(state(&mut brain, sample(99), true), Some(AlertState::Ok));
    let fires = state(&mut brain, sample(99), false);
    assert_eq!(fires, Some(AlertState::Firing));
    let command = AlertCommand {
        action: AlertAction::Ack { note: None },
        by: None,
    };
    let command = Message::AlertSet(device().into(), ram(), command);
    let still = state(&mut brain, command.clone(), true);
    assert_eq!(still, Some(AlertState::Firing));
    let known = state(&mut brain, command, false);
    assert_eq!(known, Some(AlertState::Acknowledged));
}

#[test]
fn a_loss_that_stands_retained_is_an_old_one() {
    let mut brain = brain();
    let lost = Message::Event(Event {
        device: Some(device()),
        ..Event::new(
            clock::now(),
            EventKind::SamplesLost,
            Severity::Warning,
            [("count", "7".to_owned())],
        )
    });
    let rule = "samples-lost".parse().unwrap();
    for (is_retained, expected) in [(true, false), (false, true)] {
        brain.hear(lost.clone(), is_retained, &mut ToDo::default());
        let alert = brain.alerts.alert(&device().into(), &rule);
        let fires = alert.is_some_and(|it| it.state == AlertState::Firing);
        assert_eq!(fires, expected, "retained: {is_retained}");
    }
}

#[test]
fn what_is_set_is_written_when_it_is_new_and_not_with_each_connection() {
    let mut brain = brain();
    let channels = |name: &str| {
        let channel = json!({ "id": "c", "name": name, "enabled": true, "kind": "desktop" });
        let channels = json!({ "channels": [channel] });
        Message::Channels(serde_json::from_value(channels).unwrap())
    };
    let settings = |repeat_hours: u32| {
        let settings = json!({ "repeat_hours": repeat_hours });
        Message::AlertingSettings(serde_json::from_value(settings).unwrap())
    };
    let mut entries = |message: Message| {
        let mut to_do = ToDo::default();
        brain.hear(message, true, &mut to_do);
        assert_eq!(to_do.policy.is_some(), !to_do.entries.is_empty());
        to_do.entries.len()
    };
    for (message, expected) in [
        (channels("Screen"), 1),
        (channels("Screen"), 0),
        (channels("Desk"), 1),
        (settings(7), 1),
        (settings(7), 0),
        (settings(8), 1),
    ] {
        assert_eq!(entries(message.clone()), expected, "{message:?}");
    }
}
