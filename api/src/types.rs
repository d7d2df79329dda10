//! What the REST API answers and accepts. Kept apart from the wire types of MQTT: each may
//! change without the other.

mod account;
mod device;
mod device_from_wire;
mod event;
mod history;
mod hub;
mod join_code;
mod live;
mod mqtt_user;
mod settings;
mod time;

pub use account::{Account, Login, Role, Setup, SetupStatus};
pub use device::{
    Device, DeviceCause, DeviceInfo, DeviceMetrics, DevicePage, DeviceStatus, Disk, DiskInfo,
    Interface, Limits, Load, Memory, Network, Service, ServiceCounts, ServiceManager, ServicePage,
    ServiceState, Temperature, Trouble, TroubleKind,
};
pub use event::{Event, EventPage, Severity};
pub(crate) use history::HistoryJson;
pub use history::{History, Series};
pub use hub::{Address, Hub, HubService, HubServiceReason, HubServiceState};
pub use join_code::{JoinCode, NewJoinCode};
pub use live::{Live, LiveDevice, LiveEvent, LiveFilled, LiveHub, LiveMetrics, LiveRemoved};
pub use mqtt_user::{MqttPassword, MqttRole, MqttUser, MqttUserPage, NewMqttUser};
pub use settings::{
    HistorySettings, HistorySettingsChange, HistorySize, Settings, SettingsChange, revisions,
};
pub use time::Time;
