//! `hub.db`: accounts, credentials, devices, settings, audit. Written by api alone, or by an
//! administrative command while the api does not run.

mod accounts;
mod audit;
mod device_settings;
mod devices;
mod join_codes;
mod mqtt_users;
mod names;
mod sessions;
mod settings;
mod setup;
mod tokens;

pub use accounts::{Account, KnownAccount, LastAdminError, UserRole};
pub use audit::AuditLine;
pub use device_settings::DeviceSettings;
pub use devices::{Device, Enrolled, Enrolment};
pub use join_codes::NewJoinCode;
pub use mqtt_users::{MqttRole, MqttUser, NewMqttUser};
pub(crate) use mqtt_users::{stored_filters, stored_role};
pub use names::{NameError, check_name};
pub use settings::{Changed, Revised, Section, SettingsError};
pub use setup::SetupError;
pub use tokens::{NewToken, Token};

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension as _};
use serde_json::json;

use crate::{StoreError, migrate};

/// From an empty file to the current schema.
pub(crate) const STEPS: migrate::Steps = &[
    migrate::Step::sql(include_str!("hub/schema_1.sql")),
    migrate::Step::sql(include_str!("hub/schema_2.sql")),
    migrate::Step::sql(include_str!("hub/schema_3.sql")),
    migrate::Step::sql(include_str!("hub/schema_4.sql")),
    migrate::Step::sql(include_str!("hub/schema_5.sql")),
];

/// Why an entry could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// The name is taken.
    #[error("{0:?} exists already: choose another name")]
    Exists(String),
    /// The name cannot be used.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for AddError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

impl AddError {
    /// The row may have failed to go in because there is one of that name.
    fn from_insert(error: rusqlite::Error, name: &str) -> Self {
        if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) {
            Self::Exists(name.to_owned())
        } else {
            error.into()
        }
    }
}

/// The database, open for writing.
#[derive(Debug)]
pub struct HubDb {
    // Statements take well under a millisecond, but for commits: callers in async code use a
    // blocking task.
    connection: Mutex<Connection>,
}

impl HubDb {
    /// Opens or makes the file, and upgrades it if it is of an older version.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = migrate::open(path, STEPS)?;
        Ok(Self {
            connection: Mutex::new(connection),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic in the middle of a transaction has rolled it back: the connection is sound.
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries out a `DELETE … WHERE name = ? RETURNING name`, with its audit line, and returns
    /// the name as it was written. None if there is nothing of this name.
    fn remove_named(
        &self,
        sql: &str,
        name: &str,
        action: &str,
        audit: AuditLine<'_>,
    ) -> Result<Option<String>, StoreError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let removed: Option<String> = transaction
            .query_row(sql, [name], |row| row.get(0))
            .optional()?;
        if let Some(name) = &removed {
            audit.write(&transaction, action, &json!({ "name": name }))?;
            transaction.commit()?;
        }
        Ok(removed)
    }
}

impl Drop for HubDb {
    fn drop(&mut self) {
        migrate::tidy_up(&self.lock());
    }
}

#[cfg(test)]
pub(crate) fn temporary() -> (tempfile::TempDir, HubDb) {
    let directory = tempfile::tempdir().unwrap();
    let db = HubDb::open(&directory.path().join("hub.db")).unwrap();
    (directory, db)
}
