//! A collector at work: when it is due, what it read last, and whether it can read at all.

use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};

use super::crew::Crew;
use super::switches::Switches;
use super::{Collector, Every, Health, Part, Source, Wanted};
use crate::failures::Failures;
use crate::root::Root;

/// What was read last is worth nothing any more once a reading has taken so long, or a tenth of the
/// time between two: what is read seldom may be a lot.
const GIVE_UP_AFTER: Duration = Duration::from_secs(5);

/// How much earlier than it is due one is read with a sample, at most.
const SLACK: Duration = Duration::from_millis(500);

/// A collector at work.
pub(super) struct Running {
    source: &'static Source,
    root: Root,
    /// The least time between two readings; zero for one with each sample.
    every: Duration,
    due: Option<Instant>,
    work: Work,
    /// What it read last, unless it could not.
    part: Option<Part>,
    failures: Failures,
}

/// Where the collector is.
enum Work {
    /// It cannot be opened, or was not yet: it is tried with each reading.
    Closed,
    /// Here, ready to be read.
    Ready(Box<dyn Collector>),
    /// With the crew, since then.
    Away { since: Instant, given_up: bool },
}

impl Running {
    /// None if it is not wanted.
    pub(super) fn wanted(
        source: &'static Source,
        root: &Root,
        switches: &Switches,
    ) -> Option<Self> {
        let switch = switches.of(source.name);
        let wanted = match source.wanted {
            Wanted::Always => true,
            Wanted::Usually => switch.enabled.unwrap_or(true),
            Wanted::OnRequest => switch.enabled.unwrap_or(false),
        };
        let every = match source.every {
            Every::Sample => Duration::ZERO,
            Every::Secs(secs) | Every::SecsApart(secs) => Duration::from_secs(secs),
        };
        wanted.then(|| Self {
            source,
            root: root.clone(),
            every: switch.interval.unwrap_or(every),
            due: None,
            work: Work::Closed,
            part: None,
            failures: Failures::default(),
        })
    }

    pub(super) fn name(&self) -> &'static str {
        self.source.name
    }

    pub(super) fn is_required(&self) -> bool {
        self.source.wanted == Wanted::Always
    }

    pub(super) fn part(&self) -> Option<&Part> {
        self.part.as_ref()
    }

    pub(super) fn is_failing(&self) -> bool {
        self.failures.error().is_some()
    }

    pub(super) fn health(&self) -> Health {
        Health {
            name: self.source.name,
            failures: self.failures.total(),
            error: self.failures.error().map(str::to_owned),
        }
    }

    /// Reads if it is due. Whether the crew does it.
    pub(super) fn begin(&mut self, at: usize, now: Instant, crew: &Crew) -> bool {
        if let Work::Away { since, given_up } = &mut self.work {
            if crew.is_waiting(at) {
                // Another one is stuck before it: nobody has asked it yet.
                *since = now;
            }
            let within = GIVE_UP_AFTER.max(self.every / 10);
            if !*given_up && now.saturating_duration_since(*since) >= within {
                *given_up = true;
                let secs = within.as_secs();
                self.read(now, Err(anyhow!("no answer within {secs} s")));
            }
            // Whoever is stuck behind it gets another worker.
            return true;
        }
        // No sample is taken to the microsecond: one that is early by that is not left out.
        let slack = (self.every / 10).min(SLACK);
        if self.due.is_some_and(|due| now + slack < due) {
            return false;
        }
        self.due = Some(now + self.every);
        match std::mem::replace(&mut self.work, Work::Closed) {
            Work::Closed => match (self.source.open)(&self.root).context("cannot start") {
                Ok(collector) => self.hand_over(at, collector, now, crew),
                Err(error) => {
                    self.read(now, Err(error));
                    false
                }
            },
            Work::Ready(collector) => self.hand_over(at, collector, now, crew),
            away @ Work::Away { .. } => {
                self.work = away;
                true
            }
        }
    }

    fn hand_over(
        &mut self,
        at: usize,
        mut collector: Box<dyn Collector>,
        now: Instant,
        crew: &Crew,
    ) -> bool {
        if matches!(self.source.every, Every::SecsApart(_)) {
            crew.read(at, collector);
            self.work = Work::Away {
                since: now,
                given_up: false,
            };
            return true;
        }
        let result = collector.read(now);
        self.work = Work::Ready(collector);
        self.read(now, result);
        false
    }

    /// The crew has read.
    pub(super) fn came_back(
        &mut self,
        collector: Box<dyn Collector>,
        result: anyhow::Result<Part>,
        now: Instant,
    ) {
        self.work = Work::Ready(collector);
        self.read(now, result);
    }

    fn read(&mut self, now: Instant, result: anyhow::Result<Part>) {
        self.failures.note(self.source.name, now, result.as_ref());
        self.part = result.ok();
    }
}
