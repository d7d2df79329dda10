//! People who log in.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Transaction, params};
use serde_json::json;

use super::{AddError, AuditLine, HubDb, check_name, sessions};
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

/// An account, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownAccount {
    /// Name and role.
    pub account: Account,
    /// When it was made.
    pub created_at: Timestamp,
    /// When somebody logged in with it last, if that is known.
    pub last_login_at: Option<Timestamp>,
}

/// Why an account was neither removed nor given another role.
#[derive(Debug, thiserror::Error)]
pub enum LastAdminError {
    /// Nobody could set up anything any more.
    #[error("{0:?} is the only admin: make another one first")]
    LastAdmin(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for LastAdminError {
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

    /// All accounts, by name.
    pub fn accounts(&self) -> Result<Vec<KnownAccount>, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT name, role, created_at, last_login_at FROM account ORDER BY name",
        )?;
        let rows = statement.query_map([], |row| {
            let role: String = row.get(1)?;
            Ok((row.get(0)?, role, row.get(2)?, row.get::<_, Option<_>>(3)?))
        })?;
        rows.map(|row| {
            let (name, role, created_at, last_login_at) = row?;
            let role = stored_role(&role)?;
            Ok(KnownAccount {
                account: Account { name, role },
                created_at: time::from_ms(created_at),
                last_login_at: last_login_at.map(time::from_ms),
            })
        })
        .collect()
    }

    /// Gives an account another role, and returns it with the role that it had. Nothing is noted if
    /// that is the same. None if there is no such account.
    pub fn set_role(
        &self,
        name: &str,
        role: UserRole,
        audit: AuditLine<'_>,
    ) -> Result<Option<(Account, UserRole)>, LastAdminError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let sql = "SELECT name, role FROM account WHERE name = ?";
        let found: Option<(String, String)> = transaction
            .query_row(sql, [name], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((name, word)) = found else {
            return Ok(None);
        };
        let old = stored_role(&word)?;
        if old != role {
            let sql = "UPDATE account SET role = ? WHERE name = ?";
            transaction.execute(sql, params![role.as_str(), name])?;
            expect_admin(&transaction, old, &name)?;
            // The same as with a new account: an admin ends the need for the setup link.
            if role == UserRole::Admin {
                transaction.execute("DELETE FROM setup", [])?;
            }
            let details = json!({ "name": name, "role": role.as_str(), "was": old.as_str() });
            audit.write(&transaction, "user_changed", &details)?;
            transaction.commit()?;
        }
        Ok(Some((Account { name, role }, old)))
    }

    /// Removes an account, named without regard to case, with all its logins, and returns its
    /// name as it was written. None if there is no such account.
    pub fn remove_account(
        &self,
        name: &str,
        audit: AuditLine<'_>,
    ) -> Result<Option<String>, LastAdminError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let sql = "DELETE FROM account WHERE name = ? RETURNING name, role";
        let removed: Option<(String, String)> = transaction
            .query_row(sql, [name], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((name, role)) = removed else {
            return Ok(None);
        };
        expect_admin(&transaction, stored_role(&role)?, &name)?;
        sessions::remove_all(&transaction, &name, None)?;
        audit.write(&transaction, "user_removed", &json!({ "name": name }))?;
        transaction.commit()?;
        Ok(Some(name))
    }

    /// Changes a password, and logs the account out everywhere, but for the browser with the cookie
    /// `keep`. Returns its name as it was written. None if there is no such account.
    pub fn set_password(
        &self,
        name: &str,
        password: &HashedPassword,
        keep: Option<&str>,
        audit: AuditLine<'_>,
    ) -> Result<Option<String>, StoreError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let sql = "UPDATE account SET password_hash = ? WHERE name = ? RETURNING name";
        let changed: Option<String> = transaction
            .query_row(sql, params![password.as_str(), name], |row| row.get(0))
            .optional()?;
        let Some(name) = changed else {
            return Ok(None);
        };
        sessions::remove_all(&transaction, &name, keep)?;
        audit.write(&transaction, "password_changed", &json!({ "name": name }))?;
        transaction.commit()?;
        Ok(Some(name))
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

/// Fails if `name`, which had this role, was the last admin.
fn expect_admin(
    transaction: &Transaction<'_>,
    had: UserRole,
    name: &str,
) -> Result<(), LastAdminError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM account WHERE role = 'admin')";
    if had == UserRole::Admin && !transaction.query_row(sql, [], |row| row.get::<_, bool>(0))? {
        return Err(LastAdminError::LastAdmin(name.to_owned()));
    }
    Ok(())
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

pub(super) fn stored_role(word: &str) -> Result<UserRole, StoreError> {
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
        for cookie in ["cookie", "other"] {
            db.add_web_session(cookie, "zoe", audit().at, expires)
                .unwrap();
        }
        let is_in = |cookie: &str| db.web_session(cookie, audit().at).unwrap().is_some();
        let set = |name, keep| db.set_password(name, &new, keep, audit()).unwrap();
        assert_eq!(set("ZOE", Some("cookie")).as_deref(), Some("zoe"));
        assert!(is_in("cookie") && !is_in("other"));
        assert_eq!(set("Zoe", None).as_deref(), Some("zoe"));
        assert!(db.account("zoe").unwrap().unwrap().1.verify("new password"));
        assert!(!is_in("cookie"));
        assert_eq!(set("nobody", None), None);
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
        let left = KnownAccount {
            account: admin("ada"),
            created_at: audit().at,
            last_login_at: None,
        };
        assert_eq!(db.accounts().unwrap(), [left]);
        assert_eq!(db.remove_account("zoe", audit()).unwrap(), None);
    }

    #[test]
    fn a_role_can_be_changed_but_for_that_of_the_last_admin() {
        let (_directory, db) = temporary();
        let password = HashedPassword::new("long enough").unwrap();
        db.add_account(&admin("Zoe"), &password, audit()).unwrap();
        let error = db.set_role("zoe", UserRole::Viewer, audit()).unwrap_err();
        assert!(error.to_string().contains("only admin"), "{error}");
        assert_eq!(db.account("zoe").unwrap().unwrap().0, admin("Zoe"));
        let same = db.set_role("zoe", UserRole::Admin, audit()).unwrap();
        assert_eq!(same, Some((admin("Zoe"), UserRole::Admin)));
        db.add_account(&admin("ada"), &password, audit()).unwrap();
        let (zoe, was) = db
            .set_role("ZOE", UserRole::Viewer, audit())
            .unwrap()
            .unwrap();
        assert_eq!((zoe.name.as_str(), was), ("Zoe", UserRole::Admin));
        assert_eq!(db.account("zoe").unwrap().unwrap().0, zoe);
        let nobody = db.set_role("nobody", UserRole::Admin, audit()).unwrap();
        assert_eq!(nobody, None);
        let sql = "SELECT details FROM audit WHERE action = 'user_changed'";
        let connection = db.lock();
        let mut statement = connection.prepare(sql).unwrap();
        let lines = statement.query_map([], |row| row.get::<_, String>(0));
        let lines: Vec<_> = lines.unwrap().map(Result::unwrap).collect();
        assert_eq!(lines, [r#"{"name":"Zoe","role":"viewer","was":"admin"}"#]);
    }
}
