//! What the machine is: all that seldom changes.

#[cfg(target_os = "linux")]
mod machine_linux;
#[cfg(not(target_os = "linux"))]
mod machine_other;

use std::time::{Duration, Instant};

use anyhow::Context as _;
use jiff::Timestamp;
use netmonitor_protocol::payload::{Info, InterfaceInfo};
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, Networks, RefreshKind, System};

#[cfg(target_os = "linux")]
use machine_linux as machine;
#[cfg(not(target_os = "linux"))]
use machine_other as machine;

use crate::VERSION;
use crate::collect::{Links, is_worth_showing, mounted};
use crate::failures::Failures;
use crate::root::Root;

pub(crate) use machine::boot_id;

/// Reads the inventory as often as asked; what cannot change while the machine runs is read
/// once.
pub(crate) struct Inventory {
    root: Root,
    /// The name that the admin gave at joining.
    name: Option<String>,
    processor: Option<String>,
    cores: u32,
    disk_failures: Failures,
    interface_failures: Failures,
}

impl Inventory {
    /// Reads what cannot change.
    pub(crate) fn new(root: &Root, name: Option<String>) -> Self {
        let cpu = RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing());
        let system = System::new_with_specifics(cpu).ok();
        let cores = system.as_ref().map_or(&[][..], System::cpus);
        let brand = cores.first().map(|core| core.brand().trim().to_owned());
        Self {
            root: root.clone(),
            name,
            processor: brand
                .filter(|brand| !brand.is_empty())
                .or_else(|| machine::board(root)),
            cores: u32::try_from(cores.len()).unwrap_or(u32::MAX),
            disk_failures: Failures::default(),
            interface_failures: Failures::default(),
        }
    }

    /// Reads the inventory. What cannot be read is left empty, logged now and then. `interval`
    /// is the time between two samples.
    pub(crate) fn read(&mut self, interval: Duration, now: Instant, time: Timestamp) -> Info {
        let host_name = host_name();
        let disks = mounted();
        self.disk_failures.note("disks", now, disks.as_ref());
        let interfaces = interfaces(&self.root);
        self.interface_failures
            .note("interfaces", now, interfaces.as_ref());
        Info {
            time,
            name: self.name.clone().unwrap_or_else(|| host_name.clone()),
            host_name,
            os: machine::os(&self.root)
                .or_else(|| System::long_os_version().ok())
                .unwrap_or_else(|| std::env::consts::OS.to_owned()),
            kernel: System::kernel_version().ok(),
            architecture: System::cpu_arch(),
            processor: self.processor.clone(),
            cores: self.cores,
            memory_bytes: memory_bytes(),
            disks: disks.unwrap_or_default(),
            interfaces: interfaces.unwrap_or_default(),
            boot_id: boot_id(&self.root),
            restart_required: None,
            updates: None,
            watched_services: None,
            interval_secs: interval.as_secs_f64(),
            agent_version: VERSION.to_owned(),
        }
    }
}

/// Whether two readings differ in what they say, whenever they were made.
pub(crate) fn differs(a: &Info, b: &Info) -> bool {
    let undated = |info: &Info| Info {
        time: Timestamp::UNIX_EPOCH,
        ..info.clone()
    };
    undated(a) != undated(b)
}

/// The host name as the system has it.
pub(crate) fn host_name() -> String {
    System::host_name().unwrap_or_else(|_| "unknown".to_owned())
}

fn memory_bytes() -> u64 {
    let memory = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    System::new_with_specifics(memory).map_or(0, |system| system.total_memory())
}

/// Interfaces in the order of their names, with sorted addresses, so that two readings of the
/// same state are equal.
fn interfaces(root: &Root) -> anyhow::Result<Vec<InterfaceInfo>> {
    let networks =
        Networks::new_with_refreshed_list().context("cannot look for network interfaces")?;
    let links = Links::new(root);
    let mut interfaces: Vec<InterfaceInfo> = networks
        .iter()
        .filter_map(|(name, data)| Some((name.to_str()?, data)))
        .filter(|(name, data)| is_worth_showing(&links, name, data))
        .map(|(name, data)| {
            let mac = data.mac_address();
            let mut addresses: Vec<_> = data
                .ip_networks()
                .iter()
                .map(|network| (network.addr, network.prefix))
                .collect();
            addresses.sort_unstable();
            InterfaceInfo {
                name: name.to_owned(),
                mac: (!mac.is_unspecified()).then(|| mac.to_string()),
                addresses: addresses
                    .into_iter()
                    .map(|(address, prefix)| format!("{address}/{prefix}"))
                    .collect(),
            }
        })
        .collect();
    interfaces.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(interfaces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: Option<&str>) -> Info {
        let interval = Duration::from_millis(1500);
        let mut inventory = Inventory::new(&Root::default(), name.map(str::to_owned));
        inventory.read(interval, Instant::now(), netmonitor_service::clock::now())
    }

    #[test]
    fn the_inventory_of_this_machine_is_filled_in() {
        let info = read(None);
        assert_eq!(info.name, info.host_name);
        assert!(!info.os.is_empty() && !info.architecture.is_empty());
        assert!(info.cores > 0 && info.memory_bytes > 0);
        assert!(info.disks.iter().any(|disk| disk.mount == "/"));
        assert!((info.interval_secs - 1.5).abs() < 1e-9);
    }

    #[test]
    fn two_readings_differ_in_what_they_say_and_not_in_their_time() {
        let info = read(Some("Reception"));
        assert_eq!(info.name, "Reception");
        let later = Info {
            time: info.time + jiff::SignedDuration::from_secs(600),
            ..info.clone()
        };
        assert!(!differs(&info, &later));
        let renamed = Info {
            name: "Office".to_owned(),
            ..later
        };
        assert!(differs(&info, &renamed));
    }
}
