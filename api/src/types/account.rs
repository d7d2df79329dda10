//! People and programs that use the API.

use netmonitor_store::hub;
use poem_openapi::{Enum, Object};

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum Role {
    /// Sees everything that is not secret.
    Viewer,
    /// Also acts on alerts.
    Operator,
    /// Also changes settings, accounts and devices.
    Admin,
}

/// Who is logged in.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct Account {
    /// Name of the account, or of the API token.
    pub name: String,
    /// What it may do.
    pub role: Role,
}

impl From<hub::Account> for Account {
    fn from(account: hub::Account) -> Self {
        Self {
            name: account.name,
            role: match account.role {
                hub::UserRole::Viewer => Role::Viewer,
                hub::UserRole::Operator => Role::Operator,
                hub::UserRole::Admin => Role::Admin,
            },
        }
    }
}

/// Name and password.
#[derive(Object)]
#[oai(deny_unknown_fields)]
pub struct Login {
    /// Name of the account, in any case.
    pub name: String,
    /// Its password.
    pub password: String,
}

/// Whether the hub still needs its first admin.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct SetupStatus {
    /// True until there is an admin.
    pub needed: bool,
    /// Whether the token of the link that was followed is the current one. Absent without a
    /// token.
    #[oai(skip_serializing_if_is_none)]
    pub token_valid: Option<bool>,
}

/// The first admin.
#[derive(Object)]
#[oai(deny_unknown_fields)]
pub struct Setup {
    /// The token of the setup link.
    pub token: String,
    /// Name of the account: 1 to 64 characters, no `:`.
    pub name: String,
    /// Its password: at least 10 characters.
    pub password: String,
}
