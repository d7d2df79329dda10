//! The agent of another machine (which is this one, under another identity).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use netmonitor_protocol::payload::Metrics;
use netmonitor_testkit::eventually;
use serde_json::Value;
use tempfile::TempDir;

use super::DEADLINE;
use super::clock::Clock;
use super::network::Machine;
use super::process::{Ended, Process, command, output};

/// An agent with a state directory of its own.
#[derive(Debug)]
pub(crate) struct Agent {
    state: TempDir,
    /// Where it keeps young samples, as `/run` of its machine.
    memory: TempDir,
    /// None: the machine of the story itself.
    machine: Option<Machine>,
    /// None: the clock of this machine.
    clock: Option<Clock>,
    process: Option<Process>,
}

impl Agent {
    /// One that has not joined yet.
    pub(crate) fn new() -> Self {
        Self {
            state: tempfile::tempdir().unwrap(),
            memory: tempfile::tempdir().unwrap(),
            machine: None,
            clock: None,
            process: None,
        }
    }

    /// One that goes by this clock, and has joined with the code, and its device id.
    pub(crate) fn joined_by(clock: &Clock, code: &str) -> (Self, String) {
        let clock = Some(clock.clone());
        let agent = Self {
            clock,
            ..Self::new()
        };
        agent.joins(code)
    }

    /// One that has joined with the code, and its device id.
    pub(crate) fn joined(code: &str) -> (Self, String) {
        Self::new().joins(code)
    }

    /// The same on a machine of its own.
    pub(crate) fn joined_on(machine: &Machine, code: &str) -> (Self, String) {
        let machine = Some(machine.clone());
        let agent = Self {
            machine,
            ..Self::new()
        };
        agent.joins(code)
    }

    fn joins(self, code: &str) -> (Self, String) {
        let ended = self.join(code);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let id = ended.stdout.strip_prefix("joined as ").unwrap().trim_end();
        let id = id.to_owned();
        (self, id)
    }

    /// Joins with the code.
    pub(crate) fn join(&self, code: &str) -> Ended {
        output(&mut self.command(&["join", code]), "")
    }

    /// Begins to join with the code.
    pub(crate) fn start_to_join(&self, code: &str) -> Process {
        Process::start(&mut self.command(&["join", code]))
    }

    /// Joins although it has joined before, and tells its device id.
    pub(crate) fn join_anew(&self, code: &str) -> String {
        let ended = output(&mut self.command(&["join", "--force", code]), "");
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let id = ended.stdout.strip_prefix("joined as ").unwrap().trim_end();
        id.to_owned()
    }

    /// The MQTT password that the hub gave it.
    pub(crate) fn password(&self) -> String {
        let path = self.state.path().join("identity.json");
        let identity: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        identity["password"].as_str().unwrap().to_owned()
    }

    /// From the next start on it is on another machine, or on another cable of the same.
    pub(crate) fn move_to(&mut self, machine: &Machine) {
        self.machine = Some(machine.clone());
    }

    /// Starts to send samples, one each second.
    pub(crate) fn run(&mut self) {
        self.run_every("1s");
    }

    /// Starts to send samples, one in each interval, as people write it.
    pub(crate) fn run_every(&mut self, interval: &str) {
        let mut command = self.command(&["run", "--interval", interval]);
        self.process = Some(Process::start(&mut command));
    }

    /// Shows its notifications to somebody who is logged in on a desktop with this bus.
    pub(crate) fn notify(&self, bus: &str) -> Process {
        let mut command = command("netmonitor-agent");
        // Its socket is where systemd would have made a folder for it.
        command.arg("--state-dir").arg(self.memory.path());
        command.arg("notify").env("DBUS_SESSION_BUS_ADDRESS", bus);
        Process::start(&mut command)
    }

    /// How many samples wait to be stored, as it says itself.
    pub(crate) fn waiting(&self) -> u64 {
        let status = output(&mut self.command(&["status"]), "").stdout;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("samples  "));
        let first = line.and_then(|line| line.split(' ').next());
        match first.unwrap_or_else(|| panic!("no line on samples in {status:?}")) {
            "none" => 0,
            number => number.parse().unwrap(),
        }
    }

    /// Which files it has on its disk for samples that wait, and how long they are.
    pub(crate) fn on_disk(&self) -> BTreeMap<PathBuf, u64> {
        let files = files_in(&self.state.path().join("spool"));
        // One that is gone meanwhile is not there.
        let sizes = files.into_iter().map(|path| (path.metadata(), path));
        let sizes = sizes.filter_map(|(size, path)| Some((path, size.ok()?.len())));
        sizes.collect()
    }

    /// The samples that are in its files in memory, stored or not.
    pub(crate) fn in_memory(&self) -> Vec<Metrics> {
        let mut samples = Vec::new();
        for folder in files_in(self.memory.path()) {
            for file in files_in(&folder) {
                // One that is gone meanwhile has nothing that waits.
                samples.extend(whole_samples(&std::fs::read(file).unwrap_or_default()));
            }
        }
        samples
    }

    /// Waits until it has written down that the hub may be reached there.
    pub(crate) fn until_knows(&self, address: &str) {
        let identity = self.state.path().join("identity.json");
        eventually("the hub's new address is known", DEADLINE, || {
            std::fs::read_to_string(&identity).is_ok_and(|text| text.contains(address))
        });
    }

    /// The one that runs.
    pub(crate) fn process(&mut self) -> &mut Process {
        self.process.as_mut().expect("the agent was started")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command("netmonitor-agent");
        command
            .arg("--state-dir")
            .arg(self.state.path())
            .args(arguments)
            .env("RUNTIME_DIRECTORY", self.memory.path());
        if let Some(clock) = &self.clock {
            clock.is_that_of(&mut command);
        }
        match &self.machine {
            Some(machine) => machine.inside(&command),
            None => command,
        }
    }
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect()
}

/// Samples as they stand in a file, whatever is between them. One that is cut off is none.
fn whole_samples(bytes: &[u8]) -> Vec<Metrics> {
    const BEGINNING: &[u8] = b"{\"session\":";
    let starts = bytes.windows(BEGINNING.len()).enumerate();
    let starts = starts.filter(|(_, window)| *window == BEGINNING);
    let sample = |(at, _)| {
        let mut from = serde_json::Deserializer::from_slice(&bytes[at..]).into_iter();
        from.next()?.ok()
    };
    starts.filter_map(sample).collect()
}
