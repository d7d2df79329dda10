//! Disks: what is mounted, and what it is on.

use serde::{Deserialize, Serialize};

use super::{is_false, percent};

/// One mounted disk.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// Where it is mounted.
    pub mount: String,
    /// Size in bytes.
    pub total_bytes: u64,
    /// Used, in bytes.
    pub used_bytes: u64,
    /// What an ordinary user can still write, in bytes. Less than size minus used where the
    /// file system keeps something back for root.
    pub available_bytes: u64,
    /// Places for files; absent where the file system makes them as it needs them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inodes: Option<Inodes>,
    /// Nothing can be written to it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub read_only: bool,
    /// It is on another machine, which knows better how full it is.
    #[serde(default, skip_serializing_if = "is_false")]
    pub remote: bool,
    /// It does not answer: the numbers are those of before, or 0 if there were none.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unresponsive: bool,
}

impl Disk {
    /// Used share of what an ordinary user can use, 0 to 100, as `df(1)` has it; none where
    /// the size is 0.
    pub fn used_percent(&self) -> Option<f64> {
        percent(
            self.used_bytes,
            self.used_bytes.saturating_add(self.available_bytes),
        )
    }
}

/// Places for files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inodes {
    /// How many there are.
    pub total: u64,
    /// How many are taken.
    pub used: u64,
}

impl Inodes {
    /// Used share, 0 to 100; none where there are none.
    pub fn used_percent(&self) -> Option<f64> {
        percent(self.used, self.total)
    }
}

/// One drive: a whole disk, not its partitions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Drive {
    /// The system's name for it, e.g. `nvme0n1`.
    pub name: String,
    /// Read since boot, in bytes.
    pub read_bytes: u64,
    /// Written since boot, in bytes.
    pub written_bytes: u64,
    /// Read per second since the sample before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_bytes_per_sec: Option<f64>,
    /// Written per second since the sample before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_bytes_per_sec: Option<f64>,
    /// Reads per second since the sample before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reads_per_sec: Option<f64>,
    /// Writes per second since the sample before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writes_per_sec: Option<f64>,
    /// For which share of the time since the sample before it had something to do, 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy_percent: Option<f64>,
    /// How much of its life is used up, in steps of 10, 100 at the end of it: of eMMC (JESD84-B51,
    /// `DEVICE_LIFE_TIME_EST`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wear_percent: Option<u8>,
}

/// One array of Linux software RAID (`Documentation/admin-guide/md.rst`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Array {
    /// The system's name for it, e.g. `md0`.
    pub name: String,
    /// What it is, e.g. `raid1`.
    pub level: String,
    /// How many drives it should have.
    pub drives: u32,
    /// How many of those are missing.
    pub missing: u32,
    /// What it does beside its work, if anything: `resync`, `recover`, `check`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
}
