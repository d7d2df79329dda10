//! `alerting.db`: what alerting must not forget when it is killed. Written by it alone, and read by it
//! at its start.
//!
//! What is in memory is the truth; the file follows it. A file that is damaged is put aside and made
//! anew, and never keeps alerting from starting.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{StoreError, WriteLock, database, migrate, time};

/// From an empty file to the current schema.
pub(crate) const STEPS: migrate::Steps =
    &[migrate::Step::sql(include_str!("alerting/schema_1.sql"))];

/// What is remembered of one alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAlert {
    /// Whose it is: a device, or `hub`.
    pub subject: String,
    /// Which rule.
    pub rule: String,
    /// What is to be remembered, as JSON.
    pub life: String,
}

/// A message that has not reached its channel yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDelivery {
    /// The channel's id.
    pub channel: String,
    /// What tells the message from others.
    pub message: String,
    /// What it says, as JSON.
    pub notice: String,
    /// When it was made.
    pub made_at: Timestamp,
}

/// What becomes different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlertingChange {
    /// Remember this of an alert.
    Alert(StoredAlert),
    /// Forget an alert.
    NoAlert {
        /// Whose it is.
        subject: String,
        /// Which rule.
        rule: String,
    },
    /// This message is to go there. One that is known already is left as it is.
    Owe(StoredDelivery),
    /// This message is there, or will never be.
    Settle {
        /// The channel's id.
        channel: String,
        /// What tells the message from others.
        message: String,
    },
    /// Remember this text under this name.
    Note {
        /// The name.
        name: &'static str,
        /// The text.
        text: String,
    },
}

/// The file, open for writing.
#[derive(Debug)]
pub struct AlertingDb {
    connection: Connection,
    _lock: WriteLock,
}

impl AlertingDb {
    /// Opens or makes the file. A file beside it, with the ending `lock`, says that somebody writes
    /// it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let lock = WriteLock::take(&path.with_extension("lock"))?;
        let connection = migrate::open(path, STEPS)?;
        // A commit is in the system's hands, and a process that is killed then loses nothing.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        Ok(Self {
            connection,
            _lock: lock,
        })
    }

    /// All alerts of which something is remembered.
    pub fn alerts(&self) -> Result<Vec<StoredAlert>, StoreError> {
        let sql = "SELECT subject, rule, life FROM alert";
        let mut statement = self.connection.prepare(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(StoredAlert {
                subject: row.get(0)?,
                rule: row.get(1)?,
                life: row.get(2)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// All messages that have not reached their channel, the oldest first.
    pub fn deliveries(&self) -> Result<Vec<StoredDelivery>, StoreError> {
        let sql = "SELECT channel, message, notice, made_at FROM delivery ORDER BY id";
        let mut statement = self.connection.prepare(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(StoredDelivery {
                channel: row.get(0)?,
                message: row.get(1)?,
                notice: row.get(2)?,
                made_at: time::from_ms(row.get(3)?),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What was noted under this name.
    pub fn note(&self, name: &str) -> Result<Option<String>, StoreError> {
        let sql = "SELECT text FROM note WHERE name = ?";
        let text = self.connection.query_row(sql, [name], |row| row.get(0));
        Ok(text.optional()?)
    }

    /// Writes the changes in one transaction. After an error nothing of them is written. From then on
    /// a killed process does not lose them. With `to_disk` a power cut does not either; else it may
    /// lose the last of them, as long as the system has them in memory.
    pub fn apply(&mut self, changes: &[AlertingChange], to_disk: bool) -> Result<(), StoreError> {
        let level = if to_disk { "FULL" } else { "NORMAL" };
        self.connection.pragma_update(None, "synchronous", level)?;
        let transaction = self.connection.transaction()?;
        for change in changes {
            write(&transaction, change)?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Puts the file and what belongs to it aside, and returns its new name. The next
    /// [`open`](Self::open) makes a new one. Nobody may have it open.
    pub fn put_aside(path: &Path) -> Result<PathBuf, StoreError> {
        database::put_aside(path)
    }
}

fn write(connection: &Connection, change: &AlertingChange) -> Result<(), StoreError> {
    let run =
        |sql, params: &[&dyn rusqlite::ToSql]| connection.prepare_cached(sql)?.execute(params);
    match change {
        AlertingChange::Alert(it) => run(
            "INSERT OR REPLACE INTO alert (subject, rule, life) VALUES (?, ?, ?)",
            params![it.subject, it.rule, it.life],
        )?,
        AlertingChange::NoAlert { subject, rule } => run(
            "DELETE FROM alert WHERE subject = ? AND rule = ?",
            params![subject, rule],
        )?,
        AlertingChange::Owe(it) => run(
            "INSERT INTO delivery (channel, message, notice, made_at) VALUES (?, ?, ?, ?)
             ON CONFLICT DO NOTHING",
            params![
                it.channel,
                it.message,
                it.notice,
                it.made_at.as_millisecond()
            ],
        )?,
        AlertingChange::Settle { channel, message } => run(
            "DELETE FROM delivery WHERE channel = ? AND message = ?",
            params![channel, message],
        )?,
        AlertingChange::Note { name, text } => run(
            "INSERT OR REPLACE INTO note (name, text) VALUES (?, ?)",
            params![name, text],
        )?,
    };
    Ok(())
}

impl Drop for AlertingDb {
    fn drop(&mut self) {
        migrate::tidy_up(&self.connection);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owe(message: &str) -> AlertingChange {
        AlertingChange::Owe(StoredDelivery {
            channel: "mail".to_owned(),
            message: message.to_owned(),
            notice: "{}".to_owned(),
            made_at: "2026-11-30T10:00:00Z".parse().unwrap(),
        })
    }

    fn alert(rule: &str, life: &str) -> AlertingChange {
        AlertingChange::Alert(StoredAlert {
            subject: "ws-14".to_owned(),
            rule: rule.to_owned(),
            life: life.to_owned(),
        })
    }

    #[test]
    fn what_was_written_last_is_there_after_opening_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("alerting.db");
        let mut db = AlertingDb::open(&path).unwrap();
        let note = AlertingChange::Note {
            name: "settings",
            text: "abc".to_owned(),
        };
        let first = [
            alert("cpu", "1"),
            alert("ram", "1"),
            owe("a"),
            owe("b"),
            note,
        ];
        db.apply(&first, true).unwrap();
        let gone = AlertingChange::NoAlert {
            subject: "ws-14".to_owned(),
            rule: "ram".to_owned(),
        };
        let there = AlertingChange::Settle {
            channel: "mail".to_owned(),
            message: "a".to_owned(),
        };
        db.apply(&[alert("cpu", "2"), gone, there, owe("b"), owe("c")], false)
            .unwrap();
        drop(db);
        let db = AlertingDb::open(&path).unwrap();
        let alerts: Vec<_> = db
            .alerts()
            .unwrap()
            .into_iter()
            .map(AlertingChange::Alert)
            .collect();
        assert_eq!(alerts, [alert("cpu", "2")]);
        let owed = db.deliveries().unwrap();
        let owed: Vec<_> = owed.into_iter().map(AlertingChange::Owe).collect();
        assert_eq!(owed, [owe("b"), owe("c")]);
        assert_eq!(db.note("settings").unwrap().as_deref(), Some("abc"));
        assert_eq!(db.note("channels").unwrap(), None);
        let locked = AlertingDb::open(&path);
        assert!(matches!(locked, Err(StoreError::Locked { .. })));
    }
}
