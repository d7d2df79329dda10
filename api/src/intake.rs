//! What becomes of a sample that arrives: it gets its place in time, is kept until it is stored,
//! and if it belongs to the past, browsers are told. Pure.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use netmonitor_protocol::DeviceId;
use netmonitor_protocol::payload::{DegradedReason, Metrics, ServiceHealth};
use netmonitor_store::history::{Layouts, Moment, NewSample, Placing, Way};

use crate::filled::{Filled, Stretch};
use crate::recent::{Pushed, Recent};

/// A clock that was moved by so much was set by somebody.
const STEP: SignedDuration = SignedDuration::from_millis(500);

/// Ingest may say that the clock is set a little before it is noticed here.
const STEP_NOTICED: Duration = Duration::from_secs(5);

/// After the commit that has what was not heard, as ingest says how often it commits.
const AFTER_COMMIT: Duration = Duration::from_secs(10);

/// The way of samples through the api.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    placing: Placing,
    layouts: Layouts,
    recent: Recent,
    filled: Filled,
    clock: HubClock,
    /// By the clock as it was at the last look.
    before: Option<Moment>,
    unheard: Option<Unheard>,
}

/// Whether the hub knows what time it is, as ingest has found out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum HubClock {
    /// Nothing was heard of that.
    #[default]
    Unknown,
    /// Not yet.
    Unset,
    /// Since then, by the clock that nobody sets.
    Set { since: Duration, was_unset: bool },
}

/// A stretch in which the api heard nothing, while ingest may have heard everything.
#[derive(Debug, Clone, Copy)]
struct Unheard {
    from: Timestamp,
    /// None while it lasts.
    to: Option<Moment>,
}

/// A sample has been taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken {
    /// When it was measured, by the hub's clock.
    pub(crate) at: Timestamp,
    /// By how much the device's own clock was ahead; none while the hub does not know better.
    pub(crate) ahead: Option<SignedDuration>,
    /// What became of it.
    pub(crate) pushed: Pushed,
}

impl Intake {
    /// Takes a sample in.
    pub(crate) fn take(
        &mut self,
        device: &DeviceId,
        metrics: &Metrics,
        way: Way,
        receipt: Moment,
    ) -> Taken {
        self.follow_the_clock(receipt);
        let placed = self.placing.place(device, metrics, way, receipt);
        let sample = NewSample::new(device.clone(), placed.at, metrics, &mut self.layouts);
        let pushed = self.recent.push(sample, way, receipt.since_boot);
        if way == Way::Backfill && pushed != Pushed::Known {
            self.filled.add(device, placed.at);
        }
        let is_set = matches!(self.clock, HubClock::Set { .. });
        Taken {
            at: placed.at,
            ahead: is_set.then_some(placed.ahead),
            pushed,
        }
    }

    /// Ingest has said how it is.
    pub(crate) fn ingest_is(&mut self, health: &ServiceHealth, now: Moment) {
        self.recent.ingest_is(Some(health), now.since_boot);
        self.clock = match (health.reason, self.clock) {
            (Some(DegradedReason::ClockNotSet), _) => HubClock::Unset,
            (_, set @ HubClock::Set { .. }) => set,
            (_, before) => HubClock::Set {
                since: now.since_boot,
                was_unset: before == HubClock::Unset,
            },
        };
    }

    /// Nothing is heard any more.
    pub(crate) fn disconnected(&mut self, now: Moment) {
        self.recent.ingest_is(None, now.since_boot);
        let from = self.unheard.map_or(now.wall, |unheard| unheard.from);
        self.unheard = Some(Unheard { from, to: None });
    }

    /// From now on everything is heard. At the start nothing was heard before.
    pub(crate) fn connected(&mut self, now: Moment) {
        let at_start = now.wall.saturating_sub(self.recent.kept());
        let from = match self.unheard {
            Some(unheard) => unheard.from,
            None => at_start.unwrap_or(now.wall),
        };
        let to = Some(now);
        self.unheard = Some(Unheard { from, to });
    }

    /// Whether what the api did not hear must be in the store by now: then
    /// [`Self::tell_unheard`].
    pub(crate) fn is_unheard_stored(&self, now: Moment) -> bool {
        let Some(Unheard { to: Some(to), .. }) = self.unheard else {
            return false;
        };
        self.recent
            .is_committed(to.since_boot + AFTER_COMMIT, now.since_boot)
    }

    /// Tells the browsers to read the stretch anew that the api did not hear, for these devices.
    pub(crate) fn tell_unheard(&mut self, devices: &[DeviceId]) {
        let Some(Unheard { from, to: Some(to) }) = self.unheard.take() else {
            return;
        };
        for device in devices {
            self.filled.add(device, from);
            self.filled.add(device, to.wall);
        }
    }

    /// Once a second: forgets what is stored, and says which stretches of the past were filled.
    pub(crate) fn tick(&mut self, now: Moment) -> Vec<(DeviceId, Stretch)> {
        self.recent.forget(now.since_boot);
        self.follow_the_clock(now);
        self.filled.take()
    }

    /// Samples that came while the hub did not know the time stand where its clock stood then.
    /// Ingest has waited with them, and so they go where it puts them.
    fn follow_the_clock(&mut self, now: Moment) {
        let Some(before) = self.before.replace(now) else {
            return;
        };
        let gone = now.since_boot.saturating_sub(before.since_boot);
        let gone = SignedDuration::try_from(gone).unwrap_or_default();
        let step = now.wall.duration_since(before.wall) - gone;
        let is_just_set = match self.clock {
            HubClock::Unknown => false,
            HubClock::Unset => true,
            HubClock::Set { since, was_unset } => {
                was_unset && now.since_boot.saturating_sub(since) < STEP_NOTICED
            }
        };
        if step.abs() >= STEP && is_just_set {
            let moved: BTreeSet<DeviceId> = self.recent.shift(step);
            for device in moved {
                self.filled.add(&device, now.wall);
            }
        }
    }

    /// The samples of a device between two moments that may not be stored yet.
    pub(crate) fn recent(
        &self,
        device: &DeviceId,
        from: Timestamp,
        to: Timestamp,
    ) -> Vec<NewSample> {
        self.recent.of(device, from, to)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use netmonitor_protocol::SessionId;
    use netmonitor_protocol::payload::{Cpu, Memory, ServiceState};

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    /// So many seconds after the hub's boot, by a clock that is right.
    fn moment(second: u32) -> Moment {
        Moment {
            wall: at(i64::from(second)),
            since_boot: Duration::from_secs(u64::from(second)),
        }
    }

    /// The same by a clock that begins in 1970.
    fn in_1970(second: u32) -> Moment {
        Moment {
            wall: Timestamp::from_second(i64::from(second)).unwrap(),
            ..moment(second)
        }
    }

    fn id() -> DeviceId {
        "ws".parse().unwrap()
    }

    fn metrics(seq: u64, age_secs: u64, time: Timestamp) -> Metrics {
        Metrics {
            age_ms: age_secs * 1000,
            uptime_secs: 1,
            cpu: Cpu {
                usage_percent: 5.0,
                ..Cpu::default()
            },
            memory: Memory {
                total_bytes: 100,
                used_bytes: 50,
                ..Memory::default()
            },
            ..Metrics::blank(SessionId(1), seq, time)
        }
    }

    fn ingest(reason: Option<DegradedReason>) -> ServiceHealth {
        ServiceHealth {
            state: match reason {
                Some(_) => ServiceState::Degraded,
                None => ServiceState::Running,
            },
            reason,
            since: at(0),
            version: "1".to_owned(),
            commit_interval_ms: Some(60_000),
            counters: BTreeMap::new(),
        }
    }

    fn stretch(from: i64, to: i64) -> (DeviceId, Stretch) {
        let (from, to) = (at(from), at(to));
        (id(), Stretch { from, to })
    }

    #[test]
    fn a_stretch_that_is_made_up_for_is_told_where_the_hub_puts_it() {
        let mut intake = Intake::default();
        intake.ingest_is(&ingest(None), moment(990));
        // Its own clock is an hour ahead.
        let taken = intake.take(&id(), &metrics(9, 0, at(4600)), Way::Live, moment(1000));
        assert_eq!(taken.at, at(1000));
        assert_eq!(taken.ahead, Some(SignedDuration::from_hours(1)));
        assert_eq!(intake.tick(moment(1000)), []);
        for (seq, age) in [(3, 90), (4, 80), (9, 5)] {
            let metrics = metrics(seq, age, at(0));
            intake.take(&id(), &metrics, Way::Backfill, moment(1005));
        }
        assert_eq!(intake.tick(moment(1006)), [stretch(915, 925)]);
        assert_eq!(intake.recent(&id(), at(0), at(2000)).len(), 3);
    }

    #[test]
    fn samples_that_came_before_the_hub_knew_the_time_go_to_their_place_with_its_clock() {
        let not_set = ingest(Some(DegradedReason::ClockNotSet));
        for is_said_first in [false, true] {
            let mut intake = Intake::default();
            intake.ingest_is(&not_set, in_1970(10));
            let taken = intake.take(&id(), &metrics(1, 0, at(20)), Way::Live, in_1970(20));
            assert_eq!(
                taken.ahead, None,
                "the hub's clock says nothing about others"
            );
            assert_eq!(intake.tick(in_1970(21)), []);
            if is_said_first {
                intake.ingest_is(&ingest(None), moment(22));
            }
            // Heard before the next look at the clock.
            intake.take(&id(), &metrics(2, 0, at(22)), Way::Live, moment(22));
            assert_eq!(intake.tick(moment(23)), [stretch(22, 22)]);
            let recent = intake.recent(&id(), at(0), Timestamp::MAX);
            let times: Vec<Timestamp> = recent.iter().map(|it| it.at).collect();
            assert_eq!(times, [at(20), at(22)]);
        }
    }

    #[test]
    fn a_clock_that_was_right_and_is_moved_moves_no_sample() {
        let mut intake = Intake::default();
        intake.ingest_is(&ingest(None), moment(10));
        intake.take(&id(), &metrics(1, 0, at(20)), Way::Live, moment(20));
        intake.tick(moment(21));
        let moved = Moment {
            wall: at(4000),
            ..moment(22)
        };
        assert_eq!(intake.tick(moved), []);
        assert_eq!(intake.recent(&id(), at(0), at(30)).len(), 1);
    }

    #[test]
    fn what_the_api_did_not_hear_is_read_anew_once_it_is_stored() {
        let mut intake = Intake::default();
        intake.connected(moment(1000));
        intake.ingest_is(&ingest(None), moment(1000));
        assert!(!intake.is_unheard_stored(moment(1069)));
        assert!(intake.is_unheard_stored(moment(1070)));
        intake.tell_unheard(&[id()]);
        assert_eq!(intake.tick(moment(1071)), [stretch(820, 1000)]);
        assert!(!intake.is_unheard_stored(moment(2000)));

        intake.disconnected(moment(2000));
        assert!(!intake.is_unheard_stored(moment(2500)));
        intake.disconnected(moment(2010));
        intake.connected(moment(2020));
        assert!(!intake.is_unheard_stored(moment(2500)), "ingest is away");
        intake.ingest_is(&ingest(None), moment(2500));
        assert!(!intake.is_unheard_stored(moment(2559)));
        assert!(intake.is_unheard_stored(moment(2560)));
        intake.tell_unheard(&[id()]);
        assert_eq!(intake.tick(moment(2561)), [stretch(2000, 2020)]);
    }
}
