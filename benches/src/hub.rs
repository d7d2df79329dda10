//! A hub of our own: `netmonitor run` in a directory that goes with it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use netmonitor_protocol::join_code::JoinCode;
use netmonitor_service::mqtt::{Dial, Endpoint};
use netmonitor_service::{Secret, tls};
use tempfile::TempDir;

use crate::dashboard::Api;
use crate::program::Program;

/// The user that watches the fleet.
const WATCHER: &str = "watcher";

/// A hub that runs, on ports that the system chose, without an agent of its own.
#[derive(Debug)]
pub struct Hub {
    folder: TempDir,
    netmonitor: PathBuf,
    /// Where agents reach it, from its first start on.
    mqtts: String,
    /// Its process.
    pub program: Program,
}

impl Hub {
    /// Starts it, until it is ready. `netmonitor` is the program of that name; `config` is its
    /// configuration file, which may be empty.
    pub fn start(netmonitor: &Path, config: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("netmonitor.toml"), config)?;
        let program = run(netmonitor, folder.path(), "127.0.0.1:0")?;
        let mqtts = listener(folder.path(), "mqtts")?;
        Ok(Self {
            folder,
            netmonitor: netmonitor.to_owned(),
            mqtts,
            program,
        })
    }

    /// Ends it as a crash would, and starts it again where it was.
    pub fn crash(&mut self) -> anyhow::Result<()> {
        self.program.kill()?;
        self.start_again()
    }

    /// Starts it where it was, after its end, until it is ready.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        self.program = run(&self.netmonitor, self.folder.path(), &self.mqtts)?;
        Ok(())
    }

    /// A code with which so many machines may join, at this hub's address on this machine.
    pub fn join_code(&self, uses: usize) -> anyhow::Result<JoinCode> {
        let uses = uses.to_string();
        let code = self.told(&["join-code", "--expires", "1h", "--uses", &uses])?;
        let mut code: JoinCode = code.parse()?;
        code.addresses.retain(|address| address.starts_with("127."));
        if code.addresses.is_empty() {
            code.addresses.push(self.mqtts.clone());
        }
        Ok(code)
    }

    /// The way to the broker of one who reads everything.
    pub fn watcher(&self, code: &JoinCode) -> anyhow::Result<Dial> {
        let password = self.mqtt_user(WATCHER, &["--role", "reader"])?;
        watcher(code, WATCHER.to_owned(), password)
    }

    /// Makes an MQTT user with these rights, as `mqtt-user add` takes them, and returns its
    /// password.
    pub fn mqtt_user(&self, name: &str, rights: &[&str]) -> anyhow::Result<Secret> {
        let arguments = [&["mqtt-user", "add", name][..], rights].concat();
        Ok(Secret::new(self.told(&arguments)?))
    }

    /// The way to its API, with a token of this name.
    pub fn api(&self, name: &str) -> anyhow::Result<Api> {
        let token = self.told(&["token", "add", name, "--role", "viewer"])?;
        let address = listener(self.folder.path(), "http")?;
        Ok(Api::new(&format!("http://{address}"), Secret::new(token)))
    }

    /// Changes what is set, with the rights of an admin: `PATCH` of a path with a body of JSON.
    pub fn change(&self, path: &str, body: &str) -> anyhow::Result<()> {
        let token = self.told(&["token", "add", "bench-admin", "--role", "admin"])?;
        let address = listener(self.folder.path(), "http")?;
        ureq::patch(format!("http://{address}{path}"))
            .header("authorization", &format!("Bearer {token}"))
            .header("content-type", "application/json")
            .send(body)
            .with_context(|| format!("cannot change {path}"))?;
        Ok(())
    }

    /// Where its directory is.
    pub fn data_dir(&self) -> &Path {
        self.folder.path()
    }

    /// Where it listens for MQTT, without TLS and with.
    pub fn listeners(&self) -> anyhow::Result<[SocketAddr; 2]> {
        let plain = listener(self.folder.path(), "mqtt")?;
        Ok([plain.parse()?, self.mqtts.parse()?])
    }

    /// Runs an administrative command, and returns the line it printed.
    fn told(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = Command::new(&self.netmonitor)
            .arg("--data-dir")
            .arg(self.folder.path())
            .args(arguments)
            .output()
            .context("cannot run an administrative command")?;
        ensure!(
            output.status.success(),
            "{arguments:?} failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
    }
}

/// Where a hub that runs in this directory listens; the name is that of the flag.
fn listener(folder: &Path, name: &str) -> anyhow::Result<String> {
    let data = netmonitor_service::DataDir::from(folder.to_owned());
    netmonitor_service::announced::listeners(&data)
        .into_iter()
        .find_map(|it| (it.listener == name).then_some(it.address))
        .with_context(|| format!("the hub has no listener {name}"))
}

/// Starts the program in its directory, until it is ready.
fn run(netmonitor: &Path, folder: &Path, mqtts: &str) -> anyhow::Result<Program> {
    let mut command = Command::new(netmonitor);
    command
        .args(["run", "--no-agent", "--data-dir"])
        .arg(folder);
    for listener in ["--http", "--https", "--mqtt"] {
        command.args([listener, "127.0.0.1:0"]);
    }
    command.args(["--mqtts", mqtts]);
    // It logs what it would log where it is installed, whatever this program shows.
    command.env_remove("RUST_LOG");
    let program = Program::start(&mut command, &folder.join("hub.log"))?;
    program.line("ready")?;
    Ok(program)
}

/// The way of an MQTT user, to the hub that a join code names.
pub fn watcher(code: &JoinCode, user: String, password: Secret) -> anyhow::Result<Dial> {
    let tls = tls::pinned(code.ca_fingerprint);
    let endpoints: Vec<Endpoint> = code
        .addresses
        .iter()
        .filter_map(|address| Endpoint::parse(address, Some(tls.clone())))
        .collect();
    ensure!(!endpoints.is_empty(), "the join code has no address");
    Ok(Dial::Fixed {
        endpoints,
        user,
        password,
    })
}

/// How long a program of this crate waits for something that must happen.
pub const PATIENCE: Duration = Duration::from_mins(1);
