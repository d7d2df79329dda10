//! How it went, for people.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::bout::Tally;
use super::vitals::Vitals;
use crate::load_report::LoadReport;
use crate::stats::{millis, percentile};

/// An abused hub.
#[derive(Debug)]
pub struct Report {
    /// The agents.
    pub load: LoadReport,
    /// What was done to the hub.
    pub tally: Arc<Tally>,
    /// What it held before.
    pub before: Vitals,
    /// The most of each, looked at once a second.
    pub most: Vitals,
    /// The most memory it ever had, in bytes.
    pub peak_bytes: u64,
    /// What it held after each half, and how long after.
    pub quiet: Vec<(Vitals, Duration)>,
    /// How long newcomers took, the quickest first.
    pub welcomes: Vec<Duration>,
    /// How often they tried, in all.
    pub attempts: usize,
    /// What the broker has counted.
    pub counters: BTreeMap<String, u64>,
    /// The length of the hub's log.
    pub log_bytes: usize,
    /// What was wrong.
    pub faults: Vec<String>,
}

impl Report {
    /// Whether others were served, and the hub is as it was.
    pub fn is_good(&self) -> bool {
        self.faults.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bouts = self.tally.bouts();
        let bouts: Vec<String> = bouts
            .map(|(kind, n)| format!("{n} {}", kind.name()))
            .collect();
        writeln!(
            f,
            "abuse: {}; {} connections, {} messages",
            bouts.join(", "),
            self.tally.connections(),
            self.tally.messages()
        )?;
        write!(f, "{}", self.load)?;
        let at = |percent| percentile(&self.welcomes, percent).map_or(0.0, millis);
        writeln!(
            f,
            "newcomers: {}, in {} attempts; p50 {:.0} ms, p99 {:.0} ms, at most {:.0} ms",
            self.welcomes.len(),
            self.attempts,
            at(50),
            at(99),
            at(100)
        )?;
        let counted = self.counters.iter().filter(|(_, number)| **number > 0);
        let counted: Vec<String> = counted.map(|(name, n)| format!("{name} {n}")).collect();
        writeln!(f, "the broker has counted: {}", counted.join(", "))?;
        writeln!(f, "the hub's log: {} kB", self.log_bytes / 1_000)?;
        writeln!(f, "before: {}", self.before)?;
        writeln!(
            f,
            "most:   {}; memory in between {:.1} MB",
            self.most,
            self.peak_bytes as f64 / 1e6
        )?;
        for (after, quiet) in &self.quiet {
            writeln!(f, "after:  {after}, {} s later", quiet.as_secs())?;
        }
        for fault in &self.faults {
            writeln!(f, "WRONG: {fault}")?;
        }
        let verdict = if self.is_good() {
            "others were served meanwhile, and the hub is as it was"
        } else {
            "NOT as it must be"
        };
        writeln!(f, "{verdict}")
    }
}
