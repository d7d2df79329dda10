//! One sample: what a machine does at one moment.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::SessionId;

/// One sample of one device, identified for ever by (device, session, seq).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// The start of the agent that took it.
    pub session: SessionId,
    /// Counts the samples of that start, from 1.
    pub seq: u64,
    /// When it was taken, by the device's clock.
    pub time: Timestamp,
    /// When it was taken by the clock that nobody sets: milliseconds since the machine's boot,
    /// sleep included (`clock_gettime(2)`, `CLOCK_BOOTTIME`). Places the samples of one boot
    /// beside each other, whatever happens to `time`. Absent in a sample of an earlier boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monotonic_ms: Option<u64>,
    /// How long before it was sent it was taken, in milliseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub age_ms: u64,
    /// The number of the oldest sample of this session that the agent still keeps: what is
    /// older and not stored is lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_seq: Option<u64>,
    /// Time since the machine's boot, in seconds.
    pub uptime_secs: u64,
    /// Processor.
    pub cpu: Cpu,
    /// Memory.
    pub memory: Memory,
    /// Swap; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swap: Option<Memory>,
    /// Mounted disks.
    #[serde(default)]
    pub disks: Vec<Disk>,
    /// Network interfaces.
    #[serde(default)]
    pub network: Vec<Network>,
    /// Temperature sensors; empty where there are none.
    #[serde(default)]
    pub temperatures: Vec<Temperature>,
}

/// Use of the processor since the sample before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cpu {
    /// All cores together, 0 to 100.
    pub usage_percent: f64,
    /// Each core, 0 to 100.
    #[serde(default)]
    pub per_core_percent: Vec<f64>,
    /// Load averages; absent on Windows, which has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<Load>,
}

/// Mean length of the run queue (`/proc/loadavg`).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// Over one minute.
    pub one: f64,
    /// Over five minutes.
    pub five: f64,
    /// Over fifteen minutes.
    pub fifteen: f64,
}

/// Memory or swap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Size in bytes.
    pub total_bytes: u64,
    /// Not available for new work, in bytes: caches that can be dropped do not count.
    pub used_bytes: u64,
}

impl Memory {
    /// Used share, 0 to 100; none where the size is 0.
    pub fn used_percent(&self) -> Option<f64> {
        percent(self.used_bytes, self.total_bytes)
    }
}

/// One mounted disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64 * 100.0)
}

/// One network interface.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// The system's name for it, e.g. `eth0`.
    pub interface: String,
    /// Received since boot, in bytes.
    pub received_bytes: u64,
    /// Sent since boot, in bytes.
    pub sent_bytes: u64,
    /// Received per second since the sample before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_bytes_per_sec: Option<f64>,
    /// Sent per second since the sample before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_bytes_per_sec: Option<f64>,
}

/// One temperature sensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Temperature {
    /// The sensor's name, e.g. `coretemp Package id 0`.
    pub sensor: String,
    /// In degrees Celsius.
    pub celsius: f64,
}
