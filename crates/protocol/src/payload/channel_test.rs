//! Whether a channel for messages works.

use serde::{Deserialize, Serialize};

/// Somebody wants to see whether a channel works, whether it is enabled or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelTest {
    /// What tells it from others.
    pub id: String,
    /// The channel's id. None: the heartbeat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
}

/// What has come of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelTested {
    /// The one of the test.
    pub id: String,
    /// Whether the message got there.
    pub is_sent: bool,
    /// What the other side has answered, or what is wrong and what to do.
    pub answer: String,
}
