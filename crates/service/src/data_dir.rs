//! What lies where in the hub's data directory.

use std::path::{Path, PathBuf};

use netmonitor_protocol::ServiceName;

use crate::channel_secrets::SecretOf;
use crate::environment;

/// The hub's data directory. It only names things: nothing is read or made here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataDir(PathBuf);

impl DataDir {
    /// The directory given, else `$STATE_DIRECTORY`, else `$XDG_DATA_HOME/netmonitor`.
    /// None if there is no home directory either.
    pub fn choose(given: Option<PathBuf>) -> Option<Self> {
        given
            .or_else(environment::state_directory)
            .or_else(|| environment::data_home().map(|home| home.join("netmonitor")))
            .map(Self)
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Accounts, credentials, devices, settings.
    pub fn hub_db(&self) -> PathBuf {
        self.0.join("hub.db")
    }

    /// Held by whoever writes `hub.db`: the api, or an administrative command while the api
    /// does not run.
    pub fn hub_lock(&self) -> PathBuf {
        self.0.join("hub.lock")
    }

    /// The history.
    pub fn history_db(&self) -> PathBuf {
        self.0.join("monitor.db")
    }

    /// The retained messages of the embedded broker.
    pub fn retained_db(&self) -> PathBuf {
        self.0.join("retained.db")
    }

    /// Held by whoever writes `retained.db`: the broker.
    pub fn retained_lock(&self) -> PathBuf {
        self.0.join("retained.lock")
    }

    /// What `alerting` has to remember.
    pub fn alerting_db(&self) -> PathBuf {
        self.0.join("alerting.db")
    }

    /// Held by whoever writes `alerting.db`: alerting.
    pub fn alerting_lock(&self) -> PathBuf {
        self.0.join("alerting.lock")
    }

    /// What a channel for messages needs and nobody may see.
    pub fn channel_secret(&self, of: SecretOf<'_>) -> PathBuf {
        let name = match of {
            SecretOf::Channel(id) => format!("channel-{id}.json"),
            SecretOf::Heartbeat => "heartbeat.json".to_owned(),
        };
        self.secrets().join(name)
    }

    /// The hub's CA and its certificate.
    pub fn tls(&self) -> PathBuf {
        self.0.join("tls")
    }

    /// Where administrative commands reach the running hub.
    pub fn control_socket(&self) -> PathBuf {
        self.0.join("control.sock")
    }

    /// The addresses on which the hub listens now.
    pub fn addresses(&self) -> PathBuf {
        self.0.join("addresses.json")
    }

    /// The configuration, where neither flag nor environment names another.
    pub fn config(&self) -> PathBuf {
        self.0.join("netmonitor.toml")
    }

    /// The MQTT passwords of the services.
    pub fn secrets(&self) -> PathBuf {
        self.0.join("secrets")
    }

    /// The MQTT password of one service.
    pub fn secret(&self, service: ServiceName) -> PathBuf {
        self.secrets().join(service.as_str())
    }

    /// The state of the agent that runs inside the hub.
    pub fn agent(&self) -> PathBuf {
        self.0.join("agent")
    }

    /// Agent programs for other machines, which an admin has put there.
    pub fn agents(&self) -> PathBuf {
        self.0.join("agents")
    }
}

impl From<PathBuf> for DataDir {
    fn from(path: PathBuf) -> Self {
        Self(path)
    }
}
