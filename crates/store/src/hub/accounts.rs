//! People who log in.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use rusqlite::{CachedStatement, OptionalExtension as _, Transaction, params};
use serde_json::json;

use super::{AddError, AuditLine, HubDb, check_name};
use crate::password::HashedPassword;
use crate::{StoreError, time};

/// What a person or a program may do through the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UserRole {
    /// Sees everything that is not secret.
    Viewer,
    /// Also acts on alerts.
    Operator,
    /// Also changes settings, accounts and devices.
    Admin,
}

impl UserRole {
    /// The word on the command line, in the API and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for UserRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for UserRole {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Viewer, Self::Operator, Self::Admin]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| format!("{text:?} is not a role: admin, operator or viewer"))
    }
}

/// A person or a program, once it has shown who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The name as it was written when the account was made.
    pub name: String,
    /// What it may do.
    pub role: UserRole,
}

/// Why an account was not removed.
#[derive(Debug, thiserror::Error)]
pub enum RemoveAccountError {
    /// Nobody could set up anything any more.
    #[error("{0:?} is the only admin: make another one first")]
    LastAdmin(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for RemoveAccountError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

impl HubDb {
    /// Whether anybody can log in.
    pub fn has_admin(&self) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM account WHERE role = 'admin')";
        Ok(self.lock().query_row(sql, [], |row| row.get(0))?)
    }

    /// Makes an account.
    pub fn add_account(
        &self,
        account: &Account,
        password: &HashedPassword,
        audit: AuditLine<'_>,
    ) -> Result<(), AddError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        insert(&transaction, account, password, audit)?;
        // An admin made in another way ends the need for the setup link.
        if account.role == UserRole::Admin {
            transaction.execute("DELETE FROM setup", [])?;
        }
        Ok(transaction.commit()?)
    }

    /// Account and password of that name, without regard to case.
    pub fn account(&self, name: &str) -> Result<Option<(Account, HashedPassword)>, StoreError> {
        let found = self
            .lock()
            .prepare_cached("SELECT name, role, password_hash FROM account WHERE name = ?")?
            .query_row([name], |row| {
                Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?))
            })
            .optional()?;
        let Some((name, role, hash)) = found else {
            return Ok(None);
        };
        let account = Account {
            name,
            role: stored_role(&role)?,
        };
        Ok(Some((account, HashedPassword::from_stored(hash))))
    }

    /// All accounts, by name, and when each was made.
    pub fn accounts(&self) -> Result<Vec<(Account, Timestamp)>, StoreError> {
        let connection = self.lock();
        let sql = "SELECT name, role, created_at FROM account ORDER BY name";
        listed(&mut connection.prepare_cached(sql)?)
    }

    /// Removes an account, named without regard to case, with all its logins, and returns its
    /// name as it was written. None if there is no such account.
    pub fn remove_account(
        &self,
        name: &str,
        audit: AuditLine<'_>,
    ) -> Result<Option<String>, RemoveAccountError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let sql = "DELETE FROM account WHERE name = ? RETURNING name, role";
        let removed: Option<(String, String)> = transaction
            .query_row(sql, [name], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((name, role)) = removed else {
            return Ok(None);
        };
        if stored_role(&role)? == UserRole::Admin {
            let sql = "SELECT EXISTS (SELECT 1 FROM account WHERE role = 'admin')";
            if !transaction.query_row(sql, [], |row| row.get::<_, bool>(0))? {
                return Err(RemoveAccountError::LastAdmin(name));
            }
        }
        transaction.execute("DELETE FROM web_session WHERE account = ?", [&name])?;
        audit.write(&transaction, "user_removed", &json!({ "name": name }))?;
        transaction.commit()?;
        Ok(Some(name))
    }

    /// Changes a password, and logs the account out everywhere. False if there is no such
    /// account.
    pub fn set_password(
        &self,
        name: &str,
        password: &HashedPassword,
        audit: AuditLine<'_>,
    ) -> Result<bool, StoreError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let changed = transaction.execute(
            "UPDATE account SET password_hash = ? WHERE name = ?",
            params![password.as_str(), name],
        )?;
        if changed == 0 {
            return Ok(false);
        }
        transaction.execute("DELETE FROM web_session WHERE account = ?", [name])?;
        audit.write(&transaction, "password_changed", &json!({ "name": name }))?;
        transaction.commit()?;
        Ok(true)
    }
}

pub(super) fn insert(
    transaction: &Transaction<'_>,
    account: &Account,
    password: &HashedPassword,
    audit: AuditLine<'_>,
) -> Result<(), AddError> {
    check_name(&account.name)?;
    transaction
        .execute(
            "INSERT INTO account (name, role, password_hash, created_at) VALUES (?, ?, ?, ?)",
            params![
                account.name,
                account.role.as_str(),
                password.as_str(),
                audit.at.as_millisecond()
            ],
        )
        .map_err(|error| AddError::from_insert(error, &account.name))?;
    let details = json!({ "name": account.name, "role": account.role.as_str() });
    Ok(audit.write(transaction, "user_added", &details)?)
}

/// Names, roles and times of making, as a statement finds them.
pub(super) fn listed(
    statement: &mut CachedStatement<'_>,
) -> Result<Vec<(Account, Timestamp)>, StoreError> {
    let rows = statement.query_map([], |row| {
        Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?))
    })?;
    rows.map(|row| {
        let (name, role, created_at) = row?;
        let role = stored_role(&role)?;
        Ok((Account { name, role }, time::from_ms(created_at)))
    })
    .collect()
}

/// The account that a row with name and role tells of.
pub(super) fn stored_account(
    found: Option<(String, String)>,
) -> Result<Option<Account>, StoreError> {
    found
        .map(|(name, role)| {
            let role = stored_role(&role)?;
            Ok(Account { name, role })
        })
        .transpose()
}

fn stored_role(word: &str) -> Result<UserRole, StoreError> {
    word.parse()
        .map_err(|_| StoreError::Damaged { what: "a role" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::temporary;

    fn audit() -> AuditLine<'static> {
        AuditLine {
            at: "2026-11-22T10:00:00Z".parse().unwrap(),
            actor: "console",
        }
    }

    fn admin(name: &str) -> Account {
        Account {
            name: name.to_owned(),
            role: UserRole::Admin,
        }
    }

    #[test]
    fn an_account_is_found_without_regard_to_case_and_never_twice() {
        let (_directory, db) = temporary();
        assert!(!db.has_admin().unwrap());
        let password = HashedPassword::new("long enough").unwrap();
        db.add_account(&admin("Zoe"), &password, audit()).unwrap();
        assert!(db.has_admin().unwrap());
        let error = db
            .add_account(&admin("zoe"), &password, audit())
            .unwrap_err();
        assert!(matches!(error, AddError::Exists(_)), "{error}");
        let (account, stored) = db.account("ZOE").unwrap().unwrap();
        assert_eq!(account, admin("Zoe"));
        assert!(stored.verify("long enough"));
        assert!(db.account("nobody").unwrap().is_none());
    }

    #[test]
    fn a_new_password_replaces_the_old_one_and_ends_every_session() {
        let (_directory, db) = temporary();
        let old = HashedPassword::new("old password").unwrap();
        let new = HashedPassword::new("new password").unwrap();
        db.add_account(&admin("zoe"), &old, audit()).unwrap();
        let expires = "2027-01-01T00:00:00Z".parse().unwrap();
        db.add_web_session("cookie", "zoe", audit().at, expires)
            .unwrap();
        assert!(db.web_session("cookie", audit().at).unwrap().is_some());
        assert!(db.set_password("Zoe", &new, audit()).unwrap());
        assert!(db.account("zoe").unwrap().unwrap().1.verify("new password"));
        assert!(db.web_session("cookie", audit().at).unwrap().is_none());
        assert!(!db.set_password("nobody", &new, audit()).unwrap());
    }

    #[test]
    fn a_removed_account_is_logged_out_and_the_last_admin_stays() {
        let (_directory, db) = temporary();
        let password = HashedPassword::new("long enough").unwrap();
        db.add_account(&admin("Zoe"), &password, audit()).unwrap();
        let error = db.remove_account("zoe", audit()).unwrap_err();
        assert!(error.to_string().contains("only admin"), "{error}");
        db.add_account(&admin("ada"), &password, audit()).unwrap();
        let expires = "2027-01-01T00:00:00Z".parse().unwrap();
        db.add_web_session("cookie", "Zoe", audit().at, expires)
            .unwrap();
        assert_eq!(db.accounts().unwrap().len(), 2);
        let removed = db.remove_account("ZOE", audit()).unwrap();
        assert_eq!(removed.as_deref(), Some("Zoe"));
        assert!(db.web_session("cookie", audit().at).unwrap().is_none());
        assert_eq!(db.accounts().unwrap(), [(admin("ada"), audit().at)]);
        assert_eq!(db.remove_account("zoe", audit()).unwrap(), None);
    }
}
