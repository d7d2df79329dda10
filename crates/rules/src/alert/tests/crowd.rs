//! Devices that are gone: one, several, all, and what hangs behind one.

use netmonitor_protocol::payload::{
    AlertState, DeviceAlerting, Muted, PresenceCause, PresenceState,
};

use super::bench::{Bench, id};

#[test]
fn a_device_that_is_lost_is_told_when_its_time_is_over_and_when_it_is_back() {
    let mut bench = Bench::new();
    bench.online("a");
    bench.lost("a");
    bench.pass(9.9);
    assert!(bench.news().is_empty());
    bench.pass(0.1);
    assert_eq!(bench.news(), ["firing a offline"]);
    assert_eq!(bench.alert("a", "offline").detail.as_deref(), Some("lost"));
    bench.pass(60.0);
    bench.online("a");
    assert_eq!(bench.state("a", "offline"), Some(AlertState::Ok));
    bench.pass(5.0);
    assert_eq!(bench.news(), ["resolved a offline"]);
}

#[test]
fn who_comes_back_in_time_was_never_gone() {
    let mut bench = Bench::new();
    bench.online("a");
    for _ in 0..20 {
        bench.lost("a");
        bench.pass(9.0);
        bench.online("a");
        bench.pass(9.0);
    }
    assert!(bench.news().is_empty());
}

#[test]
fn a_planned_end_is_no_alert_but_of_a_device_that_is_always_on() {
    for cause in [PresenceCause::Shutdown, PresenceCause::Suspend] {
        let mut bench = Bench::new();
        bench.online("a");
        bench.online("b");
        let always_on = DeviceAlerting {
            always_on: true,
            ..DeviceAlerting::default()
        };
        bench.configure("b", always_on);
        bench.presence("a", PresenceState::Offline, Some(cause));
        bench.presence("b", PresenceState::Offline, Some(cause));
        bench.pass(100.0);
        assert_eq!(bench.news(), ["firing b offline"]);
        assert_eq!(bench.state("a", "offline"), Some(AlertState::Ok));
    }
}

#[test]
fn a_hub_that_does_not_know_neither_fires_nor_ends_anything() {
    let mut bench = Bench::new();
    bench.online("a");
    bench.presence("a", PresenceState::Unknown, Some(PresenceCause::HubRestart));
    bench.pass(600.0);
    bench.online("a");
    assert!(bench.news().is_empty());
    bench.lost("a");
    bench.pass(10.0);
    assert_eq!(bench.news(), ["firing a offline"]);
    bench.presence("a", PresenceState::Unknown, Some(PresenceCause::HubRestart));
    assert_eq!(bench.state("a", "offline"), Some(AlertState::Unknown));
    bench.pass(60.0);
    assert!(bench.news().is_empty());
}

#[test]
fn many_devices_that_go_within_seconds_are_one_message_and_so_is_their_return() {
    let mut bench = Bench::new();
    let names: Vec<String> = (0..100).map(|number| format!("d{number:02}")).collect();
    for name in &names {
        bench.online(name);
    }
    for name in &names {
        bench.lost(name);
        bench.pass(0.06);
    }
    bench.pass(30.0);
    assert_eq!(bench.told.len(), 1);
    assert_eq!(bench.told[0].alerts.len(), 100);
    bench.news();
    for name in &names {
        bench.online(name);
        bench.pass(0.1);
    }
    bench.pass(30.0);
    assert_eq!(bench.told.len(), 1);
    assert_eq!(bench.told[0].alerts.len(), 100);
}

#[test]
fn devices_that_go_one_after_the_other_are_told_at_once_each() {
    let mut bench = Bench::new();
    for name in ["a", "b"] {
        bench.online(name);
    }
    bench.lost("a");
    bench.pass(10.0);
    assert_eq!(bench.news(), ["firing a offline"]);
    bench.lost("b");
    bench.pass(10.0);
    assert_eq!(bench.news(), ["firing b offline"]);
}

#[test]
fn nobody_waits_for_ever_for_devices_that_keep_going() {
    let mut bench = Bench::new();
    let names: Vec<String> = (0..20).map(|number| format!("d{number:02}")).collect();
    for name in &names {
        bench.online(name);
    }
    for name in &names {
        bench.lost(name);
        bench.pass(2.0);
    }
    // The first has been gone for 40 s: it was told 25 s after it went at the latest.
    assert!(!bench.news().is_empty());
}

fn behind(uplink: &str) -> DeviceAlerting {
    DeviceAlerting {
        uplink: Some(id(uplink)),
        ..DeviceAlerting::default()
    }
}

#[test]
fn what_hangs_behind_a_device_is_told_with_it() {
    let mut bench = Bench::new();
    for name in ["switch", "a", "b", "c"] {
        bench.online(name);
    }
    bench.configure("a", behind("switch"));
    bench.configure("b", behind("a"));
    for name in ["b", "a", "switch", "c"] {
        bench.lost(name);
        bench.pass(1.0);
    }
    bench.pass(30.0);
    assert_eq!(bench.news(), ["firing c offline, switch offline (a b)"]);
    let muted = bench.alert("a", "offline").muted.clone();
    assert_eq!(muted, Some(Muted::Behind(id("switch"))));
    for name in ["switch", "a", "b", "c"] {
        bench.online(name);
    }
    bench.pass(60.0);
    assert_eq!(bench.news(), ["resolved c offline, switch offline"]);
}

#[test]
fn who_does_not_come_back_with_its_uplink_is_told_of_itself() {
    let mut bench = Bench::new();
    for name in ["switch", "a"] {
        bench.online(name);
    }
    bench.configure("a", behind("switch"));
    bench.lost("a");
    bench.lost("switch");
    bench.pass(30.0);
    assert_eq!(bench.news(), ["firing switch offline (a)"]);
    bench.online("switch");
    bench.pass(20.0);
    assert_eq!(bench.news(), ["resolved switch offline"]);
    bench.pass(60.0);
    assert_eq!(bench.news(), ["firing a offline"]);
}

#[test]
fn uplinks_in_a_circle_hide_nobody_for_ever() {
    let mut bench = Bench::new();
    for name in ["a", "b"] {
        bench.online(name);
    }
    bench.configure("a", behind("b"));
    bench.configure("b", behind("a"));
    bench.lost("a");
    bench.pass(30.0);
    assert_eq!(bench.news(), ["firing a offline"]);
}

#[test]
fn an_unexpected_start_is_told_once_and_is_over_by_itself() {
    let mut bench = Bench::new();
    bench.online("a");
    bench.presence("a", PresenceState::Online, Some(PresenceCause::Reboot));
    assert_eq!(bench.news(), ["firing a reboot"]);
    bench.pass(599.0);
    assert_eq!(bench.state("a", "reboot"), Some(AlertState::Firing));
    bench.pass(2.0);
    assert_eq!(bench.state("a", "reboot"), Some(AlertState::Ok));
    assert!(bench.news().is_empty());
    assert_eq!(bench.log.len(), 2);
}

#[test]
fn a_device_that_is_removed_takes_its_alerts_with_it() {
    let mut bench = Bench::new();
    bench.online("a");
    bench.lost("a");
    bench.pass(10.0);
    bench.news();
    bench.hear(super::super::Input::Removed(id("a")));
    assert_eq!(bench.news(), ["resolved a offline"]);
    assert!(bench.retained.is_empty() && bench.journal.is_empty());
}

#[test]
fn an_uplink_that_is_off_on_purpose_or_is_there_hides_nobody() {
    let mut bench = Bench::new();
    for name in ["top", "middle", "a", "b"] {
        bench.online(name);
    }
    bench.configure("middle", behind("top"));
    for (name, uplink) in [("a", "top"), ("b", "middle")] {
        bench.configure(name, behind(uplink));
    }
    bench.presence("top", PresenceState::Offline, Some(PresenceCause::Shutdown));
    bench.pass(3600.0);
    bench.lost("a");
    bench.lost("b");
    bench.pass(30.0);
    assert_eq!(bench.news(), ["firing a offline, b offline"]);
}

#[test]
fn two_that_hang_behind_each_other_and_go_together_are_told() {
    let mut bench = Bench::new();
    for (name, uplink) in [("a", "b"), ("b", "a")] {
        bench.online(name);
        bench.configure(name, behind(uplink));
    }
    bench.lost("a");
    bench.lost("b");
    bench.pass(30.0);
    assert_eq!(bench.told.len(), 1);
}

#[test]
fn a_device_that_is_away_on_purpose_after_all_is_not_said_to_be_back() {
    let mut bench = Bench::new();
    let always_on = DeviceAlerting {
        always_on: true,
        ..DeviceAlerting::default()
    };
    bench.configure("a", always_on);
    bench.online("a");
    bench.presence("a", PresenceState::Offline, Some(PresenceCause::Shutdown));
    bench.pass(20.0);
    assert_eq!(bench.news(), ["firing a offline"]);
    bench.configure("a", DeviceAlerting::default());
    bench.pass(20.0);
    let detail = bench.told[0].alerts[0].detail.as_deref();
    assert_eq!(detail, Some("planned"));
    assert_eq!(bench.news(), ["resolved a offline"]);
}

#[test]
fn what_is_late_after_a_return_is_not_gone() {
    let mut bench = Bench::new();
    bench.online("a");
    for _ in 0..40 {
        let metrics = bench.metrics(1.0, 97);
        bench.sample("a", metrics);
        bench.pass(3.0);
    }
    assert_eq!(bench.news(), ["firing a disk-root"]);
    bench.presence("a", PresenceState::Offline, Some(PresenceCause::Shutdown));
    bench.pass(600.0);
    bench.online("a");
    let mut metrics = bench.metrics(1.0, 97);
    metrics.disks.clear();
    bench.sample("a", metrics);
    bench.pass(3.0);
    let metrics = bench.metrics(1.0, 97);
    bench.sample("a", metrics);
    assert!(bench.news().is_empty());
}
