//! The processes of one device that need most, and the wish to see them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Someone looks at a device: what is only worth reading then is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// For how long from now, in seconds; an agent takes 300 at most. A time of day would mean
    /// something else on a device whose clock is wrong.
    pub for_secs: u32,
}

/// The processes that need most of the processor, and those that need most of the memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Processes {
    /// When they were read, by the device's clock.
    pub time: Timestamp,
    /// How many processes there are in all.
    pub total: u32,
    /// In the order of their use of the processor, highest first.
    pub processes: Vec<Process>,
}

/// One process: its name, and never its arguments, which may hold secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// The system's number for it.
    pub pid: u32,
    /// Its name, on Linux the first 15 bytes of it (`proc_pid_comm(5)`).
    pub name: String,
    /// Use of the processor since it was read before, of all cores together, 0 to 100; absent when
    /// it is read for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_percent: Option<f64>,
    /// What it has of the memory, in bytes; what it shares with others counts in full.
    pub memory_bytes: u64,
}
