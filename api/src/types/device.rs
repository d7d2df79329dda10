//! Devices as the API shows them.

use poem_openapi::{Enum, Object};

use super::Time;

/// Whether a device is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum DeviceStatus {
    /// Its agent is connected.
    Online,
    /// Its agent is gone.
    Offline,
    /// Its agent is connected and sends no samples.
    Stale,
    /// The hub cannot tell: it has no word of the device since it is connected itself.
    Unknown,
}

/// Why a device is not online, or how it came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum DeviceCause {
    /// The agent was stopped; the machine may run on.
    Stopped,
    /// The machine was shut down.
    Shutdown,
    /// The machine went to sleep.
    Suspend,
    /// It went without a word, and the machine has started anew since.
    Reboot,
    /// It went without a word: a crash, a power cut, or the network.
    Lost,
    /// Another start of the agent, or another machine with the same identity, took its place.
    Replaced,
    /// The hub itself was away.
    HubRestart,
    /// The agent is newer than the hub.
    Unknown,
}

/// One device with its latest numbers.
#[derive(Debug, Clone, PartialEq, Object)]
pub struct Device {
    /// Id in URLs and MQTT topics.
    pub id: String,
    /// What people see.
    pub name: String,
    /// Whether it is there.
    pub status: DeviceStatus,
    /// Why, where there is something to say.
    #[oai(skip_serializing_if_is_none)]
    pub cause: Option<DeviceCause>,
    /// Since when it has this status, as far as is known.
    #[oai(skip_serializing_if_is_none)]
    pub since: Option<Time>,
    /// When it last sent a sample.
    #[oai(skip_serializing_if_is_none)]
    pub last_seen: Option<Time>,
    /// By how much its clock is ahead of the hub's, in seconds; negative: behind. Absent while
    /// they agree within two seconds. Its samples are in the right place all the same.
    #[oai(skip_serializing_if_is_none)]
    pub clock_skew_secs: Option<f64>,
    /// How many of its samples are missing for good: they could not be kept until they were stored.
    /// Only in the answer about this one device, and absent while none is.
    #[oai(skip_serializing_if_is_none)]
    pub samples_lost: Option<u64>,
    /// Version of its agent.
    #[oai(skip_serializing_if_is_none)]
    pub agent_version: Option<String>,
    /// What it is. Absent until its agent has connected for the first time.
    #[oai(skip_serializing_if_is_none)]
    pub info: Option<DeviceInfo>,
    /// Its latest sample.
    #[oai(skip_serializing_if_is_none)]
    pub metrics: Option<DeviceMetrics>,
    /// Its services in numbers.
    #[oai(skip_serializing_if_is_none)]
    pub services: Option<ServiceCounts>,
    /// What is wrong with it; empty when all is well.
    pub troubles: Vec<Trouble>,
    /// Above these it is in trouble.
    pub limits: Limits,
}

/// A list of devices.
#[derive(Debug, Clone, PartialEq, Object)]
pub struct DevicePage {
    /// By id.
    pub items: Vec<Device>,
    /// Where the next page begins; null on the last one.
    pub next: Option<String>,
}

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

/// One sample.
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
    /// Load averages; absent on Windows.
    #[oai(skip_serializing_if_is_none)]
    pub load: Option<Load>,
    /// Memory.
    pub memory: Memory,
    /// Swap; absent where there is none.
    #[oai(skip_serializing_if_is_none)]
    pub swap: Option<Memory>,
    /// Mounted disks.
    pub disks: Vec<Disk>,
    /// Network interfaces.
    pub network: Vec<Network>,
    /// Temperature sensors.
    pub temperatures: Vec<Temperature>,
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

/// Memory or swap.
#[derive(Debug, Clone, Copy, PartialEq, Object)]
pub struct Memory {
    /// Size in bytes.
    pub total_bytes: u64,
    /// Used, in bytes: caches that can be dropped do not count.
    pub used_bytes: u64,
    /// Used share, 0 to 100.
    #[oai(skip_serializing_if_is_none)]
    pub used_percent: Option<f64>,
}

/// A mounted disk.
#[derive(Debug, Clone, PartialEq, Object)]
pub struct Disk {
    /// Where it is mounted.
    pub mount: String,
    /// Size in bytes.
    pub total_bytes: u64,
    /// Used, in bytes.
    pub used_bytes: u64,
    /// What an ordinary user can still write, in bytes.
    pub available_bytes: u64,
    /// Used share of what an ordinary user can use, 0 to 100.
    #[oai(skip_serializing_if_is_none)]
    pub used_percent: Option<f64>,
}

/// A network interface.
#[derive(Debug, Clone, PartialEq, Object)]
pub struct Network {
    /// The system's name for it.
    pub interface: String,
    /// Received since boot, in bytes.
    pub received_bytes: u64,
    /// Sent since boot, in bytes.
    pub sent_bytes: u64,
    /// Received per second since the sample before.
    #[oai(skip_serializing_if_is_none)]
    pub received_bytes_per_sec: Option<f64>,
    /// Sent per second since the sample before.
    #[oai(skip_serializing_if_is_none)]
    pub sent_bytes_per_sec: Option<f64>,
}

/// A temperature sensor.
#[derive(Debug, Clone, PartialEq, Object)]
pub struct Temperature {
    /// The sensor's name.
    pub sensor: String,
    /// In degrees Celsius.
    pub celsius: f64,
}

/// Services in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct ServiceCounts {
    /// All of them.
    pub total: u32,
    /// Those that run.
    pub running: u32,
    /// Those that should run and do not.
    pub failed: u32,
    /// Their names.
    pub failed_names: Vec<String>,
}

/// What a service does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum ServiceState {
    /// It runs.
    Running,
    /// On its way up.
    Starting,
    /// On its way down.
    Stopping,
    /// Not running, and nobody minds.
    Stopped,
    /// Not running, though it should be.
    Failed,
    /// It is watched, and the machine does not have it.
    Missing,
    /// The agent is newer than the hub.
    Unknown,
}

/// Who told of the services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum ServiceManager {
    /// systemd.
    Systemd,
    /// The service control manager of Windows.
    Windows,
    /// There is none: these are running processes by name.
    Processes,
    /// The agent is newer than the hub, or has not told yet.
    Unknown,
}

/// One service of a device.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// What it does.
    pub state: ServiceState,
    /// What it is, in the words of its author.
    #[oai(skip_serializing_if_is_none)]
    pub description: Option<String>,
}

/// The services of a device.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct ServicePage {
    /// By name.
    pub items: Vec<Service>,
    /// Where the next page begins; null on the last one.
    pub next: Option<String>,
    /// Who told.
    pub manager: ServiceManager,
}

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum TroubleKind {
    /// The agent is gone.
    Offline,
    /// The agent is connected and sends no samples.
    Stale,
    /// Processor above its limit.
    Cpu,
    /// Memory above its limit.
    Ram,
    /// A disk above its limit.
    Disk,
    /// Services have failed.
    Services,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Object)]
pub struct Trouble {
    /// What.
    pub kind: TroubleKind,
    /// Which disk, or which services.
    #[oai(skip_serializing_if_is_none)]
    pub subject: Option<String>,
    /// The number that is too high, in percent; for services how many.
    #[oai(skip_serializing_if_is_none)]
    pub value: Option<f64>,
    /// What it should not exceed, in percent.
    #[oai(skip_serializing_if_is_none)]
    pub limit: Option<f64>,
}

/// Above these a device is in trouble.
#[derive(Debug, Clone, Copy, PartialEq, Object)]
pub struct Limits {
    /// Processor, in percent.
    pub cpu_percent: f64,
    /// Memory, in percent.
    pub ram_percent: f64,
    /// Each disk, in percent.
    pub disk_percent: f64,
}
