//! One-time permissions for new machines.

use jiff::Timestamp;
use rusqlite::params;
use serde_json::json;

use super::{AuditLine, HubDb};
use crate::{StoreError, secret_hash};

/// A join code to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewJoinCode<'a> {
    /// 256 random bits; only its hash is kept.
    pub token: &'a str,
    /// How many machines may use it.
    pub uses: u32,
    /// Until when.
    pub expires: Timestamp,
}

impl HubDb {
    /// Makes a join code, and forgets those that have expired. One that is used up is kept until
    /// then: a machine that has not heard the answer may ask again.
    pub fn add_join_code(
        &self,
        new: NewJoinCode<'_>,
        audit: AuditLine<'_>,
    ) -> Result<(), StoreError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        transaction.execute(
            "DELETE FROM join_code WHERE expires_at <= ?",
            [audit.at.as_millisecond()],
        )?;
        transaction.execute(
            "INSERT INTO join_code (token_hash, uses_left, created_by, expires_at)
             VALUES (?, ?, ?, ?)",
            params![
                secret_hash::of(new.token),
                new.uses,
                audit.actor,
                new.expires.as_millisecond()
            ],
        )?;
        let details = json!({ "uses": new.uses, "expires": new.expires.to_string() });
        audit.write(&transaction, "join_code_added", &details)?;
        Ok(transaction.commit()?)
    }
}
