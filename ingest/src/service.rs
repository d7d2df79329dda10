//! The loop: messages in, commits and acknowledgements out.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use netmonitor_protocol::payload::{
    DegradedReason, Event as LogEvent, EventKind, HistoryCommand, Severity,
};
use netmonitor_protocol::topics::Kind;
use netmonitor_protocol::{Message, ServiceName};
use netmonitor_service::frame::{self, Frame};
use netmonitor_service::mqtt::{Dial, Event, Events, Outage};
use netmonitor_service::{Counters, clock};
use netmonitor_store::history::{Committed, Lost, Moment, Tended};
use netmonitor_store::{HistoryWriter, StoreError};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::batch::Entries;
use crate::clock_trust::ClockTrust;
use crate::config::Config;
use crate::intake::{Intake, Now};
use crate::outbox::Outbox;
use crate::schedule::Schedule;
use crate::writing::{Done, Writing, reason};

/// Received messages that may wait while a batch is handed over: an instant of a large fleet.
const QUEUE: usize = 4096;

/// How often the history is looked after while nothing is committed.
const TEND: Duration = Duration::from_mins(1);

/// How often a clock is looked at that is not set.
const CLOCK: Duration = Duration::from_secs(1);

/// How long the acknowledgements of the last commit may take.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The service, with its database open.
#[derive(Debug)]
pub struct Ingest {
    config: Config,
    writer: HistoryWriter,
    newest: Option<Timestamp>,
}

impl Ingest {
    /// Opens the history. What is wrong with it is a fault at start.
    pub fn open(config: Config, history: &Path) -> Result<Self, StoreError> {
        let writer = HistoryWriter::open(history)?;
        // Only for a doubt about the clock: what cannot be read raises none.
        let newest = writer.newest().unwrap_or_default();
        Ok(Self {
            config,
            writer,
            newest,
        })
    }

    /// Works until `shutdown`, then commits what it has.
    pub async fn run(self, dial: Dial, shutdown: CancellationToken) -> anyhow::Result<()> {
        let filters = [
            Kind::DeviceMetrics,
            Kind::DeviceBackfill,
            Kind::Event,
            Kind::Settings,
            Kind::HistoryCommand,
        ];
        let (frame, mut events) = Frame::start(frame::Options {
            name: ServiceName::Ingest,
            version: env!("CARGO_PKG_VERSION"),
            dial,
            commit_interval: Some(self.config.commit_interval()),
            filters: filters.map(|kind| kind.row().filter()).to_vec(),
            queue: QUEUE,
            counters: Counters::default(),
        });
        let outbox = Outbox::start(frame.publisher(), frame.counters());
        let mut work = Work::new(self, frame.counters().clone(), now());
        let mut outage = Outage::default();
        loop {
            work.go_on(now());
            frame.set_degraded(work.reason());
            let wake = work.wake(now().instant);
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(event) = events.next() => work.hear(event, &mut outage, now()),
                Some(done) = work.writing.done() => work.settle(done?, &outbox),
                () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {}
            }
        }
        // Stop order: what is under way, the rest, its acknowledgements, goodbye.
        work.finish(&outbox).await?;
        outbox.finish(LAST_WORDS).await;
        let unheard = Outbox::start(frame.publisher(), frame.counters());
        frame.stop().await;
        work.hear_rest(&mut events).await;
        work.finish(&unheard).await
    }
}

fn now() -> Now {
    Now {
        moment: Moment {
            wall: clock::now(),
            since_boot: clock::since_boot(),
        },
        instant: Instant::now(),
    }
}

/// What is between the messages and the history.
struct Work {
    intake: Intake,
    writing: Writing,
    trust: ClockTrust,
    is_clock_set: bool,
    /// When the history is looked after next.
    tend: Instant,
    /// Something was committed since it was looked after.
    is_tends_turn: bool,
    /// What keeps it from writing, and what the log said of it.
    fault: Option<(DegradedReason, String)>,
    tend_fault: Option<String>,
    counters: Counters,
}

impl Work {
    fn new(ingest: Ingest, counters: Counters, now: Now) -> Self {
        let Ingest {
            config,
            writer,
            newest,
        } = ingest;
        Self {
            intake: Intake::new(Schedule::new(config.commit_interval()), counters.clone()),
            writing: Writing::new(writer),
            trust: ClockTrust::new(config.clock_wait(), newest, now.moment),
            is_clock_set: true,
            tend: now.instant,
            is_tends_turn: true,
            fault: None,
            tend_fault: None,
            counters,
        }
    }

    fn reason(&self) -> Option<DegradedReason> {
        if !self.is_clock_set {
            return Some(DegradedReason::ClockNotSet);
        }
        self.fault.as_ref().map(|(reason, _)| *reason)
    }

    /// Gives the thread something to do, if there is something.
    fn go_on(&mut self, now: Now) {
        self.look_at_clock(now.moment);
        if !self.is_clock_set || !self.writing.is_idle() {
            return;
        }
        let intake = &mut self.intake;
        let is_due = |due: Instant| due <= now.instant;
        let commit = intake.schedule.due(intake.batch.is_large());
        let is_commit_due = commit.is_some_and(is_due);
        // Commits that take as long as it is between them, as in a long backfill, leave no time
        // in which nothing is due: they take turns, or the tail would grow for ever.
        if is_commit_due && !(self.is_tends_turn && is_due(self.tend)) {
            intake.schedule.begins(now.instant);
            self.writing.commit(|| intake.batch.take());
        } else if !intake.commands.is_empty() {
            self.writing.remove(|| intake.commands.pop_front());
        } else if is_due(self.tend) {
            let is_certain = self.trust.is_certain(now.moment, clock::time_source);
            let settings = intake.settings.as_ref();
            self.writing.tend(now.moment.wall, settings, is_certain);
        }
    }

    /// When there is something to do, if nothing is heard until then.
    fn wake(&self, now: Instant) -> Option<Instant> {
        if !self.is_clock_set {
            return Some(now + CLOCK);
        }
        let is_large = self.intake.batch.is_large();
        let next = self.intake.schedule.due(is_large).into_iter();
        let at_once = (!self.intake.commands.is_empty()).then_some(now);
        let next = next.chain([self.tend]).chain(at_once).min();
        next.filter(|_| self.writing.is_idle())
    }

    fn look_at_clock(&mut self, now: Moment) {
        if let Some(step) = self.trust.step(now) {
            tracing::info!(seconds = step.as_secs(), "the clock was moved");
            self.intake.batch.shift(step);
        }
        let is_set = self.trust.is_set(now, clock::time_source);
        if is_set != self.is_clock_set {
            self.is_clock_set = is_set;
            if is_set {
                tracing::info!("the clock is set: the history is written");
            } else {
                tracing::warn!(time = %now.wall, "the clock is not set: the history waits for it");
            }
        }
    }

    fn hear(&mut self, event: Event, outage: &mut Outage, now: Now) {
        match event {
            Event::Message(message) => self.take(message, now),
            Event::Retained(message) => self.intake.retained(message),
            Event::Connected => outage.over(),
            Event::Disconnected(error) => {
                if let Some(error) = outage.news(error) {
                    tracing::warn!(error, "ingest is not connected to the broker");
                }
            }
        }
    }

    /// A clock that was moved is noticed first: what came before then waits by the old one, and
    /// this message is dated by the new one.
    fn take(&mut self, message: Message, now: Now) {
        self.look_at_clock(now.moment);
        self.intake.take(message, now);
    }

    /// What had arrived when the connection ended was received, and so it is kept.
    async fn hear_rest(&mut self, events: &mut Events) {
        while let Some(event) = events.next().await {
            if let Event::Message(message) = event {
                self.take(message, now());
            }
        }
    }

    /// Ends what is under way and commits the rest.
    async fn finish(&mut self, outbox: &Outbox) -> anyhow::Result<()> {
        while let Some(done) = self.writing.done().await {
            self.settle(done?, outbox);
        }
        self.look_at_clock(now().moment);
        let intake = &mut self.intake;
        if self.is_clock_set && !intake.batch.is_empty() {
            self.writing.commit(|| intake.batch.take());
        }
        while let Some(done) = self.writing.done().await {
            self.settle(done?, outbox);
        }
        Ok(())
    }

    fn settle(&mut self, done: Done, outbox: &Outbox) {
        match done {
            Done::Commit(_, Ok(committed)) => self.committed(committed, outbox),
            Done::Commit(entries, Err(error)) => self.not_committed(entries, error),
            Done::Tend(outcome) => self.tended(outcome),
            Done::Remove(command, Ok(lines)) => outbox.say(removed(command, lines, clock::now())),
            Done::Remove(_, Err(error)) => {
                // Who asked hears nothing, and asks again.
                self.counters.count("commands_failed");
                let error = format!("{:#}", anyhow::Error::new(error));
                tracing::error!(error, "lines of the log cannot be removed");
            }
        }
    }

    fn committed(&mut self, committed: Committed, outbox: &Outbox) {
        self.intake.batch.settled();
        self.intake.schedule.succeeded();
        self.is_tends_turn = true;
        // What failed is tried again in its time.
        if self.tend_fault.is_none() {
            self.tend = Instant::now();
        }
        self.counters.add("samples_stored", committed.stored as u64);
        self.counters.count("commits");
        outbox.acknowledge(committed.safe);
        for line in lost(&committed.lost, clock::now()) {
            outbox.say(line);
        }
        let lost = committed.lost.iter().map(|lost| lost.samples).sum();
        self.counters.add("samples_lost", lost);
        if self.fault.take().is_some() {
            tracing::info!("the history is written again");
        }
    }

    /// What was not stored goes back to the front of the next batch.
    fn not_committed(&mut self, entries: Entries, error: StoreError) {
        let reason = reason(&error);
        let error = format!("{:#}", anyhow::Error::new(error));
        self.counters.count("commits_failed");
        self.intake.batch.put_back(entries);
        self.intake.schedule.failed(Instant::now());
        // A full disk is one line, not one for each attempt.
        if self.fault.as_ref().is_none_or(|(_, told)| *told != error) {
            tracing::error!(error, "the history is not written; trying again");
        }
        self.fault = Some((reason, error));
    }

    fn tended(&mut self, outcome: Result<Tended, StoreError>) {
        let now = Instant::now();
        self.is_tends_turn = false;
        self.tend = now + TEND;
        match outcome {
            Ok(tended) => {
                if tended == Tended::More {
                    self.tend = now;
                }
                if self.tend_fault.take().is_some() {
                    tracing::info!("the history is looked after again");
                }
            }
            Err(error) => {
                let error = format!("{:#}", anyhow::Error::new(error));
                self.counters.count("tending_failed");
                if self.tend_fault.as_ref() != Some(&error) {
                    tracing::error!(error, "the history cannot be looked after; trying again");
                    self.tend_fault = Some(error);
                }
            }
        }
    }
}

/// What the log says of lines that were removed.
fn removed(command: HistoryCommand, lines: u64, now: Timestamp) -> Message {
    let parameters = [
        ("before", command.remove_events_before.to_string()),
        ("lines", lines.to_string()),
        ("command", command.id),
    ];
    Message::Event(LogEvent {
        actor: command.by,
        ..LogEvent::new(now, EventKind::EventsRemoved, Severity::Info, parameters)
    })
}

/// A line of the log for each device.
fn lost(lost: &[Lost], now: Timestamp) -> Vec<Message> {
    let mut of_devices = BTreeMap::new();
    for lost in lost {
        *of_devices.entry(&lost.device).or_insert(0) += lost.samples;
    }
    let line = |(device, samples): (&netmonitor_protocol::DeviceId, u64)| {
        let parameters = [("samples", samples.to_string())];
        let event = LogEvent::new(now, EventKind::SamplesLost, Severity::Warning, parameters);
        Message::Event(LogEvent {
            device: Some(device.clone()),
            ..event
        })
    };
    of_devices.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests;
