//! Processors, and what waits for them.

use serde::{Deserialize, Serialize};

/// Use of the processor since the sample before.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Cpu {
    /// All cores together, 0 to 100.
    pub usage_percent: f64,
    /// Each core, 0 to 100.
    #[serde(default)]
    pub per_core_percent: Vec<f64>,
    /// What all cores together did; absent where the system does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modes: Option<CpuModes>,
    /// Mean frequency of all cores, in MHz.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency_mhz: Option<u32>,
    /// Load averages; absent on Windows, which has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<Load>,
}

/// What all cores together did since the sample before, each as a share of the whole time, 0 to
/// 100 (`proc_stat(5)`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct CpuModes {
    /// Programs, of normal and of low priority.
    pub user_percent: f64,
    /// The kernel, without interrupts.
    pub system_percent: f64,
    /// Nothing, while a disk was waited for.
    pub iowait_percent: f64,
    /// Interrupts.
    pub irq_percent: f64,
    /// Nothing, because the host of this virtual machine gave the time to others.
    pub steal_percent: f64,
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

/// For which share of the time since the sample before work waited, 0 to 100: some of it, or all
/// of it (`full`), which is time that was lost (Linux, `Documentation/accounting/psi.rst`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Pressure {
    /// For a processor.
    pub cpu_percent: f64,
    /// For memory.
    pub memory_percent: f64,
    /// All work waited for memory.
    pub memory_full_percent: f64,
    /// For a disk.
    pub io_percent: f64,
    /// All work waited for a disk.
    pub io_full_percent: f64,
}

/// Processes in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessCounts {
    /// All of them, without threads of the kernel where the system tells them apart.
    pub total: u32,
    /// Threads that run, or could run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<u32>,
    /// Threads that wait for a disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<u32>,
}

/// One graphics processor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gpu {
    /// The system's name for it, e.g. `card0 amdgpu`.
    pub name: String,
    /// How busy it is, 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage_percent: Option<f64>,
    /// Its own memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<super::Memory>,
}
