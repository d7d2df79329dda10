//! The hub, or one of its services in a process of its own.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;

use super::clock::Clock;
use super::disk::SmallDisk;
use super::network::Machine;
use super::ports::lasting_port;
use super::process::{Ended, Process, command, output};
use netmonitor_testkit::http::Client;

/// A machine that has just started does not wait for the network to tell the time.
const QUICK: &str = "[ingest]\ncommit_interval_secs = 0.2\nclock_wait_secs = 0\n";

/// The listeners that can be asked for, by the names of their flags.
const LISTENERS: [&str; 4] = ["http", "https", "mqtt", "mqtts"];

/// Which of them each command opens.
fn opened_by(command: &str, flags: &[String]) -> &'static [&'static str] {
    match command {
        // Another broker takes the place of ours.
        "run" if flags.iter().any(|flag| flag == "--mqtt-url") => &LISTENERS[..2],
        "run" => &LISTENERS,
        "api" => &LISTENERS[..2],
        "broker" => &LISTENERS[2..],
        _ => &[],
    }
}

/// A data directory; gone when the last hub that uses it is.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    folder: Arc<TempDir>,
    /// None: the disk of this machine.
    _disk: Option<SmallDisk>,
    /// Where its own agent keeps young samples, as `/run` of its machine.
    memory: Arc<TempDir>,
    /// None: the clock of this machine.
    clock: Option<Clock>,
    /// What its programs find in their environment beside what is there.
    environment: Vec<(&'static str, OsString)>,
}

impl Home {
    /// An empty one: everything is as a user meets it.
    pub(crate) fn empty() -> Self {
        Self::of(tempfile::tempdir().unwrap(), None)
    }

    /// The same on a disk of its own.
    pub(crate) fn on(disk: &SmallDisk) -> Self {
        let folder = tempfile::tempdir_in(disk.path()).unwrap();
        Self::of(folder, Some(disk.clone()))
    }

    fn of(folder: TempDir, disk: Option<SmallDisk>) -> Self {
        Self {
            folder: Arc::new(folder),
            _disk: disk,
            memory: Arc::new(tempfile::tempdir().unwrap()),
            clock: None,
            environment: Vec::new(),
        }
    }

    /// Whatever runs in it goes by this clock.
    pub(crate) fn by(self, clock: &Clock) -> Self {
        let clock = Some(clock.clone());
        Self { clock, ..self }
    }

    /// Whatever runs in it finds this in its environment.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// One in which samples are taken and written down often, so that stories are short.
    pub(crate) fn quick() -> Self {
        let home = Self::empty();
        home.write("netmonitor.toml", QUICK);
        home.write("agent/agent.toml", "interval_secs = 1\n");
        home
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where its history is.
    pub(crate) fn history(&self) -> PathBuf {
        self.path().join("monitor.db")
    }

    /// Writes a file below it.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Runs an administrative command.
    pub(crate) fn admin(&self, arguments: &[&str]) -> Ended {
        self.admin_with(arguments, "")
    }

    /// The hub's program, by the clock of its machine.
    fn command(&self) -> Command {
        let mut command = command("netmonitor");
        command.env("RUNTIME_DIRECTORY", self.memory.path());
        command.envs(self.environment.iter().cloned());
        if let Some(clock) = &self.clock {
            clock.is_that_of(&mut command);
        }
        command
    }

    /// Runs an administrative command that reads its standard input.
    pub(crate) fn admin_with(&self, arguments: &[&str], input: &str) -> Ended {
        let mut command = self.command();
        command.arg("--data-dir").arg(self.path()).args(arguments);
        output(&mut command, input)
    }

    /// Runs an administrative command that must succeed, and returns the one line it printed.
    pub(crate) fn told(&self, arguments: &[&str]) -> String {
        let ended = self.admin(arguments);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.stderr);
        let mut lines = ended.stdout.lines();
        let line = lines.next().unwrap_or_default().to_owned();
        assert_eq!(lines.next(), None, "{arguments:?} printed more than a line");
        line
    }
}

/// A hub that runs.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) home: Home,
    command: &'static str,
    flags: Vec<String>,
    /// None: the machine of the story itself.
    pub(crate) machine: Option<Machine>,
    addresses: BTreeMap<&'static str, String>,
    pub(crate) process: Process,
}

impl Hub {
    /// The whole hub, quick, until it is ready.
    pub(crate) fn start(flags: &[&str]) -> Self {
        Self::start_in(&Home::quick(), flags)
    }

    /// The whole hub in a data directory, until it is ready.
    pub(crate) fn start_in(home: &Home, flags: &[&str]) -> Self {
        let mut hub = Self::spawn(home, "run", flags, None);
        hub.process.line("ready");
        hub
    }

    /// The same on a machine of its own.
    pub(crate) fn start_on(machine: &Machine, home: &Home, flags: &[&str]) -> Self {
        let mut hub = Self::spawn(home, "run", flags, Some(machine.clone()));
        hub.process.line("ready");
        hub
    }

    /// One service alone, until it listens.
    pub(crate) fn service(home: &Home, command: &'static str) -> Self {
        Self::spawn(home, command, &[], None)
    }

    /// One service, or the whole hub (`run`), on ports that nobody takes while it is gone, until
    /// it listens. On a machine of its own every network reaches the broker.
    pub(crate) fn lasting(home: &Home, command: &'static str, machine: Option<&Machine>) -> Self {
        let mut flags = Vec::new();
        for name in opened_by(command, &flags) {
            let is_outside = *name == "mqtts" && machine.is_some();
            let host = if is_outside { "0.0.0.0" } else { "127.0.0.1" };
            flags.extend([format!("--{name}"), format!("{host}:{}", lasting_port())]);
        }
        if command == "run" {
            flags.push("--no-agent".to_owned());
        }
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        Self::spawn(home, command, &flags, machine.cloned())
    }

    fn spawn(home: &Home, command: &'static str, flags: &[&str], machine: Option<Machine>) -> Self {
        let flags: Vec<_> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let addresses = BTreeMap::new();
        let process = launch(home, command, &flags, &addresses, machine.as_ref());
        let mut hub = Self {
            home: home.clone(),
            command,
            flags,
            machine,
            addresses,
            process,
        };
        for name in opened_by(command, &hub.flags) {
            let address = hub.process.line(&format!("listening {name} "));
            hub.addresses.insert(name, address);
        }
        hub
    }

    /// Starts it again after its end, on the addresses that it had, whatever comes of it.
    pub(crate) fn start_unseen(&mut self) {
        self.process = launch(
            &self.home,
            self.command,
            &self.flags,
            &self.addresses,
            self.machine.as_ref(),
        );
    }

    /// Starts it again after its end, on the addresses that it had.
    pub(crate) fn start_again(&mut self) {
        self.start_unseen();
        for name in opened_by(self.command, &self.flags) {
            self.process.line(&format!("listening {name} "));
        }
        if self.command == "run" {
            self.process.line("ready");
        }
    }

    /// Where it listens, as `127.0.0.1:4711`.
    pub(crate) fn address(&self, listener: &str) -> &str {
        &self.addresses[listener]
    }

    pub(crate) fn port(&self, listener: &str) -> &str {
        self.address(listener).rsplit_once(':').unwrap().1
    }

    /// Somebody without any credential.
    pub(crate) fn anybody(&self) -> Client {
        let port = self.port("http");
        Client::new(&format!("http://127.0.0.1:{port}"))
    }

    /// A program with a token of this role.
    pub(crate) fn client(&self, role: &str) -> Client {
        let token = self
            .home
            .told(&["token", "add", &format!("{role}-program"), "--role", role]);
        self.anybody().with_token(&token)
    }
}

fn launch(
    home: &Home,
    subcommand: &str,
    flags: &[String],
    addresses: &BTreeMap<&str, String>,
    machine: Option<&Machine>,
) -> Process {
    let mut command = home.command();
    command
        .arg(subcommand)
        .arg("--data-dir")
        .arg::<PathBuf>(home.path().into());
    for name in LISTENERS {
        let flag = format!("--{name}");
        if !flags.contains(&flag) {
            let address = addresses.get(name).map_or("127.0.0.1:0", String::as_str);
            command.args([flag.as_str(), address]);
        }
    }
    command.args(flags);
    match machine {
        Some(machine) => Process::start(&mut machine.inside(&command)),
        None => Process::start(&mut command),
    }
}
