//! The services of one device.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The services of one device, all of them: what is not listed does not exist. A
/// service that is watched is listed in any case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Services {
    /// When the list was read, by the device's clock.
    pub time: Timestamp,
    /// Who told.
    pub manager: ServiceManager,
    /// In the order of their names, each name once.
    pub services: Vec<WatchableService>,
}

/// Where the list comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceManager {
    /// systemd over D-Bus.
    Systemd,
    /// The service control manager of Windows.
    Windows,
    /// There is no service manager: these are the running processes by name.
    Processes,
    /// A word that this version does not know.
    #[serde(other)]
    Unknown,
}

/// One service that an admin can watch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchableService {
    /// Its name without `.service`.
    pub name: String,
    /// What it does now.
    pub state: UnitState,
    /// What it is, in the words of its author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Since when it does so, by the device's clock, as far as is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// How often it was started again after it had ended by itself, since somebody started it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub restarts: u32,
    /// Somebody wants to hear when it does not run.
    #[serde(default, skip_serializing_if = "is_false")]
    pub watched: bool,
}

impl WatchableService {
    /// A service of which no more is known.
    pub fn new(name: impl Into<String>, state: UnitState) -> Self {
        Self {
            name: name.into(),
            state,
            description: None,
            since: None,
            restarts: 0,
            watched: false,
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(flag: &bool) -> bool {
    !*flag
}

/// What a service does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitState {
    /// It runs, or has done its work and counts as active.
    Running,
    /// On its way up.
    Starting,
    /// On its way down.
    Stopping,
    /// Not running, and nobody minds.
    Stopped,
    /// Not running, though it should be.
    Failed,
    /// It is watched, and the machine does not have it (any more).
    Missing,
    /// A word that this version does not know.
    #[serde(other)]
    Unknown,
}
