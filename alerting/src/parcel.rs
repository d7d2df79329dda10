//! A message on its way to one channel.

use jiff::Timestamp;
use netmonitor_rules::alert::Notice;

/// A message, and where it goes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parcel {
    /// The channel's id.
    pub(crate) channel: String,
    /// What the channel is told: what concerns it alone.
    pub(crate) notice: Notice,
    /// When it was made, by the hub's clock.
    pub(crate) made_at: Timestamp,
}
