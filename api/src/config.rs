//! What can be set.

use serde::{Deserialize, Serialize};

/// Table `[api]` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the dashboard and the API listen without TLS, as `address:port`.
    pub http: Vec<String>,
    /// Where they listen with TLS.
    pub https: Vec<String>,
    /// How long a browser stays logged in, in days, from 1.
    pub session_days: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            http: vec!["[::]:8080".to_owned()],
            https: vec!["[::]:8443".to_owned()],
            session_days: 30,
        }
    }
}
