//! The process ends, and another one goes on.

use netmonitor_protocol::RuleKind;
use netmonitor_protocol::payload::{AlertAction, AlertState, RuleSettings, UnitState};

use super::super::Now;
use super::bench::{Bench, rule, rules};

#[test]
fn whoever_was_told_is_not_told_again_and_is_told_of_the_end() {
    let mut bench = Bench::new();
    bench.online("a");
    bench.lost("a");
    bench.pass(10.0);
    assert_eq!(bench.news(), ["firing a offline"]);
    let before = bench.retained.clone();
    bench.restart();
    bench.pass(120.0);
    assert!(bench.news().is_empty());
    assert_eq!(bench.retained, before);
    bench.online("a");
    bench.restart();
    bench.pass(30.0);
    assert_eq!(bench.news(), ["resolved a offline"]);
}

#[test]
fn a_wait_goes_on() {
    let mut bench = Bench::new();
    bench.online("a");
    bench.cpu_for("a", 96.0, 200);
    bench.restart();
    bench.cpu_for("a", 96.0, 103);
    assert_eq!(bench.news(), ["firing a cpu"]);
    bench.service("a", "x", UnitState::Failed, 0);
    bench.pass(4.0);
    bench.restart();
    bench.pass(1.0);
    assert_eq!(bench.news(), ["firing a service-x failed"]);
    bench.lost("a");
    bench.pass(8.0);
    bench.restart();
    // Who else is gone is known a moment later.
    bench.pass(5.0);
    assert_eq!(bench.news(), ["firing a offline"]);
}

#[test]
fn a_wait_goes_on_without_a_journal_as_well() {
    let mut bench = Bench::new();
    bench.online("a");
    bench.cpu_for("a", 96.0, 200);
    bench.journal.clear();
    bench.restart();
    bench.cpu_for("a", 96.0, 103);
    assert_eq!(bench.news(), ["firing a cpu"]);
}

#[test]
fn what_fires_is_known_from_the_broker_if_the_journal_is_lost() {
    let settings = RuleSettings {
        for_secs: Some(0),
        ..RuleSettings::default()
    };
    let mut bench = Bench::with(rules(RuleKind::Cpu, settings));
    bench.online("a");
    bench.cpu("a", 99.0);
    bench.act("a", "cpu", AlertAction::Ack { note: None });
    bench.news();
    bench.journal.clear();
    bench.restart();
    bench.cpu("a", 99.0);
    assert_eq!(bench.state("a", "cpu"), Some(AlertState::Acknowledged));
    assert_eq!(
        bench.alert("a", "cpu").acknowledged_by.as_deref(),
        Some("ada")
    );
    bench.cpu("a", 1.0);
    assert_eq!(bench.news(), ["resolved a cpu"]);
}

#[test]
fn snoozes_and_reminders_keep_their_time() {
    let mut bench = Bench::new();
    bench.online("a");
    bench.lost("a");
    bench.pass(10.0);
    bench.act("a", "offline", AlertAction::Snooze { for_secs: 600 });
    bench.news();
    bench.pass(300.0);
    bench.restart();
    assert_eq!(bench.state("a", "offline"), Some(AlertState::Snoozed));
    bench.pass(299.0);
    assert!(bench.news().is_empty());
    bench.pass(1.0);
    assert_eq!(bench.news(), ["reminder a offline"]);
}

#[test]
fn after_a_start_of_the_machine_durations_follow_the_wall_clock() {
    let mut bench = Bench::new();
    bench.online("a");
    bench.lost("a");
    bench.pass(10.0);
    bench.act("a", "offline", AlertAction::Snooze { for_secs: 600 });
    bench.news();
    let journal = bench.journal.clone();
    let now = Now {
        ms: 20_000,
        wall: bench.now.plus(300_000).wall,
    };
    let mut other = Bench::new();
    other.now = now;
    for ((subject, rule), life) in journal {
        other.engine.restore(subject, rule, life, false, now);
    }
    other.online("b");
    other.presence(
        "a",
        netmonitor_protocol::payload::PresenceState::Offline,
        Some(netmonitor_protocol::payload::PresenceCause::Lost),
    );
    other.pass(299.0);
    assert!(other.news().is_empty());
    other.pass(2.0);
    assert_eq!(other.news(), ["reminder a offline"]);
}

#[test]
fn what_is_retained_of_nobody_is_cleared_and_of_a_device_that_is_away_it_stays() {
    let mut bench = Bench::new();
    for name in ["a", "b"] {
        bench.online(name);
        bench.cpu(name, 1.0);
    }
    bench.lost("b");
    bench.pass(60.0);
    bench.news();
    let key = |device: &str, of: &str| (device.parse().unwrap(), rule(of));
    let ghost = bench.retained[&key("a", "cpu")].clone();
    bench.retained.insert(key("nobody", "cpu"), ghost.clone());
    bench.retained.insert(key("a", "disk-usb"), ghost.clone());
    bench.restart();
    bench.cpu("a", 1.0);
    bench.pass(61.0);
    assert!(!bench.retained.contains_key(&key("nobody", "cpu")));
    assert!(!bench.retained.contains_key(&key("a", "disk-usb")));
    assert_eq!(bench.state("a", "cpu"), Some(AlertState::Ok));
    assert_eq!(bench.state("b", "cpu"), Some(AlertState::Unknown));
    assert!(bench.news().is_empty());
}

#[test]
fn a_broker_that_has_forgotten_is_told_everything_again() {
    let mut bench = Bench::new();
    bench.online("a");
    bench.cpu("a", 1.0);
    let before = bench.retained.clone();
    bench.retained.clear();
    bench.hear(super::super::Input::Connected);
    bench.pass(5.0);
    assert_eq!(bench.retained, before);
}
