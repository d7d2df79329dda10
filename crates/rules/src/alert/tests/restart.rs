//! The process ends, and another one goes on.

use netmonitor_protocol::RuleKind;
use netmonitor_protocol::payload::{
    AlertAction, AlertState, DeviceAlerting, Load, Maintenance, MaintenanceTime, PresenceCause,
    PresenceState, RuleSettings, UnitState,
};

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
    // What is set for each device is known a moment later.
    bench.pass(5.0);
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
    bench.restart_without_journal();
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
    bench.restart_without_journal();
    bench.pass(5.0);
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

#[test]
fn nobody_is_told_before_it_is_known_what_is_set_for_the_device() {
    let mut bench = Bench::new();
    let mut config = DeviceAlerting {
        groups: vec!["lab".to_owned()],
        ..DeviceAlerting::default()
    };
    let load = RuleSettings {
        enabled: Some(true),
        for_secs: Some(0),
        ..RuleSettings::default()
    };
    config.rules.insert(RuleKind::Load, load);
    bench.configure("a", config);
    bench.online("a");
    let mut metrics = bench.metrics(1.0, 10);
    metrics.cpu.per_core_percent = vec![1.0];
    metrics.cpu.load = Some(Load {
        one: 9.0,
        five: 9.0,
        fifteen: 9.0,
    });
    bench.sample("a", metrics.clone());
    assert_eq!(bench.news(), ["firing a load"]);
    // Off for all, on for this one; and another alert is muted for its group.
    let window = Maintenance {
        id: "m".to_owned(),
        name: String::new(),
        devices: Vec::new(),
        groups: vec!["lab".to_owned()],
        when: MaintenanceTime::Once {
            from: bench.now.wall,
            to: bench.now.plus(3_600_000).wall,
        },
    };
    bench.set(|it| it.maintenance.push(window));
    bench.service("a", "x", UnitState::Failed, 0);
    bench.pass(60.0);
    bench.restart();
    bench.sample("a", metrics);
    bench.pass(60.0);
    assert!(bench.news().is_empty());
    assert_eq!(bench.state("a", "load"), Some(AlertState::Firing));
}

#[test]
fn what_was_published_and_not_yet_remembered_is_told_after_a_kill() {
    let mut bench = Bench::new();
    bench.online("a");
    bench.service("a", "x", UnitState::Running, 0);
    let journal = bench.journal.clone();
    bench.service("a", "x", UnitState::Failed, 0);
    bench.pass(5.0);
    let first = bench.news();
    assert_eq!(first, ["firing a service-x failed"]);
    bench.journal = journal;
    bench.restart();
    bench.pass(10.0);
    assert_eq!(
        bench.news(),
        first,
        "it was not sent: nothing is before it is remembered"
    );
    // The other way round: it has ended, and the broker does not know it yet.
    let retained = bench.retained.clone();
    bench.service("a", "x", UnitState::Running, 0);
    assert_eq!(bench.news(), ["resolved a service-x"]);
    bench.retained = retained;
    bench.restart();
    bench.pass(60.0);
    assert!(bench.news().is_empty());
    assert_eq!(bench.state("a", "service-x"), Some(AlertState::Ok));
}

#[test]
fn old_restarts_of_a_service_are_no_news_after_a_kill() {
    for with_journal in [true, false] {
        let mut bench = Bench::new();
        bench.online("a");
        bench.service("a", "x", UnitState::Running, 7);
        bench.pass(3600.0);
        if with_journal {
            bench.restart();
        } else {
            bench.restart_without_journal();
        }
        bench.pass(60.0);
        assert!(bench.news().is_empty());
    }
}

#[test]
fn a_device_that_was_removed_meanwhile_leaves_nothing() {
    let mut bench = Bench::new();
    bench.online("a");
    bench.lost("a");
    bench.pass(10.0);
    bench.news();
    let (journal, retained) = (bench.journal.clone(), bench.retained.clone());
    let mut other = Bench::new();
    for ((subject, rule), life) in journal {
        other.engine.restore(subject, rule, life, true, other.now);
    }
    other.retained = retained;
    other.hear(super::super::Input::Connected);
    for ((subject, rule), alert) in other.retained.clone() {
        other.hear(super::super::Input::Retained(
            subject,
            rule,
            Box::new(alert),
        ));
    }
    other.pass(61.0);
    assert!(other.retained.is_empty(), "{:?}", other.retained);
}

#[test]
fn what_is_set_for_a_device_that_is_not_there_yet_holds_when_it_comes() {
    let mut bench = Bench::new();
    let off = RuleSettings {
        enabled: Some(false),
        ..RuleSettings::default()
    };
    let mut config = DeviceAlerting::default();
    config.rules.insert(RuleKind::Cpu, off);
    bench.configure("a", config);
    bench.pass(120.0);
    bench.online("a");
    bench.cpu("a", 1.0);
    assert_eq!(bench.state("a", "cpu"), None);
}

#[test]
fn a_service_that_had_not_been_started_again_before_the_kill_is_in_a_loop_after_three_starts() {
    let mut bench = Bench::new();
    bench.online("a");
    bench.service("a", "x", UnitState::Failed, 0);
    bench.pass(60.0);
    assert_eq!(bench.news(), ["firing a service-x failed"]);
    bench.lost("a");
    bench.restart();
    bench.pass(60.0);
    bench.service("a", "x", UnitState::Running, 3);
    bench.online("a");
    bench.pass(60.0);
    let alert = bench.alert("a", "service-x");
    assert_eq!(alert.state, AlertState::Firing);
    assert_eq!(alert.detail.as_deref(), Some("restart_loop"));
}

#[test]
fn a_wait_does_not_go_on_while_nobody_can_see_with_and_without_a_kill() {
    for is_killed in [false, true] {
        let mut bench = Bench::new();
        bench.presence("a", PresenceState::Stale, None);
        bench.pass(40.0);
        bench.presence("a", PresenceState::Unknown, Some(PresenceCause::HubRestart));
        bench.pass(40.0);
        if is_killed {
            bench.restart();
        }
        bench.presence("a", PresenceState::Stale, None);
        bench.pass(59.0);
        assert_eq!(bench.state("a", "stale"), Some(AlertState::Pending));
        bench.pass(1.0);
        assert_eq!(bench.news(), ["firing a stale"]);
    }
}
