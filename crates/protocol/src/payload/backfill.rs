//! Samples that were not acknowledged.

use serde::{Deserialize, Serialize};

use super::Metrics;
use crate::ids::SessionId;

/// A batch of samples of one session, in the order of their numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Backfill {
    /// The start of the agent that took them; not always the one that sends them.
    pub session: SessionId,
    /// The number of the oldest sample of that session that the agent still keeps: what is
    /// older and not stored is lost.
    pub oldest_seq: u64,
    /// The samples, each with its age at the moment of sending.
    pub samples: Vec<Metrics>,
}
