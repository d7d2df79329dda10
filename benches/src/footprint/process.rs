//! A process as it is measured from outside, and many that do nothing.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use nix::time::clock_getcpuclockid;
use nix::unistd::Pid;

use super::Cost;

/// What a process has used so far.
pub(super) struct Usage {
    at: Instant,
    cpu: Duration,
    resident_kb: u64,
    proportional_kb: u64,
}

impl Usage {
    /// To the nanosecond, all threads together, those that have ended included
    /// (`clock_getcpuclockid(3)`).
    pub(super) fn of(pid: u32) -> anyhow::Result<Self> {
        let clock = clock_getcpuclockid(Pid::from_raw(i32::try_from(pid)?))?;
        let cpu = clock.now().context("the program is gone")?.into();
        let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
        let kilobytes = |name: &str| -> Option<u64> {
            let line = rollup.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().strip_suffix(" kB")?.parse().ok()
        };
        Ok(Self {
            at: Instant::now(),
            cpu,
            resident_kb: kilobytes("Rss:").context("no Rss in smaps_rollup")?,
            proportional_kb: kilobytes("Pss:").context("no Pss in smaps_rollup")?,
        })
    }

    pub(super) fn since(&self, before: &Self) -> Cost {
        let minutes = self.at.duration_since(before.at).as_secs_f64() / 60.0;
        let cpu = self.cpu.saturating_sub(before.cpu);
        Cost {
            cpu_ms_per_min: cpu.as_secs_f64() * 1000.0 / minutes,
            resident_mib: self.resident_kb as f64 / 1024.0,
            proportional_mib: self.proportional_kb as f64 / 1024.0,
        }
    }
}

/// Processes that do nothing. They end with their owner.
pub(super) struct Crowd(Vec<Child>);

impl Crowd {
    /// So many that there are `wanted` on the machine.
    pub(super) fn gather(wanted: usize) -> anyhow::Result<Self> {
        let folder = std::fs::read_dir("/proc")?;
        let there = folder.flatten().filter(|entry| {
            let name = entry.file_name();
            name.as_encoded_bytes().iter().all(u8::is_ascii_digit)
        });
        let mut crowd = Self(Vec::new());
        for _ in there.count()..wanted {
            let child = Command::new("sleep")
                .arg("86400")
                .stdin(Stdio::null())
                .spawn()
                .context("cannot start a process that does nothing")?;
            crowd.0.push(child);
        }
        Ok(crowd)
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // It may have ended by itself.
            let _gone = child.kill();
        }
        for child in &mut self.0 {
            let _gone = child.wait();
        }
    }
}
