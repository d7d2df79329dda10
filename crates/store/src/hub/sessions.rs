//! Browsers that are logged in.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Transaction, params};
use serde_json::json;

use super::accounts::stored_account;
use super::{Account, AuditLine, HubDb};
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
        transaction.execute(
            "UPDATE account SET last_login_at = ? WHERE name = ?",
            params![now.as_millisecond(), account],
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

    /// Logs an account out everywhere.
    pub fn remove_web_sessions(
        &self,
        account: &str,
        audit: AuditLine<'_>,
    ) -> Result<(), StoreError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        remove_all(&transaction, account, None)?;
        let details = json!({ "name": account });
        audit.write(&transaction, "logged_out_everywhere", &details)?;
        Ok(transaction.commit()?)
    }
}

/// Ends every session of an account, but for that of the browser with the cookie `keep`.
pub(super) fn remove_all(
    transaction: &Transaction<'_>,
    account: &str,
    keep: Option<&str>,
) -> rusqlite::Result<()> {
    transaction.execute(
        "DELETE FROM web_session WHERE account = ? AND id_hash IS NOT ?",
        params![account, keep.map(secret_hash::of)],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::{UserRole, temporary};
    use crate::password::HashedPassword;

    #[test]
    fn a_login_is_remembered_and_ends_everywhere_at_once() {
        let (_directory, db) = temporary();
        let at: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let audit = AuditLine { at, actor: "Zoe" };
        let password = HashedPassword::new("long enough").unwrap();
        for name in ["Zoe", "ada"] {
            let account = Account {
                name: name.to_owned(),
                role: UserRole::Viewer,
            };
            db.add_account(&account, &password, audit).unwrap();
        }
        let expires = "2027-01-01T00:00:00Z".parse().unwrap();
        db.add_web_session("one", "zoe", at, expires).unwrap();
        db.add_web_session("two", "Zoe", at, expires).unwrap();
        let logins = db.accounts().unwrap();
        let logins: Vec<_> = logins.iter().map(|it| it.last_login_at).collect();
        assert_eq!(logins, [None, Some(at)]);
        db.add_web_session("other", "ada", at, expires).unwrap();
        db.remove_web_sessions("ZOE", audit).unwrap();
        let is_in = |cookie: &str| db.web_session(cookie, at).unwrap().is_some();
        assert_eq!(["one", "two", "other"].map(is_in), [false, false, true]);
    }
}
