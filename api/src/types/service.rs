//! Services of a device.

use netmonitor_protocol::payload as wire;
use poem_openapi::{Enum, Object};

use super::Time;

/// Services in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct ServiceCounts {
    /// All of them.
    pub total: u32,
    /// Those that run.
    pub running: u32,
    /// Those that should run and do not.
    pub failed: u32,
    /// Their names.
    pub failed_names: Vec<String>,
}

/// What a service does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum ServiceState {
    /// It runs.
    Running,
    /// On its way up.
    Starting,
    /// On its way down.
    Stopping,
    /// Not running, and nobody minds.
    Stopped,
    /// Not running, though it should be.
    Failed,
    /// It is watched, and the machine does not have it.
    Missing,
    /// The agent is newer than the hub.
    Unknown,
}

/// Who told of the services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum ServiceManager {
    /// systemd.
    Systemd,
    /// The service control manager of Windows.
    Windows,
    /// There is none: these are running processes by name.
    Processes,
    /// The agent is newer than the hub, or has not told yet.
    Unknown,
}

/// One service of a device.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// What it does.
    pub state: ServiceState,
    /// What it is, in the words of its author.
    #[oai(skip_serializing_if_is_none)]
    pub description: Option<String>,
    /// Since when it does so, by the device's clock, as far as is known.
    #[oai(skip_serializing_if_is_none)]
    pub since: Option<Time>,
    /// How often it was started again after it had ended by itself.
    pub restarts: u32,
    /// Somebody wants to hear when it does not run.
    pub watched: bool,
}

/// The services of a device.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct ServicePage {
    /// By name.
    pub items: Vec<Service>,
    /// Where the next page begins; null on the last one.
    pub next: Option<String>,
    /// Who told.
    pub manager: ServiceManager,
}

impl From<wire::UnitState> for ServiceState {
    fn from(state: wire::UnitState) -> Self {
        match state {
            wire::UnitState::Running => Self::Running,
            wire::UnitState::Starting => Self::Starting,
            wire::UnitState::Stopping => Self::Stopping,
            wire::UnitState::Stopped => Self::Stopped,
            wire::UnitState::Failed => Self::Failed,
            wire::UnitState::Missing => Self::Missing,
            wire::UnitState::Unknown => Self::Unknown,
        }
    }
}

impl From<&wire::Services> for ServicePage {
    fn from(services: &wire::Services) -> Self {
        Self {
            items: services
                .services
                .iter()
                .map(|service| Service {
                    name: service.name.clone(),
                    state: service.state.into(),
                    description: service.description.clone(),
                    since: service.since.map(Time::from),
                    restarts: service.restarts,
                    watched: service.watched,
                })
                .collect(),
            next: None,
            manager: match services.manager {
                wire::ServiceManager::Systemd => ServiceManager::Systemd,
                wire::ServiceManager::Windows => ServiceManager::Windows,
                wire::ServiceManager::Processes => ServiceManager::Processes,
                wire::ServiceManager::Unknown => ServiceManager::Unknown,
            },
        }
    }
}

impl From<&wire::Services> for ServiceCounts {
    fn from(services: &wire::Services) -> Self {
        let count = |state: wire::UnitState| {
            let number = services
                .services
                .iter()
                .filter(|service| service.state == state)
                .count();
            u32::try_from(number).unwrap_or(u32::MAX)
        };
        Self {
            total: u32::try_from(services.services.len()).unwrap_or(u32::MAX),
            running: count(wire::UnitState::Running),
            failed: count(wire::UnitState::Failed),
            failed_names: services
                .services
                .iter()
                .filter(|service| service.state == wire::UnitState::Failed)
                .map(|service| service.name.clone())
                .collect(),
        }
    }
}
