//! The agents that are measured.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::Site;
use crate::program::{Program, free_port};

/// How often everybody reports, in seconds.
const INTERVAL_SECS: u64 = 3;

/// One agent, as it is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Peer {
    /// Ours, over TLS, with all that is on by default, services over D-Bus included.
    Ours,
    /// The same while someone looks at the device: with its processes.
    OursWatched,
    /// Prometheus' `node_exporter`, scraped.
    NodeExporter,
    /// collectd, which sends over UDP, without its plugin for processes.
    Collectd,
    /// The same with it.
    CollectdProcesses,
}

impl Peer {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Ours,
        Self::OursWatched,
        Self::NodeExporter,
        Self::Collectd,
        Self::CollectdProcesses,
    ];

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "netmonitor-agent",
            Self::OursWatched => "netmonitor-agent, processes shown",
            Self::NodeExporter => "node_exporter, scraped",
            Self::Collectd => "collectd",
            Self::CollectdProcesses => "collectd, with processes",
        }
    }

    /// Starts it. `agent` is our program.
    pub(super) fn start(self, site: &Site, agent: &Path) -> anyhow::Result<Running> {
        match self {
            Self::Ours | Self::OursWatched => ours(site, agent),
            Self::NodeExporter => node_exporter(site),
            Self::Collectd => collectd(site, &[]),
            Self::CollectdProcesses => collectd(site, &["processes"]),
        }
    }

    /// Does what makes it work: reads what it offers, or looks at what it tells. Until dropped.
    pub(super) fn use_it(self, site: &Site, running: &Running) -> Option<User> {
        match self {
            Self::OursWatched => {
                let api = site.hub.api("footprint").ok()?;
                let device = running.device.clone()?;
                let every = Duration::from_secs(30);
                Some(User::start(every, move || {
                    if let Err(error) = api.watch(&device) {
                        tracing::warn!(error = format!("{error:#}"), "nobody looks");
                    }
                }))
            }
            Self::NodeExporter => {
                let url = format!("http://127.0.0.1:{}/metrics", running.port?);
                let every = Duration::from_secs(INTERVAL_SECS);
                Some(User::start(every, move || {
                    let read = ureq::get(&url)
                        .call()
                        .and_then(|mut it| it.body_mut().read_to_vec());
                    if let Err(error) = read {
                        tracing::warn!(%error, "not scraped");
                    }
                }))
            }
            _ => None,
        }
    }
}

/// An agent that runs.
pub(super) struct Running {
    program: Program,
    port: Option<u16>,
    device: Option<String>,
}

impl Running {
    pub(super) fn pid(&self) -> u32 {
        self.program.pid()
    }
}

/// Someone who does something again and again.
pub(super) struct User {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl User {
    fn start(every: Duration, act: impl Fn() + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                act();
                std::thread::park_timeout(every);
            }
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for User {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It has nothing to tell.
            let _ended = thread.join();
        }
    }
}

fn ours(site: &Site, agent: &Path) -> anyhow::Result<Running> {
    let state = site.folder().join("agent");
    let command = |arguments: &[&str]| {
        let mut command = Command::new(agent);
        command
            .arg("--state-dir")
            .arg(&state)
            .args(arguments)
            .env("DBUS_SYSTEM_BUS_ADDRESS", site.bus())
            .env_remove("RUST_LOG");
        command
    };
    if !state.exists() {
        let code = site.hub.join_code(1)?.to_string();
        let joined = command(&["join", &code]).output()?;
        let text = String::from_utf8_lossy(&joined.stderr);
        ensure!(joined.status.success(), "our agent does not join: {text}");
    }
    let identity: serde_json::Value =
        serde_json::from_slice(&std::fs::read(state.join("identity.json"))?)?;
    let interval = format!("{INTERVAL_SECS}s");
    let log = site.folder().join("agent.log");
    Ok(Running {
        program: Program::start(&mut command(&["run", "--interval", &interval]), &log)?,
        port: None,
        device: identity["device"].as_str().map(str::to_owned),
    })
}

fn node_exporter(site: &Site) -> anyhow::Result<Running> {
    let port = free_port()?;
    let mut command = Command::new("prometheus-node-exporter");
    command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
    let log = site.folder().join("node_exporter.log");
    Ok(Running {
        program: Program::start(&mut command, &log)
            .context("Debian has it in its package prometheus-node-exporter")?,
        port: Some(port),
        device: None,
    })
}

/// With plugins for what ours reads as well, as far as it has them.
fn collectd(site: &Site, more: &[&str]) -> anyhow::Result<Running> {
    let folder = site.folder().join("collectd");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join("collectd.conf");
    let mut config = std::fs::File::create(&path)?;
    let base = folder.display();
    writeln!(
        config,
        "BaseDir \"{base}\"\nPIDFile \"{base}/pid\"\nInterval {INTERVAL_SECS}"
    )?;
    let plugins = [
        "cpu",
        "load",
        "memory",
        "swap",
        "df",
        "disk",
        "interface",
        "uptime",
        "thermal",
    ];
    for plugin in plugins.iter().chain(more).chain(&["network"]) {
        writeln!(config, "LoadPlugin {plugin}")?;
    }
    // Nobody listens there: it is sent all the same.
    writeln!(
        config,
        "<Plugin network>\n  Server \"127.0.0.1\" \"{}\"\n</Plugin>",
        free_port()?
    )?;
    let mut command = Command::new("collectd");
    command.args(["-f", "-C"]).arg(&path);
    let log = site.folder().join("collectd.log");
    Ok(Running {
        program: Program::start(&mut command, &log)
            .context("Debian has it in its package collectd-core")?,
        port: None,
        device: None,
    })
}
