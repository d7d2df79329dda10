//! The first admin of a new hub.

use rusqlite::{OptionalExtension as _, TransactionBehavior};
use subtle::ConstantTimeEq as _;

use super::{Account, AddError, AuditLine, HubDb, UserRole, accounts};
use crate::StoreError;
use crate::password::HashedPassword;

/// Why the first admin could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// There is an admin already, or the token is not the one of the link.
    #[error(
        "this setup link is not valid (any more): `netmonitor setup-link` prints the current one"
    )]
    Token,
    /// The account could not be made.
    #[error(transparent)]
    Add(#[from] AddError),
}

impl HubDb {
    /// The token of the setup link: the one that was made before, or the given one. None once
    /// there is an admin.
    pub fn setup_token(&self, new: &str) -> Result<Option<String>, StoreError> {
        if self.has_admin()? {
            return Ok(None);
        }
        let connection = self.lock();
        connection.execute(
            "INSERT OR IGNORE INTO setup (only_row, token) VALUES (1, ?)",
            [new],
        )?;
        let token = connection
            .query_row("SELECT token FROM setup", [], |row| row.get(0))
            .optional()?;
        Ok(token)
    }

    /// Whether this is the token of the setup link, and the link is still good.
    pub fn is_setup_token(&self, token: &str) -> Result<bool, StoreError> {
        let stored: Option<String> = self
            .lock()
            .query_row("SELECT token FROM setup", [], |row| row.get(0))
            .optional()?;
        Ok(stored.is_some_and(|stored| stored.as_bytes().ct_eq(token.as_bytes()).into()))
    }

    /// Makes the first admin. The link dies with it.
    pub fn set_up(
        &self,
        token: &str,
        name: &str,
        password: &HashedPassword,
        audit: AuditLine<'_>,
    ) -> Result<Account, SetupError> {
        if !self.is_setup_token(token).map_err(AddError::from)? {
            return Err(SetupError::Token);
        }
        let account = Account {
            name: name.to_owned(),
            role: UserRole::Admin,
        };
        self.use_setup_link(&account, password, audit)?
            .then_some(account)
            .ok_or(SetupError::Token)
    }

    /// Two browsers may have opened the link: the first one wins, the other gets false.
    fn use_setup_link(
        &self,
        account: &Account,
        password: &HashedPassword,
        audit: AuditLine<'_>,
    ) -> Result<bool, AddError> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if transaction.execute("DELETE FROM setup", [])? == 0 {
            return Ok(false);
        }
        accounts::insert(&transaction, account, password, audit)?;
        transaction.commit()?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::temporary;

    #[test]
    fn the_link_makes_one_admin_and_dies() {
        let (_directory, db) = temporary();
        let audit = AuditLine {
            at: "2026-11-22T10:00:00Z".parse().unwrap(),
            actor: "setup",
        };
        assert_eq!(db.setup_token("first").unwrap().as_deref(), Some("first"));
        assert_eq!(db.setup_token("second").unwrap().as_deref(), Some("first"));
        let password = HashedPassword::new("long enough").unwrap();
        let wrong = db.set_up("second", "zoe", &password, audit);
        assert!(matches!(wrong, Err(SetupError::Token)));
        let bad_name = db.set_up("first", " zoe", &password, audit);
        assert!(matches!(bad_name, Err(SetupError::Add(AddError::Name(_)))));
        assert!(
            db.is_setup_token("first").unwrap(),
            "a mistake does not use the link up"
        );
        assert_eq!(
            db.set_up("first", "zoe", &password, audit).unwrap().name,
            "zoe"
        );
        assert!(!db.is_setup_token("first").unwrap());
        assert_eq!(db.setup_token("third").unwrap(), None);
        let again = db.set_up("first", "eve", &password, audit);
        assert!(matches!(again, Err(SetupError::Token)));
    }
}
