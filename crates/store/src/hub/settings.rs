//! What an admin has set for the hub as a whole, section by section.
//!
//! - `history`, `alerting`, `channels`: what each section may say
//! - `rules`, `words`: what several of them share

mod alerting;
mod channels;
mod history;
pub(super) mod rules;
pub(super) mod words;

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{AuditLine, HubDb};
use crate::StoreError;

/// Settings that count their changes.
pub trait Revised: Clone + PartialEq + Serialize {
    /// How often they were changed.
    fn revision(&self) -> u64;

    /// Says how often they were changed.
    fn set_revision(&mut self, revision: u64);
}

/// A part of the hub's settings: one row. What was never set follows the defaults, of revision 0.
pub trait Section: Revised + Default + DeserializeOwned {
    /// Its name.
    const NAME: &'static str;

    /// What it is called where it is damaged.
    const WHAT: &'static str;

    /// Whether all of it is within its bounds, and fits together; else what to do.
    fn check(&self) -> Result<(), String>;
}

/// Settings before a change and after it: equal if there was nothing to change.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed<S> {
    /// What they were.
    pub before: S,
    /// What they are.
    pub after: S,
}

impl<S: Revised> Changed<S> {
    /// Whether there was something to change.
    pub fn is_change(&self) -> bool {
        self.before.revision() != self.after.revision()
    }
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
    /// Something is out of its bounds, or does not fit the rest.
    #[error("{0}")]
    Value(String),
    /// What is to be changed is not there.
    #[error("{0}")]
    Missing(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for SettingsError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

impl HubDb {
    /// A section: what was set, else the defaults, of revision 0.
    pub fn settings<S: Section>(&self) -> Result<S, StoreError> {
        stored(&self.lock())
    }

    /// Changes a section. With `expected`, only if it has one of these revisions: nobody else has
    /// changed it since. What changes nothing keeps the revision, and writes nothing; neither does a
    /// change that is refused.
    pub fn change_settings<S: Section>(
        &self,
        change: impl FnOnce(&mut S) -> Result<(), SettingsError>,
        expected: Option<&[u64]>,
        audit: AuditLine<'_>,
    ) -> Result<Changed<S>, SettingsError> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let before = stored::<S>(&transaction)?;
        let changed = revise(before, change, expected)?;
        if changed.is_change() {
            changed.after.check().map_err(SettingsError::Value)?;
            transaction.execute(
                "INSERT OR REPLACE INTO setting (section, revision, json) VALUES (?, ?, ?)",
                params![
                    S::NAME,
                    stored_revision(&changed.after),
                    json!(changed.after).to_string()
                ],
            )?;
            write_audit(&transaction, audit, ("section", S::NAME), &changed)?;
            transaction.commit()?;
        }
        Ok(changed)
    }
}

/// Makes a change, unless somebody else has made one. The revision goes up with it.
pub(super) fn revise<S: Revised>(
    before: S,
    change: impl FnOnce(&mut S) -> Result<(), SettingsError>,
    expected: Option<&[u64]>,
) -> Result<Changed<S>, SettingsError> {
    let found = before.revision();
    if expected.is_some_and(|expected| !expected.contains(&found)) {
        return Err(SettingsError::Changed { found });
    }
    let mut after = before.clone();
    change(&mut after)?;
    if after != before {
        after.set_revision(found + 1);
    }
    Ok(Changed { before, after })
}

pub(super) fn stored_revision(settings: &impl Revised) -> i64 {
    i64::try_from(settings.revision()).unwrap_or(i64::MAX)
}

/// Writes down what was changed, with what it was before.
pub(super) fn write_audit<S: Revised>(
    transaction: &Transaction<'_>,
    audit: AuditLine<'_>,
    (key, name): (&str, &str),
    changed: &Changed<S>,
) -> rusqlite::Result<()> {
    let mut details = json!({ "before": changed.before, "after": changed.after });
    details[key] = Value::from(name);
    audit.write(transaction, "settings_changed", &details)
}

fn stored<S: Section>(connection: &Connection) -> Result<S, StoreError> {
    let sql = "SELECT json FROM setting WHERE section = ?";
    let json: Option<String> = connection
        .prepare_cached(sql)?
        .query_row([S::NAME], |row| row.get(0))
        .optional()?;
    let Some(json) = json else {
        return Ok(S::default());
    };
    serde_json::from_str(&json).map_err(|_| StoreError::Damaged { what: S::WHAT })
}

#[cfg(test)]
pub(super) mod tests {
    use netmonitor_protocol::payload::HistorySettings;

    use super::*;
    use crate::hub::temporary;

    pub(crate) fn audit() -> AuditLine<'static> {
        AuditLine {
            at: "2026-11-22T10:00:00Z".parse().unwrap(),
            actor: "ada",
        }
    }

    /// What is said of a change that is refused.
    pub(crate) fn refusal<S: Section>(change: impl FnOnce(&mut S)) -> String {
        let (_directory, db) = temporary();
        let change = |settings: &mut S| {
            change(settings);
            Ok(())
        };
        let error = db.change_settings(change, None, audit()).err();
        let error = error.expect("it is refused");
        assert!(matches!(error, SettingsError::Value(_)), "{error:?}");
        assert_eq!(db.settings::<S>().unwrap().revision(), 0);
        error.to_string()
    }

    fn keep(
        db: &HubDb,
        days: u32,
        expected: Option<&[u64]>,
    ) -> Result<Changed<HistorySettings>, SettingsError> {
        let change = |settings: &mut HistorySettings| {
            settings.sample_days = days;
            Ok(())
        };
        db.change_settings(change, expected, audit())
    }

    #[test]
    fn a_change_is_kept_with_who_made_it_and_what_was_before() {
        let (directory, db) = temporary();
        let before: HistorySettings = db.settings().unwrap();
        assert_eq!(before, HistorySettings::default());
        let changed = keep(&db, 30, None).unwrap();
        let expected = HistorySettings {
            revision: 1,
            sample_days: 30,
            ..before
        };
        assert!(changed.is_change());
        assert_eq!(changed.after, expected);
        drop(db);
        let db = HubDb::open(&directory.path().join("hub.db")).unwrap();
        assert_eq!(db.settings::<HistorySettings>().unwrap(), expected);
        let sql = "SELECT actor || ' ' || (details ->> '$.before.sample_days') || ' '
                   || (details ->> '$.section')
                   FROM audit WHERE action = 'settings_changed'";
        let line: String = db.lock().query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(line, "ada 90 history");
    }

    #[test]
    fn of_two_who_change_the_same_settings_the_second_hears_of_the_first() {
        let (_directory, db) = temporary();
        let first = keep(&db, 30, Some(&[0]));
        assert_eq!(first.unwrap().after.revision, 1);
        let second = keep(&db, 60, Some(&[0]));
        assert!(
            matches!(second, Err(SettingsError::Changed { found: 1 })),
            "{second:?}"
        );
        assert_eq!(db.settings::<HistorySettings>().unwrap().sample_days, 30);
        assert_eq!(keep(&db, 60, Some(&[1])).unwrap().after.revision, 2);
    }

    #[test]
    fn what_changes_nothing_is_no_change() {
        let (_directory, db) = temporary();
        let same = keep(&db, 90, None).unwrap();
        assert!(!same.is_change());
        assert_eq!(same.after.revision, 0);
    }
}
