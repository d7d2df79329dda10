//! A program under test: started, measured from outside, ended with its owner.

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, SysconfVar, sysconf};

/// How long a program may take to start.
const START_WITHIN: Duration = Duration::from_secs(30);

/// How long it may take to stop when asked.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// A program that runs. Dropping it kills it.
#[derive(Debug)]
pub struct Program {
    child: Child,
    lines: mpsc::Receiver<String>,
    log: PathBuf,
}

impl Program {
    /// Starts it. Its standard error goes to `log`, so that it never waits for a reader.
    pub fn start(command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let name = command.get_program().to_owned();
        let stderr = std::fs::File::create(log).context("cannot make the log of a program")?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .with_context(|| format!("cannot start {}", name.display()))?;
        let stdout = child.stdout.take().context("it has a standard output")?;
        // A few lines at its start; nobody takes more, and they wait here.
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            child,
            lines,
            log: log.to_owned(),
        })
    }

    /// Waits for a line that begins like this, and returns the rest of it.
    pub fn line(&self, beginning: &str) -> anyhow::Result<String> {
        let deadline = Instant::now() + START_WITHIN;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).map_err(|_| {
                let log = std::fs::read_to_string(&self.log).unwrap_or_default();
                anyhow!(
                    "a program did not print {beginning:?}; it said: {}",
                    log.trim_end()
                )
            })?;
            if let Some(rest) = line.strip_prefix(beginning) {
                return Ok(rest.to_owned());
            }
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// CPU time of all its threads so far, those that have ended included (proc(5),
    /// `/proc/PID/stat`).
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid()))
            .context("the program is gone")?;
        let ticks = cpu_ticks(&stat).context("/proc/PID/stat is not as expected")?;
        let per_second = sysconf(SysconfVar::CLK_TCK)?.context("there is no clock tick")?;
        let per_second = u32::try_from(per_second)?;
        Ok(Duration::from_secs_f64(
            ticks as f64 / f64::from(per_second),
        ))
    }

    /// Resident memory in bytes (`VmRSS` in `/proc/PID/status`).
    pub fn resident_bytes(&self) -> anyhow::Result<u64> {
        self.kilobytes("VmRSS:")
    }

    /// The most that it ever was (`VmHWM`).
    pub fn resident_peak_bytes(&self) -> anyhow::Result<u64> {
        self.kilobytes("VmHWM:")
    }

    /// How many threads it has.
    pub fn threads(&self) -> anyhow::Result<usize> {
        Ok(self.status("Threads:")?.parse()?)
    }

    /// How many file descriptors it has open, sockets included.
    pub fn open_files(&self) -> anyhow::Result<usize> {
        let folder = format!("/proc/{}/fd", self.pid());
        Ok(std::fs::read_dir(folder)
            .context("the program is gone")?
            .count())
    }

    /// What it has said on its standard error.
    pub fn log(&self) -> anyhow::Result<String> {
        std::fs::read_to_string(&self.log).context("cannot read the log of a program")
    }

    fn kilobytes(&self, name: &str) -> anyhow::Result<u64> {
        let value = self.status(name)?;
        let kilobytes: Option<u64> = value.strip_suffix(" kB").and_then(|it| it.parse().ok());
        Ok(kilobytes.context("/proc/PID/status is not as expected")? * 1024)
    }

    /// A line of `/proc/PID/status` (proc(5)).
    fn status(&self, name: &str) -> anyhow::Result<String> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))
            .context("the program is gone")?;
        let value = status.lines().find_map(|line| line.strip_prefix(name));
        // One that has ended and was not waited for has no memory any more.
        Ok(value.context("the program has ended")?.trim().to_owned())
    }

    /// Ends it as a crash would (SIGKILL).
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().context("cannot kill a program")?;
        self.child.wait().context("a program does not end")?;
        Ok(())
    }

    /// Asks it to stop (SIGTERM), and waits until it has.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        kill(Pid::from_raw(i32::try_from(self.pid())?), Signal::SIGTERM)?;
        let deadline = Instant::now() + STOP_WITHIN;
        while self.child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                bail!("a program did not stop within {} s", STOP_WITHIN.as_secs());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// `utime` and `stime`, behind the name in parentheses, which may hold anything.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// `netmonitor`, beside this program unless another is named.
pub fn netmonitor(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    let path = match given {
        Some(path) => path.to_owned(),
        None => std::env::current_exe()
            .context("this program does not know where it is")?
            .with_file_name("netmonitor"),
    };
    if !path.is_file() {
        bail!(
            "{} is not there: build it with `cargo build --release -p netmonitor-hub`, or name \
             another with --netmonitor",
            path.display()
        );
    }
    Ok(path)
}

/// A port that nothing listens on now: mosquitto cannot choose one by itself.
pub fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    Ok(listener.local_addr()?.port())
}

/// Waits until something listens there.
pub fn wait_for(address: SocketAddr) -> anyhow::Result<()> {
    let deadline = Instant::now() + START_WITHIN;
    while TcpStream::connect(address).is_err() {
        if Instant::now() > deadline {
            bail!("nothing listens on {address}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_blanks_does_not_confuse() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 2600 0 1 0 120 30 0 0 20 0 4 0 1 1 1";
        assert_eq!(cpu_ticks(stat), Some(150));
        assert_eq!(cpu_ticks("7 (a) S 1"), None);
    }
}
