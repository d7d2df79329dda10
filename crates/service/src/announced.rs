//! Where the hub listens, as its processes have written it down.

use netmonitor_protocol::payload::Address;

use crate::DataDir;

/// The listeners of the hub in this data directory: where it listens, or did when it last ran.
/// None at all before its first start.
pub fn listeners(data_dir: &DataDir) -> Vec<Address> {
    std::fs::read(data_dir.addresses())
        .ok()
        .and_then(|json| serde_json::from_slice(&json).ok())
        .unwrap_or_default()
}
