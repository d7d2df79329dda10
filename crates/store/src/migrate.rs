//! Opening a database: settings, version check, upgrades in place.

use std::path::Path;
use std::time::Duration;

use rusqlite::ffi::SQLITE_READONLY_ROLLBACK;
use rusqlite::{Connection, OpenFlags, Transaction};

use crate::StoreError;

/// How long a statement waits for another process: a backup or `verify` may read for a while.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The file beside a database is cut to this size when it begins anew, in bytes. Usually it is
/// no larger: SQLite's documentation, `wal_autocheckpoint`.
const LOG_BYTES: i64 = 4 << 20;

/// The steps from an empty file to the current version. A step that was released is never
/// changed.
pub(crate) type Steps = &'static [Step];

/// Work on the rows.
type Then = fn(&Transaction<'_>) -> Result<(), StoreError>;

/// From one version to the next, in one transaction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    /// An SQL script.
    pub(crate) sql: &'static str,
    /// What SQL cannot do, after it.
    pub(crate) then: Option<Then>,
}

impl Step {
    /// A script and nothing else.
    pub(crate) const fn sql(sql: &'static str) -> Self {
        Self { sql, then: None }
    }
}

/// Opens for writing, and upgrades what is older. A file of a newer version is left as it is.
pub(crate) fn open(path: &Path, steps: Steps) -> Result<Connection, StoreError> {
    let opened = || -> rusqlite::Result<(Connection, i64)> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        let version = version(&connection)?;
        Ok((connection, version))
    };
    let (mut connection, found) = opened().map_err(|error| StoreError::Open {
        path: path.to_owned(),
        error,
    })?;
    let done = check_version(path, found, steps)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // What was acknowledged must survive a power cut: SQLite's documentation, "synchronous".
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // What one large change took beside the file is given back with the next.
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    upgrade(&mut connection, steps, done)?;
    Ok(connection)
}

fn upgrade(connection: &mut Connection, steps: Steps, done: usize) -> Result<(), StoreError> {
    for (number, step) in (1_i64..).zip(steps).skip(done) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(step.sql)?;
        if let Some(then) = step.then {
            then(&transaction)?;
        }
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Opens for reading only. None if there is no such file yet.
pub(crate) fn open_read_only(path: &Path, steps: Steps) -> Result<Option<Connection>, StoreError> {
    if !path.exists() {
        return Ok(None);
    }
    match open_any_known(path, steps) {
        // Half made or not upgraded yet: its writer is at it.
        Ok((connection, done)) => Ok((done == steps.len()).then_some(connection)),
        Err(StoreError::CutOff { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Opens for reading only, also what is of an older version. Returns how many steps it has behind
/// it as well.
pub(crate) fn open_any_known(path: &Path, steps: Steps) -> Result<(Connection, usize), StoreError> {
    let opened = || -> rusqlite::Result<(Connection, i64)> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        let version = version(&connection)?;
        Ok((connection, version))
    };
    let (connection, found) = opened().map_err(|error| {
        let path = path.to_owned();
        match error.sqlite_error() {
            // The machine or the process died while the file was made, before it had a log: who
            // only reads cannot take the half change back (SQLite's documentation, "result codes").
            Some(it) if it.extended_code == SQLITE_READONLY_ROLLBACK => StoreError::CutOff { path },
            _ => StoreError::Open { path, error },
        }
    })?;
    let done = check_version(path, found, steps)?;
    Ok((connection, done))
}

/// An empty database without a file.
pub(crate) fn open_in_memory(steps: Steps) -> Result<Connection, StoreError> {
    let mut connection = Connection::open_in_memory()?;
    upgrade(&mut connection, steps, 0)?;
    Ok(connection)
}

/// Brings everything into the file itself, so that a copy of it alone is whole. Called by the
/// writer when it is done; a reader that is left behind could not do it.
pub(crate) fn tidy_up(connection: &Connection) {
    // Nothing is lost: the rest stands in the file beside it.
    if let Err(error) = checkpoint(connection) {
        tracing::debug!(%error, "the database was not checkpointed");
    }
}

/// Brings what stands in the file beside a database into it, and makes that file empty, as far as
/// no reader needs it.
pub(crate) fn checkpoint(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "wal_checkpoint", "TRUNCATE")
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// How many steps the file has behind it.
fn check_version(path: &Path, found: i64, steps: Steps) -> Result<usize, StoreError> {
    usize::try_from(found)
        .ok()
        .filter(|done| *done <= steps.len())
        .ok_or_else(|| StoreError::NewerVersion {
            path: path.to_owned(),
            found,
            known: i64::try_from(steps.len()).unwrap_or(i64::MAX),
        })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const STEPS: Steps = &[
        Step::sql("CREATE TABLE one (x);"),
        Step::sql("CREATE TABLE two (y);"),
    ];

    const BROKEN: Steps = &[
        Step::sql("CREATE TABLE one (x);"),
        Step::sql("CREATE TABLE two (y); nonsense;"),
    ];

    fn tables(connection: &Connection) -> i64 {
        let sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'table'";
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn an_old_file_is_upgraded_and_a_current_one_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.db");
        assert_eq!(tables(&open(&path, &STEPS[..1]).unwrap()), 1);
        assert!(open_read_only(&path, STEPS).unwrap().is_none());
        assert_eq!(tables(&open(&path, STEPS).unwrap()), 2);
        assert_eq!(tables(&open(&path, STEPS).unwrap()), 2);
        assert!(open_read_only(&path, STEPS).unwrap().is_some());
    }

    #[test]
    fn a_file_of_a_newer_version_is_refused_and_not_changed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.db");
        open(&path, STEPS)
            .unwrap()
            .pragma_update(None, "user_version", 9)
            .unwrap();
        let before = std::fs::read(&path).unwrap();
        let error = open(&path, STEPS).unwrap_err();
        assert!(
            matches!(
                error,
                StoreError::NewerVersion {
                    found: 9,
                    known: 2,
                    ..
                }
            ),
            "{error}"
        );
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_file_that_was_cut_off_while_it_was_made_waits_for_its_writer() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.db");
        let journal = directory.path().join("x.db-journal");
        let making = Connection::open(&path).unwrap();
        // So that the change reaches the file before it is committed.
        making
            .execute_batch("PRAGMA cache_size = 1; BEGIN; CREATE TABLE half (x);")
            .unwrap();
        for _ in 0..100 {
            let sql = "INSERT INTO half VALUES (zeroblob(4000))";
            making.execute(sql, []).unwrap();
        }
        let (half, log) = (fs::read(&path).unwrap(), fs::read(&journal).unwrap());
        assert!(!half.is_empty());
        drop(making);
        fs::write(&path, half).unwrap();
        fs::write(&journal, log).unwrap();

        assert!(open_read_only(&path, STEPS).unwrap().is_none());
        let error = open_any_known(&path, STEPS).unwrap_err();
        assert!(error.to_string().contains("start the hub"), "{error}");
        assert_eq!(tables(&open(&path, STEPS).unwrap()), 2);
        assert!(open_read_only(&path, STEPS).unwrap().is_some());
    }

    #[test]
    fn a_step_that_fails_leaves_the_version_before_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.db");
        assert!(open(&path, BROKEN).is_err());
        let connection = open(&path, STEPS).unwrap();
        assert_eq!(tables(&connection), 2);
    }

    #[test]
    fn a_writer_that_is_done_leaves_everything_in_the_file_itself() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.db");
        let writer = open(&path, STEPS).unwrap();
        let _reader = open_read_only(&path, STEPS).unwrap().unwrap();
        writer.execute("INSERT INTO one VALUES (1)", []).unwrap();
        tidy_up(&writer);
        drop(writer);
        let copy = directory.path().join("copy.db");
        std::fs::copy(&path, &copy).unwrap();
        let sql = "SELECT count(*) FROM one";
        let rows: i64 = open(&copy, STEPS)
            .unwrap()
            .query_row(sql, [], |row| row.get(0))
            .unwrap();
        assert_eq!(rows, 1);
    }

    #[test]
    fn what_is_not_a_database_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.db");
        std::fs::write(
            &path,
            "this is a letter to a friend, long enough to be read as a header",
        )
        .unwrap();
        let error = open(&path, STEPS).unwrap_err();
        assert!(error.to_string().contains("x.db"), "{error}");
    }
}
