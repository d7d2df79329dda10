//! Who did what.

use jiff::Timestamp;
use rusqlite::{Transaction, params};

/// One line, written in the same transaction as the change that it tells of.
#[derive(Debug, Clone, Copy)]
pub struct AuditLine<'a> {
    /// When.
    pub at: Timestamp,
    /// The name of an account, `console` for a command on the hub, or `device` for a machine
    /// that joins.
    pub actor: &'a str,
}

impl AuditLine<'_> {
    /// Adds the line to the transaction.
    pub(super) fn write(
        &self,
        transaction: &Transaction<'_>,
        action: &str,
        details: &serde_json::Value,
    ) -> rusqlite::Result<()> {
        transaction
            .prepare_cached("INSERT INTO audit (at, actor, action, details) VALUES (?, ?, ?, ?)")?
            .execute(params![
                self.at.as_millisecond(),
                self.actor,
                action,
                details.to_string()
            ])?;
        Ok(())
    }
}
