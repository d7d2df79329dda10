//! Which samples are safe.

use serde::{Deserialize, Serialize};

use crate::ids::SessionId;

/// Samples of one session that are on the hub's disk: the agent may forget exactly those.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// The start of the agent that counted them.
    pub session: SessionId,
    /// First and last number of each run, both included, in ascending order.
    pub ranges: Vec<(u64, u64)>,
}
