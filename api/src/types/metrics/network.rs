//! Network interfaces.

use netmonitor_protocol::payload as wire;
use poem_openapi::Object;

/// A network interface.
#[derive(Debug, Clone, PartialEq, Object)]
pub struct Network {
    /// The system's name for it.
    pub interface: String,
    /// Received since boot, in bytes.
    pub received_bytes: u64,
    /// Sent since boot, in bytes.
    pub sent_bytes: u64,
    /// Received per second since the sample before.
    #[oai(skip_serializing_if_is_none)]
    pub received_bytes_per_sec: Option<f64>,
    /// Sent per second since the sample before.
    #[oai(skip_serializing_if_is_none)]
    pub sent_bytes_per_sec: Option<f64>,
    /// Packets that came damaged, since boot; absent while there is none.
    #[oai(skip_serializing_if_is_none)]
    pub receive_errors: Option<u64>,
    /// Packets that could not be sent, since boot; absent while there is none.
    #[oai(skip_serializing_if_is_none)]
    pub send_errors: Option<u64>,
    /// Packets for which there was no room, since boot; absent while there is none.
    #[oai(skip_serializing_if_is_none)]
    pub dropped: Option<u64>,
    /// Whether there is a link: a cable with something at its other end, or a radio network.
    #[oai(skip_serializing_if_is_none)]
    pub link: Option<bool>,
    /// Speed of the link, in Mbit/s.
    #[oai(skip_serializing_if_is_none)]
    pub link_mbit_per_sec: Option<u32>,
    /// How strong the radio signal is, in dBm.
    #[oai(skip_serializing_if_is_none)]
    pub signal_dbm: Option<i32>,
}

impl From<&wire::Network> for Network {
    fn from(link: &wire::Network) -> Self {
        let some = |count: u64| (count > 0).then_some(count);
        Self {
            interface: link.interface.clone(),
            received_bytes: link.received_bytes,
            sent_bytes: link.sent_bytes,
            received_bytes_per_sec: link.received_bytes_per_sec,
            sent_bytes_per_sec: link.sent_bytes_per_sec,
            receive_errors: some(link.receive_errors),
            send_errors: some(link.send_errors),
            dropped: some(link.dropped),
            link: link.link,
            link_mbit_per_sec: link.link_mbit_per_sec,
            signal_dbm: link.signal_dbm,
        }
    }
}
