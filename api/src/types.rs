//! What the REST API answers and accepts. Kept apart from the wire types of MQTT: each may
//! change without the other.

mod account;
mod agent;
mod alert;
mod alerting;
mod channel;
mod channel_change;
mod device;
mod device_settings;
mod event;
mod history;
mod hours;
mod hub;
mod info;
mod join_code;
mod live;
mod maintenance;
mod metrics;
mod mqtt_user;
mod preview;
mod process;
mod round;
mod rule;
mod service;
mod settings;
mod time;
mod token;

pub use account::{
    Account, Login, NewPassword, NewUser, PasswordChange, Role, Setup, SetupStatus, User,
    UserChange, UserPage,
};
pub use agent::{Agent, AgentPage};
pub use alert::{Acknowledgement, Alert, AlertPage, AlertState, MutedBy, Snooze};
pub use alerting::{AlertingSettings, AlertingSettingsChange, Language};
pub use channel::{
    Channel, ChannelAnswer, ChannelChange, ChannelKind, ChannelPage, ChannelRoute, Heartbeat,
    HeartbeatChange, MailSecurity, WebhookFormat,
};
pub(crate) use channel_change::NO_HEARTBEAT;
pub use device::{Device, DeviceCause, DevicePage, DeviceStatus, Limits, Trouble, TroubleKind};
pub use device_settings::{DeviceChange, DeviceSettings, DeviceSettingsChange};
pub use event::{Event, EventPage, EventsRemoved, Severity};
pub(crate) use history::HistoryJson;
pub use history::{History, Series};
pub use hours::{Weekday, WeeklyHours};
pub use hub::{Address, Hub, HubService, HubServiceReason, HubServiceState};
pub use info::{DeviceInfo, DiskInfo, Interface, Updates};
pub use join_code::{JoinCode, NewJoinCode};
pub use live::{
    Live, LiveAlert, LiveDevice, LiveEvent, LiveFilled, LiveHub, LiveMetrics, LiveProcesses,
    LiveRemoved,
};
pub use maintenance::{Maintenance, MaintenanceChange, MaintenancePage};
pub use metrics::{
    Array, Battery, ChargeState, Container, ContainerState, CpuModes, DeviceMetrics, Disk, Drive,
    Fan, Gpu, Inodes, Load, Memory, Network, Pressure, ProcessCounts, Temperature, Throttling,
    Voltage, Zram,
};
pub use mqtt_user::{MqttPassword, MqttRole, MqttUser, MqttUserPage, NewMqttUser};
pub use preview::{PreviewAnswer, PreviewFiring, PreviewQuestion};
pub use process::{Process, ProcessPage};
pub(crate) use rule::kind;
pub use rule::{
    RuleChange, RuleEntry, RuleOverrides, RulePage, RuleTarget, RuleUnit, RuleValues, RulesChange,
};
pub use service::{Service, ServiceCounts, ServiceManager, ServicePage, ServiceState};
pub use settings::{HistorySettings, HistorySettingsChange, HistorySize, Settings, SettingsChange};
pub use time::Time;
pub use token::{NewToken, Token, TokenPage, TokenSecret};
