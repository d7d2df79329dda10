//! Numbers and their limits.

use netmonitor_protocol::RuleKind;
use netmonitor_protocol::payload::{
    AlertState, AlertingSettings, EventKind, PresenceCause, PresenceState, RuleSettings,
};

use super::super::Input;
use super::bench::{Bench, id, rules};

fn at_once() -> AlertingSettings {
    let settings = RuleSettings {
        for_secs: Some(0),
        ..RuleSettings::default()
    };
    rules(RuleKind::Cpu, settings)
}

#[test]
fn a_number_beyond_its_limit_for_long_enough_fires_and_ends_at_its_clear_level() {
    let mut bench = Bench::new();
    bench.online("a");
    bench.cpu("a", 12.0);
    assert_eq!(bench.state("a", "cpu"), Some(AlertState::Ok));
    bench.cpu_for("a", 96.0, 299);
    assert_eq!(bench.state("a", "cpu"), Some(AlertState::Pending));
    assert!(bench.news().is_empty());
    bench.cpu_for("a", 96.0, 3);
    assert_eq!(bench.state("a", "cpu"), Some(AlertState::Firing));
    let alert = bench.alert("a", "cpu");
    assert_eq!((alert.value, alert.limit), (Some(96.0), Some(90.0)));
    let notice = &bench.told[0];
    assert_eq!(notice.alerts[0].value, Some(96.0));
    assert_eq!(bench.news(), ["firing a cpu"]);
    // Below the limit, and not yet at the clear level.
    bench.cpu_for("a", 86.0, 60);
    assert_eq!(bench.state("a", "cpu"), Some(AlertState::Firing));
    bench.cpu("a", 85.0);
    assert_eq!(bench.state("a", "cpu"), Some(AlertState::Ok));
    assert_eq!(bench.news(), ["resolved a cpu"]);
    assert_eq!(
        bench.log,
        [
            (EventKind::AlertFiring, "a cpu".to_owned()),
            (EventKind::AlertResolved, "a cpu".to_owned())
        ]
    );
    assert!(bench.journal.is_empty());
}

#[test]
fn a_limit_crossed_a_thousand_times_within_the_wait_says_nothing_and_writes_nothing() {
    let mut bench = Bench::new();
    bench.online("a");
    for _ in 0..1000 {
        bench.cpu("a", 96.0);
        bench.pass(3.0);
        bench.cpu("a", 84.0);
        bench.pass(3.0);
    }
    assert!(bench.news().is_empty() && bench.log.is_empty());
    assert_eq!(bench.saves, 0);
}

#[test]
fn what_was_retained_raises_no_alert_and_starts_no_wait() {
    let mut bench = Bench::with(at_once());
    bench.online("a");
    let metrics = bench.metrics(99.0, 99);
    bench.hear(Input::OldSample(id("a"), Box::new(metrics)));
    bench.pass(3600.0);
    assert!(bench.news().is_empty());
    assert_eq!(bench.state("a", "cpu"), None);
}

#[test]
fn a_sample_that_was_held_up_raises_no_alert() {
    let mut bench = Bench::with(at_once());
    bench.online("a");
    let mut metrics = bench.metrics(99.0, 10);
    metrics.age_ms = 60_000;
    bench.sample("a", metrics);
    assert!(bench.news().is_empty());
}

#[test]
fn without_a_wait_the_first_sample_fires() {
    let mut bench = Bench::with(at_once());
    bench.online("a");
    bench.cpu("a", 90.1);
    assert_eq!(bench.news(), ["firing a cpu"]);
}

#[test]
fn what_one_sample_shows_of_one_device_is_one_message() {
    let mut settings = at_once();
    settings
        .rules
        .insert(RuleKind::Disk, settings.rules[&RuleKind::Cpu]);
    let mut bench = Bench::with(settings);
    bench.online("a");
    let metrics = bench.metrics(99.0, 99);
    bench.sample("a", metrics);
    assert_eq!(bench.news(), ["firing a cpu, a disk-root"]);
}

#[test]
fn of_a_device_that_is_away_nobody_knows_and_then_it_goes_on() {
    let mut bench = Bench::with(at_once());
    bench.online("a");
    bench.cpu("a", 99.0);
    assert_eq!(bench.news(), ["firing a cpu"]);
    bench.presence("a", PresenceState::Offline, Some(PresenceCause::Shutdown));
    assert_eq!(bench.state("a", "cpu"), Some(AlertState::Unknown));
    assert!(bench.alert("a", "cpu").firing_since.is_some());
    bench.pass(48.0 * 3600.0);
    assert!(
        bench.news().is_empty(),
        "nobody is reminded of what nobody knows"
    );
    bench.online("a");
    bench.cpu("a", 10.0);
    assert_eq!(bench.state("a", "cpu"), Some(AlertState::Ok));
    assert_eq!(bench.news(), ["resolved a cpu"]);
}

#[test]
fn a_wait_does_not_go_on_while_nobody_knows() {
    let mut bench = Bench::new();
    bench.online("a");
    bench.cpu_for("a", 96.0, 200);
    bench.presence("a", PresenceState::Stale, None);
    bench.pass(200.0);
    bench.online("a");
    bench.cpu_for("a", 96.0, 200);
    assert_eq!(bench.news(), ["firing a stale", "resolved a stale"]);
    bench.cpu_for("a", 96.0, 105);
    assert_eq!(bench.news(), ["firing a cpu"]);
}

#[test]
fn a_rule_that_is_switched_off_ends_and_leaves_nothing() {
    let mut bench = Bench::with(at_once());
    bench.online("a");
    bench.cpu("a", 99.0);
    bench.news();
    bench.set(|it| {
        it.rules.entry(RuleKind::Cpu).or_default().enabled = Some(false);
    });
    assert_eq!(bench.news(), ["resolved a cpu disabled"]);
    assert_eq!(bench.state("a", "cpu"), None);
    bench.cpu("a", 99.0);
    assert!(bench.news().is_empty() && bench.journal.is_empty());
}

#[test]
fn a_disk_that_is_gone_is_full_no_more_but_one_that_nobody_could_read_may_be() {
    let settings = RuleSettings {
        for_secs: Some(0),
        ..RuleSettings::default()
    };
    let mut bench = Bench::with(rules(RuleKind::Disk, settings));
    bench.online("a");
    let metrics = bench.metrics(1.0, 99);
    bench.sample("a", metrics);
    assert_eq!(bench.news(), ["firing a disk-root"]);
    let without = |bench: &Bench, failing: &[&str]| {
        let mut metrics = bench.metrics(1.0, 1);
        metrics.disks.clear();
        metrics.failing = failing.iter().map(|it| (*it).to_owned()).collect();
        metrics
    };
    for _ in 0..200 {
        let metrics = without(&bench, &["disks"]);
        bench.sample("a", metrics);
        bench.pass(3.0);
    }
    assert!(bench.news().is_empty());
    for _ in 0..110 {
        let metrics = without(&bench, &[]);
        bench.sample("a", metrics);
        bench.pass(3.0);
    }
    assert_eq!(bench.news(), ["resolved a disk-root gone"]);
    assert_eq!(bench.state("a", "disk-root"), None);
}

#[test]
fn a_disk_that_fills_up_does_so_until_it_does_not_or_is_gone() {
    let mut bench = Bench::new();
    bench.online("a");
    let trend = |days| Input::Trend(id("a"), "/".to_owned(), Some(days));
    let an_hour = |bench: &mut Bench, has_disk: bool| {
        for _ in 0..360 {
            let mut metrics = bench.metrics(1.0, 80);
            if !has_disk {
                metrics.disks.clear();
            }
            bench.sample("a", metrics);
            bench.pass(10.0);
        }
    };
    an_hour(&mut bench, true);
    bench.hear(trend(2.0));
    assert_eq!(bench.news(), ["firing a disk-trend-root"]);
    // It is asked for once an hour.
    an_hour(&mut bench, true);
    assert!(bench.news().is_empty());
    bench.hear(trend(9.0));
    assert_eq!(bench.news(), ["resolved a disk-trend-root"]);
    bench.hear(trend(2.0));
    an_hour(&mut bench, false);
    assert_eq!(
        bench.news(),
        [
            "firing a disk-trend-root",
            "resolved a disk-trend-root gone"
        ]
    );
}

#[test]
fn a_clock_that_is_off_fires_unless_the_hub_has_no_time_itself() {
    let settings = RuleSettings {
        for_secs: Some(0),
        ..RuleSettings::default()
    };
    let mut bench = Bench::with(rules(RuleKind::Clock, settings));
    bench.online("a");
    bench.hear(Input::Hub(
        RuleKind::Time,
        super::super::Finding::Bad("clock_not_set".to_owned()),
    ));
    let off = |bench: &Bench| {
        let mut metrics = bench.metrics(1.0, 1);
        metrics.time = bench.now.plus(-90_000).wall;
        metrics
    };
    let metrics = off(&bench);
    bench.sample("a", metrics);
    assert!(bench.news().is_empty());
    bench.hear(Input::Hub(RuleKind::Time, super::super::Finding::Good));
    let metrics = off(&bench);
    bench.sample("a", metrics);
    assert_eq!(bench.news(), ["firing a clock"]);
    assert_eq!(bench.alert("a", "clock").value, Some(90.0));
}
