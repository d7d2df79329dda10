//! What can be asked of the history.

use jiff::Timestamp;
use netmonitor_protocol::DeviceId;

/// A stretch of the history of one device.
#[derive(Debug, Clone)]
pub struct Query {
    /// Whose.
    pub device: DeviceId,
    /// Names of series; empty means all.
    pub series: Vec<String>,
    /// The first moment.
    pub from: Timestamp,
    /// The last moment.
    pub to: Timestamp,
    /// At most so many times in the answer.
    pub points: usize,
}
