//! Browsers that are logged in.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params};

use super::accounts::stored_account;
use super::{Account, HubDb};
use crate::{StoreError, secret_hash};

impl HubDb {
    /// Notes that a browser with this cookie is logged in, and forgets those that have expired.
    pub fn add_web_session(
        &self,
        cookie: &str,
        account: &str,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(), StoreError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        transaction.execute(
            "DELETE FROM web_session WHERE expires_at <= ?",
            [now.as_millisecond()],
        )?;
        transaction.execute(
            "INSERT INTO web_session (id_hash, account, created_at, expires_at)
             VALUES (?, ?, ?, ?)",
            params![
                secret_hash::of(cookie),
                account,
                now.as_millisecond(),
                expires.as_millisecond()
            ],
        )?;
        Ok(transaction.commit()?)
    }

    /// Who the browser with this cookie is, if it is still logged in.
    pub fn web_session(&self, cookie: &str, now: Timestamp) -> Result<Option<Account>, StoreError> {
        let found = self
            .lock()
            .prepare_cached(
                "SELECT account.name, account.role FROM web_session
                 JOIN account ON account.name = web_session.account
                 WHERE id_hash = ? AND expires_at > ?",
            )?
            .query_row(
                params![secret_hash::of(cookie), now.as_millisecond()],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        stored_account(found)
    }

    /// Logs this browser out.
    pub fn remove_web_session(&self, cookie: &str) -> Result<(), StoreError> {
        self.lock().execute(
            "DELETE FROM web_session WHERE id_hash = ?",
            [secret_hash::of(cookie)],
        )?;
        Ok(())
    }
}
