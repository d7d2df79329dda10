//! The processes of a device that need most.

use jiff::Timestamp;
use netmonitor_protocol::payload as wire;
use poem_openapi::Object;

use super::Time;

/// One process: its name, and never its arguments, which may hold secrets.
#[derive(Debug, Clone, PartialEq, Object)]
pub struct Process {
    /// The system's number for it.
    pub pid: u32,
    /// Its name.
    pub name: String,
    /// Use of the processor, of all cores together, 0 to 100; absent when it was read for the
    /// first time.
    #[oai(skip_serializing_if_is_none)]
    pub cpu_percent: Option<f64>,
    /// What it has of the memory, in bytes; what it shares with others counts in full.
    pub memory_bytes: u64,
}

/// The processes of a device that need most of the processor or of the memory, as its agent tells
/// while someone looks.
#[derive(Debug, Clone, PartialEq, Object)]
pub struct ProcessPage {
    /// Highest use of the processor first; empty when none were told in the last two minutes.
    pub items: Vec<Process>,
    /// Where the next page begins; null on the last one.
    pub next: Option<String>,
    /// When they were told, by the hub's clock; absent when they were not.
    #[oai(skip_serializing_if_is_none)]
    pub at: Option<Time>,
    /// How many processes there are in all; absent when nobody told.
    #[oai(skip_serializing_if_is_none)]
    pub total: Option<u32>,
}

impl ProcessPage {
    /// Nobody told.
    pub(crate) fn empty() -> Self {
        Self {
            items: Vec::new(),
            next: None,
            at: None,
            total: None,
        }
    }

    /// What was told at `at`, the first `most` of it.
    pub(crate) fn new(processes: wire::Processes, at: Timestamp, most: usize) -> Self {
        let shown = |process: wire::Process| Process {
            pid: process.pid,
            name: process.name,
            cpu_percent: process.cpu_percent,
            memory_bytes: process.memory_bytes,
        };
        let items = processes.processes.into_iter().take(most);
        Self {
            items: items.map(shown).collect(),
            next: None,
            at: Some(at.into()),
            total: Some(processes.total),
        }
    }
}
