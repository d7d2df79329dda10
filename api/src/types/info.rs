//! What a device is: all that seldom changes.

use netmonitor_protocol::payload as wire;
use poem_openapi::Object;

/// What a device is.
#[derive(Debug, Clone, PartialEq, Object)]
pub struct DeviceInfo {
    /// The host name as the system has it.
    pub host_name: String,
    /// Operating system with version.
    pub os: String,
    /// Kernel release.
    #[oai(skip_serializing_if_is_none)]
    pub kernel: Option<String>,
    /// Processor architecture.
    pub architecture: String,
    /// Processor model.
    #[oai(skip_serializing_if_is_none)]
    pub processor: Option<String>,
    /// Logical cores.
    pub cores: u32,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Mounted disks.
    pub disks: Vec<DiskInfo>,
    /// Network interfaces.
    pub interfaces: Vec<Interface>,
    /// Time between two samples, in seconds.
    pub interval_secs: f64,
    /// The kernel's id of the current boot.
    #[oai(skip_serializing_if_is_none)]
    pub boot_id: Option<String>,
    /// Whether it waits for a restart, as after an update of its kernel; absent where nobody
    /// tells.
    #[oai(skip_serializing_if_is_none)]
    pub restart_required: Option<bool>,
    /// Packages that could be updated; absent where nobody tells.
    #[oai(skip_serializing_if_is_none)]
    pub updates: Option<Updates>,
    /// The services to watch that were chosen on the machine itself.
    #[oai(skip_serializing_if_is_none)]
    pub watched_services: Option<Vec<String>>,
}

/// Packages that could be updated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Object)]
pub struct Updates {
    /// All of them.
    pub pending: u32,
    /// Those that close a hole in security, where the distribution tells them apart.
    #[oai(skip_serializing_if_is_none)]
    pub security: Option<u32>,
}

/// What a disk is.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct DiskInfo {
    /// Where it is mounted.
    pub mount: String,
    /// The device behind it.
    pub device: String,
    /// Kind of file system.
    pub file_system: String,
    /// Size in bytes.
    pub total_bytes: u64,
}

/// What a network interface is.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct Interface {
    /// The system's name for it.
    pub name: String,
    /// Hardware address.
    #[oai(skip_serializing_if_is_none)]
    pub mac: Option<String>,
    /// IP addresses with prefix length.
    pub addresses: Vec<String>,
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
            restart_required: info.restart_required,
            updates: info.updates.map(|updates| Updates {
                pending: updates.pending,
                security: updates.security,
            }),
            watched_services: info.watched_services.clone(),
        }
    }
}
