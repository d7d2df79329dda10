//! Containers.

use serde::{Deserialize, Serialize};

/// One container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// The image that it was made of.
    pub image: String,
    /// What it does.
    pub state: ContainerState,
    /// Use of the processor since it was read before, of all cores together, 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_percent: Option<f64>,
    /// What it has of the memory, caches that can be dropped not counted, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// What its own check says of it, where it has one: whether it is healthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthy: Option<bool>,
}

/// What a container does, in the words of Docker and Podman.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
    #[serde(alias = "stopped")]
    Exited,
    /// It has ended, and cannot be removed.
    Dead,
    /// A word that this version does not know.
    #[serde(other)]
    Unknown,
}
