//! Processors, and what waits for them.

use netmonitor_protocol::payload as wire;
use poem_openapi::Object;

use super::memory::Memory;

/// What all cores together did since the sample before, each as a share of the whole time, 0 to
/// 100.
#[derive(Debug, Clone, Copy, PartialEq, Object)]
pub struct CpuModes {
    /// Programs.
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

impl From<wire::CpuModes> for CpuModes {
    fn from(modes: wire::CpuModes) -> Self {
        Self {
            user_percent: modes.user_percent,
            system_percent: modes.system_percent,
            iowait_percent: modes.iowait_percent,
            irq_percent: modes.irq_percent,
            steal_percent: modes.steal_percent,
        }
    }
}

/// Mean length of the run queue.
#[derive(Debug, Clone, Copy, PartialEq, Object)]
pub struct Load {
    /// Over one minute.
    pub one: f64,
    /// Over five minutes.
    pub five: f64,
    /// Over fifteen minutes.
    pub fifteen: f64,
}

impl From<wire::Load> for Load {
    fn from(load: wire::Load) -> Self {
        Self {
            one: load.one,
            five: load.five,
            fifteen: load.fifteen,
        }
    }
}

/// For which share of the time since the sample before work waited, 0 to 100: some of it, or all
/// of it (`full`).
#[derive(Debug, Clone, Copy, PartialEq, Object)]
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

impl From<wire::Pressure> for Pressure {
    fn from(pressure: wire::Pressure) -> Self {
        Self {
            cpu_percent: pressure.cpu_percent,
            memory_percent: pressure.memory_percent,
            memory_full_percent: pressure.memory_full_percent,
            io_percent: pressure.io_percent,
            io_full_percent: pressure.io_full_percent,
        }
    }
}

/// Processes in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Object)]
pub struct ProcessCounts {
    /// All of them.
    pub total: u32,
    /// Threads that run, or could run.
    #[oai(skip_serializing_if_is_none)]
    pub running: Option<u32>,
    /// Threads that wait for a disk.
    #[oai(skip_serializing_if_is_none)]
    pub blocked: Option<u32>,
}

impl From<wire::ProcessCounts> for ProcessCounts {
    fn from(counts: wire::ProcessCounts) -> Self {
        Self {
            total: counts.total,
            running: counts.running,
            blocked: counts.blocked,
        }
    }
}

/// A graphics processor.
#[derive(Debug, Clone, PartialEq, Object)]
pub struct Gpu {
    /// The system's name for it.
    pub name: String,
    /// How busy it is, 0 to 100.
    #[oai(skip_serializing_if_is_none)]
    pub usage_percent: Option<f64>,
    /// Its own memory.
    #[oai(skip_serializing_if_is_none)]
    pub memory: Option<Memory>,
}

impl From<&wire::Gpu> for Gpu {
    fn from(gpu: &wire::Gpu) -> Self {
        Self {
            name: gpu.name.clone(),
            usage_percent: gpu.usage_percent,
            memory: gpu.memory.map(Memory::from),
        }
    }
}
