use netmonitor_protocol::payload::{AlertState, Severity};
use netmonitor_protocol::{Rule, RuleKind, Subject};

use super::tests::{at, fleet, id};
use super::*;

fn alert(state: AlertState, second: i64) -> Alert {
    Alert {
        state,
        since: at(second),
        severity: Severity::Warning,
        value: Some(96.0),
        limit: Some(90.0),
        detail: None,
        firing_since: None,
        acknowledged_by: None,
        note: None,
        snoozed_until: None,
        muted: None,
    }
}

fn said(subject: Subject, kind: RuleKind, alert: Alert) -> Message {
    Message::Alert(subject, Rule::of(kind), Box::new(alert))
}

fn rules(alerts: &[types::Alert]) -> Vec<&str> {
    alerts.iter().map(|alert| alert.rule.as_str()).collect()
}

#[test]
fn an_alert_is_told_once_and_stands_with_its_device_until_all_is_well() {
    let mut fleet = fleet();
    let firing = said(id().into(), RuleKind::Ram, alert(AlertState::Firing, 1));
    let changes = fleet.apply(firing.clone(), Arrival::Live, at(1));
    let [Live::Alert(told)] = changes.as_slice() else {
        panic!("{changes:?}")
    };
    assert_eq!((told.device.as_str(), told.rule.as_str()), ("ws-14", "ram"));
    assert_eq!(fleet.apply(firing, Arrival::Live, at(2)).len(), 0);
    assert_eq!(rules(&fleet.device(&id()).unwrap().alerts), ["ram"]);
    let well = said(id().into(), RuleKind::Ram, alert(AlertState::Ok, 3));
    assert_eq!(fleet.apply(well, Arrival::Live, at(3)).len(), 1);
    assert_eq!(fleet.device(&id()).unwrap().alerts, []);
    assert_eq!(rules(&fleet.alerts()), ["ram"]);
    let cleared = Topic::Alert(id().into(), Rule::of(RuleKind::Ram));
    let changes = fleet.apply(Message::Cleared(cleared), Arrival::Live, at(4));
    let [Live::Alert(told)] = changes.as_slice() else {
        panic!("{changes:?}")
    };
    assert!(told.alert.is_none() && fleet.alerts().is_empty());
}

#[test]
fn what_fires_comes_first_and_of_that_what_matters_most() {
    let mut fleet = fleet();
    let mut say = |subject, kind, alert| {
        fleet.apply(said(subject, kind, alert), Arrival::Retained, at(9));
    };
    say(id().into(), RuleKind::Cpu, alert(AlertState::Ok, 1));
    say(id().into(), RuleKind::Ram, alert(AlertState::Pending, 2));
    say(id().into(), RuleKind::Swap, alert(AlertState::Firing, 3));
    say(id().into(), RuleKind::Load, alert(AlertState::Firing, 4));
    let critical = Alert {
        severity: Severity::Critical,
        ..alert(AlertState::Firing, 1)
    };
    say(Subject::Hub, RuleKind::Storage, critical);
    let expected = ["storage", "load", "swap", "ram", "cpu"];
    assert_eq!(rules(&fleet.alerts()), expected);
    let snapshot = fleet.snapshot(at(9));
    let told = snapshot.iter().filter(|it| matches!(it, Live::Alert(_)));
    assert_eq!(told.count(), 4, "what is well is not told");
}

#[test]
fn a_blind_hub_knows_of_no_alert_and_a_device_that_is_gone_has_none() {
    let mut fleet = fleet();
    let firing = || said(id().into(), RuleKind::Ram, alert(AlertState::Firing, 1));
    fleet.apply(firing(), Arrival::Live, at(1));
    let gone = fleet.lost_sight(at(2));
    let is_gone = |it: &Live| matches!(it, Live::Alert(told) if told.alert.is_none());
    assert!(gone.iter().any(is_gone), "{gone:?}");
    assert!(fleet.alerts().is_empty());
    fleet.apply(firing(), Arrival::Retained, at(3));
    fleet.remove(&id());
    assert!(fleet.alerts().is_empty());
    assert_eq!(fleet.apply(firing(), Arrival::Live, at(4)).len(), 0);
}

#[test]
fn what_is_set_about_a_device_is_shown_and_told_once() {
    let mut fleet = fleet();
    let about = About {
        revision: 3,
        name: "Desk".to_owned(),
        groups: vec!["lab".to_owned()],
        always_on: true,
        uplink: None,
        limits: netmonitor_rules::Limits {
            ram_percent: 50.0,
            ..netmonitor_rules::Limits::default()
        },
    };
    assert_eq!(fleet.set(&id(), &about).len(), 1);
    assert_eq!(fleet.set(&id(), &about).len(), 0);
    let device = fleet.device(&id()).unwrap();
    assert_eq!((device.name.as_str(), device.always_on), ("Desk", true));
    assert_eq!(device.limits.ram_percent.to_bits(), 50.0_f64.to_bits());
    assert_eq!(fleet.revision(&id()), 3);
}
