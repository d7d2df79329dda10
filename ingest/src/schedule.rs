//! When to commit: as seldom as the promise allows, since each commit is one sync of the card.

use std::time::Duration;

use tokio::time::Instant;

/// How long backfill and events wait at most, and how long after a commit began the next may.
/// Shorter if the interval is.
const URGENT: Duration = Duration::from_secs(1);

/// How long after a commit that failed the next is tried: at first, and twice as long each time
/// up to the last.
const RETRY: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(30)];

/// What waits, how urgently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// A live sample: its agent keeps it, so it may wait for the interval.
    CanWait,
    /// Backfill, whose agent sends the next batch when this one is acknowledged, or an event,
    /// which nobody else keeps.
    Urgent,
}

/// When the next commit is due.
#[derive(Debug)]
pub struct Schedule {
    interval: Duration,
    /// Since when something waits, and when it has to be on its way to the disk.
    waiting: Option<[Instant; 2]>,
    /// When the last one began.
    last: Option<Instant>,
    /// Not before this, after one that failed.
    retry: Option<Instant>,
    failures: u32,
}

impl Schedule {
    /// Nothing waits yet.
    pub fn new(interval: Duration) -> Self {
        Self {
            interval,
            waiting: None,
            last: None,
            retry: None,
            failures: 0,
        }
    }

    /// Something came that waits now.
    pub fn waits(&mut self, now: Instant, urgency: Urgency) {
        let due = now
            + match urgency {
                Urgency::CanWait => self.interval,
                Urgency::Urgent => self.gap(),
            };
        let [since, earlier] = self.waiting.unwrap_or([now, due]);
        self.waiting = Some([since, earlier.min(due)]);
    }

    /// When the next commit is to begin; none while nothing waits. `is_large`: there is enough
    /// for a commit, whatever the interval is.
    pub fn due(&self, is_large: bool) -> Option<Instant> {
        let [since, due] = self.waiting?;
        let wanted = if is_large { since } else { due };
        let soonest = [self.last.map(|last| last + self.gap()), self.retry];
        soonest.into_iter().flatten().chain([wanted]).max()
    }

    /// A commit of all that waits begins.
    pub fn begins(&mut self, now: Instant) {
        self.waiting = None;
        self.last = Some(now);
    }

    /// It went well.
    pub fn succeeded(&mut self) {
        self.failures = 0;
        self.retry = None;
    }

    /// It failed, and what it had waits again.
    pub fn failed(&mut self, now: Instant) {
        let factor = 2_u32.saturating_pow(self.failures);
        let wait = RETRY[0].saturating_mul(factor).min(RETRY[1]);
        self.failures = self.failures.saturating_add(1);
        self.retry = Some(now + wait);
        self.waiting = Some([now, now]);
    }

    fn gap(&self) -> Duration {
        URGENT.min(self.interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn live_samples_wait_for_the_interval_and_cost_a_commit_a_minute() {
        let start = Instant::now();
        let mut schedule = Schedule::new(MINUTE);
        assert_eq!(schedule.due(false), None, "nothing waits");
        let mut commits = 0;
        // A day of a sample every three seconds.
        for second in (0..24 * 3600).step_by(3) {
            let now = start + SECOND * second;
            schedule.waits(now, Urgency::CanWait);
            if schedule.due(false).is_some_and(|due| due <= now) {
                schedule.begins(now);
                schedule.succeeded();
                commits += 1;
            }
        }
        assert!((1350..=1440).contains(&commits), "{commits}");
    }

    #[test]
    fn backfill_and_events_wait_for_a_second_and_there_is_a_second_between_commits() {
        let start = Instant::now();
        let mut schedule = Schedule::new(MINUTE);
        schedule.waits(start, Urgency::CanWait);
        let now = start + SECOND * 5;
        schedule.waits(now, Urgency::Urgent);
        assert_eq!(schedule.due(false), Some(now + SECOND));
        schedule.waits(now + SECOND / 2, Urgency::Urgent);
        assert_eq!(schedule.due(false), Some(now + SECOND));
        schedule.begins(now + SECOND);
        // While that commit runs.
        schedule.waits(now + SECOND, Urgency::Urgent);
        schedule.succeeded();
        assert_eq!(schedule.due(false), Some(now + SECOND * 2));
        assert_eq!(schedule.due(true), Some(now + SECOND * 2));
    }

    #[test]
    fn a_large_batch_waits_for_nothing_but_the_second_since_the_last_one() {
        let start = Instant::now();
        let mut schedule = Schedule::new(MINUTE);
        schedule.waits(start, Urgency::CanWait);
        assert_eq!(schedule.due(true), Some(start));
        schedule.begins(start);
        schedule.waits(start + SECOND / 4, Urgency::CanWait);
        assert_eq!(schedule.due(true), Some(start + SECOND));
    }

    #[test]
    fn an_interval_below_a_second_is_kept() {
        let start = Instant::now();
        let mut schedule = Schedule::new(SECOND / 5);
        schedule.waits(start, Urgency::Urgent);
        assert_eq!(schedule.due(false), Some(start + SECOND / 5));
    }

    #[test]
    fn what_failed_is_tried_again_ever_later_up_to_half_a_minute_whatever_comes() {
        let mut now = Instant::now();
        let mut schedule = Schedule::new(MINUTE);
        schedule.waits(now, Urgency::Urgent);
        let mut waits = Vec::new();
        for _ in 0..8 {
            schedule.begins(now);
            schedule.failed(now);
            schedule.waits(now, Urgency::Urgent);
            let due = schedule.due(true).unwrap();
            assert_eq!(schedule.due(false), Some(due));
            waits.push((due - now).as_secs());
            now = due;
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30, 30]);
        schedule.begins(now);
        schedule.succeeded();
        schedule.waits(now, Urgency::Urgent);
        assert_eq!(schedule.due(false), Some(now + SECOND));
    }
}
