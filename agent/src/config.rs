//! What can be set, and where.

mod broker;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use netmonitor_service::environment;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::collect::switches::Switches;
use crate::interval;
use crate::root::Root;
use broker::Broker;

pub use broker::Account;

/// What samples that wait may take of the disk, in MiB, unless someone says otherwise.
pub(crate) const SPOOL_MAX_MB: u64 = 24;

/// The most that can be said: more is a mistake.
const SPOOL_MAX_MB_MAX: u64 = 4096;

/// How an agent runs.
#[derive(Debug, Clone)]
pub struct Config {
    /// Time between two samples.
    pub interval: Duration,
    /// Where the identity is kept.
    pub state_dir: PathBuf,
    /// A broker that is not the hub's own, to be used instead of the hub.
    pub broker: Option<Account>,
    /// Whether to publish the services of this machine.
    pub services: bool,
    /// The services to watch that were chosen on this machine.
    pub watched_services: Option<Vec<String>>,
    /// When to publish the processes that need most.
    pub processes: ShowProcesses,
    /// Whether notifications are shown to the person at this machine, unless the hub says
    /// something else.
    pub notifications: bool,
    /// Which collectors are read, and how often.
    pub(crate) collectors: Switches,
    /// How much of the disk samples may take that wait for the hub, in bytes.
    pub spool_bytes: u64,
    /// Below which folder the system's files are.
    pub root: Root,
}

/// The optional file `agent.toml` in the state directory.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    /// Time between two samples, in seconds, from 1 to 3600.
    #[serde(deserialize_with = "interval_secs")]
    interval_secs: Option<Duration>,
    /// How much of the disk samples may take that wait for the hub, in MiB, from 0 to 4096. 0
    /// keeps them in memory alone.
    #[serde(deserialize_with = "spool_max_mb")]
    spool_max_mb: Option<u64>,
    /// A broker that is not the hub's own.
    broker: Option<Broker>,
    services: ServicesTable,
    /// Top processes.
    processes: ProcessesTable,
    /// Whether notifications are shown to the person at this machine.
    notifications: NotificationsTable,
    /// Which collectors are read, and how often.
    collectors: Switches,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ServicesTable {
    /// Whether to publish the services of this machine.
    enabled: bool,
    /// Names of the services to watch, unless the hub says others.
    watch: Option<Vec<String>>,
}

/// Table `[notifications]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct NotificationsTable {
    /// Whether to show any.
    enabled: bool,
}

impl Default for NotificationsTable {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// Table `[processes]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ProcessesTable {
    /// When to publish those that need most, by name.
    show: ShowProcesses,
}

/// When the processes that need most are published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ShowProcesses {
    /// While someone looks at this machine.
    #[default]
    Watched,
    /// All the time.
    Always,
    /// Never.
    Never,
}

impl Default for ServicesTable {
    fn default() -> Self {
        Self {
            enabled: true,
            watch: None,
        }
    }
}

fn interval_secs<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Duration>, D::Error> {
    let secs = f64::deserialize(value)
        .map_err(|error| D::Error::custom(format!("interval_secs: {error}")))?;
    interval::from_secs(secs)
        .map(Some)
        .map_err(|error| D::Error::custom(format!("interval_secs: {error}")))
}

fn spool_max_mb<'de, D: Deserializer<'de>>(value: D) -> Result<Option<u64>, D::Error> {
    let found = u64::deserialize(value)
        .map_err(|error| D::Error::custom(format!("spool_max_mb: {error}")))?;
    if found > SPOOL_MAX_MB_MAX {
        let text = format!("spool_max_mb: {found} is not allowed: from 0 to {SPOOL_MAX_MB_MAX}");
        return Err(D::Error::custom(text));
    }
    Ok(Some(found))
}

impl Config {
    /// Defaults, then `agent.toml` in the state directory, then what the command line says.
    pub fn load(state_dir: &Path, interval: Option<Duration>) -> anyhow::Result<Self> {
        let path = state_dir.join("agent.toml");
        let file = if path.exists() {
            netmonitor_service::config::read(&path)?
        } else {
            File::default()
        };
        Ok(Self {
            interval: interval.or(file.interval_secs).unwrap_or(interval::DEFAULT),
            state_dir: state_dir.to_owned(),
            services: file.services.enabled,
            broker: file.broker.map(|it| it.account(state_dir)).transpose()?,
            watched_services: file.services.watch,
            processes: file.processes.show,
            notifications: file.notifications.enabled,
            collectors: file.collectors,
            spool_bytes: file.spool_max_mb.unwrap_or(SPOOL_MAX_MB) << 20,
            root: Root::default(),
        })
    }
}

/// Where an agent keeps its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateDir {
    /// The folder.
    pub path: PathBuf,
    /// Whether somebody has named it.
    pub is_given: bool,
}

impl StateDir {
    /// Where the service keeps its state, unless a machine that has joined, or a configuration, is
    /// in this one.
    #[cfg(target_os = "linux")]
    pub(crate) fn for_service(&self) -> PathBuf {
        let has_something = ["identity.json", "agent.toml"]
            .iter()
            .any(|file| self.path.join(file).exists());
        if self.is_given || has_something {
            self.path.clone()
        } else {
            PathBuf::from(OF_THE_SERVICE)
        }
    }
}

/// Where the service keeps its state (`StateDirectory=` in its unit).
pub(crate) const OF_THE_SERVICE: &str = "/var/lib/netmonitor-agent";

/// The state directory given, else `$STATE_DIRECTORY`, else that of the service, for root on a
/// machine on which it is installed, else `netmonitor-agent` where the user's programs keep their
/// data.
pub fn state_dir(given: Option<PathBuf>) -> anyhow::Result<StateDir> {
    let is_given = given.is_some();
    let of_the_service = || {
        let path = PathBuf::from(OF_THE_SERVICE);
        (is_root() && path.is_dir()).then_some(path)
    };
    let path = given
        .or_else(environment::state_directory)
        .or_else(of_the_service)
        .or_else(|| environment::data_home().map(|home| home.join("netmonitor-agent")))
        // Root without a home, as when a machine sets itself up.
        .or_else(|| is_root().then(|| PathBuf::from(OF_THE_SERVICE)))
        .context("there is no home directory: say with --state-dir where to keep the identity")?;
    Ok(StateDir { path, is_given })
}

/// Whether this user may do everything.
pub(crate) fn is_root() -> bool {
    #[cfg(unix)]
    return nix::unistd::geteuid().is_root();
    #[cfg(not(unix))]
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> anyhow::Result<Config> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("agent.toml"), text).unwrap();
        Config::load(folder.path(), None)
    }

    #[test]
    fn the_file_overrides_defaults_and_the_command_line_overrides_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let secs = |it: Config| it.interval.as_secs();
        assert_eq!(secs(Config::load(folder.path(), None).unwrap()), 3);
        let text = "interval_secs = 10\n[services]\nenabled = false\n";
        std::fs::write(folder.path().join("agent.toml"), text).unwrap();
        let config = Config::load(folder.path(), None).unwrap();
        assert!(!config.services);
        assert_eq!(secs(config), 10);
        let given = Some(Duration::from_secs(5));
        assert_eq!(secs(Config::load(folder.path(), given).unwrap()), 5);
        assert!(load("").unwrap().services);
        assert_eq!(load("").unwrap().spool_bytes, 24 << 20);
        assert_eq!(load("spool_max_mb = 0\n").unwrap().spool_bytes, 0);
    }

    #[test]
    fn a_wrong_file_is_named_with_line_key_and_what_is_allowed() {
        let check = |text: &str, parts: &[&str]| {
            let error = format!("{:#}", load(text).unwrap_err());
            for part in ["agent.toml", "line 2"].iter().chain(parts) {
                assert!(error.contains(part), "{part} is missing in: {error}");
            }
        };
        check("# ours\nintervall = 3\n", &["intervall", "interval_secs"]);
        check(
            "# ours\ninterval_secs = 0.2\n",
            &["interval_secs", "from 1s to 1h"],
        );
        check(
            "# ours\ninterval_secs = \"often\"\n",
            &["interval_secs", "often"],
        );
        check(
            "# ours\nspool_max_mb = 5000\n",
            &["spool_max_mb", "from 0 to 4096"],
        );
        check("# ours\nspool_max_mb = -1\n", &["spool_max_mb"]);
        check("[services]\nenable = true\n", &["enable", "enabled"]);
    }
}
