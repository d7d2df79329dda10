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
    match origins.last_mut() {
        Some(run) if run.session == session && run.first.checked_add(run.count) == Some(seq) => {
            run.count += 1;
        }
        _ => origins.push(Run {
            session,
            first: seq,
            count: 1,
        }),
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
