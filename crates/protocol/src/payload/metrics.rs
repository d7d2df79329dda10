//! One sample: what a machine does at one moment.

mod container;
mod cpu;
mod disk;
mod memory;
mod network;
mod power;
mod sensor;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::SessionId;

pub use container::{Container, ContainerState};
pub use cpu::{Cpu, CpuModes, Gpu, Load, Pressure, ProcessCounts};
pub use disk::{Array, Disk, Drive, Inodes};
pub use memory::{Memory, Zram};
pub use network::Network;
pub use power::{Battery, ChargeState, Throttling};
pub use sensor::{Fan, Temperature, Voltage};

/// One sample of one device, identified for ever by (device, session, seq).
///
/// What a machine does not have, what its agent does not collect and what could not be read is
/// absent. What an agent reads more seldom than it takes samples stands in each of them as it
/// was read last.
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
    /// How long work waited for something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pressure: Option<Pressure>,
    /// Processes in numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processes: Option<ProcessCounts>,
    /// Memory.
    pub memory: Memory,
    /// Swap; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swap: Option<Memory>,
    /// Compressed memory that serves as swap; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zram: Option<Zram>,
    /// Mounted disks.
    #[serde(default)]
    pub disks: Vec<Disk>,
    /// What disks are on: drives, with what they read and write.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drives: Vec<Drive>,
    /// Software RAID.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arrays: Vec<Array>,
    /// Network interfaces.
    #[serde(default)]
    pub network: Vec<Network>,
    /// Temperature sensors; empty where there are none.
    #[serde(default)]
    pub temperatures: Vec<Temperature>,
    /// Fans.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fans: Vec<Fan>,
    /// Voltages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub voltages: Vec<Voltage>,
    /// Whether the processor is slowed down, where the machine tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttling: Option<Throttling>,
    /// Batteries of the machine itself, not of a mouse.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub batteries: Vec<Battery>,
    /// Whether mains power is there, where the machine tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_mains: Option<bool>,
    /// Graphics processors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gpus: Vec<Gpu>,
    /// Who is logged in, each name once; absent unless that is switched on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<Vec<String>>,
    /// Containers; empty unless they are switched on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<Container>,
    /// Collectors that cannot read just now: what they would tell is absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failing: Vec<String>,
}

impl Metrics {
    /// A sample before anyone has written into it.
    pub fn blank(session: SessionId, seq: u64, time: Timestamp) -> Self {
        Self {
            session,
            seq,
            time,
            monotonic_ms: None,
            age_ms: 0,
            oldest_seq: None,
            uptime_secs: 0,
            cpu: Cpu::default(),
            pressure: None,
            processes: None,
            memory: Memory::default(),
            swap: None,
            zram: None,
            disks: Vec::new(),
            drives: Vec::new(),
            arrays: Vec::new(),
            network: Vec::new(),
            temperatures: Vec::new(),
            fans: Vec::new(),
            voltages: Vec::new(),
            throttling: None,
            batteries: Vec::new(),
            on_mains: None,
            gpus: Vec::new(),
            users: None,
            containers: Vec::new(),
            failing: Vec::new(),
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(flag: &bool) -> bool {
    !*flag
}

fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64 * 100.0)
}
