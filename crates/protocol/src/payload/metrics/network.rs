//! Network interfaces.

use serde::{Deserialize, Serialize};

use super::is_zero;

/// One network interface.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// The system's name for it, e.g. `eth0`.
    pub interface: String,
    /// Received since boot, in bytes.
    pub received_bytes: u64,
    /// Sent since boot, in bytes.
    pub sent_bytes: u64,
    /// Received per second since the sample before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_bytes_per_sec: Option<f64>,
    /// Sent per second since the sample before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_bytes_per_sec: Option<f64>,
    /// Packets that came damaged, since boot.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub receive_errors: u64,
    /// Packets that could not be sent, since boot.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub send_errors: u64,
    /// Packets for which there was no room, received or sent, since boot.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped: u64,
    /// Whether there is a link: a cable with something at its other end, or a radio network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<bool>,
    /// Speed of the link, in Mbit/s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_mbit_per_sec: Option<u32>,
    /// How strong the radio signal is, in dBm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal_dbm: Option<i32>,
}
