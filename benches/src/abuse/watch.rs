//! What is looked at while the hub is abused, and what is found wrong.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use netmonitor_protocol::DeviceId;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::bout::Tally;
use super::newcomer::{Newcomer, Welcome};
use super::report::Report;
use super::vitals::Vitals;
use super::{AFTER_HALF, AFTER_START, Config};
use crate::faults::Faults;
use crate::fleet::Fleet;
use crate::hub::Hub;
use crate::load_report::LoadReport;
use crate::stats::millis;

/// Between two looks at what may fail, and at the process.
const STEP: Duration = Duration::from_millis(100);
const LOOK: Duration = Duration::from_secs(1);

/// Between two rows for whoever reads along.
const ROW: Duration = Duration::from_mins(1);

/// Between two newcomers, and how long one may take until it knows of every agent. In a quiet hub
/// it takes some milliseconds.
const NEWCOMERS: Duration = Duration::from_secs(5);
const WELCOME_WITHIN: Duration = Duration::from_secs(20);

/// For so long something else may be said of an agent than what is true: longer than 1.5 x
/// keepalive (6 s) and a second, on a machine that has too much to do.
const WRONG_FOR: Duration = Duration::from_secs(30);

/// In the end, for the hub to be as before: sessions that were left behind have to expire, a
/// renewed router has to be drained, and threads of a pool to end.
const QUIET_WITHIN: Duration = Duration::from_mins(3);

/// Memory has settled when it has not become so many bytes less for so long.
const SHRINKS: u64 = 1_000_000;
const SETTLED: Duration = Duration::from_secs(20);

/// Faults that are written down, so that a hub that has died does not fill a page.
const FAULTS_MAX: usize = 20;

/// How long the hub's log may be, in bytes for a minute of abuse: what repeats is said once.
const LOG_PER_MINUTE: u64 = 100_000;

/// What the hub's log must not say.
const ALARMING: [&str; 3] = [" ERROR ", "panicked at", "the router has"];

pub(super) struct Watch<'a> {
    hub: &'a Hub,
    newcomer: Newcomer,
    pid: u32,
    started: Instant,
    before: Vitals,
    last: Vitals,
    most: Vitals,
    /// After each abuse, and how long that took.
    quiet: Vec<(Vitals, Duration)>,
    welcomes: Vec<Welcome>,
    wrong_since: HashMap<DeviceId, Instant>,
    counters: BTreeMap<String, u64>,
    stalled: Duration,
    faults: Vec<String>,
}

impl<'a> Watch<'a> {
    pub(super) fn new(hub: &'a Hub, newcomer: Newcomer, before: Vitals) -> Self {
        Self {
            hub,
            newcomer,
            pid: hub.program.pid(),
            started: Instant::now(),
            before,
            last: before,
            most: before,
            quiet: Vec::new(),
            welcomes: Vec::new(),
            wrong_since: HashMap::new(),
            counters: BTreeMap::new(),
            stalled: Duration::ZERO,
            faults: Vec::new(),
        }
    }

    /// Looks on for so long, or until the hub is dead.
    pub(super) async fn during(
        &mut self,
        duration: Duration,
        fleet: &mut Fleet,
        faults: &mut Faults,
        tally: &Tally,
        out: &mut dyn Write,
    ) -> anyhow::Result<()> {
        let mut steps = interval(STEP);
        steps.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut newcomers = JoinSet::new();
        let began = Instant::now();
        // What was wrong when it was last looked at is long ago.
        self.wrong_since.clear();
        let (mut looked, mut shown, mut came) = (began, began, began);
        writeln!(out, "{}", self.heading()).context("cannot write a row")?;
        while began.elapsed() < duration {
            let due = steps.tick().await;
            self.stalled = self.stalled.max(due.elapsed());
            faults.step(fleet, STEP).await;
            if looked.elapsed() >= LOOK {
                looked = Instant::now();
                if let Err(error) = self.look(fleet) {
                    self.fault(format!("the hub: {error:#}"));
                    break;
                }
            }
            if came.elapsed() >= NEWCOMERS && newcomers.is_empty() {
                came = Instant::now();
                let (newcomer, agents) = (self.newcomer.clone(), fleet.agents.len());
                newcomers.spawn(async move { newcomer.visit(agents, WELCOME_WITHIN).await });
            }
            while let Some(ended) = newcomers.try_join_next() {
                self.welcome(ended?);
            }
            if shown.elapsed() >= ROW {
                shown = Instant::now();
                writeln!(out, "{}", self.row(fleet, tally)).context("cannot write a row")?;
            }
        }
        while let Some(ended) = newcomers.join_next().await {
            self.welcome(ended?);
        }
        Ok(())
    }

    /// Something is not as it must be.
    pub(super) fn fault(&mut self, what: impl Display) {
        if self.faults.len() < FAULTS_MAX {
            let at = self.started.elapsed().as_secs();
            self.faults.push(format!("after {at} s: {what}"));
        }
    }

    fn welcome(&mut self, ended: anyhow::Result<Welcome>) {
        match ended {
            Ok(welcome) => self.welcomes.push(welcome),
            Err(error) => self.fault(format!(
                "a newcomer did not learn of every agent within {} s: {error:#}",
                WELCOME_WITHIN.as_secs()
            )),
        }
    }

    fn look(&mut self, fleet: &Fleet) -> anyhow::Result<()> {
        self.last = Vitals::of(&self.hub.program)?;
        self.most = self.most.most(self.last);
        let wrong = fleet.wrong();
        let mut since = HashMap::new();
        let mut overdue = Vec::new();
        for agent in wrong {
            let device = agent.device();
            let first = self.wrong_since.get(device).copied();
            let first = first.unwrap_or_else(Instant::now);
            // Said once: it begins anew.
            if first.elapsed() > WRONG_FOR {
                let (belief, said) = (agent.belief(), agent.presence());
                overdue.push(format!("{device} is {belief:?}, and the hub says {said:?}"));
            } else {
                since.insert(device.clone(), first);
            }
        }
        self.wrong_since = since;
        for one in overdue {
            self.fault(format!("for {} s, {one}", WRONG_FOR.as_secs()));
        }
        Ok(())
    }

    /// Waits until the hub holds no more than it may and does not become smaller any more, and until
    /// all that was acknowledged has been seen.
    pub(super) async fn until_quiet(
        &mut self,
        fleet: &Fleet,
        out: &mut dyn Write,
    ) -> anyhow::Result<()> {
        let began = Instant::now();
        let (mut least, mut since) = (u64::MAX, began);
        let what_is_left = loop {
            match Vitals::of(&self.hub.program) {
                Ok(now) => self.last = now,
                Err(error) => break Some(format!("the hub: {error:#}")),
            }
            // Its report may be from before.
            if let Ok(Ok(counters)) = timeout(LOOK, self.newcomer.counters()).await {
                self.counters = counters;
            }
            if self.last.resident_bytes + SHRINKS < least {
                (least, since) = (self.last.resident_bytes, Instant::now());
            }
            let left = self.left(fleet);
            let is_settled = since.elapsed() > SETTLED;
            if left.is_none() && is_settled || began.elapsed() > QUIET_WITHIN {
                break left;
            }
            sleep(LOOK).await;
        };
        let secs = began.elapsed().as_secs();
        if let Some(what) = what_is_left {
            self.fault(format!("{secs} s after the abuse {what}"));
        }
        self.quiet.push((self.last, began.elapsed()));
        writeln!(out, "quiet after {secs} s: {}", self.last).context("cannot write a row")
    }

    /// What is left and must not be, in words.
    fn left(&self, fleet: &Fleet) -> Option<String> {
        let lost = fleet.ledger().totals().lost;
        if lost > 0 {
            return Some(format!(
                "the watcher has not seen {lost} samples that the broker had acknowledged"
            ));
        }
        let now = self.last;
        let halves = self.quiet.iter().map(|(half, _)| (half, &AFTER_HALF));
        let earlier = halves.chain([(&self.before, &AFTER_START)]);
        let mut grown = earlier.filter(|(before, allowance)| !now.is_back_to(before, allowance));
        let (before, _) = grown.next()?;
        Some(format!("the hub still has {now}; before it had {before}"))
    }

    pub(super) fn report(
        mut self,
        fleet: &Fleet,
        config: Config,
        faults: usize,
        tally: Arc<Tally>,
    ) -> Report {
        let mut load = LoadReport::new(fleet, config.seed, config.duration, faults);
        load.stalled_ms = millis(self.stalled);
        for line in fleet.ledger().wrongly_concluded() {
            self.fault(format!("gone, and was not: {line}"));
        }
        if load.unexplained_offline > 0 {
            let number = load.unexplained_offline;
            self.fault(format!("`offline` of agents that had not ended: {number}"));
        }
        for (how, deaths) in &load.deaths {
            if deaths.missed > 0 {
                self.fault(format!("{how} and never announced: {}", deaths.missed));
            }
        }
        if self.hub.program.pid() != self.pid {
            self.fault("the hub is another process");
        }
        let replaced = self.counters.get("router_replacements").copied();
        if let Some(number) = replaced.filter(|number| *number > 0) {
            self.fault(format!("routers that died: {number}"));
        }
        let log = self.hub.program.log().unwrap_or_default();
        for line in log.lines() {
            if ALARMING.iter().any(|alarming| line.contains(alarming)) {
                self.fault(format!("the hub's log says: {line}"));
            }
        }
        let log_max = LOG_PER_MINUTE * config.duration.as_secs().div_ceil(60);
        if log.len() as u64 > log_max {
            self.fault(format!(
                "the hub's log has {} bytes, more than {log_max}",
                log.len()
            ));
        }
        let mut welcomes: Vec<Duration> = self.welcomes.iter().map(|it| it.took).collect();
        welcomes.sort_unstable();
        Report {
            load,
            tally,
            before: self.before,
            most: self.most,
            peak_bytes: self.hub.program.resident_peak_bytes().unwrap_or_default(),
            quiet: self.quiet,
            attempts: self.welcomes.iter().map(|it| it.attempts).sum(),
            welcomes,
            counters: self.counters,
            log_bytes: log.len(),
            faults: self.faults,
        }
    }

    fn heading(&self) -> String {
        format!(
            "{}\n{:>4} {:>8} {:>8} {:>6} {:>8} {:>6} {:>6} {:>10} {:>11} {:>6} {:>8}",
            self.last,
            "min",
            "MB now",
            "MB most",
            "files",
            "threads",
            "wrong",
            "lost",
            "newcomers",
            "slowest ms",
            "bouts",
            "sockets"
        )
    }

    fn row(&self, fleet: &Fleet, tally: &Tally) -> String {
        let slowest = self.welcomes.iter().map(|it| it.took).max();
        format!(
            "{:>4} {:>8.1} {:>8.1} {:>6} {:>8} {:>6} {:>6} {:>10} {:>11.0} {:>6} {:>8}",
            self.started.elapsed().as_secs() / 60,
            self.last.resident_bytes as f64 / 1e6,
            self.most.resident_bytes as f64 / 1e6,
            self.last.open_files,
            self.last.threads,
            fleet.wrong().len(),
            fleet.ledger().totals().lost,
            self.welcomes.len(),
            slowest.map_or(0.0, millis),
            tally.bouts().map(|(_, number)| number).sum::<u64>(),
            tally.connections(),
        )
    }
}
