//! A sample as it is sent: with its age.

use jiff::Timestamp;
use netmonitor_protocol::SessionId;
use netmonitor_protocol::payload::{Backfill, Metrics};
use netmonitor_service::clock::{self, TimeSource};

use super::numbers::Numbers;
use super::piece::{Found, Taken};
use super::{Kept, Spool};

/// A clock that nobody vouches for is believed so long after the machine's start.
const BELIEVED_MS: u64 = 10 * 60 * 1000;

/// Now, by both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// By the clock that people set.
    pub(crate) time: Timestamp,
    /// Since the machine's boot.
    pub(crate) monotonic_ms: u64,
}

impl Moment {
    /// This moment.
    pub(crate) fn now() -> Self {
        Self {
            time: clock::now(),
            monotonic_ms: millis(clock::since_boot()),
        }
    }
}

/// Whole milliseconds.
pub(crate) fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Spool {
    /// The latest sample of this session, as it is sent now.
    pub(crate) fn live(&self, mut sample: Metrics, now: Moment) -> Metrics {
        let taken = sample.monotonic_ms.unwrap_or(now.monotonic_ms);
        sample.age_ms = now.monotonic_ms.saturating_sub(taken);
        // One that could not be kept is the oldest that is left of it.
        let oldest = self.oldest(sample.session).unwrap_or(sample.seq);
        sample.oldest_seq = Some(oldest.min(sample.seq));
        if !Self::is_comparable() {
            sample.monotonic_ms = None;
        }
        sample
    }

    /// What was read, as it is sent now; none if none of it is kept any more.
    pub(crate) fn batch(&mut self, found: &Found, now: Moment) -> Option<Backfill> {
        let kept = self.find(found.session)?;
        let mut samples = Vec::new();
        let mut damaged = Numbers::new();
        for (seq, json) in &found.samples {
            if !kept.numbers.contains(seq) {
                continue;
            }
            match serde_json::from_slice(json) {
                Ok(sample) => samples.push(self.made_up(sample, kept, now)),
                Err(error) => {
                    tracing::error!(%error, seq, "a sample that waited cannot be read: it is lost");
                    damaged.insert(*seq..=*seq);
                }
            }
        }
        self.lose(found.session, &damaged);
        let first = samples.first()?;
        Some(Backfill {
            session: found.session,
            oldest_seq: self.oldest(found.session).unwrap_or(first.seq),
            samples,
        })
    }

    /// What can be sent, the oldest session first. The age of samples of an earlier boot is known
    /// only once this machine knows what time it is.
    pub(crate) fn sendable(
        &self,
        now: Moment,
        source: impl Fn() -> TimeSource,
    ) -> Vec<(SessionId, &Numbers)> {
        let waits = |kept: &Kept| !kept.numbers.is_empty() && !self.is_of_this_boot(kept);
        let knows_time = !self.sessions.iter().any(waits) || {
            let newest = self.boots.values().map(|newest| newest.time).max();
            is_set(now, newest, source())
        };
        self.sessions
            .iter()
            .filter(|kept| knows_time || self.is_of_this_boot(kept))
            .map(|kept| (kept.session, &kept.numbers))
            .collect()
    }

    pub(super) fn find(&self, session: SessionId) -> Option<&Kept> {
        self.sessions.iter().find(|it| it.session == session)
    }

    fn made_up(&self, mut sample: Metrics, kept: &Kept, now: Moment) -> Metrics {
        let (age, monotonic) = match sample.monotonic_ms {
            Some(taken) if self.is_of_this_boot(kept) => {
                (now.monotonic_ms.saturating_sub(taken), Some(taken))
            }
            _ => {
                let newest = kept.boot.as_ref().and_then(|boot| self.boots.get(boot));
                (age_across_boots(&sample, newest, now), None)
            }
        };
        sample.age_ms = age;
        sample.monotonic_ms = monotonic.filter(|_| Self::is_comparable());
        sample.oldest_seq = None;
        sample
    }

    /// Where boots have no name, each start of the agent counts anew.
    fn is_of_this_boot(&self, kept: &Kept) -> bool {
        kept.session == self.owner.session || (kept.boot.is_some() && kept.boot == self.owner.boot)
    }

    /// Whether the monotonic clock goes on from one start of the agent to the next.
    fn is_comparable() -> bool {
        cfg!(target_os = "linux")
    }
}

/// Whether the machine knows what time it is: the network has told it, or it has a clock that goes
/// on without power and has gone on since then. Where nobody can say, it is believed after a while.
fn is_set(now: Moment, newest: Option<Timestamp>, source: TimeSource) -> bool {
    let goes_on = |rtc: Timestamp| newest.is_none_or(|newest| rtc >= newest);
    source.is_synchronised || source.rtc.is_some_and(goes_on) || now.monotonic_ms >= BELIEVED_MS
}

/// The age of a sample of an earlier boot: between the newest of that boot and now there is only
/// the clock that people set, before it the other one counts. It was taken before this boot,
/// whatever that clock says.
fn age_across_boots(sample: &Metrics, newest: Option<&Taken>, now: Moment) -> u64 {
    let between = |earlier: Timestamp| {
        let millis = now.time.as_millisecond() - earlier.as_millisecond();
        u64::try_from(millis).unwrap_or(0).max(now.monotonic_ms)
    };
    match (newest, sample.monotonic_ms) {
        (Some(newest), Some(taken)) => {
            between(newest.time).saturating_add(newest.monotonic_ms.saturating_sub(taken))
        }
        _ => between(sample.time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::tests::sample;
    use crate::spool::tests::{fill, folder, owner};
    use crate::spool::{Limits, Owner};

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + secs).unwrap()
    }

    /// The age, in seconds, of a sample of an earlier boot whose newest was taken at 1000 s by
    /// both clocks.
    fn check(taken_secs: u64, clock_then: i64, clock_now: i64, since_boot: u64, expected: u64) {
        let mut sample = sample(SessionId(1), 7);
        sample.monotonic_ms = Some(taken_secs * 1000);
        sample.time = at(clock_then);
        let newest = Taken {
            time: at(1000),
            monotonic_ms: 1_000_000,
        };
        let now = Moment {
            time: at(clock_now),
            monotonic_ms: since_boot * 1000,
        };
        assert_eq!(
            age_across_boots(&sample, Some(&newest), now),
            expected * 1000
        );
    }

    #[test]
    fn across_a_boot_only_the_time_from_its_newest_sample_is_by_the_wall_clock() {
        check(1000, 1000, 1100, 60, 100);
        check(940, 940, 1100, 60, 160);
        // The clock was set within that boot: the samples before it stay where they were.
        check(940, -999_999, 1100, 60, 160);
    }

    #[test]
    fn samples_of_an_earlier_boot_wait_until_the_machine_knows_the_time() {
        let folder = folder();
        fill(&mut folder.open(1), 1..=3);
        let owner = Owner {
            boot: Some("another boot".to_owned()),
            ..owner(2)
        };
        let mut spool = Spool::open(folder.place.clone(), owner, Limits::default());
        fill(&mut spool, 1..=1);
        let sendable = |since_boot: u64, rtc: Option<i64>, is_synchronised| {
            let now = Moment {
                time: at(0),
                monotonic_ms: since_boot * 1000,
            };
            let rtc = rtc.map(|secs| Timestamp::from_second(secs).unwrap());
            let source = TimeSource {
                rtc,
                is_synchronised,
            };
            let found = spool.sendable(now, || source);
            let sessions: Vec<u64> = found.iter().map(|(session, _)| session.0).collect();
            sessions
        };
        assert_eq!(sendable(30, None, false), [2]);
        assert_eq!(
            sendable(30, Some(-1), false),
            [2],
            "it was without power itself"
        );
        assert_eq!(sendable(30, Some(1), false), [1, 2]);
        assert_eq!(sendable(30, None, true), [1, 2]);
        assert_eq!(sendable(600, None, false), [1, 2]);
    }

    #[test]
    fn a_sample_of_an_earlier_boot_is_older_than_this_boot_whatever_the_clock_says() {
        check(1000, 1000, -5_000, 60, 60);
        check(990, 990, 1010, 60, 70);
    }
}
