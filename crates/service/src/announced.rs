//! Where the hub listens and is reached, as its processes have written it down.

use netmonitor_protocol::payload::Address;

use crate::DataDir;

/// Stands in place of a listener's name for an address under which the hub is reached from
/// outside, through a forwarded port: the configuration says so, nobody here listens on it.
pub const PUBLIC: &str = "public";

/// The listeners of the hub in this data directory: where it listens, or did when it last ran.
/// None at all before its first start.
pub fn listeners(data_dir: &DataDir) -> Vec<Address> {
    let mut listeners = all(data_dir);
    listeners.retain(|address| address.listener != PUBLIC);
    listeners
}

/// Where agents outside the network reach the hub over TLS, `host:port`.
pub fn public_addresses(data_dir: &DataDir) -> Vec<String> {
    let public = |address: Address| (address.listener == PUBLIC).then_some(address.address);
    all(data_dir).into_iter().filter_map(public).collect()
}

/// Every line of the file.
pub fn all(data_dir: &DataDir) -> Vec<Address> {
    std::fs::read(data_dir.addresses())
        .ok()
        .and_then(|json| serde_json::from_slice(&json).ok())
        .unwrap_or_default()
}
