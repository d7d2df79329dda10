//! Services that somebody watches.

use netmonitor_protocol::payload::{AlertState, ServiceManager, Services, UnitState};

use super::super::Input;
use super::bench::{Bench, id};

#[test]
fn a_service_that_does_not_run_is_told_within_ten_seconds() {
    for (state, word) in [
        (UnitState::Failed, "failed"),
        (UnitState::Stopped, "stopped"),
        (UnitState::Missing, "missing"),
    ] {
        let mut bench = Bench::new();
        bench.online("a");
        bench.service("a", "nginx", UnitState::Running, 0);
        assert_eq!(bench.state("a", "service-nginx"), Some(AlertState::Ok));
        bench.service("a", "nginx", state, 0);
        bench.pass(10.0);
        assert_eq!(bench.news(), [format!("firing a service-nginx {word}")]);
        bench.service("a", "nginx", UnitState::Running, 0);
        assert_eq!(bench.news(), ["resolved a service-nginx"]);
    }
}

#[test]
fn a_service_that_somebody_restarts_is_no_news() {
    let mut bench = Bench::new();
    bench.online("a");
    for _ in 0..20 {
        bench.service("a", "nginx", UnitState::Stopping, 0);
        bench.pass(0.5);
        bench.service("a", "nginx", UnitState::Stopped, 0);
        bench.pass(0.5);
        bench.service("a", "nginx", UnitState::Starting, 0);
        bench.pass(60.0);
        bench.service("a", "nginx", UnitState::Running, 0);
        bench.pass(60.0);
    }
    assert!(bench.news().is_empty());
}

#[test]
fn a_service_that_is_started_again_and_again_is_told_once() {
    let mut bench = Bench::new();
    bench.online("a");
    bench.service("a", "x", UnitState::Running, 0);
    for restarts in 1..=20 {
        bench.pass(10.0);
        bench.service("a", "x", UnitState::Failed, restarts);
        bench.pass(1.0);
        bench.service("a", "x", UnitState::Running, restarts);
    }
    assert_eq!(bench.news(), ["firing a service-x restart_loop"]);
    bench.pass(9.0 * 60.0);
    assert!(bench.news().is_empty());
    bench.pass(2.0 * 60.0);
    assert_eq!(bench.news(), ["resolved a service-x"]);
}

#[test]
fn a_machine_that_has_just_started_may_start_its_services() {
    let mut bench = Bench::new();
    bench.online("a");
    let mut metrics = bench.metrics(1.0, 1);
    metrics.uptime_secs = 10;
    bench.sample("a", metrics);
    bench.service("a", "nginx", UnitState::Stopped, 0);
    bench.pass(100.0);
    assert!(bench.news().is_empty());
    bench.pass(20.0);
    assert_eq!(bench.news(), ["firing a service-nginx stopped"]);
}

#[test]
fn a_service_that_nobody_watches_any_more_is_let_go() {
    let mut bench = Bench::new();
    bench.online("a");
    bench.service("a", "nginx", UnitState::Failed, 0);
    bench.pass(10.0);
    bench.news();
    let none = Services {
        time: bench.now.wall,
        manager: ServiceManager::Systemd,
        services: Vec::new(),
    };
    bench.hear(Input::Services(id("a"), none));
    assert_eq!(bench.news(), ["resolved a service-nginx unwatched"]);
    assert_eq!(bench.state("a", "service-nginx"), None);
}

#[test]
fn services_of_a_device_that_is_away_neither_fire_nor_end() {
    let mut bench = Bench::new();
    bench.online("a");
    bench.service("a", "nginx", UnitState::Failed, 0);
    bench.pass(3.0);
    bench.lost("a");
    bench.pass(30.0);
    assert_eq!(bench.news(), ["firing a offline"]);
    assert_eq!(bench.state("a", "service-nginx"), Some(AlertState::Unknown));
    bench.online("a");
    bench.pass(20.0);
    assert_eq!(
        bench.news(),
        ["resolved a offline", "firing a service-nginx failed"]
    );
}
