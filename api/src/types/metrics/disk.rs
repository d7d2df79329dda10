//! Disks: what is mounted, and what it is on.

use std::ops::Not;

use netmonitor_protocol::payload as wire;
use poem_openapi::Object;

use crate::types::round::tenth;

/// A mounted disk.
#[derive(Debug, Clone, PartialEq, Object)]
pub struct Disk {
    /// Where it is mounted.
    pub mount: String,
    /// Size in bytes.
    pub total_bytes: u64,
    /// Used, in bytes.
    pub used_bytes: u64,
    /// What an ordinary user can still write, in bytes.
    pub available_bytes: u64,
    /// Used share of what an ordinary user can use, 0 to 100. Absent while it does not answer.
    #[oai(skip_serializing_if_is_none)]
    pub used_percent: Option<f64>,
    /// Places for files; absent where the file system makes them as it needs them.
    #[oai(skip_serializing_if_is_none)]
    pub inodes: Option<Inodes>,
    /// Nothing can be written to it.
    #[oai(default, skip_serializing_if = "Not::not")]
    pub read_only: bool,
    /// It is on another machine, which knows better how full it is.
    #[oai(default, skip_serializing_if = "Not::not")]
    pub remote: bool,
    /// It does not answer: the numbers are those of before, or 0 if there were none.
    #[oai(default, skip_serializing_if = "Not::not")]
    pub unresponsive: bool,
}

impl From<&wire::Disk> for Disk {
    fn from(disk: &wire::Disk) -> Self {
        let used = disk.used_percent().filter(|_| !disk.unresponsive);
        Self {
            mount: disk.mount.clone(),
            total_bytes: disk.total_bytes,
            used_bytes: disk.used_bytes,
            available_bytes: disk.available_bytes,
            used_percent: used.map(tenth),
            inodes: disk.inodes.map(Inodes::from),
            read_only: disk.read_only,
            remote: disk.remote,
            unresponsive: disk.unresponsive,
        }
    }
}

/// Places for files.
#[derive(Debug, Clone, Copy, PartialEq, Object)]
pub struct Inodes {
    /// How many there are.
    pub total: u64,
    /// How many are taken.
    pub used: u64,
    /// Used share, 0 to 100.
    #[oai(skip_serializing_if_is_none)]
    pub used_percent: Option<f64>,
}

impl From<wire::Inodes> for Inodes {
    fn from(inodes: wire::Inodes) -> Self {
        Self {
            total: inodes.total,
            used: inodes.used,
            used_percent: inodes.used_percent().map(tenth),
        }
    }
}

/// A drive: a whole disk, not its partitions.
#[derive(Debug, Clone, PartialEq, Object)]
pub struct Drive {
    /// The system's name for it.
    pub name: String,
    /// Read since boot, in bytes.
    pub read_bytes: u64,
    /// Written since boot, in bytes.
    pub written_bytes: u64,
    /// Read per second since the sample before.
    #[oai(skip_serializing_if_is_none)]
    pub read_bytes_per_sec: Option<f64>,
    /// Written per second since the sample before.
    #[oai(skip_serializing_if_is_none)]
    pub written_bytes_per_sec: Option<f64>,
    /// Reads per second since the sample before.
    #[oai(skip_serializing_if_is_none)]
    pub reads_per_sec: Option<f64>,
    /// Writes per second since the sample before.
    #[oai(skip_serializing_if_is_none)]
    pub writes_per_sec: Option<f64>,
    /// For which share of the time since the sample before it had something to do, 0 to 100.
    #[oai(skip_serializing_if_is_none)]
    pub busy_percent: Option<f64>,
    /// How much of its life is used up, in steps of 10, 100 at the end of it.
    #[oai(skip_serializing_if_is_none)]
    pub wear_percent: Option<u8>,
}

impl From<&wire::Drive> for Drive {
    fn from(drive: &wire::Drive) -> Self {
        Self {
            name: drive.name.clone(),
            read_bytes: drive.read_bytes,
            written_bytes: drive.written_bytes,
            read_bytes_per_sec: drive.read_bytes_per_sec,
            written_bytes_per_sec: drive.written_bytes_per_sec,
            reads_per_sec: drive.reads_per_sec,
            writes_per_sec: drive.writes_per_sec,
            busy_percent: drive.busy_percent,
            wear_percent: drive.wear_percent,
        }
    }
}

/// An array of software RAID.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct Array {
    /// The system's name for it.
    pub name: String,
    /// What it is, such as `raid1`.
    pub level: String,
    /// How many drives it should have.
    pub drives: u32,
    /// How many of those are missing.
    pub missing: u32,
    /// What it does beside its work, if anything: `resync`, `recover`, `check`, ...
    #[oai(skip_serializing_if_is_none)]
    pub action: Option<String>,
}

impl From<&wire::Array> for Array {
    fn from(array: &wire::Array) -> Self {
        Self {
            name: array.name.clone(),
            level: array.level.clone(),
            drives: array.drives,
            missing: array.missing,
            action: array.action.clone(),
        }
    }
}
