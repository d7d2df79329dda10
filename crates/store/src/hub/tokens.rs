//! Programs that use the REST API.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params};
use serde_json::json;

use super::accounts::stored_role;
use super::{Account, AddError, AuditLine, HubDb, UserRole, check_name};
use crate::{StoreError, secret_hash, time};

/// A bearer token to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewToken<'a> {
    /// What it is for.
    pub name: &'a str,
    /// What it may do.
    pub role: UserRole,
    /// 256 random bits; only its hash is kept.
    pub token: &'a str,
    /// Until when it is good; for ever without.
    pub expires: Option<Timestamp>,
}

/// A bearer token, but not what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its name, and what it may do.
    pub account: Account,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it is good; for ever without.
    pub expires_at: Option<Timestamp>,
}

impl Token {
    /// Whether it is good no more.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|until| until <= now)
    }
}

/// As it stands in a row.
type Row = (String, String, i64, Option<i64>);

fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}

fn stored((name, role, created_at, expires_at): Row) -> Result<Token, StoreError> {
    let role = stored_role(&role)?;
    Ok(Token {
        account: Account { name, role },
        created_at: time::from_ms(created_at),
        expires_at: expires_at.map(time::from_ms),
    })
}

impl HubDb {
    /// Makes a token.
    pub fn add_token(&self, new: NewToken<'_>, audit: AuditLine<'_>) -> Result<(), AddError> {
        check_name(new.name)?;
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        transaction
            .execute(
                "INSERT INTO token (name, role, token_hash, created_at, expires_at)
                 VALUES (?, ?, ?, ?, ?)",
                params![
                    new.name,
                    new.role.as_str(),
                    secret_hash::of(new.token),
                    audit.at.as_millisecond(),
                    new.expires.map(Timestamp::as_millisecond)
                ],
            )
            .map_err(|error| AddError::from_insert(error, new.name))?;
        let expires = new.expires.map(|until| until.to_string());
        let details = json!({ "name": new.name, "role": new.role.as_str(), "expires": expires });
        audit.write(&transaction, "token_added", &details)?;
        Ok(transaction.commit()?)
    }

    /// All tokens, by name, those that are good no more included.
    pub fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        let connection = self.lock();
        let sql = "SELECT name, role, created_at, expires_at FROM token ORDER BY name";
        let mut statement = connection.prepare_cached(sql)?;
        let rows = statement.query_map([], row)?;
        rows.map(|found| stored(found?)).collect()
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

    /// What is known of this token, which may be good no more.
    pub fn token(&self, token: &str) -> Result<Option<Token>, StoreError> {
        let found = self
            .lock()
            .prepare_cached(
                "SELECT name, role, created_at, expires_at FROM token WHERE token_hash = ?",
            )?
            .query_row([secret_hash::of(token)], row)
            .optional()?;
        found.map(stored).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::{STEPS, temporary};
    use crate::migrate;

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
            expires: Some("2026-11-23T10:00:00Z".parse().unwrap()),
        };
        db.add_token(new, audit).unwrap();
        assert!(matches!(db.add_token(new, audit), Err(AddError::Exists(_))));
        let known = db.token("t0ken").unwrap().unwrap();
        assert_eq!(known.account.role, UserRole::Viewer);
        assert!(!known.is_expired("2026-11-23T09:59:59Z".parse().unwrap()));
        assert!(known.is_expired("2026-11-23T10:00:00Z".parse().unwrap()));
        assert!(db.token("T0ken").unwrap().is_none());
        assert!(db.token("").unwrap().is_none());
        let viewer = Account {
            name: "grafana".to_owned(),
            role: UserRole::Viewer,
        };
        let listed = Token {
            account: viewer,
            created_at: audit.at,
            expires_at: new.expires,
        };
        assert_eq!(db.tokens().unwrap(), [listed]);
        let removed = db.remove_token("Grafana", audit).unwrap();
        assert_eq!(removed.as_deref(), Some("grafana"));
        assert!(db.token("t0ken").unwrap().is_none());
        assert_eq!(db.remove_token("grafana", audit).unwrap(), None);
    }

    #[test]
    fn a_token_of_a_hub_of_before_is_good_for_ever() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("hub.db");
        let old = migrate::open(&path, &STEPS[..4]).unwrap();
        old.execute(
            "INSERT INTO token VALUES ('graphs', 'viewer', ?, 0)",
            [secret_hash::of("t0ken")],
        )
        .unwrap();
        old.execute("INSERT INTO account VALUES ('Zoe', 'admin', '', 0)", [])
            .unwrap();
        drop(old);
        let db = HubDb::open(&path).unwrap();
        let token = db.token("t0ken").unwrap().unwrap();
        assert_eq!(token.expires_at, None);
        assert!(!token.is_expired("9999-01-01T00:00:00Z".parse().unwrap()));
        assert_eq!(db.accounts().unwrap()[0].last_login_at, None);
    }
}
