//! The agent's socket on this machine: how `netmonitor-agent status` and `netmonitor-agent notify`,
//! which run as another user, reach the agent that runs as a service.
//!
//! Who connects sends one line, a [`Question`], and is sent lines of JSON. What is told there is
//! no secret: anyone on the machine may ask.

mod client;
mod server;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use netmonitor_service::environment;
use serde::{Deserialize, Serialize};

use crate::config::StateDir;

pub(crate) use client::{Listening, ask_status, listen};
pub(crate) use server::{Server, serve};

/// The name of the socket.
const SOCKET: &str = "agent.sock";

/// Where it is when the agent runs as a service (`RuntimeDirectory=` in its unit).
const OF_THE_SERVICE: &str = "/run/netmonitor-agent";

/// A question is no longer, in bytes.
const QUESTION_MAX: u64 = 1024;

/// What somebody wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Question {
    /// How the agent is doing: one line, a [`Report`].
    Status,
    /// What the person at this machine is to see: a line for each notice, as they come.
    Notices,
}

/// How a running agent is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// Its version.
    pub(crate) version: String,
    /// Which device it is.
    pub(crate) device: String,
    /// Where it is connected, if it is.
    pub(crate) connected: Option<String>,
    /// Since when it is, or is not.
    pub(crate) since: Timestamp,
    /// Why it is not connected, or why the connection before ended.
    pub(crate) error: Option<String>,
    /// Samples that wait to be stored.
    pub(crate) waiting: u64,
    /// Collectors that have failed.
    pub(crate) failing: Vec<FailedCollector>,
}

/// A collector that has failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FailedCollector {
    /// Its name.
    pub(crate) name: String,
    /// How often.
    pub(crate) failures: u64,
    /// Why it fails now, if it does.
    pub(crate) error: Option<String>,
}

/// Where an agent with this state directory listens: in the folder that systemd has made for the
/// service, else beside its state, which nobody else can reach.
pub(crate) fn socket(state_dir: &Path) -> PathBuf {
    environment::runtime_directory()
        .unwrap_or_else(|| state_dir.to_owned())
        .join(SOCKET)
}

/// Where an agent may listen, as seen by others: beside its state, and, unless that was named, as
/// a service.
pub(crate) fn sockets(state_dir: &StateDir) -> Vec<PathBuf> {
    let beside = state_dir.path.join(SOCKET);
    let of_the_service = Path::new(OF_THE_SERVICE).join(SOCKET);
    let service = (!state_dir.is_given).then_some(of_the_service);
    std::iter::once(beside).chain(service).collect()
}
