//! What an admin can set for the hub as a whole.

use netmonitor_protocol::payload::HistorySettings as Stored;
use netmonitor_store::history::Overview;
use netmonitor_store::hub::SettingsError;
use poem_openapi::Object;
use poem_openapi::types::MaybeUndefined;

/// The settings of the hub, section by section.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct Settings {
    /// How long the history is kept.
    pub history: HistorySettings,
    /// How large the history is now. No setting, and not in what the `ETag` names; absent while
    /// there is no history.
    #[oai(skip_serializing_if_is_none)]
    pub history_size: Option<HistorySize>,
}

/// How large the history is.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct HistorySize {
    /// The database file, in bytes.
    pub file_bytes: u64,
    /// How much of it holds data, in bytes. The rest is used before the file grows.
    pub used_bytes: u64,
}

/// How long the history is kept, and how much room it may take. What is older goes. Where the
/// size is reached first, samples go before the coarser points, and those of two hours last.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct HistorySettings {
    /// Counts the changes; 0 while nothing was ever changed.
    pub revision: u64,
    /// Samples as they were measured, in days.
    pub sample_days: u32,
    /// Points of five minutes, in days.
    pub five_minute_days: u32,
    /// Points of two hours, in days.
    pub two_hour_days: u32,
    /// The database is never larger than this, in megabytes (1,000,000 bytes).
    pub max_megabytes: u32,
    /// Lines of the log, in days. Absent: whatever their age.
    #[oai(skip_serializing_if_is_none)]
    pub event_days: Option<u32>,
    /// So many lines of the log at most: the oldest go.
    pub max_events: u32,
}

/// What shall be different. What is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Object)]
#[oai(deny_unknown_fields)]
pub struct SettingsChange {
    /// How long the history is kept.
    #[oai(skip_serializing_if_is_none)]
    pub history: Option<HistorySettingsChange>,
}

/// What shall be different in how long the history is kept. What is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Object)]
#[oai(deny_unknown_fields)]
pub struct HistorySettingsChange {
    /// Samples as they were measured, in days: 1 to 3650.
    #[oai(skip_serializing_if_is_none)]
    pub sample_days: Option<u32>,
    /// Points of five minutes, in days: no fewer than `sample_days`.
    #[oai(skip_serializing_if_is_none)]
    pub five_minute_days: Option<u32>,
    /// Points of two hours, in days: no fewer than `five_minute_days`.
    #[oai(skip_serializing_if_is_none)]
    pub two_hour_days: Option<u32>,
    /// The largest size of the database, in megabytes: from 50.
    #[oai(skip_serializing_if_is_none)]
    pub max_megabytes: Option<u32>,
    /// Lines of the log, in days: 1 to 3650; null: whatever their age.
    pub event_days: MaybeUndefined<i64>,
    /// So many lines of the log at most: 1000 to 1000000.
    #[oai(skip_serializing_if_is_none)]
    pub max_events: Option<u32>,
}

impl Settings {
    /// All sections.
    pub fn new(history: &Stored, size: Option<Overview>) -> Self {
        Self {
            history_size: size.map(|size| HistorySize {
                file_bytes: size.file_bytes,
                used_bytes: size.used_bytes,
            }),
            history: HistorySettings {
                revision: history.revision,
                sample_days: history.sample_days,
                five_minute_days: history.five_minute_days,
                two_hour_days: history.two_hour_days,
                max_megabytes: history.max_megabytes,
                event_days: history.event_days,
                max_events: history.max_events,
            },
        }
    }
}

impl HistorySettingsChange {
    /// Makes the change.
    pub fn apply(self, to: &mut Stored) -> Result<(), SettingsError> {
        to.sample_days = self.sample_days.unwrap_or(to.sample_days);
        to.five_minute_days = self.five_minute_days.unwrap_or(to.five_minute_days);
        to.two_hour_days = self.two_hour_days.unwrap_or(to.two_hour_days);
        to.max_megabytes = self.max_megabytes.unwrap_or(to.max_megabytes);
        to.max_events = self.max_events.unwrap_or(to.max_events);
        match self.event_days {
            MaybeUndefined::Undefined => {}
            MaybeUndefined::Null => to.event_days = None,
            MaybeUndefined::Value(days) => {
                let days = u32::try_from(days).map_err(|_| {
                    SettingsError::Value(format!(
                        "event_days is {days}: give 1 to 3650, or null to keep lines of any age"
                    ))
                })?;
                to.event_days = Some(days);
            }
        }
        Ok(())
    }
}
