//! What became of a fleet, for people and for programs.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::dashboard::Asked;
use crate::fleet::{Death, Fleet, How};
use crate::plan::Plan;
use crate::stats::{millis, percentile};
use crate::stored::Stored;

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
    /// Live samples on their way over the broker.
    pub samples: Samples,
    /// All that were measured, against the history; none if it cannot be read from here.
    pub stored: Option<Stored>,
    /// What a dashboard asked meanwhile.
    pub questions: Option<Asked>,
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
    /// For so long the hub was not there in the middle, in seconds. What it had acknowledged and
    /// not passed on yet is lost to the watcher then, though not to the history.
    pub hub_away_secs: Option<u64>,
    /// CPU time of the hub in this time, if it is one of our own.
    pub hub_cpu_secs: Option<f64>,
    /// Its memory meanwhile.
    pub hub_memory: Option<Memory>,
    /// What such a hub costs, if that was asked.
    pub plan: Option<Plan>,
    /// What must hold beside that nothing is lost.
    pub limits: Limits,
}

/// What must hold, if it is said.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Limits {
    /// The hub's memory at its most, in MB.
    pub memory_mb: Option<f64>,
    /// 95 of 100 questions are answered within this, in milliseconds.
    pub question_ms: Option<f64>,
}

/// Memory of a process, looked at every ten seconds, in bytes.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Memory {
    /// In the beginning.
    pub first: u64,
    /// The middle one.
    pub median: u64,
    /// In the end.
    pub last: u64,
    /// The most that it ever was.
    pub peak: u64,
}

impl Memory {
    /// Of what was seen; none of nothing.
    pub fn of(seen: &[u64], peak: u64) -> Option<Self> {
        let mut sorted = seen.to_vec();
        sorted.sort_unstable();
        Some(Self {
            first: *seen.first()?,
            median: sorted[sorted.len() / 2],
            last: *seen.last()?,
            peak,
        })
    }
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
            hub_away_secs: None,
            stored: None,
            questions: None,
            hub_cpu_secs: None,
            hub_memory: None,
            plan: None,
            limits: Limits::default(),
        }
    }

    /// Whether nothing was lost, every sample is stored once, every death was announced, the last
    /// word is right, and the limits hold.
    pub fn is_good(&self) -> bool {
        (self.samples.lost == 0 || self.hub_away_secs.is_some())
            && self.stored.is_none_or(|stored| stored.is_good())
            && self.broken_limits().is_empty()
            && self.wrong_at_the_end.is_empty()
            && self.wrongly_concluded == 0
            && self.deaths.values().all(|deaths| deaths.missed == 0)
    }
}

impl LoadReport {
    /// Limits that do not hold, in words.
    fn broken_limits(&self) -> Vec<String> {
        let mut broken = Vec::new();
        let memory = self.hub_memory.map(|memory| memory.peak as f64 / 1e6);
        if let (Some(most), Some(peak)) = (self.limits.memory_mb, memory)
            && peak > most
        {
            broken.push(format!("memory is more than {most} MB"));
        }
        if let (Some(most), Some(asked)) = (self.limits.question_ms, &self.questions)
            && (asked.failed > 0 || asked.all.p95_ms.is_none_or(|p95| p95 > most))
        {
            broken.push(format!("answers take more than {most} ms"));
        }
        broken
    }

    fn write_stored(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(it) = &self.stored {
            writeln!(
                f,
                "history: {} measured, {} acknowledged by ingest, {} stored, {} missing \
                 ({} of them acknowledged), {} stored twice, {} of nobody",
                it.measured,
                it.acknowledged,
                it.stored,
                it.missing,
                it.acknowledged_and_missing,
                it.stored_twice,
                it.foreign
            )?;
        }
        Ok(())
    }

    fn write_questions(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(asked) = &self.questions else {
            return Ok(());
        };
        let kinds = asked.by_kind.iter().map(|(name, answers)| (*name, answers));
        for (name, answers) in kinds.chain([("all questions", &asked.all)]) {
            writeln!(
                f,
                "{name}: {} answers, p50 {}, p95 {}, at most {}",
                answers.number,
                ms(answers.p50_ms),
                ms(answers.p95_ms),
                ms(answers.most_ms)
            )?;
        }
        writeln!(f, "questions without an answer: {}", asked.failed)
    }

    fn write_hub(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(cpu) = self.hub_cpu_secs {
            let share = 100.0 * cpu / self.secs.max(1) as f64;
            writeln!(f, "hub: {share:.1} % of a core")?;
        }
        if let Some(memory) = self.hub_memory {
            let mb = |bytes: u64| bytes as f64 / 1e6;
            writeln!(
                f,
                "hub's memory: {:.0} MB first, {:.0} median, {:.0} last, {:.0} at most",
                mb(memory.first),
                mb(memory.median),
                mb(memory.last),
                mb(memory.peak)
            )?;
        }
        for broken in self.broken_limits() {
            writeln!(f, "MISSED: {broken}")?;
        }
        match &self.plan {
            Some(plan) => write!(f, "{plan}"),
            None => Ok(()),
        }
    }
}

fn ms(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |ms| format!("{ms:.1} ms"))
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
        let Self { samples, .. } = self;
        writeln!(
            f,
            "{} agents, {} s, seed {}, {} faults",
            self.agents, self.secs, self.seed, self.faults
        )?;
        if let Some(away) = self.hub_away_secs {
            writeln!(f, "the hub was killed in the middle, and away for {away} s")?;
        }
        writeln!(
            f,
            "live samples: {} sent, {} acknowledged, {} seen, {} lost, {} duplicated, {} not sent \
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
        self.write_stored(f)?;
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
        self.write_questions(f)?;
        self.write_hub(f)
    }
}
