//! Starts the program.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Longest time for anything that a test waits for.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// Waits for a condition while everything else in this test goes on.
pub(crate) async fn until(what: &str, condition: impl FnMut() -> bool) {
    until_within(DEADLINE, what, condition).await;
}

/// The same for what takes longer by its nature.
pub(crate) async fn until_within(
    deadline: Duration,
    what: &str,
    mut condition: impl FnMut() -> bool,
) {
    let holds = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let held = tokio::time::timeout(deadline, holds).await;
    assert!(held.is_ok(), "not in time: {what}");
}

/// The agent with its state in `state_dir`, and nothing of the caller's environment that
/// matters to it.
pub(crate) fn agent(state_dir: &Path, arguments: &[&str]) -> Command {
    let runtime = state_dir.join("run");
    std::fs::create_dir_all(&runtime).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_netmonitor-agent"));
    command
        .arg("--state-dir")
        .arg(state_dir)
        .args(arguments)
        .env("RUST_LOG", "debug,rumqttc=error,zbus=error")
        // What waits for the hub is with the state, and goes with it.
        .env("XDG_RUNTIME_DIR", runtime)
        .env("RUNTIME_DIRECTORY", "")
        // No bus: the list of services is the list of processes.
        .env("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus")
        .stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub(crate) fn output(command: &mut Command) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// A program that ends with the test.
pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.0.id()).unwrap());
        kill(pid, signal).unwrap();
    }

    /// Its exit code, if it has ended by itself.
    pub(crate) fn exit_code(&mut self) -> Option<i32> {
        let status = self.0.try_wait().unwrap();
        status.and_then(|status| status.code())
    }

    /// Waits for its end while everything else in this test goes on, and returns its exit code.
    pub(crate) async fn has_ended(&mut self) -> Option<i32> {
        let mut status = None;
        until("the program ends", || {
            status = self.0.try_wait().unwrap();
            status.is_some()
        })
        .await;
        status.and_then(|status| status.code())
    }

    /// Waits for its end: exit code (none if a signal ended it) and how long it took.
    pub(crate) fn ended(&mut self) -> (Option<i32>, Duration) {
        let start = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return (status.code(), start.elapsed());
            }
            assert!(start.elapsed() < DEADLINE, "the program does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.0.kill();
        let _status = self.0.wait();
    }
}
