//! Of one device, while the hub sees.

use std::time::Duration;

use netmonitor_protocol::payload::PresenceCause as Cause;
use netmonitor_protocol::payload::PresenceState::{Offline, Online, Stale};
use netmonitor_protocol::payload::{EndCause, EventKind, Status};
use netmonitor_protocol::{Message, Topic};

use super::super::{Effect, MAX_DEVICES};
use super::bench::{Bench, birth, born, ended, id, info, offline, online, plain, sample};

#[test]
fn an_end_without_a_word_is_known_when_nobody_comes_back_and_dated_when_it_was() {
    let mut bench = Bench::with_device();
    bench.dies(11);
    assert_eq!(bench.published(), [(Offline, Some(Cause::Lost))]);
    let presence = bench.engine.presence(&id()).unwrap();
    assert_eq!(presence.since, bench.now.wall - Duration::from_secs(2));
    assert!(presence.last_seen.unwrap() < presence.since);
    bench.pass(30.0);
    let line = &bench.lines()[0];
    assert_eq!(
        (line.kind.clone(), line.device.clone()),
        (EventKind::DeviceOffline, Some(id()))
    );
    assert_eq!(line.parameters["cause"], "lost");
    let gone = bench.engine.offline_for(&id(), bench.now.monotonic);
    assert_eq!(gone.unwrap().as_secs(), 32);
    bench.live(online(11));
    assert_eq!(bench.engine.offline_for(&id(), bench.now.monotonic), None);
}

#[test]
fn a_clean_end_says_why_whichever_topic_is_quicker() {
    for (cause, expected) in [
        (EndCause::Stop, Cause::Stopped),
        (EndCause::Shutdown, Cause::Shutdown),
        (EndCause::Suspend, Cause::Suspend),
    ] {
        for order in [[0, 1], [1, 0]] {
            let mut bench = Bench::with_device();
            let says = [ended(11, cause), offline(11)];
            bench.all_live(order.map(|index| says[index].clone()));
            assert_eq!(bench.is(), Some((Offline, Some(expected))), "at once");
            bench.pass(5.0);
            assert_eq!(bench.is(), Some((Offline, Some(expected))));
            let lines = bench.lines();
            assert_eq!(lines.len(), 1, "{lines:?}");
            assert_eq!(lines[0].parameters["cause"], expected.as_str());
        }
    }
}

#[test]
fn the_death_of_a_session_that_was_replaced_says_nothing() {
    let mut bench = Bench::with_device();
    bench.live(birth(12));
    bench.live(online(12));
    bench.live(offline(11));
    bench.samples(12, 30);
    assert_eq!(bench.published(), [(Online, Some(Cause::Replaced))]);
    bench.dies(12);
    assert_eq!(bench.is(), Some((Offline, Some(Cause::Lost))));
}

#[test]
fn a_death_without_a_session_counts() {
    let mut bench = Bench::settled();
    bench.live(plain(Status::Online));
    bench.live(plain(Status::Offline));
    bench.pass(2.0);
    assert_eq!(bench.is(), Some((Offline, Some(Cause::Lost))));
    bench.live(plain(Status::Online));
    assert_eq!(bench.is(), Some((Online, None)));
    // Nothing is known of its interval: silence says nothing.
    bench.pass(3600.0);
    assert_eq!(bench.is(), Some((Online, None)));
}

#[test]
fn a_takeover_ends_online_is_no_line_of_the_log_and_the_next_death_counts() {
    let mut bench = Bench::with_device();
    bench.live(offline(11));
    bench.pass(1.5);
    bench.all_live(born(11));
    bench.samples(11, 20);
    assert_eq!(bench.published(), [], "nobody was gone");
    assert_eq!(bench.kinds(), []);
    // The will of the older connection comes last, and the agent objects.
    bench.live(online(11));
    bench.live(offline(11));
    bench.live(online(11));
    assert_eq!(bench.is(), Some((Online, None)));
    bench.dies(11);
    assert_eq!(bench.is(), Some((Offline, Some(Cause::Lost))));
}

#[test]
fn a_birth_on_the_quicker_topic_is_not_undone_by_the_slower() {
    // `session` runs ahead of `status`.
    let mut bench = Bench::with_device();
    bench.live(birth(12));
    bench.live(online(11));
    bench.live(offline(11));
    bench.live(online(12));
    assert!(!bench.published().iter().any(|(state, _)| *state == Offline));
    // `status` runs ahead of `session`: what died there is not brought back.
    let mut bench = Bench::with_device();
    bench.live(offline(11));
    bench.live(online(12));
    bench.dies(12);
    for late in [birth(12), sample(12), sample(11), info(11, 3.0)] {
        bench.live(late);
        assert_eq!(bench.is(), Some((Offline, Some(Cause::Lost))));
    }
    // One that died before it could say anything.
    bench.live(offline(13));
    bench.live(birth(13));
    bench.pass(2.0);
    assert_eq!(bench.is(), Some((Offline, Some(Cause::Lost))));
}

#[test]
fn a_birth_without_status_counts() {
    let mut bench = Bench::with_device();
    bench.dies(11);
    bench.live(birth(12));
    assert_eq!(bench.is(), Some((Online, None)));
    bench.dies(12);
    assert_eq!(bench.is(), Some((Offline, Some(Cause::Lost))));
}

#[test]
fn another_boot_after_an_end_without_a_word_is_a_reboot() {
    for (order, ends) in [
        ([birth(21), online(21)], offline(11)),
        ([online(21), birth(21)], offline(11)),
        // The old connection is still half open.
        ([birth(21), online(21)], sample(11)),
    ] {
        let mut bench = Bench::with_device();
        bench.live(ends);
        bench.pass(40.0);
        bench.live(sample(11));
        bench.all_live(order);
        assert_eq!(bench.is(), Some((Online, Some(Cause::Reboot))));
    }
    let mut bench = Bench::with_device();
    bench.live(ended(11, EndCause::Shutdown));
    bench.live(offline(11));
    bench.pass(40.0);
    bench.live(birth(21));
    bench.live(online(21));
    assert_eq!(bench.is(), Some((Online, None)));
    // The agent alone crashed.
    let mut bench = Bench::with_device();
    bench.live(offline(11));
    bench.pass(40.0);
    bench.live(birth(12));
    bench.live(online(12));
    assert_eq!(bench.is(), Some((Online, None)));
}

#[test]
fn a_machine_that_slept_is_back_in_the_same_session() {
    for order in [[0, 1], [1, 0]] {
        let mut bench = Bench::with_device();
        bench.live(ended(11, EndCause::Suspend));
        bench.live(offline(11));
        bench.pass(3600.0);
        let says = [birth(11), online(11)];
        bench.all_live(order.map(|index| says[index].clone()));
        bench.live(sample(11));
        assert_eq!(bench.is(), Some((Online, None)));
        bench.dies(11);
        assert_eq!(bench.is(), Some((Offline, Some(Cause::Lost))));
    }
}

#[test]
fn connected_without_samples_is_stale_until_one_comes() {
    let mut bench = Bench::with_device();
    bench.pass(9.9);
    assert_eq!(bench.published(), []);
    bench.pass(2.0);
    assert_eq!(bench.published(), [(Stale, None)]);
    // That it objects to an old will is no sample.
    bench.live(online(11));
    assert_eq!(bench.is(), Some((Stale, None)));
    bench.live(sample(11));
    assert_eq!(bench.is(), Some((Online, None)));
    bench.pass(30.0);
    bench.dies(11);
    assert_eq!(bench.is(), Some((Offline, Some(Cause::Lost))));
    let kinds = [
        EventKind::DeviceStale,
        EventKind::DeviceOnline,
        EventKind::DeviceStale,
        EventKind::DeviceOffline,
    ];
    bench.pass(5.0);
    assert_eq!(bench.kinds(), kinds);
}

#[test]
fn a_long_interval_is_respected_and_an_absurd_one_is_not_believed() {
    let mut bench = Bench::with_device();
    bench.live(info(11, 60.0));
    bench.pass(170.0);
    assert_eq!(bench.is(), Some((Online, None)));
    bench.pass(20.0);
    assert_eq!(bench.is(), Some((Stale, None)));
    for absurd in [-1.0, 0.0, f64::MAX, 1e-300] {
        bench.live(info(11, absurd));
        bench.live(sample(11));
        bench.pass(1.0);
    }
}

#[test]
fn the_wall_clock_may_jump_as_it_likes() {
    let mut bench = Bench::with_device();
    for hours in [-5, 11, -300, 5000] {
        bench.now.wall += jiff::SignedDuration::from_hours(hours);
        bench.samples(11, 20);
    }
    assert_eq!(bench.effects, []);
    bench.pass(9.0);
    bench.now.wall -= jiff::SignedDuration::from_hours(1);
    assert_eq!(bench.effects, []);
    bench.pass(3.0);
    assert_eq!(bench.is(), Some((Stale, None)));
}

#[test]
fn two_machines_with_one_identity_are_named_once_an_hour_and_do_not_flood() {
    let mut bench = Bench::with_device();
    for _ in 0..400 {
        for (gone, there) in [(11, 21), (21, 11)] {
            bench.live(offline(gone));
            bench.all_live(born(there));
            bench.pass(0.2);
        }
    }
    let clones: Vec<_> = bench
        .lines()
        .into_iter()
        .filter(|line| line.kind == EventKind::DeviceCloned)
        .collect();
    assert_eq!(clones.len(), 1);
    let named = &clones[0].parameters;
    assert_eq!(named["addresses"], "192.168.1.2 / 192.168.1.1");
    assert_eq!(named["boot_ids"], "boot-2 / boot-1");
    assert_eq!(bench.is(), Some((Online, Some(Cause::Replaced))));
    assert!(bench.published().len() < 10, "{:?}", bench.published());
    assert!(bench.lines().len() < 10, "{:?}", bench.kinds());
    // Both are gone.
    bench.live(offline(11));
    bench.pass(5.0);
    assert_eq!(bench.is(), Some((Offline, Some(Cause::Lost))));
    bench.pass(3600.0);
    bench.live(online(21));
    bench.live(online(11));
    let again = bench.kinds();
    let clones = again
        .iter()
        .filter(|kind| **kind == EventKind::DeviceCloned);
    assert_eq!(clones.count(), 2);
}

#[test]
fn a_device_that_was_removed_is_forgotten_with_its_presence() {
    for topic in [Topic::DeviceStatus(id()), Topic::DeviceSession(id())] {
        let mut bench = Bench::with_device();
        bench.live(Message::Cleared(topic));
        assert_eq!(bench.effects, [Effect::Clear(id())]);
        // What was under way does not make it a device again.
        bench.live(sample(11));
        bench.live(info(11, 3.0));
        bench.live(offline(11));
        bench.live(Message::Cleared(Topic::DevicePresence(id())));
        bench.pass(3600.0);
        assert_eq!(bench.effects.len(), 1);
        assert_eq!(bench.engine.devices(), 0);
    }
}

#[test]
fn more_devices_than_there_can_be_are_passed_over_and_counted() {
    let mut bench = Bench::settled();
    for number in 0..=MAX_DEVICES {
        let device = format!("d{number}").parse().unwrap();
        bench.live(Message::DeviceStatus(device, Status::Online, None));
    }
    assert_eq!(bench.engine.devices(), MAX_DEVICES);
    assert_eq!(bench.engine.passed_over(), 1);
}
