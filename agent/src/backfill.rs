//! What is sent again, and when: a pure state machine, time in, batches out.
//!
//! While samples are acknowledged as they come, nothing is sent again. Due is what was never
//! sent, what has not been acknowledged for about twice the time that ingest takes for a commit,
//! and everything that was sent before ingest started anew. One batch is on its way at a time;
//! the next goes when the one before is acknowledged, or when its time is up.

mod away;
mod on_the_way;

use std::time::Duration;

use jiff::Timestamp;
use netmonitor_protocol::SessionId;
use netmonitor_protocol::payload::{ServiceHealth, ServiceState};

use crate::spool::numbers::{Numbers, common, largest, take_away};
use away::Away;
pub use away::Patience;
use on_the_way::OnTheWay;

/// So many samples are in a batch at most.
pub const BATCH_SAMPLES: usize = 100;

/// So many bytes of samples are in a batch at most, but for a sample that is longer by itself.
pub const BATCH_BYTES: usize = 46_000;

/// How long a commit takes unless ingest says so.
const COMMIT_INTERVAL: Duration = Duration::from_mins(1);

/// The shortest and the longest that is believed.
const COMMIT_INTERVALS: (Duration, Duration) =
    (Duration::from_millis(100), Duration::from_hours(1));

/// Agents that hear of the same thing at once begin spread over this time.
const SPREAD: Duration = Duration::from_secs(5);

/// The wait after files that could not be read.
const UNREADABLE: Duration = Duration::from_mins(1);

/// Who resends what, and when. Times are those of a clock that nobody sets
/// ([`netmonitor_service::clock::since_boot`]); `random` is from 0 to 1.
#[derive(Debug)]
pub struct Plan {
    /// The session that is alive.
    session: SessionId,
    commit_interval: Duration,
    /// Since when there is a connection.
    connected: Option<Duration>,
    /// The start of ingest that was last heard of.
    ingest: Option<Timestamp>,
    ingest_works: bool,
    on_the_way: OnTheWay,
    away: Away,
    patience: Patience,
    batch: Option<Batch>,
    /// When the time of the last batch is up.
    last_until: Duration,
    not_before: Duration,
    /// The last sample of a batch that was not acknowledged in time: what comes behind it goes
    /// first, so that one sample that ingest never takes does not hold up the others.
    passed: Option<(SessionId, u64)>,
    /// Where in the jitter this agent is.
    place: f64,
}

/// The batch that is on its way.
#[derive(Debug)]
struct Batch {
    session: SessionId,
    numbers: Numbers,
    until: Duration,
}

/// What to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Send these samples, as many of the first ones as there is room for in a batch, and say so
    /// with [`Plan::sent_batch`].
    Send(SessionId, Numbers),
    /// Nothing before this time, or before something is heard or taken.
    Wait(Option<Duration>),
}

impl Plan {
    /// A plan for the samples of this session, and those of former ones.
    pub fn new(session: SessionId, patience: Patience, now: Duration, random: f64) -> Self {
        Self {
            session,
            commit_interval: COMMIT_INTERVAL,
            connected: None,
            ingest: None,
            ingest_works: true,
            on_the_way: OnTheWay::default(),
            away: Away::since(now),
            patience,
            batch: None,
            last_until: Duration::ZERO,
            not_before: Duration::ZERO,
            passed: None,
            place: random,
        }
    }

    /// A sample of this session was taken: the way of a live sample is tried first.
    pub fn took(&mut self, seq: u64, now: Duration) {
        self.on_the_way.took(seq, now);
        self.away.unacknowledged.get_or_insert(now);
    }

    /// The broker has a live sample of this session.
    pub fn sent(&mut self, seq: u64, now: Duration) {
        self.on_the_way.sent(seq, now, self.resend_after() / 16);
    }

    /// A connection stands.
    pub fn connected(&mut self, now: Duration, random: f64) {
        self.connected = Some(now);
        self.away.unconnected = None;
        self.away.unacknowledged = self.away.unacknowledged.map(|_| now);
        self.on_the_way.new_connection();
        self.begin_anew(now, random);
    }

    /// The connection is gone, and with it the acknowledgements that were on their way.
    pub fn disconnected(&mut self, now: Duration) {
        self.connected = None;
        self.away.unconnected.get_or_insert(now);
        self.batch = None;
    }

    /// Something was acknowledged; `waits` if not everything was.
    pub fn acked(&mut self, waits: bool, now: Duration) {
        self.away.unacknowledged = waits.then_some(now);
    }

    /// Ingest has said how it is: `is_retained` if that was before this connection.
    pub fn ingest(
        &mut self,
        health: &ServiceHealth,
        is_retained: bool,
        now: Duration,
        random: f64,
    ) {
        if let Some(millis) = health.commit_interval_ms {
            let (shortest, longest) = COMMIT_INTERVALS;
            self.commit_interval = Duration::from_millis(millis).clamp(shortest, longest);
        }
        self.ingest_works = health.state == ServiceState::Running;
        self.away.idle = match self.away.idle {
            _ if self.ingest_works => None,
            None => Some(now),
            since => since,
        };
        let is_up = matches!(health.state, ServiceState::Running | ServiceState::Degraded);
        if !is_up {
            return;
        }
        let known = self.ingest.replace(health.since);
        if known.is_some_and(|known| known != health.since) {
            // What it had not committed is gone with it.
            let before = self.connected.filter(|_| is_retained).unwrap_or(now);
            self.on_the_way.is_due_before(before);
            self.begin_anew(now, random);
        }
    }

    fn begin_anew(&mut self, now: Duration, random: f64) {
        self.batch = None;
        self.passed = None;
        self.not_before = now + SPREAD.mul_f64(random);
    }

    /// These samples are on their way as a batch: the part of what [`Plan::next`] gave.
    pub fn sent_batch(&mut self, session: SessionId, numbers: Numbers, now: Duration, random: f64) {
        let until = now + self.resend_after().mul_f64(jitter(random));
        self.last_until = until;
        self.batch = Some(Batch {
            session,
            numbers,
            until,
        });
    }

    /// Nothing of what was to be sent could be read. What comes behind it goes first.
    pub fn nothing_read(&mut self, session: SessionId, numbers: &Numbers, now: Duration) {
        self.not_before = now + UNREADABLE;
        self.passed = largest(numbers).map(|seq| (session, seq));
    }

    /// How long a sample may wait for its acknowledgement, before jitter.
    pub fn resend_after(&self) -> Duration {
        self.commit_interval * 2
    }

    /// When what waits in memory is to be packed onto the disk, as things stand.
    pub fn next_packing(&self) -> Option<Duration> {
        self.away.next_packing(self.resend_after(), self.patience)
    }

    /// What waited is packed, or could not be.
    pub fn packed(&mut self, now: Duration) {
        self.away.packed = Some(now);
    }

    /// What to do now, with what is kept, the oldest session first.
    pub fn next<'a>(
        &mut self,
        now: Duration,
        kept: impl Iterator<Item = (SessionId, &'a Numbers)> + Clone,
    ) -> Step {
        if self.connected.is_none() {
            return Step::Wait(None);
        }
        if let Some(batch) = self.batch.take() {
            let waits = kept.clone().any(|(session, numbers)| {
                session == batch.session && !common(numbers, &batch.numbers).is_empty()
            });
            if waits && now < batch.until {
                let until = batch.until;
                self.batch = Some(batch);
                return Step::Wait(Some(until));
            }
            if waits {
                self.passed = largest(&batch.numbers).map(|seq| (batch.session, seq));
            }
        }
        let not_before = if self.ingest_works {
            self.not_before
        } else {
            self.not_before.max(self.last_until)
        };
        if now < not_before {
            return Step::Wait(Some(not_before));
        }
        self.on_the_way
            .forget(now, self.resend_after().mul_f64(jitter(self.place)));
        let passed = self.passed.take();
        if let Some((session, seq)) = passed
            && let Some(step) = self.first_due(behind(kept.clone(), session, seq))
        {
            self.passed = passed;
            return step;
        }
        self.first_due(kept.map(|(session, numbers)| (session, numbers.clone())))
            .unwrap_or(Step::Wait(self.on_the_way.next_due()))
    }

    /// The oldest samples that are due.
    fn first_due(&self, kept: impl Iterator<Item = (SessionId, Numbers)>) -> Option<Step> {
        for (session, mut numbers) in kept {
            if session == self.session {
                take_away(&mut numbers, &self.on_the_way.numbers());
            }
            if !numbers.is_empty() {
                return Some(Step::Send(session, numbers));
            }
        }
        None
    }
}

/// What comes behind a sample.
fn behind<'a>(
    kept: impl Iterator<Item = (SessionId, &'a Numbers)>,
    session: SessionId,
    seq: u64,
) -> impl Iterator<Item = (SessionId, Numbers)> {
    kept.skip_while(move |(it, _)| *it != session)
        .map(move |(it, numbers)| {
            let mut numbers = numbers.clone();
            if it == session {
                numbers.remove(0..=seq);
            }
            (it, numbers)
        })
}

/// A fifth more or less.
fn jitter(random: f64) -> f64 {
    0.8 + 0.4 * random
}

#[cfg(test)]
mod tests;
