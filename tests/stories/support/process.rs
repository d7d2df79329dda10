//! A program that runs, and what it printed.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use netmonitor_testkit::eventually_some;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::DEADLINE;
use super::programs::program;

/// One of our programs with nothing of the caller's environment that matters to it.
pub(crate) fn command(name: &str) -> Command {
    let mut command = Command::new(program(name));
    for variable in [
        "STATE_DIRECTORY",
        "XDG_DATA_HOME",
        "NETMONITOR_CONFIG",
        "RUST_LOG",
    ] {
        command.env_remove(variable);
    }
    command
        // No bus: the list of services is the list of processes, on every machine.
        .env("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus")
        .stdin(Stdio::null());
    command
}

/// What a program said until its end.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a program to its end, with `input` as its standard input.
pub(crate) fn output(command: &mut Command, input: &str) -> Ended {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that does not read its input closes it: that is its right.
    let _unread = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended {
        code: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// Lines as they come.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn follow(&self, source: impl Read + Send + 'static) -> JoinHandle<()> {
        let lines = self.0.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(source).lines().map_while(Result::ok) {
                lines.lock().unwrap().push(line);
            }
        })
    }

    /// Those that came so far.
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// A program that ends with the story. If the story fails, what it wrote on standard error is
/// shown.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    pub(crate) stdout: Lines,
    pub(crate) stderr: Lines,
    readers: Vec<JoinHandle<()>>,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()));
        let (stdout, stderr) = (Lines::default(), Lines::default());
        let readers = vec![
            stdout.follow(child.stdout.take().unwrap()),
            stderr.follow(child.stderr.take().unwrap()),
        ];
        let name = Path::new(command.get_program()).file_name();
        let arguments = command.get_args().collect::<Vec<_>>().join(OsStr::new(" "));
        Self {
            name: format!("{} {}", name.unwrap().display(), arguments.display()),
            child,
            stdout,
            stderr,
            readers,
        }
    }

    /// Waits until it printed a line that begins like this, and returns the rest of it. Fails at
    /// once if the program ends before.
    pub(crate) fn line(&mut self, beginning: &str) -> String {
        let what = format!("{}: a line {beginning:?}", self.name);
        let (stdout, child) = (self.stdout.clone(), &mut self.child);
        let readers = &self.readers;
        let found = eventually_some(&what, DEADLINE, || {
            // And all that it said is here.
            let ended =
                child.try_wait().unwrap().is_some() && readers.iter().all(JoinHandle::is_finished);
            let found = stdout
                .all()
                .iter()
                .find_map(|line| line.strip_prefix(beginning).map(str::to_owned));
            found.map(Some).or(ended.then_some(None))
        });
        found.unwrap_or_else(|| panic!("{} ended before it printed {beginning:?}", self.name))
    }

    /// Ends it as a crash would (SIGKILL).
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end (SIGTERM), and waits until it has.
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.ended()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        kill(pid, signal).unwrap();
    }

    /// Whether it has not ended yet.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Asks it to end, and ends it if it does not.
    pub(crate) fn terminate_or_kill(&mut self, patience: Duration) {
        self.signal(Signal::SIGTERM);
        let until = Instant::now() + patience;
        while self.child.try_wait().unwrap().is_none() {
            if Instant::now() > until {
                return self.kill();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for its end.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let what = format!("the end of {}", self.name);
        let child = &mut self.child;
        eventually_some(&what, DEADLINE, || child.try_wait().unwrap())
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the runner shows what a story that failed has printed"
)]
impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
        for reader in self.readers.drain(..) {
            let _panicked = reader.join();
        }
        if std::thread::panicking() {
            eprintln!("--- standard error of {}", self.name);
            for line in self.stderr.all() {
                eprintln!("{line}");
            }
        }
    }
}
