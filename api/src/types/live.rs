//! What the live stream carries. The name of each server-sent event is its `type`.

use poem_openapi::{Object, Union};

use super::{Alert, Device, DeviceMetrics, Event, Hub, ProcessPage, Time, Trouble};

/// One event of the live stream.
#[derive(Debug, Clone, Union)]
#[expect(
    clippy::large_enum_variant,
    reason = "each is made once and shared by all browsers"
)]
#[oai(discriminator_name = "type", rename_all = "lowercase")]
pub enum Live {
    /// A device as a whole: sent for every device at first, and when more than its numbers has
    /// changed.
    Device(LiveDevice),
    /// New numbers of a device.
    Metrics(LiveMetrics),
    /// The processes of a device that need most, while someone looks.
    Processes(LiveProcesses),
    /// A device is gone for good.
    Removed(LiveRemoved),
    /// A stretch of a device's past was filled: samples came that its agent had kept.
    Filled(LiveFilled),
    /// An alert: sent for each that is not `ok` at first, and whenever its state changes.
    Alert(LiveAlert),
    /// The hub and its services.
    Hub(LiveHub),
    /// A line of the log.
    Log(LiveEvent),
}

impl Live {
    /// The name of the server-sent event.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Device(_) => "device",
            Self::Metrics(_) => "metrics",
            Self::Processes(_) => "processes",
            Self::Removed(_) => "removed",
            Self::Filled(_) => "filled",
            Self::Alert(_) => "alert",
            Self::Hub(_) => "hub",
            Self::Log(_) => "log",
        }
    }
}

/// A device as a whole.
#[derive(Debug, Clone, Object)]
pub struct LiveDevice {
    /// The device.
    pub device: Device,
}

/// New numbers of a device.
#[derive(Debug, Clone, Object)]
pub struct LiveMetrics {
    /// Which device.
    pub id: String,
    /// When the sample was taken, by the hub's clock: its place in the history.
    pub at: Time,
    /// Its latest sample.
    pub metrics: DeviceMetrics,
    /// What is wrong with it.
    pub troubles: Vec<Trouble>,
}

/// The processes of a device that need most, while someone looks.
#[derive(Debug, Clone, Object)]
pub struct LiveProcesses {
    /// Which device.
    pub id: String,
    /// Its processes.
    pub processes: ProcessPage,
}

/// A device is gone for good.
#[derive(Debug, Clone, Object)]
pub struct LiveRemoved {
    /// Which device.
    pub id: String,
}

/// A stretch of a device's past was filled. Sent once a second at most for each device, with all
/// that has come since: whoever shows that stretch reads it anew.
#[derive(Debug, Clone, Object)]
pub struct LiveFilled {
    /// Which device.
    pub id: String,
    /// The first sample that came.
    pub from: Time,
    /// The last.
    pub to: Time,
}

/// The state of an alert.
#[derive(Debug, Clone, Object)]
pub struct LiveAlert {
    /// Which device; `hub` for the hub itself.
    pub device: String,
    /// Which rule.
    pub rule: String,
    /// Its state. Absent: the rule is not watched any more.
    #[oai(skip_serializing_if_is_none)]
    pub alert: Option<Alert>,
}

/// The hub.
#[derive(Debug, Clone, Object)]
pub struct LiveHub {
    /// The hub.
    pub hub: Hub,
}

/// A line of the log.
#[derive(Debug, Clone, Object)]
pub struct LiveEvent {
    /// The line.
    pub event: Event,
}
