//! Tokens of programs that use the API.

use netmonitor_store::hub;
use poem_openapi::Object;

use super::{Role, Time};

/// An API token, but not what it is: that is not kept in readable form.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct Token {
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub created: Time,
    /// Until when it is good; one that is good no more stays in the list. Absent if it has no end.
    #[oai(skip_serializing_if_is_none)]
    pub expires: Option<Time>,
}

impl From<hub::Token> for Token {
    fn from(token: hub::Token) -> Self {
        Self {
            name: token.account.name,
            role: token.account.role.into(),
            created: token.created_at.into(),
            expires: token.expires_at.map(Time),
        }
    }
}

/// A list of API tokens.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct TokenPage {
    /// By name.
    pub items: Vec<Token>,
    /// Where the next page begins; null on the last one.
    pub next: Option<String>,
}

/// An API token to be made.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct NewToken {
    /// What it is for: 1 to 64 characters, no `:`, without regard to case.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Until when it is good, by the hub's clock; for ever if absent.
    #[oai(skip_serializing_if_is_none)]
    pub expires: Option<Time>,
}

/// A new API token. It is shown once.
#[derive(Object)]
pub struct TokenSecret {
    /// What it is for.
    pub name: String,
    /// The token itself.
    pub token: String,
    /// Until when it is good. Absent if it has no end.
    #[oai(skip_serializing_if_is_none)]
    pub expires: Option<Time>,
}
