//! Why something could not be kept or found.

use std::path::PathBuf;

/// What went wrong with a database or a file of the hub.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened or made.
    #[error("cannot open the database {}: {error}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What SQLite says. Not a source: its own source says the same once more.
        error: rusqlite::Error,
    },
    /// The file is of a version that this program does not know.
    #[error(
        "{} is of version {found}, and this program knows versions up to {known}: \
         install the newer NetMonitor again, or restore a backup from before the upgrade; \
         nothing was changed",
        path.display()
    )]
    NewerVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The file was being made when the process or the machine died, and only its writer can go on.
    #[error("{} was cut off while it was made: start the hub, which makes it anew", path.display())]
    CutOff {
        /// The file.
        path: PathBuf,
    },
    /// Another process writes this database.
    #[error("{} is in use: another hub runs in this data directory", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// A statement failed.
    #[error("the database cannot do that: {0}")]
    Sql(rusqlite::Error),
    /// A file beside the databases cannot be read or written.
    #[error("cannot read or write {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// What is stored is not what this program stores.
    #[error("{what} in the database is damaged")]
    Damaged {
        /// Which part.
        what: &'static str,
    },
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl StoreError {
    /// Whether it may be well a moment later without anybody doing anything here: a full disk,
    /// a database that is read by others.
    pub fn may_pass(&self) -> bool {
        use rusqlite::ErrorCode::{
            DatabaseBusy, DatabaseLocked, DiskFull, OutOfMemory, SystemIoFailure,
        };
        let (Self::Open { error, .. } | Self::Sql(error)) = self else {
            return false;
        };
        matches!(
            error.sqlite_error_code(),
            Some(DatabaseBusy | DatabaseLocked | DiskFull | OutOfMemory | SystemIoFailure)
        )
    }

    /// Whether there was no room on the disk.
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::Open { error, .. } | Self::Sql(error) => {
                error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
            }
            Self::File { source, .. } => source.kind() == std::io::ErrorKind::StorageFull,
            _ => false,
        }
    }

    /// Whether a part of the file cannot be read, now or ever again.
    pub(crate) fn is_unreadable(&self) -> bool {
        matches!(self, Self::Sql(error) if is_unreadable(error))
    }

    /// Whether the file is no database, or no sound one: it does not get better by waiting.
    pub fn is_damage(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase, TypeMismatch};
        match self {
            Self::Damaged { .. } => true,
            Self::Open { error, .. } | Self::Sql(error) => {
                let is_other_type = matches!(
                    error,
                    rusqlite::Error::InvalidColumnType(..)
                        | rusqlite::Error::FromSqlConversionFailure(..)
                        | rusqlite::Error::IntegralValueOutOfRange(..)
                        | rusqlite::Error::Utf8Error(..)
                );
                is_other_type
                    || matches!(
                        error.sqlite_error_code(),
                        Some(DatabaseCorrupt | NotADatabase | TypeMismatch)
                    )
            }
            _ => false,
        }
    }

    /// Wraps an I/O error with its file.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}

/// Whether a part of the file cannot be read, now or ever again: its pages are not what was
/// written, or the drive has lost them.
pub(crate) fn is_unreadable(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi::{SQLITE_IOERR_CORRUPTFS, SQLITE_IOERR_READ, SQLITE_IOERR_SHORT_READ};
    let is_lost = |it: &rusqlite::ffi::Error| {
        it.code == rusqlite::ErrorCode::DatabaseCorrupt
            || [
                SQLITE_IOERR_READ,
                SQLITE_IOERR_SHORT_READ,
                SQLITE_IOERR_CORRUPTFS,
            ]
            .contains(&it.extended_code)
    };
    error.sqlite_error().is_some_and(is_lost)
}
