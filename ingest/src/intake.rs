//! What messages become: entries of the next commit.

use std::collections::VecDeque;

use netmonitor_protocol::payload::{Event, HistoryCommand, HistorySettings, Metrics};
use netmonitor_protocol::{DeviceId, Message};
use netmonitor_service::Counters;
use netmonitor_store::history::{Layouts, Moment, NewSample, Placing, Way};
use tokio::time::Instant;

use crate::batch::{Batch, Taken};
use crate::clock_trust::RELEASED;
use crate::schedule::{Schedule, Urgency};

/// Commands that may wait: people ask for one after another.
const MAX_COMMANDS: usize = 16;

/// Takes messages and dates what they bring.
#[derive(Debug)]
pub struct Intake {
    /// What waits for the next commit.
    pub batch: Batch,
    /// When that is due.
    pub schedule: Schedule,
    /// How long the history is kept; none as long as nobody has said it.
    pub settings: Option<HistorySettings>,
    /// What is to be done with the history, in the order in which it was asked for. When it is full
    /// the newest is dropped: who asks hears nothing, and asks again.
    pub commands: VecDeque<HistoryCommand>,
    placing: Placing,
    layouts: Layouts,
    counters: Counters,
}

/// Both clocks of the hub, and that of timers.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// For what is written down.
    pub moment: Moment,
    /// For what is due.
    pub instant: Instant,
}

impl Intake {
    /// Nothing was taken yet.
    pub fn new(schedule: Schedule, counters: Counters) -> Self {
        Self {
            batch: Batch::default(),
            schedule,
            settings: None,
            commands: VecDeque::new(),
            placing: Placing::default(),
            layouts: Layouts::default(),
            counters,
        }
    }

    /// Takes what was just published.
    pub fn take(&mut self, message: Message, now: Now) {
        match message {
            Message::DeviceMetrics(device, metrics) => {
                self.sample(&device, &metrics, Way::Live, now);
            }
            Message::DeviceBackfill(device, backfill) => {
                for mut metrics in backfill.samples {
                    metrics.session = backfill.session;
                    metrics.oldest_seq = Some(backfill.oldest_seq);
                    self.sample(&device, &metrics, Way::Backfill, now);
                }
            }
            Message::Event(event) => self.event(event, now),
            Message::HistoryCommand(command) => {
                if self.commands.len() < MAX_COMMANDS {
                    self.commands.push_back(command);
                } else {
                    self.counters.count("dropped_queue_full");
                }
            }
            other => self.retained(other),
        }
    }

    /// Takes what is the case since before. Settings that are cleared stay in force: nobody has
    /// said that less is to be kept. A retained sample is passed over: nobody knows for
    /// how long it has been retained, and its agent keeps it until it is acknowledged.
    pub fn retained(&mut self, message: Message) {
        if let Message::HistorySettings(settings) = message {
            self.settings = Some(settings);
        }
    }

    fn sample(&mut self, device: &DeviceId, metrics: &Metrics, way: Way, now: Now) {
        let (received, urgency) = match way {
            Way::Live => ("samples_received", Urgency::CanWait),
            Way::Backfill => ("samples_received_again", Urgency::Urgent),
        };
        self.counters.count(received);
        // No agent counts so far, and the database cannot.
        if i64::try_from(metrics.seq).is_err() {
            self.counters.count("messages_not_understood");
            return;
        }
        let placed = self.placing.place(device, metrics, way, now.moment);
        if placed.is_doubtful {
            self.counters.count("samples_of_doubtful_age");
        }
        let mut sample = NewSample::new(device.clone(), placed.at, metrics, &mut self.layouts);
        let left_out = self.layouts.take_left_out();
        if left_out > 0 {
            self.counters.add("numbers_left_out", left_out);
        }
        // An agent that sends a sample has it.
        sample.oldest_seq = sample.oldest_seq.map(|oldest| oldest.min(sample.seq));
        match self.batch.push_sample(sample, way) {
            Taken::Waits => self.schedule.waits(now.instant, urgency),
            Taken::Twice => self.counters.count("samples_waiting_already"),
            Taken::Refused => self.counters.count("samples_refused_queue_full"),
        }
    }

    fn event(&mut self, mut event: Event, now: Now) {
        self.counters.count("events_received");
        if event.time < RELEASED && now.moment.wall >= RELEASED {
            // Said just before the clock was set.
            event.time = now.moment.wall;
        }
        if self.batch.push_event(event) {
            self.schedule.waits(now.instant, Urgency::Urgent);
        } else {
            self.counters.count("dropped_queue_full");
        }
    }
}
