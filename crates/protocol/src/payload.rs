//! What travels on a topic, one file per type.
//!
//! Every type is JSON with readable names and units in the name, except [`Status`], which is
//! plain text so that the simplest client understands it. Unknown fields are passed over and
//! unknown words become a value of their own: agents and hub are upgraded at different times.

mod ack;
mod alert;
mod alerting_settings;
mod backfill;
mod channel_test;
mod channels;
mod event;
mod health;
mod history_command;
mod history_settings;
mod hub_info;
mod info;
mod join;
mod metrics;
mod notification;
mod presence;
mod processes;
mod services;
mod session;
mod settings;
mod status;
mod weekly;

pub use ack::Ack;
pub use alert::{Alert, AlertAction, AlertCommand, AlertState, Muted};
pub use alerting_settings::{
    AlertingSettings, DeviceAlerting, Maintenance, MaintenanceTime, RuleSettings, Rules,
};
pub use backfill::Backfill;
pub use channel_test::{ChannelTest, ChannelTested};
pub use channels::{Channel, ChannelKind, Channels, Heartbeat, Route, SmtpSecurity, WebhookFormat};
pub use event::{Event, EventKind, Severity};
pub use health::{DegradedReason, ServiceHealth, ServiceState};
pub use history_command::HistoryCommand;
pub use history_settings::HistorySettings;
pub use hub_info::{Address, HubInfo};
pub use info::{DiskInfo, Info, InterfaceInfo, Updates};
pub use join::{JoinReply, JoinRequest};
pub use metrics::{
    Array, Battery, ChargeState, Container, ContainerState, Cpu, CpuModes, Disk, Drive, Fan, Gpu,
    Inodes, Load, Memory, Metrics, Network, Pressure, ProcessCounts, Temperature, Throttling,
    Voltage, Zram,
};
pub use notification::Notification;
pub use presence::{Presence, PresenceCause, PresenceState};
pub use processes::{Process, Processes, Watch};
pub use services::{ServiceManager, Services, UnitState, WatchableService};
pub use session::{EndCause, Ended, Session};
pub use settings::{OFFLINE_TIMEOUT_SECS, Settings, keepalive_secs};
pub use status::Status;
pub use weekly::{TimeOfDay, TimeOfDayError, Weekday, WeeklyHours};
