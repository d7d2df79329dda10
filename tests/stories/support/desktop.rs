//! The desktop of somebody who is logged in: a bus, a screen, and Debian's dunst, which shows
//! notifications.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use netmonitor_testkit::eventually;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

use super::DEADLINE;

// What the tests of the channels have, these have.
const SESSION: &str = include_str!("../../../alerting/tests/it/with_desktop/session.sh");

/// One that is there until the story ends.
#[derive(Debug)]
pub(crate) struct Desktop {
    folder: TempDir,
    session: Child,
}

impl Desktop {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let session = Command::new("sh")
            .args(["-c", SESSION])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let desktop = Self { folder, session };
        eventually("dunst is there", DEADLINE, || {
            desktop.ask("is-paused").contains("false")
        });
        desktop
    }

    /// The address of its bus.
    pub(crate) fn bus(&self) -> String {
        format!("unix:path={}", self.folder.path().join("bus").display())
    }

    /// How many notifications are on the screen.
    pub(crate) fn on_screen(&self) -> u64 {
        let count = self.ask("count");
        let mut lines = count.lines();
        let number = lines.find_map(|it| it.trim().strip_prefix("Currently displayed: "));
        number.and_then(|it| it.trim().parse().ok()).unwrap_or(0)
    }

    /// Puts away what is on the screen. Titles of everything that was put away so far, the newest
    /// first.
    pub(crate) fn put_away(&self) -> Vec<String> {
        self.ask("close-all");
        let Ok(history) = serde_json::from_str::<Value>(&self.ask("history")) else {
            return Vec::new();
        };
        let all = history["data"][0].as_array().cloned().unwrap_or_default();
        let titles = all.iter().filter_map(|it| it["summary"]["data"].as_str());
        titles.map(str::to_owned).collect()
    }

    fn ask(&self, what: &str) -> String {
        let output = Command::new("timeout")
            .args(["5", "dunstctl", what])
            .env("DBUS_SESSION_BUS_ADDRESS", self.bus())
            .stderr(Stdio::null())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        let group = Pid::from_raw(i32::try_from(self.session.id()).unwrap());
        // It may have ended by itself.
        let _ended = killpg(group, Signal::SIGKILL);
        let _status = self.session.wait();
    }
}
