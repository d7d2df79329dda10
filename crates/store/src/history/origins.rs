//! Which samples a chunk has: sessions and numbers.

use std::ops::RangeInclusive;

use super::column::{put, take};

/// Samples of one session whose numbers follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    /// The session's number in the database.
    pub(super) session: i64,
    /// The first sample's number.
    pub(super) first: u64,
    /// How many.
    pub(super) count: u64,
}

impl Run {
    /// The samples' numbers. None if there are none.
    pub(super) fn numbers(&self) -> Option<RangeInclusive<u64>> {
        let more = self.count.checked_sub(1)?;
        Some(self.first..=self.first.saturating_add(more))
    }
}

/// Adds a sample's number to the runs.
pub(super) fn push(origins: &mut Vec<Run>, session: i64, seq: u64) {
    let next = Run {
        session,
        first: seq,
        count: 1,
    };
    push_run(origins, next);
}

/// Adds a run, to the last one if it goes on from there.
pub(super) fn push_run(origins: &mut Vec<Run>, next: Run) {
    match origins.last_mut() {
        Some(run)
            if run.session == next.session
                && run.first.checked_add(run.count) == Some(next.first) =>
        {
            run.count = run.count.saturating_add(next.count);
        }
        _ => origins.push(next),
    }
}

/// As bytes.
pub(super) fn encode(origins: &[Run]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for run in origins {
        put(&mut bytes, run.session);
        put(&mut bytes, run.first);
        put(&mut bytes, run.count);
    }
    bytes
}

/// From bytes. None if they are not what [`encode`] makes.
pub(super) fn decode(mut bytes: &[u8]) -> Option<Vec<Run>> {
    let mut origins = Vec::new();
    while !bytes.is_empty() {
        origins.push(Run {
            session: take(&mut bytes)?,
            first: take(&mut bytes)?,
            count: take(&mut bytes)?,
        });
    }
    Some(origins)
}
