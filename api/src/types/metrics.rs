//! One sample of a device.

mod container;
mod cpu;
mod disk;
mod memory;
mod network;
mod power;
mod sensor;

use netmonitor_protocol::payload as wire;
use poem_openapi::Object;

use super::Time;

pub use container::{Container, ContainerState};
pub use cpu::{CpuModes, Gpu, Load, Pressure, ProcessCounts};
pub use disk::{Array, Disk, Drive, Inodes};
pub use memory::{Memory, Zram};
pub use network::Network;
pub use power::{Battery, ChargeState, Throttling};
pub use sensor::{Fan, Temperature, Voltage};

/// One sample. What the machine does not have, what its agent does not collect and what could not
/// be read is absent.
#[derive(Debug, Clone, PartialEq, Object)]
pub struct DeviceMetrics {
    /// When it was taken, by the device's clock.
    pub time: Time,
    /// Time since boot, in seconds.
    pub uptime_secs: u64,
    /// All cores together, 0 to 100.
    pub cpu_percent: f64,
    /// Each core, 0 to 100.
    pub per_core_percent: Vec<f64>,
    /// What all cores together did.
    #[oai(skip_serializing_if_is_none)]
    pub cpu_modes: Option<CpuModes>,
    /// Mean frequency of all cores, in MHz.
    #[oai(skip_serializing_if_is_none)]
    pub cpu_frequency_mhz: Option<u32>,
    /// Load averages; absent on Windows.
    #[oai(skip_serializing_if_is_none)]
    pub load: Option<Load>,
    /// How long work waited for something.
    #[oai(skip_serializing_if_is_none)]
    pub pressure: Option<Pressure>,
    /// Processes in numbers.
    #[oai(skip_serializing_if_is_none)]
    pub processes: Option<ProcessCounts>,
    /// Memory.
    pub memory: Memory,
    /// Swap; absent where there is none.
    #[oai(skip_serializing_if_is_none)]
    pub swap: Option<Memory>,
    /// Compressed memory that serves as swap.
    #[oai(skip_serializing_if_is_none)]
    pub zram: Option<Zram>,
    /// Mounted disks.
    pub disks: Vec<Disk>,
    /// What disks are on: drives, with what they read and write.
    #[oai(default, skip_serializing_if_is_empty)]
    pub drives: Vec<Drive>,
    /// Software RAID.
    #[oai(default, skip_serializing_if_is_empty)]
    pub arrays: Vec<Array>,
    /// Network interfaces.
    pub network: Vec<Network>,
    /// Temperature sensors.
    pub temperatures: Vec<Temperature>,
    /// Fans.
    #[oai(default, skip_serializing_if_is_empty)]
    pub fans: Vec<Fan>,
    /// Voltages.
    #[oai(default, skip_serializing_if_is_empty)]
    pub voltages: Vec<Voltage>,
    /// Whether the processor is slowed down, where the machine tells.
    #[oai(skip_serializing_if_is_none)]
    pub throttling: Option<Throttling>,
    /// Batteries of the machine itself.
    #[oai(default, skip_serializing_if_is_empty)]
    pub batteries: Vec<Battery>,
    /// Whether mains power is there, where the machine tells.
    #[oai(skip_serializing_if_is_none)]
    pub on_mains: Option<bool>,
    /// Graphics processors.
    #[oai(default, skip_serializing_if_is_empty)]
    pub gpus: Vec<Gpu>,
    /// Who is logged in, each name once; absent unless the agent is to tell.
    #[oai(skip_serializing_if_is_none)]
    pub users: Option<Vec<String>>,
    /// Containers; absent unless the agent is to tell.
    #[oai(default, skip_serializing_if_is_empty)]
    pub containers: Vec<Container>,
    /// What the agent cannot read just now, by the names of its collectors: what they would tell
    /// is absent.
    #[oai(default, skip_serializing_if_is_empty)]
    pub failing: Vec<String>,
}

impl From<&wire::Metrics> for DeviceMetrics {
    fn from(metrics: &wire::Metrics) -> Self {
        let cpu = &metrics.cpu;
        Self {
            time: metrics.time.into(),
            uptime_secs: metrics.uptime_secs,
            cpu_percent: cpu.usage_percent,
            per_core_percent: cpu.per_core_percent.clone(),
            cpu_modes: cpu.modes.map(CpuModes::from),
            cpu_frequency_mhz: cpu.frequency_mhz,
            load: cpu.load.map(Load::from),
            pressure: metrics.pressure.map(Pressure::from),
            processes: metrics.processes.map(ProcessCounts::from),
            memory: metrics.memory.into(),
            swap: metrics.swap.map(Memory::from),
            zram: metrics.zram.map(Zram::from),
            disks: all(&metrics.disks),
            drives: all(&metrics.drives),
            arrays: all(&metrics.arrays),
            network: all(&metrics.network),
            temperatures: all(&metrics.temperatures),
            fans: all(&metrics.fans),
            voltages: all(&metrics.voltages),
            throttling: metrics.throttling.map(Throttling::from),
            batteries: all(&metrics.batteries),
            on_mains: metrics.on_mains,
            gpus: all(&metrics.gpus),
            users: metrics.users.clone(),
            containers: all(&metrics.containers),
            failing: metrics.failing.clone(),
        }
    }
}

fn all<'a, Wire, Shown: From<&'a Wire>>(wire: &'a [Wire]) -> Vec<Shown> {
    wire.iter().map(Shown::from).collect()
}

#[cfg(test)]
mod tests {
    use poem_openapi::types::ToJSON as _;
    use serde_json::json;

    use super::*;

    fn shown(wire: &str) -> serde_json::Value {
        let metrics: wire::Metrics = serde_json::from_str(wire).unwrap();
        DeviceMetrics::from(&metrics).to_json().unwrap()
    }

    #[test]
    fn what_a_machine_does_not_have_is_absent() {
        let shown = shown(
            r#"{"session":"00000000000000aa","seq":1,"time":"2026-11-22T10:00:00Z",
                "uptime_secs":5,"cpu":{"usage_percent":12.3},
                "memory":{"total_bytes":0,"used_bytes":0}}"#,
        );
        let expected = json!({
            "time": "2026-11-22T10:00:00Z", "uptime_secs": 5, "cpu_percent": 12.3,
            "per_core_percent": [], "memory": { "total_bytes": 0, "used_bytes": 0 },
            "disks": [], "network": [], "temperatures": [],
        });
        assert_eq!(shown, expected);
    }

    #[test]
    fn all_that_a_machine_tells_is_shown() {
        let golden = include_str!("../../../crates/protocol/golden/device_metrics.json");
        let shown = shown(golden);
        let has = |name: &str| shown.get(name).is_some();
        for name in [
            "cpu_modes",
            "cpu_frequency_mhz",
            "load",
            "pressure",
            "processes",
            "swap",
            "zram",
            "disks",
            "drives",
            "arrays",
            "network",
            "temperatures",
            "fans",
            "voltages",
            "throttling",
            "batteries",
            "on_mains",
            "gpus",
            "users",
            "containers",
            "failing",
        ] {
            assert!(has(name), "{name}");
        }
        assert_eq!(shown["disks"][0]["inodes"]["used_percent"], 2.6);
        assert_eq!(
            shown["disks"][0]["read_only"],
            json!(null),
            "said where it is so"
        );
        let share = &shown["disks"][1];
        let said = ["read_only", "remote", "unresponsive"].map(|name| &share[name] == true);
        assert_eq!((said, share.get("used_percent")), ([true; 3], None));
        assert_eq!(shown["containers"][0]["state"], "running");
        assert_eq!(shown["batteries"][0]["state"], "discharging");
    }
}
