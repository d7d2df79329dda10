//! Containers.

use netmonitor_protocol::payload as wire;
use poem_openapi::{Enum, Object};

/// A container.
#[derive(Debug, Clone, PartialEq, Object)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// The image that it was made of.
    pub image: String,
    /// What it does.
    pub state: ContainerState,
    /// Use of the processor since it was read before, of all cores together, 0 to 100.
    #[oai(skip_serializing_if_is_none)]
    pub cpu_percent: Option<f64>,
    /// What it has of the memory, caches that can be dropped not counted, in bytes.
    #[oai(skip_serializing_if_is_none)]
    pub memory_bytes: Option<u64>,
    /// What its own check says of it, where it has one: whether it is healthy.
    #[oai(skip_serializing_if_is_none)]
    pub healthy: Option<bool>,
}

impl From<&wire::Container> for Container {
    fn from(container: &wire::Container) -> Self {
        Self {
            name: container.name.clone(),
            image: container.image.clone(),
            state: container.state.into(),
            cpu_percent: container.cpu_percent,
            memory_bytes: container.memory_bytes,
            healthy: container.healthy,
        }
    }
}

/// What a container does, in the words of Docker and Podman.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum ContainerState {
    /// It was made, and has not run yet.
    Created,
    /// It runs.
    Running,
    /// It is held.
    Paused,
    /// It ended, and is being started again.
    Restarting,
    /// It is being removed.
    Removing,
    /// It has ended.
    Exited,
    /// It has ended, and cannot be removed.
    Dead,
    /// The agent is newer than the hub.
    Unknown,
}

impl From<wire::ContainerState> for ContainerState {
    fn from(state: wire::ContainerState) -> Self {
        match state {
            wire::ContainerState::Created => Self::Created,
            wire::ContainerState::Running => Self::Running,
            wire::ContainerState::Paused => Self::Paused,
            wire::ContainerState::Restarting => Self::Restarting,
            wire::ContainerState::Removing => Self::Removing,
            wire::ContainerState::Exited => Self::Exited,
            wire::ContainerState::Dead => Self::Dead,
            wire::ContainerState::Unknown => Self::Unknown,
        }
    }
}
