//! What a machine is: all that seldom changes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The inventory of one device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Info {
    /// When it was read, by the device's clock.
    pub time: Timestamp,
    /// The name that people see: the host name unless the admin gave another at joining.
    pub name: String,
    /// The host name as the system has it.
    pub host_name: String,
    /// Name of the operating system with its version, e.g. `Debian GNU/Linux 12 (bookworm)`.
    pub os: String,
    /// Kernel release, e.g. `6.1.0-18-amd64`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
    /// Processor architecture, e.g. `x86_64`.
    pub architecture: String,
    /// Processor model, e.g. `Intel(R) Core(TM) i5-8250U CPU @ 1.60GHz`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processor: Option<String>,
    /// Logical cores.
    pub cores: u32,
    /// Memory that the system can use, in bytes.
    pub memory_bytes: u64,
    /// Mounted disks.
    #[serde(default)]
    pub disks: Vec<DiskInfo>,
    /// Network interfaces with their addresses.
    #[serde(default)]
    pub interfaces: Vec<InterfaceInfo>,
    /// The kernel's id of the current boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<String>,
    /// Whether the machine waits for a restart, as after an update of its kernel; absent where
    /// nobody tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart_required: Option<bool>,
    /// Packages that could be updated; absent where nobody tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updates: Option<Updates>,
    /// The services to watch that were chosen on the machine itself. They count unless the
    /// settings of the device on the hub say others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watched_services: Option<Vec<String>>,
    /// Time between two samples, in seconds.
    pub interval_secs: f64,
    /// The agent's version.
    pub agent_version: String,
}

/// Packages that could be updated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Updates {
    /// All of them.
    pub pending: u32,
    /// Those that close a hole in security, where the distribution tells them apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security: Option<u32>,
}

/// One mounted disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskInfo {
    /// Where it is mounted, e.g. `/home` or `C:\`.
    pub mount: String,
    /// The device behind it, e.g. `/dev/sda1`.
    pub device: String,
    /// Kind of file system, e.g. `ext4`.
    pub file_system: String,
    /// Size in bytes.
    pub total_bytes: u64,
}

/// One network interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceInfo {
    /// The system's name for it, e.g. `eth0`.
    pub name: String,
    /// Hardware address, e.g. `b8:27:eb:12:34:56`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// IP addresses with prefix length, e.g. `192.168.1.14/24`.
    #[serde(default)]
    pub addresses: Vec<String>,
}
