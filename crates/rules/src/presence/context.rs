//! What a device needs to know of the hub.

use std::time::{Duration, Instant};

use super::{Effect, Moment, Timing};

/// The first conclusion about a device waits so long after the hub has connected: what an
/// earlier run has concluded may be on its way.
const FIRST_CONCLUSION: Duration = Duration::from_secs(2);

/// What a device needs to know of the hub, and where its effects go.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub(super) timing: Timing,
    /// Since when the hub is connected.
    pub(super) connected: Instant,
    /// Since when the hub sees again, if it had been blind or had stood still.
    pub(super) sees_again: Option<Instant>,
    /// The broker has shown on this connection which devices there are.
    pub(super) lists_all: bool,
    pub(super) now: Moment,
    pub(super) out: &'a mut Vec<Effect>,
}

impl Context<'_> {
    /// Whether an earlier conclusion would have arrived by now.
    pub(super) fn may_conclude(&self) -> bool {
        has_passed(self.now.monotonic, self.connected, FIRST_CONCLUSION)
    }

    /// From when on it would have.
    pub(super) fn first_conclusion(&self) -> Option<Instant> {
        self.connected.checked_add(FIRST_CONCLUSION)
    }

    /// Before this, who is announced as gone without a word of his own may be on the way back:
    /// a hub that stood still meets its old connections first, which were given up meanwhile.
    pub(super) fn all_are_back(&self) -> Option<Instant> {
        self.sees_again?.checked_add(self.timing.judged_after(None))
    }

    /// By when the broker would have shown what it has of the conclusion.
    pub(super) fn confirmed_by(&self) -> Option<Instant> {
        self.connected.checked_add(self.timing.unsure_after())
    }
}

/// Whether `limit` is over.
pub(super) fn has_passed(now: Instant, since: Instant, limit: Duration) -> bool {
    now.saturating_duration_since(since) >= limit
}
