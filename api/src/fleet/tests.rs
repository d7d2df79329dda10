use netmonitor_protocol::SessionId;
use netmonitor_protocol::payload::{Cpu, Memory, Presence, PresenceCause, PresenceState, Status};

use super::*;
use crate::types::{DeviceCause, DeviceStatus, TroubleKind};

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub(super) fn id() -> DeviceId {
    "ws-14".parse().unwrap()
}

pub(super) fn fleet() -> Fleet {
    let device = hub::Device {
        id: id(),
        name: "WS 14".to_owned(),
        joined_at: at(0),
    };
    Fleet::new("pi".to_owned(), &[device])
}

fn metrics(second: i64, ram: u64) -> Message {
    let metrics = Metrics {
        uptime_secs: 1,
        cpu: Cpu {
            usage_percent: 5.0,
            ..Cpu::default()
        },
        memory: Memory {
            total_bytes: 100,
            used_bytes: ram,
            ..Memory::default()
        },
        ..Metrics::blank(SessionId(1), 1, at(second))
    };
    Message::DeviceMetrics(id(), Box::new(metrics))
}

fn status(status: Status) -> Message {
    Message::DeviceStatus(id(), status, None)
}

fn kinds(device: &Device) -> Vec<TroubleKind> {
    device.troubles.iter().map(|trouble| trouble.kind).collect()
}

#[test]
fn a_device_is_unknown_until_something_is_heard_of_it() {
    let device = fleet().device(&id()).unwrap();
    assert_eq!(device.status, DeviceStatus::Unknown);
    assert_eq!(device.troubles, []);
}

#[test]
fn a_death_is_dated_and_hides_older_troubles() {
    let mut fleet = fleet();
    fleet.apply(status(Status::Online), Arrival::Live, at(1));
    fleet.apply(metrics(2, 96), Arrival::Live, at(2));
    assert_eq!(kinds(&fleet.device(&id()).unwrap()), [TroubleKind::Ram]);
    let changes = fleet.apply(status(Status::Offline), Arrival::Live, at(3));
    let [Live::Device(LiveDevice { device })] = changes.as_slice() else {
        panic!("{changes:?}")
    };
    assert_eq!(device.status, DeviceStatus::Offline);
    assert_eq!(device.since, Some(at(3).into()));
    assert_eq!(device.last_seen, Some(at(2).into()));
    assert_eq!(kinds(device), [TroubleKind::Offline]);
    // Said twice is not said anew.
    fleet.apply(status(Status::Offline), Arrival::Live, at(9));
    assert_eq!(fleet.device(&id()).unwrap().since, Some(at(3).into()));
}

#[test]
fn what_the_hub_concludes_counts_while_somebody_concludes() {
    let mut fleet = fleet();
    let presence = |state, cause| {
        let presence = Presence {
            state,
            cause,
            since: at(5),
            last_seen: None,
        };
        Message::DevicePresence(id(), presence)
    };
    let alerting = |state| {
        let health = ServiceHealth {
            commit_interval_ms: None,
            state,
            reason: None,
            since: at(0),
            version: "1".to_owned(),
            counters: BTreeMap::new(),
        };
        Message::HubService(ServiceName::Alerting, health)
    };
    let apply = |fleet: &mut Fleet, message| fleet.apply(message, Arrival::Live, at(9)).len();
    apply(&mut fleet, alerting(ServiceState::Running));
    apply(&mut fleet, status(Status::Online));
    apply(&mut fleet, presence(PresenceState::Stale, None));
    let device = fleet.device(&id()).unwrap();
    assert_eq!(device.status, DeviceStatus::Stale);
    assert_eq!(device.since, Some(at(5).into()));
    assert_eq!(kinds(&device), [TroubleKind::Stale]);
    let shutdown = Some(PresenceCause::Shutdown);
    apply(&mut fleet, presence(PresenceState::Offline, shutdown));
    let device = fleet.device(&id()).unwrap();
    assert_eq!(device.status, DeviceStatus::Offline);
    assert_eq!(device.cause, Some(DeviceCause::Shutdown));
    // Nobody concludes any more: every device is shown by what it says itself.
    assert_eq!(apply(&mut fleet, alerting(ServiceState::Stopped)), 2);
    let device = fleet.device(&id()).unwrap();
    assert_eq!((device.status, device.cause), (DeviceStatus::Online, None));
}

#[test]
fn what_was_so_before_the_api_connected_keeps_its_own_time() {
    let mut fleet = fleet();
    fleet.apply(status(Status::Offline), Arrival::Retained, at(100));
    fleet.apply(metrics(2, 5), Arrival::Retained, at(100));
    let device = fleet.device(&id()).unwrap();
    assert_eq!(device.since, Some(at(2).into()));
    assert_eq!(device.last_seen, Some(at(2).into()));
}

#[test]
fn a_blind_hub_claims_nothing() {
    let mut fleet = fleet();
    fleet.apply(status(Status::Offline), Arrival::Live, at(1));
    let changes = fleet.lost_sight(at(2));
    assert_eq!(changes.len(), 2);
    let device = fleet.device(&id()).unwrap();
    assert_eq!(device.status, DeviceStatus::Unknown);
    assert_eq!(device.since, None);
    let states: Vec<_> = fleet.hub(at(2)).services.iter().map(|s| s.state).collect();
    let (missing, degraded) = (HubServiceState::Missing, HubServiceState::Degraded);
    assert_eq!(states, [missing, missing, missing, degraded]);
    assert_eq!(fleet.lost_sight(at(3)).len(), 0, "said once");
}

#[test]
fn a_browser_that_comes_later_hears_what_is_not_stored_yet() {
    use netmonitor_protocol::payload::{Event, EventKind, Severity};
    let mut fleet = fleet();
    for number in 0..30 {
        let event = Event {
            time: at(number),
            kind: EventKind::LoggedIn,
            severity: Severity::Info,
            device: None,
            actor: Some(number.to_string()),
            parameters: BTreeMap::new(),
        };
        fleet.apply(Message::Event(event), Arrival::Live, at(number));
    }
    let snapshot = fleet.snapshot(at(30));
    let actors: Vec<_> = snapshot
        .iter()
        .filter_map(|live| match live {
            Live::Log(LiveEvent { event }) => event.actor.as_deref(),
            _ => None,
        })
        .collect();
    assert_eq!(actors.len(), LOG_LINES);
    assert_eq!(actors.last(), Some(&"29"));
}

#[test]
fn a_device_that_is_removed_goes_from_every_browser_and_stays_away() {
    let mut fleet = fleet();
    let changes = fleet.remove(&id());
    let [Live::Removed(LiveRemoved { id: gone })] = changes.as_slice() else {
        panic!("{changes:?}")
    };
    assert_eq!(*gone, id().to_string());
    assert_eq!(fleet.remove(&id()).len(), 0);
    // What was on its way when it was removed.
    assert_eq!(fleet.apply(metrics(1, 5), Arrival::Live, at(1)).len(), 0);
    assert!(fleet.device(&id()).is_none());
}

#[test]
fn a_device_that_is_not_enrolled_does_not_appear() {
    let mut fleet = fleet();
    let ghost = Message::DeviceStatus("ghost".parse().unwrap(), Status::Online, None);
    assert_eq!(fleet.apply(ghost, Arrival::Retained, at(1)).len(), 0);
    assert_eq!(fleet.devices().len(), 1);
}

#[test]
fn a_device_whose_clock_is_off_is_shown_so_and_its_sample_at_the_hubs_time() {
    let mut fleet = fleet();
    let Message::DeviceMetrics(_, metrics) = metrics(7200, 5) else {
        panic!()
    };
    let ahead = Some(SignedDuration::from_secs(7190));
    let changes = fleet.sampled(&id(), metrics.clone(), at(10), ahead, at(11));
    let [
        Live::Metrics(LiveMetrics { at: placed, .. }),
        Live::Device(LiveDevice { device }),
    ] = changes.as_slice()
    else {
        panic!("{changes:?}")
    };
    assert_eq!(*placed, at(10).into());
    assert_eq!(device.clock_skew_secs, Some(7190.0));
    assert_eq!(device.last_seen, Some(at(11).into()));
    // Nobody knows better any more: what was known stands.
    let changes = fleet.sampled(&id(), metrics.clone(), at(13), None, at(14));
    assert_eq!(changes.len(), 1);
    assert!(fleet.device(&id()).unwrap().clock_skew_secs.is_some());
    fleet.sampled(&id(), metrics, at(16), Some(SignedDuration::ZERO), at(17));
    assert_eq!(fleet.device(&id()).unwrap().clock_skew_secs, None);
}

#[test]
fn processes_are_shown_as_they_come_and_for_two_minutes() {
    use netmonitor_protocol::payload::Process;
    let mut fleet = fleet();
    let process = |pid| Process {
        pid,
        name: "nginx".to_owned(),
        cpu_percent: Some(1.5),
        memory_bytes: 7,
    };
    // Its own clock is wrong.
    let processes = Processes {
        time: at(9000),
        total: 312,
        processes: (0..300).map(process).collect(),
    };
    assert_eq!(fleet.processes(&id(), at(1)), Some(ProcessPage::empty()));
    let message = Message::DeviceProcesses(id(), processes.clone());
    let changes = fleet.apply(message, Arrival::Live, at(10));
    let [
        Live::Processes(LiveProcesses {
            processes: told, ..
        }),
    ] = changes.as_slice()
    else {
        panic!("{changes:?}")
    };
    assert_eq!((told.at, told.total), (Some(at(10).into()), Some(312)));
    assert_eq!(told.items.len(), PROCESSES);
    assert_eq!(fleet.processes(&id(), at(129)).as_ref(), Some(told));
    assert_eq!(fleet.processes(&id(), at(130)), Some(ProcessPage::empty()));

    let ghost: DeviceId = "ghost".parse().unwrap();
    let message = Message::DeviceProcesses(ghost.clone(), processes);
    assert_eq!(fleet.apply(message, Arrival::Live, at(10)).len(), 0);
    assert_eq!(fleet.processes(&ghost, at(11)), None);
}
