//! Ingest: subscribes to samples and events and commits them to the history, many in one
//! transaction. The only writer of the history; it never stops reading because the database
//! does.
//!
//! - [`batch`]: what waits for the next commit, bounded
//! - [`config`]: what can be set

pub mod batch;
pub mod config;

pub use config::Config;

use std::path::Path;

use netmonitor_protocol::topics::Kind;
use netmonitor_protocol::{Message, ServiceName};
use netmonitor_service::frame::{self, Frame};
use netmonitor_service::mqtt::{Dial, Event, Outage};
use netmonitor_service::{Counters, clock};
use netmonitor_store::history::{Committed as Stored, Layouts, NewSample};
use netmonitor_store::{HistoryWriter, StoreError};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::batch::Batch;

/// Received messages that may wait while a batch is handed over: an instant of a large fleet.
const QUEUE: usize = 4096;

/// The service, with its database open.
#[derive(Debug)]
pub struct Ingest {
    config: Config,
    writer: HistoryWriter,
}

/// What comes back from the thread that commits.
struct Committed {
    writer: HistoryWriter,
    batch: Batch,
    outcome: Result<Stored, StoreError>,
}

impl Ingest {
    /// Opens the history. What is wrong with it is a fault at start.
    pub fn open(config: Config, history: &Path) -> Result<Self, StoreError> {
        let writer = HistoryWriter::open(history)?;
        Ok(Self { config, writer })
    }

    /// Works until `shutdown`, then commits what it has.
    pub async fn run(self, dial: Dial, shutdown: CancellationToken) -> anyhow::Result<()> {
        let filters = [Kind::DeviceMetrics, Kind::Event]
            .map(|kind| kind.row().filter())
            .to_vec();
        let (frame, mut events) = Frame::start(frame::Options {
            name: ServiceName::Ingest,
            version: env!("CARGO_PKG_VERSION"),
            dial,
            commit_interval: Some(self.config.commit_interval()),
            filters,
            queue: QUEUE,
            counters: Counters::default(),
        });
        let counters = frame.counters().clone();
        let mut batch = Batch::default();
        let mut layouts = Layouts::default();
        let mut outage = Outage::default();
        let mut fault = None;
        let mut idle = Some(self.writer);
        let mut committing: JoinSet<Committed> = JoinSet::new();
        let mut tick = tokio::time::interval(self.config.commit_interval());
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(event) = events.next() => match event {
                    Event::Message(message) => take(message, &mut batch, &mut layouts, &counters),
                    Event::Disconnected(error) => {
                        if let Some(error) = outage.news(error) {
                            tracing::warn!(error, "ingest is not connected to the broker");
                        }
                    }
                    Event::Connected => outage.over(),
                    Event::Retained(_) => {}
                },
                _ = tick.tick() => {
                    if !batch.is_empty() && let Some(writer) = idle.take() {
                        let batch = std::mem::take(&mut batch);
                        committing.spawn_blocking(move || commit(writer, batch));
                    }
                }
                Some(done) = committing.join_next() => {
                    let done = done?;
                    frame.set_degraded(done.outcome.is_err()).await;
                    idle = Some(settle(done, &mut batch, &counters, &mut fault));
                }
            }
        }
        // Stop order: what is under way, the rest, goodbye.
        while let Some(done) = committing.join_next().await {
            idle = Some(settle(done?, &mut batch, &counters, &mut fault));
        }
        frame.stop().await;
        // What had arrived by then is acknowledged, and so it is kept.
        while let Some(event) = events.next().await {
            if let Event::Message(message) = event {
                take(message, &mut batch, &mut layouts, &counters);
            }
        }
        if let Some(writer) = idle {
            let done = tokio::task::spawn_blocking(move || commit(writer, batch)).await?;
            settle(done, &mut Batch::default(), &counters, &mut fault);
        }
        Ok(())
    }
}

fn take(message: Message, batch: &mut Batch, layouts: &mut Layouts, counters: &Counters) {
    let dropped = match message {
        Message::DeviceMetrics(device, metrics) => {
            counters.count("samples_received");
            batch.push_sample(NewSample::new(device, clock::now(), &metrics, layouts))
        }
        Message::Event(event) => {
            counters.count("events_received");
            batch.push_event(event)
        }
        _ => 0,
    };
    counters.add("dropped_queue_full", dropped);
}

fn commit(mut writer: HistoryWriter, batch: Batch) -> Committed {
    let outcome = writer.commit(batch.samples(), batch.events());
    Committed {
        writer,
        batch,
        outcome,
    }
}

/// Counts what was stored; what was not stored goes back to the front of the next batch.
fn settle(
    done: Committed,
    batch: &mut Batch,
    counters: &Counters,
    fault: &mut Option<String>,
) -> HistoryWriter {
    match done.outcome {
        Ok(stored) => {
            counters.add("samples_stored", stored.stored as u64);
            counters.count("commits");
            if fault.take().is_some() {
                tracing::info!("the history is written again");
            }
        }
        Err(error) => {
            let error = format!("{:#}", anyhow::Error::new(error));
            counters.count("commits_failed");
            let waiting = done.batch.len();
            counters.add("dropped_queue_full", batch.put_back(done.batch));
            // A full disk is one line, not one for each attempt.
            if fault.as_ref() != Some(&error) {
                tracing::error!(error, waiting, "the history is not written; trying again");
                *fault = Some(error);
            }
        }
    }
    done.writer
}
