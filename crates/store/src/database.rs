//! What can be done with each of the databases alike, beside whoever writes it: look whether
//! it is sound, and copy it.

use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::{StoreError, alerting, history, hub, migrate, retained};

/// Larger files are checked without comparing each index with its table, which needs memory and
/// time for every row (SQLite's documentation of `PRAGMA quick_check`).
const LARGE_BYTES: u64 = 256 << 20;

/// So many faults are told at most: one page can make hundreds.
const FAULTS_TOLD: usize = 10;

/// Pages that are copied at a time: 4 MiB.
const PAGES_AT_ONCE: i32 = 1024;

/// One of the databases of a hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// `hub.db`: accounts, credentials, devices.
    Hub,
    /// `monitor.db`: the history.
    History,
    /// `retained.db`: the broker's retained messages.
    Retained,
    /// `alerting.db`: what alerting remembers.
    Alerting,
}

impl Database {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Hub, Self::History, Self::Retained, Self::Alerting];

    /// Endings of the files that SQLite keeps beside a database: its log, the index of that, and
    /// what a transaction has begun to change. None of them may be left beside another database:
    /// SQLite would take it for a part of that one.
    pub const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

    fn steps(self) -> migrate::Steps {
        match self {
            Self::Hub => hub::STEPS,
            Self::History => history::STEPS,
            Self::Retained => retained::STEPS,
            Self::Alerting => alerting::STEPS,
        }
    }

    /// The newest version that this program knows.
    pub fn newest_version(self) -> i64 {
        i64::try_from(self.steps().len()).unwrap_or(i64::MAX)
    }

    /// The version of a file. An error if it is no database, or one of a newer version.
    pub fn version(self, path: &Path) -> Result<i64, StoreError> {
        let (_, done) = migrate::open_any_known(path, self.steps())?;
        Ok(i64::try_from(done).unwrap_or(i64::MAX))
    }

    /// What is wrong with a file, one line each, ten at most; nothing if it is sound. It is only
    /// read. An error if it cannot be looked at, or is of a newer version.
    pub fn faults(self, path: &Path) -> Result<Vec<String>, StoreError> {
        let checked = migrate::open_any_known(path, self.steps())
            .and_then(|(connection, _)| faults(&connection, path));
        match checked {
            Err(error) if error.is_damage() => Ok(vec![error.to_string()]),
            other => other,
        }
    }

    /// Copies the file as it is at this moment, with what its log holds, to a file that is not
    /// there yet. The writer goes on meanwhile. False if `goes_on` said so; then the copy is not
    /// whole. It is asked every few megabytes.
    pub fn copy(
        self,
        from: &Path,
        to: &Path,
        mut goes_on: impl FnMut() -> bool,
    ) -> Result<bool, StoreError> {
        let (source, _) = migrate::open_any_known(from, self.steps())?;
        // One reading transaction for all steps: what is committed meanwhile goes to the log, and
        // the copy need not begin anew with each commit.
        let reading = source.unchecked_transaction()?;
        reading.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let mut copy =
            Connection::open_with_flags(to, flags).map_err(|error| StoreError::Open {
                path: to.to_owned(),
                error,
            })?;
        // Half of it is worth nothing anyway: whoever wants it kept syncs it when it is done.
        copy.pragma_update(None, "journal_mode", "OFF")?;
        copy.pragma_update(None, "synchronous", "OFF")?;
        let backup = Backup::new(&reading, &mut copy)?;
        while goes_on() {
            if backup.step(PAGES_AT_ONCE)? == StepResult::Done {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn faults(connection: &Connection, path: &Path) -> Result<Vec<String>, StoreError> {
    let bytes = std::fs::metadata(path)
        .map_err(StoreError::file(path))?
        .len();
    let check = if bytes > LARGE_BYTES {
        "PRAGMA quick_check"
    } else {
        "PRAGMA integrity_check"
    };
    let mut faults = Vec::new();
    let mut statement = connection.prepare(check)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let text: String = row.get(0)?;
        // One row can have several lines, under a heading.
        let lines = text.lines().filter(|line| !line.starts_with("***"));
        faults.extend(lines.filter(|line| *line != "ok").map(str::to_owned));
    }
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
        faults.push(format!("a row of {table} belongs to none of {parent}"));
    }
    if faults.len() > FAULTS_TOLD {
        let more = faults.len() - FAULTS_TOLD + 1;
        faults.truncate(FAULTS_TOLD - 1);
        faults.push(format!("and {more} more"));
    }
    Ok(faults)
}

/// What a damaged file is called from then on. There is one: the newest.
const DAMAGED: &str = "db.damaged";

/// Puts a database and what belongs to it aside, and returns its new name. Nobody may have it open.
pub(crate) fn put_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let aside = path.with_extension(DAMAGED);
    std::fs::rename(path, &aside).map_err(StoreError::file(path))?;
    for ending in Database::BESIDE {
        let mut beside = path.as_os_str().to_owned();
        beside.push(ending);
        let beside = PathBuf::from(beside);
        if beside.exists() {
            std::fs::remove_file(&beside).map_err(StoreError::file(&beside))?;
        }
    }
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::path::PathBuf;

    use crate::{RetainedChange, RetainedDb, StoredMessage};

    /// A database with so many messages, still open.
    fn retained(folder: &Path, messages: usize) -> (PathBuf, RetainedDb) {
        let path = folder.join("retained.db");
        let mut db = RetainedDb::open(&path).unwrap();
        db.apply(&(0..messages).map(set).collect::<Vec<_>>())
            .unwrap();
        (path, db)
    }

    fn set(number: usize) -> RetainedChange {
        RetainedChange::Set(StoredMessage {
            topic: format!("topic/{number}"),
            owner: "ws-14".to_owned(),
            qos: 1,
            expires_at: None,
            properties: vec![],
            payload: vec![0x5A; 2_000],
        })
    }

    fn count(path: &Path) -> usize {
        let mut count = 0;
        let db = RetainedDb::open(path).unwrap();
        db.load(|_| count += 1).unwrap();
        count
    }

    #[test]
    fn a_copy_has_what_was_committed_when_it_began_and_the_writer_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let (path, mut db) = retained(folder.path(), 6_000);
        let copy = folder.path().join("copy.db");
        let mut commits = 6_000;
        let whole = Database::Retained.copy(&path, &copy, || {
            db.apply(&[set(commits)]).unwrap();
            commits += 1;
            true
        });
        assert!(whole.unwrap());
        assert!(commits > 6_002, "it was copied in several steps");
        // The file alone is all of it.
        let alone = folder.path().join("alone");
        std::fs::create_dir(&alone).unwrap();
        std::fs::rename(&copy, alone.join("retained.db")).unwrap();
        let alone = alone.join("retained.db");
        assert_eq!(Database::Retained.faults(&alone).unwrap(), [""; 0]);
        assert_eq!(Database::Retained.version(&alone).unwrap(), 1);
        assert_eq!(count(&alone), 6_000);
    }

    #[test]
    fn a_copy_can_be_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let (path, _db) = retained(folder.path(), 10);
        let copy = folder.path().join("copy.db");
        let whole = Database::Retained.copy(&path, &copy, || false);
        assert!(!whole.unwrap());
    }

    #[test]
    fn damage_is_told_beside_the_writer_and_a_sound_file_is_not_blamed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, db) = retained(folder.path(), 1_000);
        assert_eq!(Database::Retained.faults(&path).unwrap(), [""; 0]);
        drop(db);
        let mut bytes = std::fs::read(&path).unwrap();
        let half = bytes.len() / 2;
        bytes[half..half + 100_000].fill(0xA5);
        std::fs::write(&path, &bytes).unwrap();
        let faults = Database::Retained.faults(&path).unwrap();
        assert!((1..=FAULTS_TOLD).contains(&faults.len()), "{faults:?}");
        assert!(faults.iter().all(|line| !line.contains('\n')), "{faults:?}");

        std::fs::write(&path, "a letter to a friend").unwrap();
        let faults = Database::Retained.faults(&path).unwrap();
        assert_eq!(faults.len(), 1, "{faults:?}");
    }

    #[test]
    fn a_row_that_belongs_to_nothing_is_a_fault() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hub.db");
        drop(crate::HubDb::open(&path).unwrap());
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch(
                "PRAGMA foreign_keys = OFF;
                 INSERT INTO web_session VALUES (x'00', 'nobody', 0, 0);",
            )
            .unwrap();
        let faults = Database::Hub.faults(&path).unwrap();
        assert_eq!(faults, ["a row of web_session belongs to none of account"]);
    }
}
