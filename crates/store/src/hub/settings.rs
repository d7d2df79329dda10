//! What an admin has set for the hub as a whole, section by section.

use std::ops::RangeInclusive;

use netmonitor_protocol::payload::HistorySettings;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use serde_json::json;

use super::{AuditLine, HubDb};
use crate::StoreError;

/// Name of the section that says how long the history is kept.
const HISTORY: &str = "history";

/// How long something can be kept, in days: from a day to a century.
const SAMPLE_DAYS: RangeInclusive<u32> = 1..=3650;
const LONGEST_DAYS: u32 = 36_500;

/// How large the history can be made, in megabytes. Less does not hold what the tables take
/// that are never emptied; more no SQLite file of a small machine should have.
const MEGABYTES: RangeInclusive<u32> = 50..=10_000_000;

/// What shall be different in how long the history is kept; none: as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HistoryChange {
    /// Samples as they were measured, in days.
    pub sample_days: Option<u32>,
    /// Points of five minutes, in days.
    pub five_minute_days: Option<u32>,
    /// Points of two hours, in days.
    pub two_hour_days: Option<u32>,
    /// The largest size, in megabytes.
    pub max_megabytes: Option<u32>,
}

/// Why settings were not changed.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Somebody else has changed them meanwhile.
    #[error("the settings were changed by somebody else meanwhile (revision {found})")]
    Changed {
        /// The revision that they have now.
        found: u64,
    },
    /// A number is out of its bounds, or does not fit the others.
    #[error("{0}")]
    Value(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for SettingsError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

impl HistoryChange {
    /// The settings after the change. The revision stays.
    fn applied(self, to: &HistorySettings) -> Result<HistorySettings, SettingsError> {
        let changed = HistorySettings {
            revision: to.revision,
            sample_days: self.sample_days.unwrap_or(to.sample_days),
            five_minute_days: self.five_minute_days.unwrap_or(to.five_minute_days),
            two_hour_days: self.two_hour_days.unwrap_or(to.two_hour_days),
            max_megabytes: self.max_megabytes.unwrap_or(to.max_megabytes),
        };
        check(&changed).map_err(SettingsError::Value)?;
        Ok(changed)
    }
}

/// Coarser points are kept at least as long as finer ones: else there would be a stretch of the
/// past that is known for a week and not for an hour.
fn check(settings: &HistorySettings) -> Result<(), String> {
    let within = |name: &str, value: u32, bounds: RangeInclusive<u32>| {
        if bounds.contains(&value) {
            return Ok(());
        }
        let (least, most) = bounds.into_inner();
        Err(format!("{name} is {value}: give {least} to {most}"))
    };
    within("sample_days", settings.sample_days, SAMPLE_DAYS)?;
    let five_minutes = settings.sample_days..=LONGEST_DAYS;
    within("five_minute_days", settings.five_minute_days, five_minutes)?;
    let two_hours = settings.five_minute_days..=LONGEST_DAYS;
    within("two_hour_days", settings.two_hour_days, two_hours)?;
    within("max_megabytes", settings.max_megabytes, MEGABYTES)
}

impl HubDb {
    /// How long the history is kept: what was set, else the defaults, of revision 0.
    pub fn history_settings(&self) -> Result<HistorySettings, StoreError> {
        stored_history(&self.lock())
    }

    /// Changes how long the history is kept. With `expected`, only if it has one of these
    /// revisions: nobody else has changed it since. What changes nothing keeps the revision, and
    /// writes nothing.
    pub fn change_history_settings(
        &self,
        change: HistoryChange,
        expected: Option<&[u64]>,
        audit: AuditLine<'_>,
    ) -> Result<HistorySettings, SettingsError> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let before = stored_history(&transaction)?;
        if expected.is_some_and(|expected| !expected.contains(&before.revision)) {
            return Err(SettingsError::Changed {
                found: before.revision,
            });
        }
        let mut after = change.applied(&before)?;
        if after == before {
            return Ok(before);
        }
        after.revision += 1;
        let revision = i64::try_from(after.revision).unwrap_or(i64::MAX);
        transaction.execute(
            "INSERT OR REPLACE INTO setting (section, revision, json) VALUES (?, ?, ?)",
            params![HISTORY, revision, json!(after).to_string()],
        )?;
        let details = json!({ "section": HISTORY, "before": before, "after": after });
        audit.write(&transaction, "settings_changed", &details)?;
        transaction.commit()?;
        Ok(after)
    }
}

fn stored_history(connection: &Connection) -> Result<HistorySettings, StoreError> {
    let sql = "SELECT json FROM setting WHERE section = ?";
    let json: Option<String> = connection
        .prepare_cached(sql)?
        .query_row([HISTORY], |row| row.get(0))
        .optional()?;
    let Some(json) = json else {
        return Ok(HistorySettings::default());
    };
    serde_json::from_str(&json).map_err(|_| StoreError::Damaged {
        what: "the settings of the history",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::temporary;

    fn audit() -> AuditLine<'static> {
        AuditLine {
            at: "2026-11-22T10:00:00Z".parse().unwrap(),
            actor: "ada",
        }
    }

    fn days(sample_days: u32) -> HistoryChange {
        HistoryChange {
            sample_days: Some(sample_days),
            ..HistoryChange::default()
        }
    }

    #[test]
    fn a_change_is_kept_with_who_made_it_and_what_was_before() {
        let (directory, db) = temporary();
        let before = db.history_settings().unwrap();
        assert_eq!(before, HistorySettings::default());
        let after = db.change_history_settings(days(30), None, audit()).unwrap();
        let expected = HistorySettings {
            revision: 1,
            sample_days: 30,
            ..before
        };
        assert_eq!(after, expected);
        drop(db);
        let db = HubDb::open(&directory.path().join("hub.db")).unwrap();
        assert_eq!(db.history_settings().unwrap(), expected);
        let sql = "SELECT actor || ' ' || (details ->> '$.before.sample_days')
                   FROM audit WHERE action = 'settings_changed'";
        let line: String = db.lock().query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(line, "ada 90");
    }

    #[test]
    fn of_two_who_change_the_same_settings_the_second_hears_of_the_first() {
        let (_directory, db) = temporary();
        let first = db.change_history_settings(days(30), Some(&[0]), audit());
        assert_eq!(first.unwrap().revision, 1);
        let second = db.change_history_settings(days(60), Some(&[0]), audit());
        assert!(
            matches!(second, Err(SettingsError::Changed { found: 1 })),
            "{second:?}"
        );
        assert_eq!(db.history_settings().unwrap().sample_days, 30);
        let again = db.change_history_settings(days(60), Some(&[1]), audit());
        assert_eq!(again.unwrap().revision, 2);
    }

    #[test]
    fn what_changes_nothing_is_no_change() {
        let (_directory, db) = temporary();
        let same = db.change_history_settings(days(90), None, audit()).unwrap();
        assert_eq!(same.revision, 0);
    }

    #[test]
    fn a_number_that_makes_no_sense_is_refused_by_name_and_bounds() {
        let (_directory, db) = temporary();
        let check = |change: HistoryChange, part: &str| {
            let error = db
                .change_history_settings(change, None, audit())
                .unwrap_err();
            assert!(matches!(error, SettingsError::Value(_)), "{error:?}");
            assert!(error.to_string().contains(part), "{error}");
        };
        check(days(0), "sample_days is 0: give 1 to 3650");
        check(days(3651), "sample_days is 3651");
        let change = HistoryChange {
            five_minute_days: Some(89),
            ..HistoryChange::default()
        };
        check(change, "five_minute_days is 89: give 90 to");
        let change = HistoryChange {
            two_hour_days: Some(700),
            ..HistoryChange::default()
        };
        check(change, "two_hour_days is 700: give 730 to");
        let change = HistoryChange {
            max_megabytes: Some(49),
            ..HistoryChange::default()
        };
        check(change, "max_megabytes is 49: give 50 to");
        // Each fits by itself, but not what there is.
        check(days(731), "five_minute_days is 730: give 731 to");
        assert_eq!(db.history_settings().unwrap(), HistorySettings::default());
    }
}
