//! How long the history is kept.

use serde::{Deserialize, Serialize};

/// What the history keeps, and for how long. Older data goes; where the size is reached first,
/// samples go before the coarser points, and those of two hours last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HistorySettings {
    /// Counts the changes: the highest is the newest.
    pub revision: u64,
    /// Samples as they were measured, in days.
    pub sample_days: u32,
    /// Points of five minutes, in days.
    pub five_minute_days: u32,
    /// Points of two hours, in days.
    pub two_hour_days: u32,
    /// The database is never larger than this, in megabytes (1,000,000 bytes).
    pub max_megabytes: u32,
    /// Lines of the log, in days. None: whatever their age.
    pub event_days: Option<u32>,
    /// So many lines of the log at most: the oldest go.
    pub max_events: u32,
}

impl Default for HistorySettings {
    fn default() -> Self {
        Self {
            revision: 0,
            sample_days: 90,
            five_minute_days: 730,
            two_hour_days: 3650,
            max_megabytes: 2000,
            event_days: Some(7),
            max_events: 100_000,
        }
    }
}
