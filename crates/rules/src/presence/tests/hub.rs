//! Of a hub that starts, is blind, or sees again.

use netmonitor_protocol::payload::PresenceCause as Cause;
use netmonitor_protocol::payload::PresenceState::{Offline, Online, Stale, Unknown};
use netmonitor_protocol::payload::{EndCause, EventKind, Settings};
use netmonitor_protocol::{Message, Topic};

use super::super::{Effect, Input};
use super::bench::{Bench, birth, born, ended, id, info, offline, online, sample};

/// What a broker has retained of the device, beside its presence.
fn retained_of(session: u64) -> [Message; 3] {
    [birth(session), info(session, 3.0), online(session)]
}

fn published_by(bench: &Bench) -> Message {
    let presence = bench.engine.presence(&id()).unwrap().clone();
    Message::DevicePresence(id(), presence)
}

#[test]
fn a_device_with_a_longer_keepalive_is_given_more_time() {
    let settings = |timeout| {
        let settings = Settings {
            offline_timeout_secs: timeout,
            ..Settings::default()
        };
        Message::DeviceSettings(id(), settings)
    };
    let mut bench = Bench::with_device();
    bench.live(settings(Some(60)));
    bench.samples(11, 1);
    bench.pass(60.0);
    assert_eq!(bench.is(), Some((Online, None)));
    bench.pass(2.0);
    assert_eq!(bench.is(), Some((Stale, None)));
    // And after a hub start, in which its connection may still be half open.
    bench.live(sample(11));
    let said = published_by(&bench);
    bench.start_again();
    bench.retained(settings(Some(60)));
    bench.give(Input::Connected);
    bench.retained(said);
    bench.all_retained(retained_of(11));
    bench.pass(69.0);
    assert_eq!(bench.published(), [(Unknown, Some(Cause::HubRestart))]);
    bench.pass(1.0);
    assert_eq!(bench.is(), Some((Offline, Some(Cause::Lost))));
    bench.live(Message::Cleared(Topic::DeviceSettings(id())));
    bench.all_live(born(11));
    bench.pass(12.0);
    assert_eq!(bench.is(), Some((Stale, None)));
}

#[test]
fn a_device_that_was_removed_while_the_hub_was_blind_is_gone_and_not_offline() {
    let settings = |id| Message::DeviceSettings(id, Settings::default());
    let other = || "other".parse().unwrap();
    for (is_listed, is_kept) in [(false, false), (true, true)] {
        let mut bench = Bench::with_device();
        bench.give(Input::Lost);
        bench.pass(3.0);
        bench.give(Input::Connected);
        bench.retained(settings(other()));
        if is_listed {
            bench.retained(settings(id()));
        }
        bench.pass(60.0);
        let is_cleared = bench.effects.contains(&Effect::Clear(id()));
        assert_eq!(bench.engine.presence(&id()).is_some(), is_kept);
        assert_eq!(is_cleared, !is_kept);
        let expected = if is_kept {
            Some((Offline, Some(Cause::Lost)))
        } else {
            None
        };
        assert_eq!(bench.is(), expected);
        assert_eq!(
            bench.published().is_empty(),
            !is_kept,
            "{:?}",
            bench.published()
        );
    }
    // A broker that has forgotten everything says nothing about who is there.
    let mut bench = Bench::with_device();
    bench.give(Input::Lost);
    bench.give(Input::Connected);
    bench.live(settings(other()));
    bench.pass(60.0);
    assert_eq!(bench.is(), Some((Offline, Some(Cause::Lost))));
}

#[test]
fn a_hub_that_starts_anew_publishes_nothing_and_keeps_what_it_had_said() {
    for comes_back_after in [0.1, 5.0, 9.0] {
        let mut bench = Bench::with_device();
        let said = published_by(&bench);
        bench.start_again();
        bench.give(Input::Connected);
        bench.retained(said.clone());
        bench.all_retained(retained_of(11));
        bench.pass(comes_back_after);
        bench.all_live(born(11));
        bench.samples(11, 60);
        assert_eq!(bench.effects, []);
        assert_eq!(published_by(&bench), said);
    }
}

#[test]
fn what_was_retained_may_come_in_any_order_and_after_a_live_sample() {
    let mut all: Vec<Message> = retained_of(11).into();
    for first in 0..4 {
        let mut bench = Bench::with_device();
        let said = published_by(&bench);
        bench.start_again();
        let mut order = all.clone();
        order.insert(first, said.clone());
        for (place, message) in order.into_iter().enumerate() {
            bench.retained(message);
            if place == 1 {
                bench.give(Input::Connected);
                bench.all_live(born(11));
            }
        }
        bench.samples(11, 60);
        assert_eq!(bench.effects, [], "presence comes as number {first}");
        assert_eq!(published_by(&bench), said);
        all.rotate_left(1);
    }
}

#[test]
fn after_a_hub_start_whoever_does_not_come_back_is_first_unknown_and_then_gone() {
    let mut bench = Bench::with_device();
    let said = published_by(&bench);
    bench.start_again();
    bench.give(Input::Connected);
    bench.retained(said);
    bench.all_retained(retained_of(11));
    bench.pass(9.9);
    assert_eq!(bench.published(), []);
    bench.pass(9.0);
    assert_eq!(bench.published(), [(Unknown, Some(Cause::HubRestart))]);
    bench.pass(1.0);
    assert_eq!(bench.is(), Some((Offline, Some(Cause::Lost))));
    bench.pass(5.0);
    assert_eq!(bench.kinds(), [EventKind::DeviceOffline]);
}

#[test]
fn what_was_concluded_from_silence_is_taken_back_by_the_next_sample() {
    let mut bench = Bench::with_device();
    let said = published_by(&bench);
    bench.start_again();
    bench.give(Input::Connected);
    bench.retained(said);
    bench.all_retained(retained_of(11));
    bench.pass(60.0);
    assert_eq!(bench.is(), Some((Offline, Some(Cause::Lost))));
    bench.live(sample(11));
    assert_eq!(bench.is(), Some((Online, None)));
}

#[test]
fn one_that_comes_back_late_was_never_gone() {
    let mut bench = Bench::with_device();
    let said = published_by(&bench);
    bench.start_again();
    bench.give(Input::Connected);
    bench.retained(said.clone());
    bench.all_retained(retained_of(11));
    bench.pass(15.0);
    bench.samples(11, 5);
    assert_eq!(
        bench.published(),
        [(Unknown, Some(Cause::HubRestart)), (Online, None)]
    );
    assert_eq!(published_by(&bench), said);
    assert_eq!(bench.kinds(), []);
}

#[test]
fn who_was_gone_before_the_hub_started_stays_gone_since_then_and_for_that_reason() {
    let mut bench = Bench::with_device();
    bench.live(ended(11, EndCause::Shutdown));
    bench.live(offline(11));
    bench.pass(5.0);
    let said = published_by(&bench);
    bench.start_again();
    bench.give(Input::Connected);
    bench.retained(said.clone());
    bench.retained(ended(11, EndCause::Shutdown));
    bench.retained(offline(11));
    bench.pass(300.0);
    assert_eq!(bench.effects, []);
    assert_eq!(published_by(&bench), said);
    bench.live(birth(21));
    bench.live(online(21));
    bench.pass(5.0);
    assert_eq!(bench.published(), [(Online, None)]);
    assert_eq!(bench.kinds(), [EventKind::DeviceOnline]);
}

#[test]
fn whoever_died_while_the_hub_was_blind_is_not_missed() {
    for end in [None, Some(EndCause::Stop)] {
        let mut bench = Bench::with_device();
        bench.give(Input::Lost);
        bench.pass(100.0);
        assert_eq!(bench.effects, []);
        let said = published_by(&bench);
        bench.give(Input::Connected);
        bench.retained(said);
        if let Some(cause) = end {
            bench.retained(ended(11, cause));
        }
        bench.retained(offline(11));
        bench.pass(25.0);
        let cause = end.map_or(Cause::Lost, |_| Cause::Stopped);
        assert_eq!(bench.is(), Some((Offline, Some(cause))));
    }
}

#[test]
fn a_death_right_after_a_hub_start_is_known_at_once() {
    let mut bench = Bench::with_device();
    let said = published_by(&bench);
    bench.start_again();
    bench.give(Input::Connected);
    bench.retained(said);
    bench.retained(online(11));
    bench.pass(1.0);
    bench.dies(11);
    assert_eq!(bench.published(), [(Offline, Some(Cause::Lost))]);
}

#[test]
fn a_hub_that_stood_still_calls_nobody_stale_or_gone_who_comes_back() {
    let mut bench = Bench::with_device();
    let said = published_by(&bench);
    bench.stands_still(40.0);
    bench.give(Input::StoodStill);
    // First what waited in its old socket, then its end, and the way back takes a while.
    bench.live(sample(11));
    bench.live(offline(11));
    bench.pass(9.0);
    bench.all_live(born(11));
    bench.samples(11, 30);
    assert_eq!(bench.effects, []);
    assert_eq!(published_by(&bench), said);
    bench.dies(11);
    assert_eq!(bench.published(), [(Offline, Some(Cause::Lost))]);
}

#[test]
fn who_died_while_the_hub_stood_still_is_not_missed_nor_who_died_just_before() {
    for dies_before in [false, true] {
        let mut bench = Bench::with_device();
        if dies_before {
            bench.live(offline(11));
        }
        bench.stands_still(40.0);
        bench.give(Input::StoodStill);
        if !dies_before {
            bench.live(offline(11));
        }
        bench.pass(18.0);
        assert!(!bench.published().contains(&(Offline, Some(Cause::Lost))));
        bench.pass(1.0);
        assert_eq!(bench.is(), Some((Offline, Some(Cause::Lost))));
    }
}

#[test]
fn who_came_back_unheard_is_asked_and_who_did_not_is_gone_since_then() {
    for answers in [true, false] {
        let mut bench = Bench::with_device();
        bench.live(info(11, 3600.0));
        bench.dies(11);
        let said = published_by(&bench);
        bench.start_again();
        bench.give(Input::Connected);
        for message in [said.clone(), birth(12), info(12, 3600.0), online(12)] {
            bench.retained(message);
        }
        bench.pass(10.0);
        assert_eq!(bench.published(), [(Offline, Some(Cause::Lost))]);
        if answers {
            bench.live(online(12));
            assert_eq!(bench.is(), Some((Online, None)));
        } else {
            bench.pass(4.0 * 3600.0);
            assert_eq!(published_by(&bench), said);
            assert_eq!(bench.kinds(), []);
        }
    }
}

#[test]
fn who_was_asked_by_an_earlier_run_is_asked_again() {
    let mut bench = Bench::with_device();
    bench.live(info(11, 3600.0));
    bench.give(Input::Lost);
    bench.give(Input::Connected);
    bench.pass(10.0);
    let said = published_by(&bench);
    bench.start_again();
    bench.give(Input::Connected);
    for message in [said, birth(11), info(11, 3600.0), online(11)] {
        bench.retained(message);
    }
    bench.pass(10.0);
    assert_eq!(bench.published(), [(Unknown, Some(Cause::HubRestart))]);
    bench.live(online(11));
    assert_eq!(bench.is(), Some((Online, Some(Cause::HubRestart))));
}

#[test]
fn a_death_that_is_known_does_not_wait_for_a_sample() {
    // The hub was blind; or it stood still right after it had heard of it.
    for stood_still in [false, true] {
        let mut bench = Bench::with_device();
        bench.live(info(11, 3600.0));
        if stood_still {
            bench.live(offline(11));
            bench.stands_still(5.0);
            bench.give(Input::StoodStill);
        } else {
            bench.give(Input::Lost);
            bench.give(Input::Connected);
            bench.retained(offline(11));
        }
        bench.pass(19.0);
        assert_eq!(bench.is(), Some((Offline, Some(Cause::Lost))));
    }
}

#[test]
fn a_presence_that_somebody_cleared_is_forgotten_unless_the_device_is_there() {
    let cleared = || Message::Cleared(Topic::DevicePresence(id()));
    let mut bench = Bench::with_device();
    bench.live(cleared());
    assert_eq!(bench.published(), [(Online, None)]);
    // Removed while the broker was away: it is cleared before or after the hub doubts.
    bench.give(Input::Lost);
    bench.give(Input::Connected);
    bench.pass(60.0);
    bench.effects.clear();
    bench.live(cleared());
    bench.give(Input::Lost);
    bench.give(Input::Connected);
    bench.pass(60.0);
    assert_eq!(bench.effects, []);
    assert_eq!(bench.engine.devices(), 0);
}

#[test]
fn a_device_that_sends_seldom_is_not_gone_because_the_hub_alone_was_started_anew() {
    let mut bench = Bench::with_device();
    bench.live(info(11, 60.0));
    let said = published_by(&bench);
    bench.start_again();
    bench.give(Input::Connected);
    for message in [said, birth(11), info(11, 60.0), online(11)] {
        bench.retained(message);
    }
    bench.pass(59.0);
    bench.live(sample(11));
    bench.pass(30.0);
    assert!(!bench.published().iter().any(|(state, _)| *state == Offline));
    assert_eq!(bench.is(), Some((Online, None)));
}

#[test]
fn a_broker_that_was_killed_and_remembers_less_is_told_anew() {
    let mut bench = Bench::with_device();
    let old = published_by(&bench);
    bench.live(offline(11));
    bench.pass(5.0);
    bench.give(Input::Lost);
    bench.give(Input::Connected);
    bench.effects.clear();
    bench.retained(old);
    assert_eq!(bench.published(), [(Offline, Some(Cause::Lost))]);
    // Or nothing at all.
    bench.give(Input::Lost);
    bench.give(Input::Connected);
    bench.effects.clear();
    bench.pass(60.0);
    assert_eq!(bench.published(), [(Offline, Some(Cause::Lost))]);
}

#[test]
fn a_device_that_was_removed_while_the_hub_was_away_leaves_no_presence() {
    let mut bench = Bench::with_device();
    let said = published_by(&bench);
    bench.start_again();
    bench.give(Input::Connected);
    bench.retained(said);
    bench.pass(60.0);
    assert_eq!(bench.effects.last(), Some(&Effect::Clear(id())));
    assert_eq!(bench.engine.devices(), 0);
}
