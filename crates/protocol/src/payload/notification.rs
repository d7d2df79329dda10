//! What the person at a machine is to see.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Severity;

/// A notification for whoever sits at that machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// What it is about, in one line.
    pub title: String,
    /// The rest.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// How much it matters.
    pub severity: Severity,
    /// The alert that it is about: of several with one id only the newest is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<String>,
    /// After this it is not worth showing any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}
