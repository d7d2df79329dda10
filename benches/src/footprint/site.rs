//! What agents need around them: a hub to talk to, and a systemd to ask.

use std::path::Path;

use netmonitor_testkit::Machine;
use tempfile::TempDir;

use crate::hub::Hub;

/// A hub, a whole systemd in a machine of its own (for root), and a folder for what agents write.
pub struct Site {
    pub(super) hub: Hub,
    machine: Option<Machine>,
    folder: TempDir,
}

impl Site {
    /// Starts both. `netmonitor` is the hub's program.
    pub fn start(netmonitor: &Path) -> anyhow::Result<Self> {
        let machine = nix::unistd::geteuid().is_root().then(Machine::boot);
        if machine.is_none() {
            tracing::warn!("not root: our agent has no systemd to ask, and lists processes");
        }
        Ok(Self {
            hub: Hub::start(netmonitor, "")?,
            machine,
            folder: tempfile::tempdir()?,
        })
    }

    /// The address of the bus on which systemd is.
    pub(super) fn bus(&self) -> String {
        let socket = self
            .machine
            .as_ref()
            .map(|machine| machine.path("run/dbus/system_bus_socket"));
        let socket = socket.unwrap_or_else(|| "/nonexistent/bus".into());
        format!("unix:path={}", socket.display())
    }

    /// Where agents may write.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }
}
