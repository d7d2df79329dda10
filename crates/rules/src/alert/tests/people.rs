//! What people do about alerts, and when they want to be left alone.

use std::collections::BTreeSet;

use netmonitor_protocol::RuleKind;
use netmonitor_protocol::payload::{
    AlertAction, AlertState, DeviceAlerting, EventKind, Maintenance, MaintenanceTime, Muted,
    RuleSettings, Weekday, WeeklyHours,
};

use super::super::Output;
use super::bench::{Bench, rules};

const HOUR: f64 = 3600.0;

fn firing() -> Bench {
    let settings = RuleSettings {
        for_secs: Some(0),
        ..RuleSettings::default()
    };
    let mut bench = Bench::with(rules(RuleKind::Cpu, settings));
    bench.online("a");
    bench.cpu("a", 99.0);
    assert_eq!(bench.news(), ["firing a cpu"]);
    bench
}

fn ack() -> AlertAction {
    AlertAction::Ack {
        note: Some("on my way".to_owned()),
    }
}

#[test]
fn what_nobody_takes_on_is_told_again_and_what_somebody_has_taken_on_is_not() {
    let mut bench = firing();
    bench.pass(24.0 * HOUR);
    assert_eq!(bench.news(), ["reminder a cpu"]);
    bench.pass(24.0 * HOUR);
    let ids: Vec<String> = bench.told.iter().map(|it| it.id.clone()).collect();
    assert_eq!(bench.news(), ["reminder a cpu"]);
    assert!(ids[0].ends_with("/reminder-2"), "{ids:?}");
    bench.act("a", "cpu", ack());
    let alert = bench.alert("a", "cpu");
    assert_eq!(alert.state, AlertState::Acknowledged);
    assert_eq!(alert.acknowledged_by.as_deref(), Some("ada"));
    assert_eq!(alert.note.as_deref(), Some("on my way"));
    bench.pass(200.0 * HOUR);
    assert!(bench.news().is_empty());
    bench.act("a", "cpu", AlertAction::Unack);
    assert_eq!(bench.state("a", "cpu"), Some(AlertState::Firing));
    bench.pass(1.0);
    assert_eq!(bench.news(), ["reminder a cpu"], "it was due long ago");
    bench.act("a", "cpu", ack());
    bench.cpu("a", 1.0);
    assert_eq!(bench.news(), ["resolved a cpu"]);
    let kinds: Vec<EventKind> = bench.log.iter().map(|it| it.0.clone()).collect();
    assert_eq!(
        kinds,
        [
            EventKind::AlertFiring,
            EventKind::AlertAcknowledged,
            EventKind::AlertUnacknowledged,
            EventKind::AlertAcknowledged,
            EventKind::AlertResolved
        ]
    );
}

#[test]
fn whoever_was_told_that_it_began_or_goes_on_is_known_when_it_ends_also_after_a_restart() {
    let mut bench = firing();
    bench.pass(24.0 * HOUR);
    let reminder = bench.told.remove(0);
    let phone = [("phone", &reminder)];
    for output in bench.engine.told(&reminder, phone, bench.now) {
        let Output::Save(subject, rule, Some(life)) = output else {
            panic!("{output:?}");
        };
        bench.journal.insert((subject, rule), *life);
    }
    bench.restart();
    bench.cpu("a", 1.0);
    bench.pass(60.0);
    let end = bench.told.remove(0);
    let channels = end.alerts[0].channels.clone().unwrap();
    assert_eq!(
        channels,
        BTreeSet::from(["mail".to_owned(), "phone".to_owned()])
    );
}

#[test]
fn reminders_can_be_switched_off() {
    let mut bench = firing();
    bench.set(|it| it.repeat_hours = 0);
    bench.pass(1000.0 * HOUR);
    assert!(bench.news().is_empty());
}

#[test]
fn several_that_are_due_at_once_are_one_reminder() {
    let mut bench = Bench::new();
    for name in ["a", "b", "c"] {
        bench.online(name);
    }
    for name in ["a", "b", "c"] {
        bench.lost(name);
    }
    bench.pass(24.0 * HOUR + 60.0);
    let expected = "a offline, b offline, c offline";
    assert_eq!(
        bench.news(),
        [format!("firing {expected}"), format!("reminder {expected}")]
    );
}

#[test]
fn a_snooze_ends_and_then_it_is_told_again_if_it_still_fires() {
    let mut bench = firing();
    bench.act("a", "cpu", AlertAction::Snooze { for_secs: 7200 });
    let alert = bench.alert("a", "cpu");
    assert_eq!(alert.state, AlertState::Snoozed);
    assert_eq!(alert.snoozed_until, Some(bench.now.plus(7_200_000).wall));
    bench.pass(2.0 * HOUR - 1.0);
    assert!(bench.news().is_empty());
    bench.pass(1.0);
    assert_eq!(bench.state("a", "cpu"), Some(AlertState::Firing));
    assert_eq!(bench.news(), ["reminder a cpu"]);
    bench.act("a", "cpu", AlertAction::Snooze { for_secs: 7200 });
    bench.cpu("a", 1.0);
    assert_eq!(bench.news(), ["resolved a cpu"]);
    bench.pass(3.0 * HOUR);
    assert!(bench.news().is_empty());
}

#[test]
fn nothing_can_be_done_about_what_does_not_fire() {
    let mut bench = firing();
    bench.cpu("a", 1.0);
    bench.news();
    for of in ["cpu", "ram", "disk-nowhere"] {
        bench.act("a", of, ack());
    }
    assert_eq!(bench.state("a", "cpu"), Some(AlertState::Ok));
    assert_eq!(bench.log.len(), 2);
}

fn window(when: MaintenanceTime) -> Maintenance {
    Maintenance {
        id: "m".to_owned(),
        name: String::new(),
        devices: Vec::new(),
        groups: vec!["lab".to_owned()],
        when,
    }
}

fn in_lab() -> Bench {
    let mut bench = Bench::new();
    bench.online("a");
    let lab = DeviceAlerting {
        groups: vec!["lab".to_owned()],
        ..DeviceAlerting::default()
    };
    bench.configure("a", lab);
    bench
}

#[test]
fn in_a_maintenance_window_nobody_is_told_and_after_it_what_is_left() {
    let mut bench = in_lab();
    let once = MaintenanceTime::Once {
        from: bench.now.wall,
        to: bench.now.plus(3_600_000).wall,
    };
    bench.set(|it| it.maintenance.push(window(once)));
    bench.lost("a");
    bench.pass(60.0);
    assert_eq!(bench.state("a", "offline"), Some(AlertState::Firing));
    assert_eq!(bench.alert("a", "offline").muted, Some(Muted::Maintenance));
    bench.online("a");
    bench.pass(60.0);
    assert!(
        bench.news().is_empty(),
        "what nobody was told of ends unheard"
    );
    bench.lost("a");
    bench.pass(HOUR - 200.0);
    assert!(bench.news().is_empty());
    bench.pass(200.0);
    assert_eq!(bench.news(), ["firing a offline"]);
    assert_eq!(bench.alert("a", "offline").muted, None);
}

#[test]
fn an_end_in_a_maintenance_window_is_told_to_whoever_heard_of_the_beginning() {
    let mut bench = in_lab();
    bench.lost("a");
    bench.pass(10.0);
    assert_eq!(bench.news(), ["firing a offline"]);
    let weekly = MaintenanceTime::Weekly(WeeklyHours {
        days: vec![Weekday::Monday],
        from: "10:00".parse().unwrap(),
        to: "11:00".parse().unwrap(),
    });
    bench.set(|it| it.maintenance.push(window(weekly)));
    bench.online("a");
    bench.pass(10.0);
    assert_eq!(bench.news(), ["resolved a offline"]);
}
