//! `retained.db`: the retained messages of the embedded broker, so that they survive a restart.
//! Written by the broker alone, and read by it at its start.
//!
//! What is in memory is the truth; the file follows it. A file that is damaged is therefore put
//! aside and made anew, and never keeps the broker from starting.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use crate::{StoreError, WriteLock, database, migrate, time};

/// From an empty file to the current schema.
pub(crate) const STEPS: migrate::Steps =
    &[migrate::Step::sql(include_str!("retained/schema_1.sql"))];

/// The retained message of one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// Where it was published.
    pub topic: String,
    /// The MQTT user who published it.
    pub owner: String,
    /// Its quality of service, 0 to 2.
    pub qos: u8,
    /// When it stops being true, if ever (MQTT 5.0, section 3.3.2.3.3).
    pub expires_at: Option<Timestamp>,
    /// Its MQTT 5 properties, encoded as they travel.
    pub properties: Vec<u8>,
    /// What it says.
    pub payload: Vec<u8>,
}

/// What became of one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RetainedChange {
    /// It has this message now.
    Set(StoredMessage),
    /// It has none any more.
    Cleared {
        /// The topic.
        topic: String,
    },
}

/// The file, open for writing.
#[derive(Debug)]
pub struct RetainedDb {
    connection: Connection,
    _lock: WriteLock,
}

impl RetainedDb {
    /// Opens or makes the file. A file beside it, with the ending `lock`, says that somebody
    /// writes it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let lock = WriteLock::take(&path.with_extension("lock"))?;
        let connection = migrate::open(path, STEPS)?;
        // A commit is in the system's hands, and a process that is killed then loses nothing. Only
        // a checkpoint waits for the card, so that small commits are cheap.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        Ok(Self {
            connection,
            _lock: lock,
        })
    }

    /// Hands over every message, those that have expired as well. After an error, what was
    /// handed over is good.
    pub fn load(&self, mut take: impl FnMut(StoredMessage)) -> Result<(), StoreError> {
        let sql = "SELECT topic, owner, qos, expires_at, properties, payload FROM message";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            take(message(row)?);
        }
        Ok(())
    }

    /// Writes the changes in one transaction. After an error nothing of them is written. From then
    /// on a killed process does not lose them; a power cut may lose the last of them, as long as the
    /// system has them in memory (half a minute on Linux), and never damages the file (SQLite's
    /// documentation, "synchronous").
    pub fn apply(&mut self, changes: &[RetainedChange]) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        {
            let mut set = transaction.prepare_cached(
                "INSERT INTO message (topic, owner, qos, expires_at, properties, payload)
                 VALUES (?, ?, ?, ?, ?, ?)
                 ON CONFLICT (topic) DO UPDATE SET owner = excluded.owner, qos = excluded.qos,
                   expires_at = excluded.expires_at, properties = excluded.properties,
                   payload = excluded.payload",
            )?;
            let mut clear = transaction.prepare_cached("DELETE FROM message WHERE topic = ?")?;
            for change in changes {
                match change {
                    RetainedChange::Set(message) => set.execute(params![
                        message.topic,
                        message.owner,
                        message.qos,
                        message.expires_at.map(Timestamp::as_millisecond),
                        message.properties,
                        message.payload,
                    ])?,
                    RetainedChange::Cleared { topic } => clear.execute([topic])?,
                };
            }
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

impl Drop for RetainedDb {
    fn drop(&mut self) {
        migrate::tidy_up(&self.connection);
    }
}

fn message(row: &Row<'_>) -> rusqlite::Result<StoredMessage> {
    Ok(StoredMessage {
        topic: row.get(0)?,
        owner: row.get(1)?,
        qos: row.get(2)?,
        expires_at: row.get::<_, Option<i64>>(3)?.map(time::from_ms),
        properties: row.get(4)?,
        payload: row.get(5)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(topic: &str, payload: &str) -> RetainedChange {
        RetainedChange::Set(StoredMessage {
            topic: topic.to_owned(),
            owner: "ws-14".to_owned(),
            qos: 1,
            expires_at: Some("2026-11-22T10:00:00Z".parse().unwrap()),
            properties: vec![1, 2],
            payload: payload.as_bytes().to_vec(),
        })
    }

    fn all(db: &RetainedDb) -> Vec<RetainedChange> {
        let mut all = Vec::new();
        db.load(|message| all.push(RetainedChange::Set(message)))
            .unwrap();
        all
    }

    #[test]
    fn what_was_set_last_is_there_after_opening_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("retained.db");
        let mut db = RetainedDb::open(&path).unwrap();
        db.apply(&[set("a", "1"), set("b", "1"), set("c", "1")])
            .unwrap();
        let cleared = RetainedChange::Cleared {
            topic: "b".to_owned(),
        };
        db.apply(&[set("a", "2"), cleared.clone(), cleared])
            .unwrap();
        drop(db);
        let db = RetainedDb::open(&path).unwrap();
        assert_eq!(all(&db), [set("a", "2"), set("c", "1")]);
        assert!(matches!(
            RetainedDb::open(&path),
            Err(StoreError::Locked { .. })
        ));
    }

    #[test]
    fn a_damaged_file_is_known_for_it_and_can_be_put_aside() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("retained.db");
        let mut db = RetainedDb::open(&path).unwrap();
        let many: Vec<_> = (0..2_000).map(|n| set(&n.to_string(), "1")).collect();
        db.apply(&many).unwrap();
        drop(db);
        let mut bytes = std::fs::read(&path).unwrap();
        let half = bytes.len() / 2;
        bytes[half..].fill(0xA5);
        std::fs::write(&path, &bytes).unwrap();

        let db = RetainedDb::open(&path).unwrap();
        let mut left = 0;
        let error = db.load(|_| left += 1).unwrap_err();
        assert!(error.is_damage(), "{error}");
        assert!(left > 100, "only {left} are left");
        drop(db);

        let journal = directory.path().join("retained.db-journal");
        std::fs::write(&journal, "what was changed last").unwrap();
        let aside = RetainedDb::put_aside(&path).unwrap();
        assert_eq!(std::fs::read(aside).unwrap(), bytes);
        assert!(!journal.exists());
        assert_eq!(all(&RetainedDb::open(&path).unwrap()), []);

        std::fs::write(
            &path,
            "a letter to a friend, long enough to be read as a header",
        )
        .unwrap();
        assert!(RetainedDb::open(&path).unwrap_err().is_damage());
    }
}
