//! Whether the hub knows what time it is.
//!
//! A Raspberry Pi has no clock that goes on without power: it starts in 1970, or with the time of
//! its last stop, until the network tells it. What is written down before then would stand at the
//! wrong time for ever.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use netmonitor_service::clock::TimeSource;
use netmonitor_store::history::Moment;

/// It is later than this: set anew with each release, to some weeks before (a test compares it with
/// the changelog). Not the time of the build, so that equal sources make equal programs.
pub const RELEASED: Timestamp = Timestamp::constant(1_793_491_200, 0); // 2026-11-01

/// How far before the newest entry of the history the clock may be without a doubt.
const STEP_BACK: SignedDuration = SignedDuration::from_hours(24);

/// How long a clock that contradicts the history is doubted, if it has a reason to be right.
const DOUBT: Duration = Duration::from_mins(10);

/// A clock that was moved by so much was set by somebody.
const STEP: SignedDuration = SignedDuration::from_millis(500);

/// How long a clock has to have stood before something is removed for its age, in times of what the
/// network may take to tell it: an hour if that is ten minutes.
const CERTAIN_AFTER_WAITS: u32 = 6;

/// Judges the hub's clock from start on. Once believed, it is believed until it says what cannot
/// be: a clock that is moved later is moved by somebody.
#[derive(Debug)]
pub struct ClockTrust {
    /// How long after the machine's start the network may take to tell the time.
    wait: Duration,
    /// The newest entry of the history at the start.
    newest: Option<Timestamp>,
    began: Moment,
    before: Moment,
    /// When it was moved last, else the start.
    stands_since: Duration,
    was_stepped: bool,
    is_believed: bool,
}

impl ClockTrust {
    /// Begins to judge.
    pub fn new(wait: Duration, newest: Option<Timestamp>, now: Moment) -> Self {
        Self {
            wait,
            newest,
            began: now,
            before: now,
            stands_since: now.since_boot,
            was_stepped: false,
            is_believed: false,
        }
    }

    /// By how much the clock was moved since the last call; none if it was not.
    pub fn step(&mut self, now: Moment) -> Option<SignedDuration> {
        let gone = now.since_boot.saturating_sub(self.before.since_boot);
        let shown = now.wall.duration_since(self.before.wall);
        let step = shown - SignedDuration::try_from(gone).unwrap_or_default();
        if step.abs() < STEP {
            return None;
        }
        self.before = now;
        self.stands_since = now.since_boot;
        self.was_stepped = true;
        Some(step)
    }

    /// Whether the clock shows the time.
    pub fn is_set(&mut self, now: Moment, source: impl FnOnce() -> TimeSource) -> bool {
        if now.wall < RELEASED {
            return false;
        }
        self.is_believed = self.is_believed || self.believes(now, source());
        self.is_believed
    }

    /// Whether it is so certain that what is too old by it may go. A clock that is ahead by
    /// mistake does no harm that lasts, as long as it is put right before that.
    pub fn is_certain(&self, now: Moment, source: impl FnOnce() -> TimeSource) -> bool {
        let stands = now.since_boot.saturating_sub(self.stands_since);
        let is_told = || source().is_synchronised;
        stands >= self.wait.saturating_mul(CERTAIN_AFTER_WAITS)
            || (stands >= self.wait && is_told())
    }

    fn believes(&self, now: Moment, source: TimeSource) -> bool {
        if source.is_synchronised {
            return true;
        }
        let has_source = self.was_stepped || source.rtc.is_some_and(|rtc| rtc >= RELEASED);
        // What the clock showed when ingest began, if it was right then by today's clock.
        let watched = now.since_boot.saturating_sub(self.began.since_boot);
        let began = now.wall - watched;
        if self.newest.is_some_and(|newest| began < newest - STEP_BACK) {
            // Either is wrong. A clock that nobody has set is; else it may be the history.
            return has_source && watched >= DOUBT.min(self.wait);
        }
        has_source || now.since_boot >= self.wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: SignedDuration = SignedDuration::from_hours(1);
    const WAIT: Duration = Duration::from_mins(10);
    const NOWHERE: TimeSource = TimeSource {
        rtc: None,
        is_synchronised: false,
    };
    const BY_NETWORK: TimeSource = TimeSource {
        rtc: None,
        is_synchronised: true,
    };

    fn today() -> Timestamp {
        "2027-05-01T10:00:00Z".parse().unwrap()
    }

    fn with_rtc(rtc: Timestamp) -> TimeSource {
        TimeSource {
            rtc: Some(rtc),
            is_synchronised: false,
        }
    }

    /// So long after the machine's start, by a clock that showed this at its start.
    fn after(secs: u64, shown: Timestamp) -> Moment {
        let since_boot = Duration::from_secs(secs);
        Moment {
            wall: shown + since_boot,
            since_boot,
        }
    }

    fn trust(newest: Option<Timestamp>, began: Moment) -> ClockTrust {
        ClockTrust::new(WAIT, newest, began)
    }

    #[test]
    fn what_is_before_the_release_is_not_set_whatever_else_is_said() {
        let mut trust = trust(None, after(5, Timestamp::UNIX_EPOCH));
        for secs in [5, 700, 1_000_000] {
            for source in [NOWHERE, BY_NETWORK, with_rtc(today())] {
                let now = after(secs, Timestamp::UNIX_EPOCH);
                assert!(!trust.is_set(now, || source));
            }
        }
    }

    #[test]
    fn a_clock_that_goes_on_without_power_is_believed_at_once_unless_it_has_stopped() {
        let now = after(5, today());
        assert!(trust(None, now).is_set(now, || with_rtc(today())));
        let stopped = with_rtc(Timestamp::UNIX_EPOCH);
        assert!(!trust(None, now).is_set(now, || stopped));
    }

    #[test]
    fn without_one_it_is_believed_when_the_network_has_told_it_or_ten_minutes_have_passed() {
        let began = after(5, today());
        assert!(trust(None, began).is_set(began, || BY_NETWORK));
        let mut trust = trust(None, began);
        assert!(!trust.is_set(began, || NOWHERE));
        assert!(!trust.is_set(after(599, today()), || NOWHERE));
        assert!(trust.is_set(after(600, today()), || NOWHERE));
    }

    #[test]
    fn a_clock_that_is_moved_was_set_by_somebody() {
        let began = after(5, Timestamp::UNIX_EPOCH);
        let mut trust = trust(Some(today()), began);
        assert_eq!(trust.step(after(20, Timestamp::UNIX_EPOCH)), None);
        assert!(!trust.is_set(after(20, Timestamp::UNIX_EPOCH), || NOWHERE));
        let step = trust.step(after(30, today()));
        assert_eq!(step, Some(today().duration_since(Timestamp::UNIX_EPOCH)));
        assert!(trust.is_set(after(30, today()), || NOWHERE));
        assert_eq!(trust.step(after(90, today())), None, "said once");
    }

    #[test]
    fn a_clock_that_contradicts_the_history_is_doubted_for_long_if_it_has_no_reason() {
        let newest = Some(today() + 25 * HOUR);
        let check = |source: TimeSource, secs: u64, expected: bool| {
            let mut trust = trust(newest, after(5, today()));
            let is_set = trust.is_set(after(secs, today()), || source);
            assert_eq!(is_set, expected, "{source:?} after {secs} s");
        };
        check(NOWHERE, 5, false);
        check(NOWHERE, 100_000, false);
        check(BY_NETWORK, 5, true);
        // Either the history is wrong or that clock: somebody may be about to set it.
        check(with_rtc(today()), 5, false);
        check(with_rtc(today()), 604, false);
        check(with_rtc(today()), 605, true);
        // A few hours may be a wrong date that was made right.
        let mut trust = trust(Some(today() + 23 * HOUR), after(5, today()));
        assert!(trust.is_set(after(605, today()), || NOWHERE));
    }

    #[test]
    fn once_believed_it_may_be_moved_at_will_but_not_before_the_release() {
        let mut trust = trust(Some(today()), after(5, today()));
        assert!(trust.is_set(after(5, today()), || BY_NETWORK));
        assert!(trust.is_set(after(9, today() - 72 * HOUR), || NOWHERE));
        assert!(!trust.is_set(after(9, Timestamp::UNIX_EPOCH), || NOWHERE));
        assert!(trust.is_set(after(9, today()), || NOWHERE));
    }

    #[test]
    fn it_is_certain_when_it_has_stood_for_an_hour_or_ten_minutes_if_the_network_has_told_it() {
        let mut trust = trust(None, after(5, today()));
        let check = |trust: &ClockTrust, secs: u64, [alone, told]: [bool; 2]| {
            let now = after(secs, today());
            assert_eq!(trust.is_certain(now, || with_rtc(today())), alone, "{secs}");
            assert_eq!(trust.is_certain(now, || BY_NETWORK), told, "{secs}");
        };
        check(&trust, 5, [false, false]);
        check(&trust, 604, [false, false]);
        check(&trust, 605, [false, true]);
        check(&trust, 3604, [false, true]);
        check(&trust, 3605, [true, true]);
        trust.step(after(4000, today() + HOUR)).unwrap();
        check(&trust, 4599, [false, false]);
        check(&trust, 4600, [false, true]);
        check(&trust, 7600, [true, true]);
    }

    #[test]
    fn the_release_is_not_in_the_future() {
        assert!(netmonitor_service::clock::now() > RELEASED);
    }

    /// The newest day that a heading of the changelog has: `## [1.2.0] - 2027-01-31`.
    fn newest_release(changelog: &str) -> Option<Timestamp> {
        let headings = changelog.lines().filter_map(|it| it.strip_prefix("## ["));
        let days = headings.filter_map(|it| it.split_once("] - ")?.1.split_whitespace().next());
        days.map(|day| format!("{day}T00:00:00Z").parse().unwrap())
            .max()
    }

    #[test]
    fn it_was_set_anew_for_the_newest_release_of_the_changelog() {
        let is_new = |released: Timestamp, changelog: &str| {
            let newest = newest_release(changelog);
            newest.is_none_or(|newest| newest.duration_since(released) <= 60 * 24 * HOUR)
        };
        let released = "2026-11-01T00:00:00Z".parse().unwrap();
        let newer = "## [Unreleased]\n## [1.1.0] - 2027-01-31\n- x\n## [1.0.0] - 2026-11-30\n";
        let older = "## [1.0.0] - 2026-11-30 [YANKED]\n";
        assert!(!is_new(released, newer) && is_new(released, older));

        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../CHANGELOG.md");
        let changelog = std::fs::read_to_string(path).unwrap();
        assert!(is_new(RELEASED, &changelog), "set RELEASED anew");
    }
}
