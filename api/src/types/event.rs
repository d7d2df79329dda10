//! Lines of the log.

use std::collections::BTreeMap;

use netmonitor_protocol::payload as wire;
use netmonitor_store::history::StoredEvent;
use poem_openapi::{Enum, Object};

use super::Time;

/// How much an event or an alert matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Worth a look.
    Warning,
    /// Someone must act.
    Critical,
    /// The sender is newer than the hub.
    Unknown,
}

/// One line of the log: kind and parameters, to be put into words by whoever shows it.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct Event {
    /// Number in the log. Absent in the live stream: the line is not stored yet.
    #[oai(skip_serializing_if_is_none)]
    pub id: Option<i64>,
    /// When.
    pub time: Time,
    /// What, e.g. `device_joined`.
    pub kind: String,
    /// How much it matters.
    pub severity: Severity,
    /// Which device it is about.
    #[oai(skip_serializing_if_is_none)]
    pub device: Option<String>,
    /// Who did it.
    #[oai(skip_serializing_if_is_none)]
    pub actor: Option<String>,
    /// What the kind needs to be put into words.
    pub parameters: BTreeMap<String, String>,
}

/// A list of events.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct EventPage {
    /// The newest first.
    pub items: Vec<Event>,
    /// What to ask for as `before` to get older ones; null on the last page.
    pub next: Option<String>,
}

/// Lines of the log were removed.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct EventsRemoved {
    /// How many.
    pub lines: u64,
}

impl From<wire::Severity> for Severity {
    fn from(severity: wire::Severity) -> Self {
        match severity {
            wire::Severity::Info => Self::Info,
            wire::Severity::Warning => Self::Warning,
            wire::Severity::Critical => Self::Critical,
            wire::Severity::Unknown => Self::Unknown,
        }
    }
}

impl From<Severity> for wire::Severity {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Info => Self::Info,
            Severity::Warning => Self::Warning,
            Severity::Critical => Self::Critical,
            Severity::Unknown => Self::Unknown,
        }
    }
}

impl From<wire::Event> for Event {
    fn from(event: wire::Event) -> Self {
        Self {
            id: None,
            time: event.time.into(),
            kind: event.kind.as_str().to_owned(),
            severity: event.severity.into(),
            device: event.device.map(String::from),
            actor: event.actor,
            parameters: event.parameters.into_iter().collect(),
        }
    }
}

impl From<StoredEvent> for Event {
    fn from(stored: StoredEvent) -> Self {
        Self {
            id: Some(stored.id),
            ..stored.event.into()
        }
    }
}
