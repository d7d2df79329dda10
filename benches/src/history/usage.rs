//! What a process has used: CPU, memory, writes. And what lies on the disk.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use nix::time::{ClockId, clock_gettime};

/// CPU time of this process, all its threads (`clock_gettime(2)`).
pub fn own_cpu() -> anyhow::Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)?.into())
}

/// Bytes that this process has caused to be written to disk (proc(5), `write_bytes` in
/// `/proc/PID/io`).
pub fn own_written() -> anyhow::Result<u64> {
    written(std::process::id())
}

/// Bytes that a process has caused to be written to disk.
pub fn written(pid: u32) -> anyhow::Result<u64> {
    let io = fs::read_to_string(format!("/proc/{pid}/io")).context("the program is gone")?;
    let line = io.lines().find_map(|it| it.strip_prefix("write_bytes: "));
    Ok(line.context("/proc/PID/io is not as expected")?.parse()?)
}

/// The most that this process ever had in memory (`VmHWM`), in bytes.
pub fn own_peak_bytes() -> anyhow::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"));
    let kilobytes: u64 = line
        .and_then(|it| it.trim().strip_suffix(" kB")?.parse().ok())
        .context("/proc/self/status is not as expected")?;
    Ok(kilobytes * 1024)
}

/// The length of all files below a folder, or of one file and of those that SQLite has beside
/// it.
pub fn bytes_on_disk(path: &Path) -> anyhow::Result<u64> {
    if path.is_dir() {
        return below(path);
    }
    let beside = ["", "-wal", "-shm"].map(|ending| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        fs::metadata(name).map_or(0, |file| file.len())
    });
    Ok(beside.iter().sum())
}

fn below(folder: &Path) -> anyhow::Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // A store that tidies up may have removed it by now.
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        sum += if kind.is_dir() {
            below(&entry.path()).unwrap_or(0)
        } else {
            entry.metadata().map_or(0, |file| file.len())
        };
    }
    Ok(sum)
}
