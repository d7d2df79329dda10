//! What the REST API answers and accepts. Kept apart from the wire types of MQTT: each may
//! change without the other.

mod account;
mod agent;
mod device;
mod event;
mod history;
mod hub;
mod info;
mod join_code;
mod live;
mod metrics;
mod mqtt_user;
mod process;
mod round;
mod service;
mod settings;
mod time;

pub use account::{Account, Login, Role, Setup, SetupStatus};
pub use agent::{Agent, AgentPage};
pub use device::{Device, DeviceCause, DevicePage, DeviceStatus, Limits, Trouble, TroubleKind};
pub use event::{Event, EventPage, Severity};
pub(crate) use history::HistoryJson;
pub use history::{History, Series};
pub use hub::{Address, Hub, HubService, HubServiceReason, HubServiceState};
pub use info::{DeviceInfo, DiskInfo, Interface, Updates};
pub use join_code::{JoinCode, NewJoinCode};
pub use live::{
    Live, LiveDevice, LiveEvent, LiveFilled, LiveHub, LiveMetrics, LiveProcesses, LiveRemoved,
};
pub use metrics::{
    Array, Battery, ChargeState, Container, ContainerState, CpuModes, DeviceMetrics, Disk, Drive,
    Fan, Gpu, Inodes, Load, Memory, Network, Pressure, ProcessCounts, Temperature, Throttling,
    Voltage, Zram,
};
pub use mqtt_user::{MqttPassword, MqttRole, MqttUser, MqttUserPage, NewMqttUser};
pub use process::{Process, ProcessPage};
pub use service::{Service, ServiceCounts, ServiceManager, ServicePage, ServiceState};
pub use settings::{
    HistorySettings, HistorySettingsChange, HistorySize, Settings, SettingsChange, revisions,
};
pub use time::Time;
