//! Live samples of this session whose acknowledgement is not overdue.

use std::collections::VecDeque;
use std::time::Duration;

use crate::spool::numbers::Numbers;

/// So long the live way of a sample may take, from its taking to the broker's acknowledgement.
const LIVE_WITHIN: Duration = Duration::from_secs(10);

/// Samples that are not due. Few entries, however many samples: those that were sent soon one
/// after the other share one.
#[derive(Debug, Default)]
pub(super) struct OnTheWay {
    /// Taken, and not known to be sent.
    taken: VecDeque<(u64, Duration)>,
    sent: VecDeque<Span>,
    /// When a sample that was sent is due.
    due_after: Duration,
    /// The next one begins a span.
    is_cut: bool,
}

/// Samples that were sent one after the other.
#[derive(Debug)]
struct Span {
    first: u64,
    last: u64,
    /// When the first one was sent.
    begun: Duration,
    /// When the last one was sent.
    ended: Duration,
}

impl OnTheWay {
    pub(super) fn took(&mut self, seq: u64, now: Duration) {
        self.taken
            .retain(|(_, at)| now.saturating_sub(*at) < LIVE_WITHIN);
        self.taken.push_back((seq, now));
    }

    /// `share`: within this time of the first one of a span.
    pub(super) fn sent(&mut self, seq: u64, now: Duration, share: Duration) {
        self.taken.retain(|(taken, _)| *taken != seq);
        match self.sent.back_mut() {
            Some(span) if (span.first..=span.last).contains(&seq) => span.ended = now,
            Some(span)
                if !self.is_cut
                    && span.last + 1 == seq
                    && now.saturating_sub(span.begun) < share =>
            {
                span.last = seq;
                span.ended = now;
            }
            _ => {
                self.is_cut = false;
                self.sent.push_back(Span {
                    first: seq,
                    last: seq,
                    begun: now,
                    ended: now,
                });
            }
        }
    }

    /// What was taken before has no live way any more, but for the latest, which is sent with the
    /// birth.
    pub(super) fn new_connection(&mut self) {
        self.taken.clear();
        self.is_cut = true;
    }

    /// What was sent before this time has been lost.
    pub(super) fn is_due_before(&mut self, before: Duration) {
        self.sent.retain(|span| span.ended >= before);
    }

    /// What was sent longer ago than this is due.
    pub(super) fn forget(&mut self, now: Duration, due_after: Duration) {
        self.due_after = due_after;
        self.sent
            .retain(|span| now.saturating_sub(span.ended) < due_after);
        self.taken
            .retain(|(_, at)| now.saturating_sub(*at) < LIVE_WITHIN);
    }

    /// Which ones.
    pub(super) fn numbers(&self) -> Numbers {
        let taken = self.taken.iter().map(|(seq, _)| *seq..=*seq);
        let sent = self.sent.iter().map(|span| span.first..=span.last);
        taken.chain(sent).collect()
    }

    /// When the next of them is due, as far as is known now.
    pub(super) fn next_due(&self) -> Option<Duration> {
        let taken = self.taken.front().map(|(_, at)| *at + LIVE_WITHIN);
        let sent = self.sent.front().map(|span| span.ended + self.due_after);
        taken.into_iter().chain(sent).min()
    }
}
