//! A web server to which messages about alerts go: Python's own, in a process of its own.

use std::process::Command;

use netmonitor_testkit::{eventually, eventually_some};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::DEADLINE;
use super::ports::lasting_port;
use super::process::Process;
use netmonitor_testkit::http::Client;

/// A receiver that runs.
#[derive(Debug)]
pub(crate) struct Receiver {
    folder: TempDir,
    port: u16,
    process: Option<Process>,
}

impl Receiver {
    /// One that takes everything.
    pub(crate) fn start() -> Self {
        let mut receiver = Self::not_there();
        receiver.begin();
        receiver
    }

    /// One that is not there yet.
    pub(crate) fn not_there() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            port: lasting_port(),
            process: None,
        }
    }

    /// From now on it is there.
    pub(crate) fn begin(&mut self) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/stories/support/receiver.py");
        let mut command = Command::new("/usr/bin/python3");
        command
            .arg(script)
            .arg(self.folder.path())
            .arg(self.port.to_string());
        let mut process = Process::start(&mut command);
        process.line("listening ");
        self.process = Some(process);
    }

    /// What it answers from now on.
    pub(crate) fn answers(&self, status: u16) {
        std::fs::write(self.folder.path().join("status"), status.to_string()).unwrap();
    }

    /// Makes it a channel of the hub, and returns its id.
    pub(crate) fn becomes_channel(&self, admin: &Client, name: &str) -> String {
        let channel = json!({
            "name": name, "kind": "webhook", "format": "json",
            "url": format!("http://127.0.0.1:{}/{name}", self.port),
        });
        let made = admin.post("/api/v1/channels", &channel);
        assert_eq!(made.status, 200, "{}", made.body);
        made.json()["id"].as_str().unwrap().to_owned()
    }

    /// Every request so far, with what it was answered.
    fn requests(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path().join("received"));
        let text = text.unwrap_or_default();
        // The last line may still be on its way.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let lines = whole
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        lines.collect()
    }

    /// Everything that it took so far.
    pub(crate) fn all(&self) -> Vec<Value> {
        let requests = self.requests().into_iter();
        requests
            .filter(|it| it["status"] == 200)
            .map(|it| it["body"].clone())
            .collect()
    }

    /// Waits until somebody was answered that.
    pub(crate) fn until_answered(&self, status: u16) {
        eventually("somebody was answered", 2 * DEADLINE, || {
            self.requests().iter().any(|it| it["status"] == status)
        });
    }

    /// Waits for a message as wanted.
    pub(crate) fn until(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        eventually_some(what, 2 * DEADLINE, || {
            self.all().into_iter().find(|it| wanted(it))
        })
    }
}

/// Which alerts a message is about: `a offline`.
pub(crate) fn about(message: &Value) -> Vec<String> {
    let alerts = message["alerts"].as_array().unwrap();
    let name = |it: &Value| {
        let (subject, rule) = (it["subject"].as_str(), it["rule"].as_str());
        format!("{} {}", subject.unwrap(), rule.unwrap())
    };
    alerts.iter().map(name).collect()
}
