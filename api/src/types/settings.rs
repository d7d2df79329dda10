//! What an admin can set for the hub as a whole.

use netmonitor_protocol::payload::HistorySettings as Stored;
use netmonitor_store::history::Overview;
use netmonitor_store::hub::HistoryChange;
use poem_openapi::Object;

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
            },
        }
    }

    /// Names this state of the settings (RFC 9110, section 8.8.3).
    pub fn etag(&self) -> String {
        format!("\"{ETAG_HISTORY}{}\"", self.history.revision)
    }
}

/// Before the revision of the section `history` in an entity tag.
const ETAG_HISTORY: &str = "history-";

/// The revisions that an `If-Match` names (RFC 9110, section 13.1.1); none: any will do. A tag
/// that is not one of ours names no revision.
pub fn revisions(if_match: &str) -> Option<Vec<u64>> {
    if if_match.trim() == "*" {
        return None;
    }
    let tags = if_match.split(',').map(|tag| tag.trim().trim_matches('"'));
    let revisions = tags.filter_map(|tag| tag.strip_prefix(ETAG_HISTORY)?.parse().ok());
    Some(revisions.collect())
}

impl From<HistorySettingsChange> for HistoryChange {
    fn from(change: HistorySettingsChange) -> Self {
        Self {
            sample_days: change.sample_days,
            five_minute_days: change.five_minute_days,
            two_hour_days: change.two_hour_days,
            max_megabytes: change.max_megabytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_that_is_given_out_names_the_revision_when_it_comes_back() {
        let stored = Stored {
            revision: 7,
            ..Stored::default()
        };
        let tag = Settings::new(&stored, None).etag();
        assert_eq!(revisions(&tag), Some(vec![7]));
        let several = format!("\"of-something-else\", {tag}");
        assert_eq!(revisions(&several), Some(vec![7]));
        assert_eq!(revisions("*"), None);
        for none in ["", "\"\"", "W/\"history-7\"", "\"history-x\""] {
            assert_eq!(revisions(none), Some(Vec::new()), "{none}");
        }
    }
}
