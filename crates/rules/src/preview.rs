//! How often a rule would have fired in the past: what an alert makes of one number after another,
//! without anybody who takes it on.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use netmonitor_protocol::RuleKind;

use crate::alert::RuleConfig;

/// So many of the newest are told; the others are counted.
pub const MAX_FIRINGS: usize = 100;

/// Where nothing was measured for longer than so many samples, and this, the wait before it fires
/// begins anew.
const GAP_SAMPLES: i32 = 3;
const GAP: SignedDuration = SignedDuration::from_secs(30);

/// One time that the rule would have fired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Firing {
    /// When it would have begun to fire.
    pub since: Timestamp,
    /// When all would have been well again. None: it would still fire.
    pub until: Option<Timestamp>,
}

/// What a rule would have done so far.
#[derive(Debug, Clone)]
pub struct Preview {
    kind: RuleKind,
    config: RuleConfig,
    gap: SignedDuration,
    phase: Phase,
    count: u64,
    firings: VecDeque<Firing>,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Well,
    /// Something is wrong since one moment, and was still at the other.
    Pending(Timestamp, Timestamp),
    /// Fires since then.
    Firing(Timestamp),
}

impl Preview {
    /// Nothing was measured yet. `interval`: the usual time between two numbers.
    pub fn new(kind: RuleKind, config: RuleConfig, interval: SignedDuration) -> Self {
        Self {
            kind,
            config,
            gap: GAP.saturating_add(interval.saturating_mul(GAP_SAMPLES)),
            phase: Phase::Well,
            count: 0,
            firings: VecDeque::new(),
        }
    }

    /// What was measured next. A rule that is off makes nothing of it.
    pub fn add(&mut self, at: Timestamp, value: f64) {
        if !self.config.enabled {
            return;
        }
        let is_bad = self.config.is_bad(self.kind, value);
        self.phase = match self.phase {
            Phase::Well if is_bad => self.wait(at, at),
            Phase::Pending(_, seen) if is_bad && at.duration_since(seen) > self.gap => {
                self.wait(at, at)
            }
            Phase::Pending(since, _) if is_bad => self.wait(since, at),
            Phase::Firing(since) if !self.config.is_good(self.kind, value) => Phase::Firing(since),
            Phase::Firing(since) => {
                self.keep(since, Some(at));
                Phase::Well
            }
            Phase::Well | Phase::Pending(..) => Phase::Well,
        };
    }

    /// How often it would have fired, and the newest of those times in their order.
    pub fn finish(mut self) -> (u64, Vec<Firing>) {
        if let Phase::Firing(since) = self.phase {
            self.keep(since, None);
        }
        (self.count, self.firings.into())
    }

    /// Wrong since a moment, and still now.
    fn wait(&self, since: Timestamp, now: Timestamp) -> Phase {
        if now.duration_since(since) >= SignedDuration::from_secs(self.config.for_secs.into()) {
            Phase::Firing(now)
        } else {
            Phase::Pending(since, now)
        }
    }

    fn keep(&mut self, since: Timestamp, until: Option<Timestamp>) {
        self.count += 1;
        self.firings.push_back(Firing { since, until });
        if self.firings.len() > MAX_FIRINGS {
            self.firings.pop_front();
        }
    }
}

/// The same for a device that was away: each time that it was, from and until, and how long the rule
/// waits.
pub fn absences(
    away: impl IntoIterator<Item = (Timestamp, Option<Timestamp>)>,
    config: RuleConfig,
    now: Timestamp,
) -> (u64, Vec<Firing>) {
    let wait = SignedDuration::from_secs(config.for_secs.into());
    let fires = |(from, until): (Timestamp, Option<Timestamp>)| {
        let since = from.checked_add(wait).ok()?;
        let is_long = until.unwrap_or(now) >= since;
        (config.enabled && is_long).then_some(Firing { since, until })
    };
    let mut firings: Vec<Firing> = away.into_iter().filter_map(fires).collect();
    let count = firings.len() as u64;
    firings.drain(..firings.len().saturating_sub(MAX_FIRINGS));
    (count, firings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::default_config;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn config(for_secs: u32) -> RuleConfig {
        RuleConfig {
            for_secs,
            ..default_config(RuleKind::Cpu)
        }
    }

    /// Seconds of begin and end of each, for numbers at these seconds.
    fn check(config: RuleConfig, points: &[(i64, f64)], expected: &[(i64, Option<i64>)]) {
        let mut preview = Preview::new(RuleKind::Cpu, config, SignedDuration::from_secs(3));
        for (second, value) in points {
            preview.add(at(*second), *value);
        }
        let (count, firings) = preview.finish();
        assert_eq!(count, expected.len() as u64);
        let second = |time: Timestamp| time.as_second() - at(0).as_second();
        let found: Vec<_> = firings
            .iter()
            .map(|it| (second(it.since), it.until.map(second)))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn it_fires_when_it_was_wrong_for_long_enough_and_ends_at_the_clear_level() {
        let points = [
            (0, 95.0),
            (3, 91.0),
            (6, 95.0),
            // Neither good nor bad.
            (9, 88.0),
            (12, 85.0),
            (15, 88.0),
        ];
        check(config(6), &points, &[(6, Some(12))]);
        check(config(0), &points, &[(0, Some(12))]);
        check(config(7), &points, &[]);
        check(config(6), &points[..4], &[(6, None)]);
    }

    #[test]
    fn what_comes_back_below_the_limit_within_the_time_begins_anew() {
        let crossing: Vec<(i64, f64)> = (0..1000)
            .map(|it| (it * 3, if it % 2 == 0 { 95.0 } else { 89.0 }))
            .collect();
        check(config(6), &crossing, &[]);
    }

    #[test]
    fn a_gap_breaks_the_wait_but_ends_nothing() {
        let points = [(0, 95.0), (3, 95.0), (60, 95.0), (63, 95.0)];
        check(config(10), &points, &[]);
        // As long as nobody looked is not too long.
        check(config(10), &[(0, 95.0), (30, 95.0)], &[(30, None)]);
        let away = [(0, 95.0), (600, 95.0), (603, 1.0)];
        check(config(0), &away, &[(0, Some(603))]);
    }

    #[test]
    fn a_rule_that_is_off_never_fires() {
        let off = RuleConfig {
            enabled: false,
            ..config(0)
        };
        check(off, &[(0, 100.0)], &[]);
    }

    #[test]
    fn only_the_newest_are_told_and_all_are_counted() {
        let mut preview = Preview::new(RuleKind::Cpu, config(0), SignedDuration::from_secs(3));
        for number in 0..500 {
            preview.add(at(number * 2), 95.0);
            preview.add(at(number * 2 + 1), 5.0);
        }
        let (count, firings) = preview.finish();
        assert_eq!((count, firings.len()), (500, MAX_FIRINGS));
        assert_eq!(firings[MAX_FIRINGS - 1].since, at(998));
    }

    #[test]
    fn an_absence_fires_when_it_is_long_enough() {
        let away = [(at(0), Some(at(9))), (at(20), Some(at(60))), (at(95), None)];
        let wait = RuleConfig {
            for_secs: 10,
            ..default_config(RuleKind::Offline)
        };
        let (count, firings) = absences(away, wait, at(100));
        assert_eq!(count, 1);
        assert_eq!((firings[0].since, firings[0].until), (at(30), Some(at(60))));
        assert_eq!(absences(away, wait, at(105)).0, 2);
    }
}
