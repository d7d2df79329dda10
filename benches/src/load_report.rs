//! What became of a fleet, for people and for programs.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::fleet::{Death, Fleet, How};
use crate::stats::{millis, percentile};

/// A run of the load generator.
#[derive(Debug, Serialize)]
pub struct LoadReport {
    /// When all agents were connected.
    pub began: Timestamp,
    /// With which seed.
    pub seed: u64,
    /// How many agents.
    pub agents: usize,
    /// For how long.
    pub secs: u64,
    /// Faults that were made.
    pub faults: usize,
    /// Samples.
    pub samples: Samples,
    /// Ends of agents that the broker had to announce, by how they went.
    pub deaths: BTreeMap<&'static str, Deaths>,
    /// `offline` of a session that had not ended.
    pub unexplained_offline: usize,
    /// The hub's conclusion that a device was offline which had not ended.
    pub wrongly_concluded: usize,
    /// Devices about which the broker's last word, or the hub's conclusion, is wrong.
    pub wrong_at_the_end: Vec<String>,
    /// For so long the generator itself did nothing, at most, in milliseconds: on a machine with
    /// too much to do its agents are late, whatever the hub does.
    pub stalled_ms: f64,
    /// CPU time of the hub in this time, if it is one of our own.
    pub hub_cpu_secs: Option<f64>,
    /// Its memory at the end.
    pub hub_resident_bytes: Option<u64>,
}

/// What became of the samples.
#[derive(Debug, Serialize)]
pub struct Samples {
    /// Handed to a connection.
    pub sent: usize,
    /// Acknowledged by the broker.
    pub acknowledged: usize,
    /// Received by the watcher.
    pub seen: usize,
    /// Acknowledged and never seen.
    pub lost: usize,
    /// Received more often than sent.
    pub duplicated: usize,
    /// Not sent, since there was no connection.
    pub not_sent: usize,
    /// From publish to receipt, in milliseconds: half within this.
    pub p50_ms: Option<f64>,
    /// 99 of 100 within this.
    pub p99_ms: Option<f64>,
    /// All within this.
    pub most_ms: Option<f64>,
}

/// What was heard of those that went.
#[derive(Debug, Default, Serialize)]
pub struct Deaths {
    /// How many.
    pub number: usize,
    /// Those that were never announced.
    pub missed: usize,
    /// From the end to the word of it, in milliseconds: half within this.
    pub p50_ms: Option<f64>,
    /// All within this.
    pub most_ms: Option<f64>,
    /// Those that the hub has concluded as well (`presence`).
    pub concluded: usize,
    /// That took, in milliseconds, at most.
    pub concluded_most_ms: Option<f64>,
}

impl LoadReport {
    /// What the ledger of the fleet says now.
    pub fn new(fleet: &Fleet, seed: u64, duration: Duration, faults: usize) -> Self {
        let totals = fleet.ledger().totals();
        let mut by_kind: BTreeMap<How, Vec<Death>> = BTreeMap::new();
        for death in fleet.ledger().deaths() {
            by_kind.entry(death.how).or_default().push(death);
        }
        let wrong = fleet.wrong();
        Self {
            began: Timestamp::UNIX_EPOCH,
            seed,
            agents: fleet.agents.len(),
            secs: duration.as_secs(),
            faults,
            samples: Samples {
                sent: totals.sent,
                acknowledged: totals.acknowledged,
                seen: totals.seen,
                lost: totals.lost,
                duplicated: totals.duplicated,
                not_sent: totals.failed,
                p50_ms: totals.p50.map(millis),
                p99_ms: totals.p99.map(millis),
                most_ms: totals.most.map(millis),
            },
            deaths: by_kind
                .into_iter()
                .map(|(how, all)| (name(how), deaths(&all)))
                .collect(),
            unexplained_offline: totals.unexplained_offline,
            wrongly_concluded: totals.wrongly_concluded,
            wrong_at_the_end: wrong.iter().map(|it| it.device().to_string()).collect(),
            stalled_ms: 0.0,
            hub_cpu_secs: None,
            hub_resident_bytes: None,
        }
    }

    /// Whether nothing was lost, every death was announced, and the last word is right.
    pub fn is_good(&self) -> bool {
        self.samples.lost == 0
            && self.wrong_at_the_end.is_empty()
            && self.wrongly_concluded == 0
            && self.deaths.values().all(|deaths| deaths.missed == 0)
    }
}

fn name(how: How) -> &'static str {
    match how {
        How::Stop => "stopped",
        How::Kill => "killed",
        How::Freeze => "frozen",
        How::Cut => "cut off",
        How::Replaced => "started anew",
        How::TakenOver => "taken over",
    }
}

fn deaths(all: &[Death]) -> Deaths {
    let mut announced: Vec<Duration> = all.iter().filter_map(|death| death.announced).collect();
    announced.sort_unstable();
    let concluded = all.iter().filter_map(|death| death.concluded);
    Deaths {
        number: all.len(),
        missed: all.len() - announced.len(),
        p50_ms: percentile(&announced, 50).map(millis),
        most_ms: announced.last().copied().map(millis),
        concluded: concluded.clone().count(),
        concluded_most_ms: concluded.max().map(millis),
    }
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |value: Option<f64>| value.map_or("-".to_owned(), |ms| format!("{ms:.1} ms"));
        let Self { samples, .. } = self;
        writeln!(
            f,
            "{} agents, {} s, seed {}, {} faults",
            self.agents, self.secs, self.seed, self.faults
        )?;
        writeln!(
            f,
            "samples: {} sent, {} acknowledged, {} seen, {} lost, {} duplicated, {} not sent \
             (no connection)",
            samples.sent,
            samples.acknowledged,
            samples.seen,
            samples.lost,
            samples.duplicated,
            samples.not_sent
        )?;
        writeln!(
            f,
            "publish to receipt: p50 {}, p99 {}, at most {}",
            ms(samples.p50_ms),
            ms(samples.p99_ms),
            ms(samples.most_ms)
        )?;
        for (how, deaths) in &self.deaths {
            writeln!(
                f,
                "{how}: {}, {} never announced; announced after p50 {}, at most {}; {} concluded, \
                 after at most {}",
                deaths.number,
                deaths.missed,
                ms(deaths.p50_ms),
                ms(deaths.most_ms),
                deaths.concluded,
                ms(deaths.concluded_most_ms)
            )?;
        }
        writeln!(
            f,
            "offline without an end: {} said, {} concluded; wrong at the end: {}",
            self.unexplained_offline,
            self.wrongly_concluded,
            if self.wrong_at_the_end.is_empty() {
                "none".to_owned()
            } else {
                self.wrong_at_the_end.join(", ")
            }
        )?;
        writeln!(
            f,
            "the generator itself stood still for up to {:.0} ms",
            self.stalled_ms
        )?;
        if let (Some(cpu), Some(bytes)) = (self.hub_cpu_secs, self.hub_resident_bytes) {
            let share = 100.0 * cpu / self.secs.max(1) as f64;
            let megabytes = bytes as f64 / 1e6;
            writeln!(f, "hub: {share:.1} % of a core, {megabytes:.0} MB")?;
        }
        Ok(())
    }
}
