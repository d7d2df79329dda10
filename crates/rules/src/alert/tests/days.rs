//! Seeded random days: whatever happens in whatever order, each beginning has one end, no message
//! comes twice, and a process that is killed at any moment says what one says that was not.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use netmonitor_protocol::RuleKind;
use netmonitor_protocol::payload::{
    AlertAction, AlertState, EventKind, PresenceCause, PresenceState, RuleSettings, UnitState,
};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::super::NoticeKind;
use super::bench::{Bench, rules};

/// So many take some seconds; a change of the engine deserves ten times as many.
const DAYS: u64 = 30;

const DEVICES: [&str; 4] = ["a", "b", "c", "d"];

fn bench() -> Bench {
    let settings = RuleSettings {
        for_secs: Some(10),
        ..RuleSettings::default()
    };
    let mut bench = Bench::with(rules(RuleKind::Cpu, settings));
    for device in DEVICES {
        bench.online(device);
        bench.service(device, "x", UnitState::Running, 0);
        bench.cpu(device, 1.0);
    }
    bench
}

/// Times between two things that happen, in seconds: any, ...
const ANY: [u32; 5] = [0, 1, 5, 30, 600];

/// ... and such in which everything that was to be told was told, also by a process that has started
/// in it, and waits some seconds until it knows everything.
const LONG: [u32; 3] = [25, 70, 600];

/// Something that can happen; the same for the same numbers. `fate` may kill the process
/// meanwhile.
fn happens(bench: &mut Bench, rng: &mut StdRng, pauses: &[u32], fate: &mut Option<StdRng>) {
    let device = DEVICES[rng.random_range(0..DEVICES.len())];
    match rng.random_range(0..12) {
        0 => bench.lost(device),
        1 => {
            let causes = [PresenceCause::Shutdown, PresenceCause::Stopped];
            let cause = causes[rng.random_range(0..2)];
            bench.presence(device, PresenceState::Offline, Some(cause));
        }
        2..=4 => bench.online(device),
        5 => bench.presence(device, PresenceState::Stale, None),
        6 => {
            let cause = Some(PresenceCause::HubRestart);
            bench.presence(device, PresenceState::Unknown, cause);
        }
        7 | 8 => {
            let cpu = f64::from(rng.random_range(80..100));
            for _ in 0..rng.random_range(1..8) {
                bench.cpu(device, cpu);
                bench.pass(3.0);
            }
        }
        9 => {
            let states = [UnitState::Running, UnitState::Failed, UnitState::Starting];
            let state = states[rng.random_range(0..3)];
            bench.service(device, "x", state, rng.random_range(0..4));
        }
        10 => {
            let of = ["cpu", "offline", "service-x"][rng.random_range(0..3)];
            let action = match rng.random_range(0..3) {
                0 => AlertAction::Ack { note: None },
                1 => AlertAction::Unack,
                _ => AlertAction::Snooze {
                    for_secs: rng.random_range(1..1000),
                },
            };
            bench.act(device, of, action);
        }
        _ => {
            let now = rng.random_range(0..2) == 0;
            bench.set(|it| {
                let rule = it.rules.entry(RuleKind::Service).or_default();
                rule.enabled = Some(now);
            });
        }
    }
    let secs = pauses[rng.random_range(0..pauses.len())];
    let killed_at = fate
        .as_mut()
        .map(|fate| fate.random_range(0..3 * secs.clamp(1, 20)));
    bench.live(secs, killed_at);
}

/// At the end of the day all is well.
fn evening(bench: &mut Bench) {
    for device in DEVICES {
        bench.online(device);
        bench.service(device, "x", UnitState::Running, 0);
        bench.cpu(device, 1.0);
    }
    bench.pass(2.0 * 3600.0);
    for device in DEVICES {
        bench.cpu(device, 1.0);
    }
}

fn check(seed: u64, bench: &Bench) {
    let mut open: BTreeMap<&str, bool> = BTreeMap::new();
    for (kind, which) in &bench.log {
        match kind {
            EventKind::AlertFiring => {
                assert_eq!(open.insert(which, true), None, "{which} began twice");
            }
            EventKind::AlertResolved => {
                assert_eq!(
                    open.remove(which.as_str()),
                    Some(true),
                    "{which} ended twice"
                );
            }
            _ => {}
        }
    }
    assert!(open.is_empty(), "seed {seed}: {open:?} never ended");
    let mut ids: Vec<&str> = bench.told.iter().map(|it| it.id.as_str()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "a message came twice");
    let mut heard: BTreeMap<String, i32> = BTreeMap::new();
    for notice in &bench.told {
        for told in &notice.alerts {
            let which = format!("{} {}", told.subject, told.rule);
            let count = heard.entry(which).or_default();
            match notice.kind {
                NoticeKind::Firing => *count += 1,
                NoticeKind::Resolved => *count -= 1,
                NoticeKind::Reminder | NoticeKind::Test => assert_eq!(*count, 1),
            }
            assert!((0..=1).contains(count), "{told:?}");
        }
    }
    let left: Vec<_> = heard.iter().filter(|it| *it.1 != 0).collect();
    let only_moments = left.iter().all(|it| it.0.ends_with("reboot"));
    assert!(only_moments, "nobody was told of the end of {left:?}");
    for ((subject, rule), alert) in &bench.retained {
        assert_eq!(alert.state, AlertState::Ok, "{subject} {rule}");
    }
    assert!(bench.journal.is_empty(), "{:?}", bench.journal);
}

fn told(bench: &Bench) -> Vec<String> {
    let lines = bench.told.iter().flat_map(|notice| {
        let kind = format!("{:?}", notice.kind);
        notice
            .alerts
            .iter()
            .map(move |it| format!("{kind} {} {}", it.subject, it.rule))
    });
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    lines
}

fn day(seed: u64, pauses: &[u32], kills: bool) -> Bench {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut fate = kills.then(|| StdRng::seed_from_u64(seed.wrapping_mul(31)));
    let mut bench = bench();
    for _ in 0..60 {
        happens(&mut bench, &mut rng, pauses, &mut fate);
    }
    evening(&mut bench);
    bench
}

#[test]
fn each_beginning_has_one_end_and_no_message_comes_twice() {
    for seed in 0..DAYS {
        for kills in [false, true] {
            let checked = catch_unwind(AssertUnwindSafe(|| check(seed, &day(seed, &ANY, kills))));
            assert!(checked.is_ok(), "seed {seed}, killed: {kills}");
        }
    }
}

#[test]
fn a_day_with_kills_tells_what_a_day_without_tells() {
    for seed in 0..DAYS {
        let (quiet, killed) = (day(seed, &LONG, false), day(seed, &LONG, true));
        assert_eq!(told(&killed), told(&quiet), "seed {seed}");
        assert_eq!(
            killed.retained.keys().collect::<Vec<_>>(),
            quiet.retained.keys().collect::<Vec<_>>()
        );
    }
}
