//! What the thread does that writes: one thing at a time.

use jiff::Timestamp;
use netmonitor_protocol::payload::{DegradedReason, HistoryCommand, HistorySettings};
use netmonitor_store::history::{Committed, Retention, Tended};
use netmonitor_store::{HistoryWriter, StoreError};
use tokio::task::{JoinError, JoinSet};

use crate::batch::Entries;

/// The writer, at work or not.
#[derive(Debug)]
pub struct Writing {
    idle: Option<HistoryWriter>,
    busy: JoinSet<(HistoryWriter, Done)>,
}

/// What was done.
#[derive(Debug)]
pub enum Done {
    /// A commit of these entries.
    Commit(Entries, Result<Committed, StoreError>),
    /// A step of looking after the history.
    Tend(Result<Tended, StoreError>),
    /// Lines of the log were to be removed: how many it were.
    Remove(HistoryCommand, Result<u64, StoreError>),
}

impl Writing {
    /// Nothing to do yet.
    pub fn new(writer: HistoryWriter) -> Self {
        Self {
            idle: Some(writer),
            busy: JoinSet::new(),
        }
    }

    /// Whether it can be given something to do.
    pub fn is_idle(&self) -> bool {
        self.idle.is_some()
    }

    /// Commits, on the thread. Does nothing unless it is idle.
    pub fn commit(&mut self, entries: impl FnOnce() -> Entries) {
        let Some(mut writer) = self.idle.take() else {
            return;
        };
        let entries = entries();
        self.busy.spawn_blocking(move || {
            let outcome = writer.commit(entries.samples(), entries.events());
            (writer, Done::Commit(entries, outcome))
        });
    }

    /// Does one step of looking after the history, on the thread. Does nothing unless it is
    /// idle. Without settings nothing is forgotten, and for its age only by a clock that is
    /// certain.
    pub fn tend(&mut self, now: Timestamp, settings: Option<&HistorySettings>, is_certain: bool) {
        let Some(mut writer) = self.idle.take() else {
            return;
        };
        let settings = settings.cloned();
        self.busy.spawn_blocking(move || {
            let retention = match &settings {
                None => Retention::Nothing,
                Some(settings) if is_certain => Retention::ByAgeAndSize(settings),
                Some(settings) => Retention::BySize(settings),
            };
            let outcome = writer.tend(now, retention);
            (writer, Done::Tend(outcome))
        });
    }

    /// Removes lines of the log, on the thread. Does nothing unless it is idle.
    pub fn remove(&mut self, command: impl FnOnce() -> Option<HistoryCommand>) {
        let Some(mut writer) = self.idle.take() else {
            return;
        };
        let Some(command) = command() else {
            self.idle = Some(writer);
            return;
        };
        self.busy.spawn_blocking(move || {
            let outcome = writer.remove_events(command.remove_events_before);
            (writer, Done::Remove(command, outcome))
        });
    }

    /// Waits for the end of what is under way; none if nothing is. Cancel safe.
    pub async fn done(&mut self) -> Option<Result<Done, JoinError>> {
        let joined = self.busy.join_next().await?;
        Some(joined.map(|(writer, done)| {
            self.idle = Some(writer);
            done
        }))
    }
}

/// What a failed commit says of the disk.
pub fn reason(error: &StoreError) -> DegradedReason {
    if error.is_disk_full() {
        DegradedReason::DiskFull
    } else if error.is_damage() {
        DegradedReason::Damaged
    } else {
        DegradedReason::NotWritable
    }
}
