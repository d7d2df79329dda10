//! What the hub keeps on disk: `hub.db`, the history, its certificates and its services'
//! passwords. Knows neither MQTT connections nor HTTP, and asks no clock: time is an argument.
//!
//! - [`hub`]: accounts, credentials, devices, settings, audit. Written by api alone.
//! - [`history`]: samples and events. Written by ingest alone.
//! - [`retained`]: the broker's retained messages. Written by the broker alone.
//! - [`alerting`]: what alerting remembers. Written by alerting alone.
//! - [`credentials`]: who may connect to the broker, as the broker sees it.
//! - [`certificates`]: the hub's CA and what it signs.
//! - [`database`]: what can be done with each of them alike: check it, copy it while it is
//!   written.
//! - [`lock`], [`migrate`], [`error`]: what the databases share.

pub mod alerting;
pub mod certificates;
pub mod credentials;
pub mod database;
pub mod error;
pub mod history;
pub mod hub;
pub mod lock;
mod migrate;
pub mod mosquitto_hash;
pub mod password;
pub mod retained;
pub mod secret_hash;
mod time;

use std::path::Path;

pub use alerting::{AlertingChange, AlertingDb, StoredAlert, StoredDelivery};
pub use database::Database;
pub use error::StoreError;
pub use history::{HistoryReader, HistoryWriter};
pub use hub::HubDb;
pub use lock::WriteLock;
pub use retained::{RetainedChange, RetainedDb, StoredMessage};

/// Whether this program can use the file: an error if it is damaged or of a newer version. No
/// file is no error, and nothing is changed.
pub fn check_hub_db(path: &Path) -> Result<(), StoreError> {
    migrate::open_read_only(path, hub::STEPS).map(drop)
}

/// The same for the history.
pub fn check_history(path: &Path) -> Result<(), StoreError> {
    migrate::open_read_only(path, history::STEPS).map(drop)
}

/// The same for the broker's retained messages, but that damage is no error: the broker puts
/// such a file aside and starts with what is left.
pub fn check_retained(path: &Path) -> Result<(), StoreError> {
    match migrate::open_read_only(path, retained::STEPS) {
        Err(error) if !error.is_damage() => Err(error),
        _ => Ok(()),
    }
}

/// The same for what alerting remembers.
pub fn check_alerting(path: &Path) -> Result<(), StoreError> {
    match migrate::open_read_only(path, alerting::STEPS) {
        Err(error) if !error.is_damage() => Err(error),
        _ => Ok(()),
    }
}
