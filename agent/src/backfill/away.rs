//! Since when the hub does not store anything: then what waits is better on disk than in memory.

use std::time::Duration;

/// What is known about the hub's absence.
#[derive(Debug)]
pub(super) struct Away {
    /// Since when there is no connection.
    pub(super) unconnected: Option<Duration>,
    /// Since when ingest says that it is not at work.
    pub(super) idle: Option<Duration>,
    /// Since when something waits and nothing is acknowledged.
    pub(super) unacknowledged: Option<Duration>,
    /// When the last packing was.
    pub(super) packed: Option<Duration>,
}

/// How patient an agent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// The hub has been away for so long: what waits goes to disk.
    pub away: Duration,
    /// Time from one packing to the next.
    pub pack_every: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            away: Duration::from_secs(30),
            pack_every: Duration::from_mins(1),
        }
    }
}

impl Away {
    pub(super) fn since(now: Duration) -> Self {
        Self {
            unconnected: Some(now),
            idle: None,
            unacknowledged: None,
            packed: None,
        }
    }

    /// When what waits is to be packed, as things stand; `overdue`: how long an acknowledgement
    /// may take.
    pub(super) fn next_packing(&self, overdue: Duration, patience: Patience) -> Option<Duration> {
        let late = self.unacknowledged.map(|since| since + overdue);
        let away = [self.unconnected, self.idle, late];
        let since = away.into_iter().flatten().min()?;
        let again = self.packed.map(|packed| packed + patience.pack_every);
        Some((since + patience.away).max(again.unwrap_or_default()))
    }
}
