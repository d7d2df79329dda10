//! What one collector has read.

use std::collections::BTreeMap;

use netmonitor_protocol::payload::{
    Array, Battery, Container, CpuModes, Disk, DiskInfo, Drive, Fan, Gpu, Load, Memory, Metrics,
    Network, Pressure, ProcessCounts, Temperature, Throttling, Updates, Voltage, Zram,
};

use super::Facts;

/// What one collector has read. It stands in each sample until it is read anew.
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "Linux tells more than others")
)]
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    /// The machine has nothing of the kind.
    Nothing,
    /// Seconds since boot.
    Uptime(u64),
    /// Use of the processor.
    Cpu {
        usage_percent: f64,
        per_core_percent: Vec<f64>,
        modes: Option<CpuModes>,
    },
    /// Mean frequency of the cores, in MHz.
    Frequency(u32),
    /// Load averages.
    Load(Load),
    /// How long work waited.
    Pressure(Pressure),
    /// How many processes there are.
    Processes(ProcessCounts),
    /// Memory, and swap if there is some.
    Memory(Memory, Option<Memory>),
    /// Compressed memory.
    Zram(Zram),
    /// Mounted disks, in numbers and for the inventory.
    Disks(Vec<Disk>, Vec<DiskInfo>),
    /// What they are on.
    Drives(Vec<Drive>),
    /// Software RAID.
    Arrays(Vec<Array>),
    /// Network interfaces.
    Network(Vec<Network>),
    /// What their drivers know of them, by name.
    Links {
        mbit_per_sec: BTreeMap<String, u32>,
        signal_dbm: BTreeMap<String, i32>,
    },
    /// What sensors measure.
    Sensors {
        temperatures: Vec<Temperature>,
        fans: Vec<Fan>,
        voltages: Vec<Voltage>,
    },
    /// What slows the processor down.
    Throttling(Throttling),
    /// Batteries, and whether mains power is there.
    Power(Vec<Battery>, Option<bool>),
    /// Graphics processors.
    Gpus(Vec<Gpu>),
    /// Who is logged in.
    Users(Vec<String>),
    /// Containers.
    Containers(Vec<Container>),
    /// Whether packages wait to be updated, or the machine to be restarted.
    Upkeep {
        restart_required: Option<bool>,
        updates: Option<Updates>,
    },
}

impl Part {
    /// Writes it into a sample.
    pub(super) fn write(&self, sample: &mut Metrics) {
        match self.clone() {
            Self::Nothing | Self::Upkeep { .. } => {}
            Self::Uptime(secs) => sample.uptime_secs = secs,
            Self::Cpu {
                usage_percent,
                per_core_percent,
                modes,
            } => {
                sample.cpu.usage_percent = usage_percent;
                sample.cpu.per_core_percent = per_core_percent;
                sample.cpu.modes = modes;
            }
            Self::Frequency(mhz) => sample.cpu.frequency_mhz = Some(mhz),
            Self::Load(load) => sample.cpu.load = Some(load),
            Self::Pressure(pressure) => sample.pressure = Some(pressure),
            Self::Processes(counts) => sample.processes = Some(counts),
            Self::Memory(memory, swap) => {
                sample.memory = memory;
                sample.swap = swap;
            }
            Self::Zram(zram) => sample.zram = Some(zram),
            Self::Disks(disks, _) => sample.disks = disks,
            Self::Drives(drives) => sample.drives = drives,
            Self::Arrays(arrays) => sample.arrays = arrays,
            Self::Network(network) => sample.network = network,
            Self::Links {
                mbit_per_sec,
                signal_dbm,
            } => {
                for network in &mut sample.network {
                    let name = &network.interface;
                    network.signal_dbm = signal_dbm.get(name).copied();
                    network.link_mbit_per_sec = mbit_per_sec
                        .get(name)
                        .copied()
                        .filter(|_| network.link == Some(true));
                }
            }
            Self::Sensors {
                temperatures,
                fans,
                voltages,
            } => {
                sample.temperatures = temperatures;
                sample.fans = fans;
                sample.voltages = voltages;
            }
            Self::Throttling(throttling) => sample.throttling = Some(throttling),
            Self::Power(batteries, on_mains) => {
                sample.batteries = batteries;
                sample.on_mains = on_mains;
            }
            Self::Gpus(gpus) => sample.gpus = gpus,
            Self::Users(users) => sample.users = Some(users),
            Self::Containers(containers) => sample.containers = containers,
        }
    }

    /// Writes what of it belongs into the inventory.
    pub(super) fn tell(&self, facts: &mut Facts) {
        match self {
            Self::Disks(_, disks) => facts.disks.clone_from(disks),
            Self::Upkeep {
                restart_required,
                updates,
            } => {
                facts.restart_required = *restart_required;
                facts.updates = *updates;
            }
            _ => {}
        }
    }
}
