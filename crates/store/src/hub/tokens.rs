//! Programs that use the REST API.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params};
use serde_json::json;

use super::accounts::{listed, stored_account};
use super::{Account, AddError, AuditLine, HubDb, UserRole, check_name};
use crate::{StoreError, secret_hash};

/// A bearer token to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewToken<'a> {
    /// What it is for.
    pub name: &'a str,
    /// What it may do.
    pub role: UserRole,
    /// 256 random bits; only its hash is kept.
    pub token: &'a str,
}

impl HubDb {
    /// Makes a token.
    pub fn add_token(&self, new: NewToken<'_>, audit: AuditLine<'_>) -> Result<(), AddError> {
        check_name(new.name)?;
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        transaction
            .execute(
                "INSERT INTO token (name, role, token_hash, created_at) VALUES (?, ?, ?, ?)",
                params![
                    new.name,
                    new.role.as_str(),
                    secret_hash::of(new.token),
                    audit.at.as_millisecond()
                ],
            )
            .map_err(|error| AddError::from_insert(error, new.name))?;
        let details = json!({ "name": new.name, "role": new.role.as_str() });
        audit.write(&transaction, "token_added", &details)?;
        Ok(transaction.commit()?)
    }

    /// All tokens, by name: name, role, and when each was made.
    pub fn tokens(&self) -> Result<Vec<(Account, Timestamp)>, StoreError> {
        let connection = self.lock();
        let sql = "SELECT name, role, created_at FROM token ORDER BY name";
        listed(&mut connection.prepare_cached(sql)?)
    }

    /// Removes a token, named without regard to case, and returns its name as it was written.
    /// None if there is no such token.
    pub fn remove_token(
        &self,
        name: &str,
        audit: AuditLine<'_>,
    ) -> Result<Option<String>, StoreError> {
        let sql = "DELETE FROM token WHERE name = ? RETURNING name";
        self.remove_named(sql, name, "token_removed", audit)
    }

    /// Who shows this token.
    pub fn token(&self, token: &str) -> Result<Option<Account>, StoreError> {
        let found = self
            .lock()
            .prepare_cached("SELECT name, role FROM token WHERE token_hash = ?")?
            .query_row([secret_hash::of(token)], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        stored_account(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::temporary;

    #[test]
    fn a_token_is_known_by_itself_and_by_nothing_else() {
        let (_directory, db) = temporary();
        let audit = AuditLine {
            at: "2026-11-22T10:00:00Z".parse().unwrap(),
            actor: "console",
        };
        let new = NewToken {
            name: "grafana",
            role: UserRole::Viewer,
            token: "t0ken",
        };
        db.add_token(new, audit).unwrap();
        assert!(matches!(db.add_token(new, audit), Err(AddError::Exists(_))));
        assert_eq!(db.token("t0ken").unwrap().unwrap().role, UserRole::Viewer);
        assert!(db.token("T0ken").unwrap().is_none());
        assert!(db.token("").unwrap().is_none());
        let viewer = Account {
            name: "grafana".to_owned(),
            role: UserRole::Viewer,
        };
        assert_eq!(db.tokens().unwrap(), [(viewer, audit.at)]);
        let removed = db.remove_token("Grafana", audit).unwrap();
        assert_eq!(removed.as_deref(), Some("grafana"));
        assert!(db.token("t0ken").unwrap().is_none());
        assert_eq!(db.remove_token("grafana", audit).unwrap(), None);
    }
}
