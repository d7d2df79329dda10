//! From what devices say over MQTT to what the API shows of them.

use netmonitor_protocol::payload as wire;

use super::device::{
    DeviceCause, DeviceInfo, DeviceMetrics, DeviceStatus, Disk, DiskInfo, Interface, Limits, Load,
    Memory, Network, Service, ServiceCounts, ServiceManager, ServicePage, ServiceState,
    Temperature, Trouble, TroubleKind,
};

/// One digit behind the point is what the agent measures.
fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

impl From<&wire::Info> for DeviceInfo {
    fn from(info: &wire::Info) -> Self {
        Self {
            host_name: info.host_name.clone(),
            os: info.os.clone(),
            kernel: info.kernel.clone(),
            architecture: info.architecture.clone(),
            processor: info.processor.clone(),
            cores: info.cores,
            memory_bytes: info.memory_bytes,
            disks: info
                .disks
                .iter()
                .map(|disk| DiskInfo {
                    mount: disk.mount.clone(),
                    device: disk.device.clone(),
                    file_system: disk.file_system.clone(),
                    total_bytes: disk.total_bytes,
                })
                .collect(),
            interfaces: info
                .interfaces
                .iter()
                .map(|interface| Interface {
                    name: interface.name.clone(),
                    mac: interface.mac.clone(),
                    addresses: interface.addresses.clone(),
                })
                .collect(),
            interval_secs: info.interval_secs,
            boot_id: info.boot_id.clone(),
        }
    }
}

impl From<wire::Memory> for Memory {
    fn from(memory: wire::Memory) -> Self {
        Self {
            total_bytes: memory.total_bytes,
            used_bytes: memory.used_bytes,
            used_percent: memory.used_percent().map(tenth),
        }
    }
}

impl From<&wire::Metrics> for DeviceMetrics {
    fn from(metrics: &wire::Metrics) -> Self {
        Self {
            time: metrics.time.into(),
            uptime_secs: metrics.uptime_secs,
            cpu_percent: metrics.cpu.usage_percent,
            per_core_percent: metrics.cpu.per_core_percent.clone(),
            load: metrics.cpu.load.map(|load| Load {
                one: load.one,
                five: load.five,
                fifteen: load.fifteen,
            }),
            memory: metrics.memory.into(),
            swap: metrics.swap.map(Memory::from),
            disks: metrics
                .disks
                .iter()
                .map(|disk| Disk {
                    mount: disk.mount.clone(),
                    total_bytes: disk.total_bytes,
                    used_bytes: disk.used_bytes,
                    available_bytes: disk.available_bytes,
                    used_percent: disk.used_percent().map(tenth),
                })
                .collect(),
            network: metrics
                .network
                .iter()
                .map(|link| Network {
                    interface: link.interface.clone(),
                    received_bytes: link.received_bytes,
                    sent_bytes: link.sent_bytes,
                    received_bytes_per_sec: link.received_bytes_per_sec,
                    sent_bytes_per_sec: link.sent_bytes_per_sec,
                })
                .collect(),
            temperatures: metrics
                .temperatures
                .iter()
                .map(|sensor| Temperature {
                    sensor: sensor.sensor.clone(),
                    celsius: sensor.celsius,
                })
                .collect(),
        }
    }
}

impl From<wire::PresenceState> for DeviceStatus {
    fn from(state: wire::PresenceState) -> Self {
        match state {
            wire::PresenceState::Online => Self::Online,
            wire::PresenceState::Offline => Self::Offline,
            wire::PresenceState::Stale => Self::Stale,
            wire::PresenceState::Unknown => Self::Unknown,
        }
    }
}

impl From<wire::PresenceCause> for DeviceCause {
    fn from(cause: wire::PresenceCause) -> Self {
        match cause {
            wire::PresenceCause::Stopped => Self::Stopped,
            wire::PresenceCause::Shutdown => Self::Shutdown,
            wire::PresenceCause::Suspend => Self::Suspend,
            wire::PresenceCause::Reboot => Self::Reboot,
            wire::PresenceCause::Lost => Self::Lost,
            wire::PresenceCause::Replaced => Self::Replaced,
            wire::PresenceCause::HubRestart => Self::HubRestart,
            wire::PresenceCause::Unknown => Self::Unknown,
        }
    }
}

impl From<wire::UnitState> for ServiceState {
    fn from(state: wire::UnitState) -> Self {
        match state {
            wire::UnitState::Running => Self::Running,
            wire::UnitState::Starting => Self::Starting,
            wire::UnitState::Stopping => Self::Stopping,
            wire::UnitState::Stopped => Self::Stopped,
            wire::UnitState::Failed => Self::Failed,
            wire::UnitState::Missing => Self::Missing,
            wire::UnitState::Unknown => Self::Unknown,
        }
    }
}

impl From<&wire::Services> for ServicePage {
    fn from(services: &wire::Services) -> Self {
        Self {
            items: services
                .services
                .iter()
                .map(|service| Service {
                    name: service.name.clone(),
                    state: service.state.into(),
                    description: service.description.clone(),
                })
                .collect(),
            next: None,
            manager: match services.manager {
                wire::ServiceManager::Systemd => ServiceManager::Systemd,
                wire::ServiceManager::Windows => ServiceManager::Windows,
                wire::ServiceManager::Processes => ServiceManager::Processes,
                wire::ServiceManager::Unknown => ServiceManager::Unknown,
            },
        }
    }
}

impl From<&wire::Services> for ServiceCounts {
    fn from(services: &wire::Services) -> Self {
        let count = |state: wire::UnitState| {
            let number = services
                .services
                .iter()
                .filter(|service| service.state == state)
                .count();
            u32::try_from(number).unwrap_or(u32::MAX)
        };
        Self {
            total: u32::try_from(services.services.len()).unwrap_or(u32::MAX),
            running: count(wire::UnitState::Running),
            failed: count(wire::UnitState::Failed),
            failed_names: services
                .services
                .iter()
                .filter(|service| service.state == wire::UnitState::Failed)
                .map(|service| service.name.clone())
                .collect(),
        }
    }
}

impl From<netmonitor_rules::Limits> for Limits {
    fn from(limits: netmonitor_rules::Limits) -> Self {
        Self {
            cpu_percent: limits.cpu_percent,
            ram_percent: limits.ram_percent,
            disk_percent: limits.disk_percent,
        }
    }
}

impl From<netmonitor_rules::Exceeded> for Trouble {
    fn from(exceeded: netmonitor_rules::Exceeded) -> Self {
        let (kind, subject) = match exceeded.resource {
            netmonitor_rules::Resource::Cpu => (TroubleKind::Cpu, None),
            netmonitor_rules::Resource::Ram => (TroubleKind::Ram, None),
            netmonitor_rules::Resource::Disk(mount) => (TroubleKind::Disk, Some(mount)),
        };
        Self {
            kind,
            subject,
            value: Some(tenth(exceeded.value)),
            limit: Some(exceeded.limit),
        }
    }
}
