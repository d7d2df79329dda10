//! People and programs that use the API.

use netmonitor_store::hub;
use poem_openapi::{Enum, Object};

use super::Time;

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

impl Role {
    /// The word on the command line and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => hub::UserRole::Viewer.as_str(),
            Self::Operator => hub::UserRole::Operator.as_str(),
            Self::Admin => hub::UserRole::Admin.as_str(),
        }
    }
}

impl From<hub::UserRole> for Role {
    fn from(role: hub::UserRole) -> Self {
        match role {
            hub::UserRole::Viewer => Self::Viewer,
            hub::UserRole::Operator => Self::Operator,
            hub::UserRole::Admin => Self::Admin,
        }
    }
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
            role: account.role.into(),
        }
    }
}

/// A new password for one's own account.
#[derive(Object)]
pub struct PasswordChange {
    /// The password as it is.
    pub old: String,
    /// What it shall be: at least 10 characters.
    pub new: String,
}

/// The account of a person. Its password is not kept in readable form.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct User {
    /// The name with which this person logs in.
    pub name: String,
    /// What this person may do.
    pub role: Role,
    /// When the account was made.
    pub created: Time,
    /// When this person logged in last. Absent if nobody has since the hub notes it.
    #[oai(skip_serializing_if_is_none)]
    pub last_login: Option<Time>,
}

impl From<hub::KnownAccount> for User {
    fn from(known: hub::KnownAccount) -> Self {
        Self {
            name: known.account.name,
            role: known.account.role.into(),
            created: known.created_at.into(),
            last_login: known.last_login_at.map(Time),
        }
    }
}

/// A list of accounts.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct UserPage {
    /// By name.
    pub items: Vec<User>,
    /// Where the next page begins; null on the last one.
    pub next: Option<String>,
}

/// An account to be made.
#[derive(Object)]
pub struct NewUser {
    /// Name of the account: 1 to 64 characters, no `:`, without regard to case.
    pub name: String,
    /// What this person may do.
    pub role: Role,
    /// Its password: at least 10 characters.
    pub password: String,
}

/// What is to be changed about an account.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct UserChange {
    /// What this person may do from now on.
    pub role: Role,
}

/// A new password for an account.
#[derive(Object)]
pub struct NewPassword {
    /// The password: at least 10 characters.
    pub password: String,
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
