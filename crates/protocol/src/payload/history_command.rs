//! What the history is asked to do.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Removes lines of the log. It is answered by a line of the log,
/// [`EventsRemoved`](super::EventKind::EventsRemoved), with the id as its parameter `command`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryCommand {
    /// What tells it from others.
    pub id: String,
    /// Those before this moment.
    pub remove_events_before: Timestamp,
    /// Who wants it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}
