//! Abuse of a hub by everybody who can reach it, in a random mix from a seed; meanwhile agents,
//! their watcher and newcomers are served, and in the end the hub is as it was before.
//!
//! Abuse has a thread of its own, so that the agents here are not late because of it.

mod abuser;
mod bout;
mod flood;
mod garbage;
mod names;
mod newcomer;
mod report;
mod slow;
mod storm;
mod vitals;
mod watch;

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use netmonitor_service::tls;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{Rng as _, SeedableRng as _};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

pub use abuser::{Abuser, Who};
pub use bout::{Kind, Tally};
pub use report::Report;
pub use vitals::{Allowance, Vitals};

use crate::faults::{Faults, Rate};
use crate::fleet::{self, Fleet};
use crate::hub::{Hub, PATIENCE};
use crate::raw::Way;
use newcomer::Newcomer;
use watch::Watch;

/// Kinds of abuse that go on at the same time.
const LANES: usize = 6;

/// Between two of them, in milliseconds, at most.
const PAUSE_MS: u64 = 500;

/// What agents suffer meanwhile, for each so often in a minute, and for how long: presence has to
/// be right about those that die as well.
const FAULTS: [&str; 3] = ["kill=0.2", "stop=0.1", "restart=0.1"];
const FAULT_LASTS: Duration = Duration::from_secs(5);

/// After each of them it becomes quiet: what is left of the first is what the hub keeps, and there
/// must not be more of it after the second.
const HALVES: u32 = 2;

/// How much more may be left than there was after the start: the router's logs (16 MiB, and a little
/// more until a new router takes over), topics and filters that it has not forgotten yet, the caches
/// of databases, and what the allocator keeps of a peak of 180 MB.
const AFTER_START: Allowance = Allowance {
    resident_bytes: 60_000_000,
    threads: 2,
    open_files: 4,
};

/// How much more may be left of the second half than of the first: what grows with each abuse is
/// lost.
const AFTER_HALF: Allowance = Allowance {
    resident_bytes: 25_000_000,
    ..AFTER_START
};

/// How a hub is abused.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// For how long, the time after each half left out in which it becomes quiet.
    pub duration: Duration,
    /// The same seed tries the same.
    pub seed: u64,
    /// Agents that are to be served meanwhile.
    pub agents: usize,
}

/// Abuses this hub, which must have only just started, and says how it went. Needs the limit of
/// open files to be high. A row of what the hub holds goes to `out` once a minute.
pub async fn run(hub: &Hub, config: Config, out: &mut dyn Write) -> anyhow::Result<Report> {
    let code = hub.join_code(config.agents + 1)?;
    let watcher = hub.watcher(&code)?;
    let mut identities = fleet::join(&code, config.agents + 1).await?;
    let mad = identities.pop().context("one more has joined")?;
    let victims: Vec<_> = identities.iter().map(|it| it.device.clone()).collect();
    let abusers = Abuser::all(hub, &mad, &victims)?;
    let newcomer = Newcomer {
        way: Way {
            address: hub.listeners()?[1],
            tls: Some(tls::pinned(code.ca_fingerprint)),
            receive_buffer: None,
            from: None,
        },
        password: hub.mqtt_user(newcomer::USER, &["--role", "reader"])?,
    };
    let quiet = fleet::Config {
        seed: config.seed,
        relays: false,
        ..fleet::Config::default()
    };
    let mut fleet = Fleet::start(identities, watcher, quiet).await?;
    fleet.concluded(PATIENCE).await?;
    served(&fleet).await?;
    let before = Vitals::of(&hub.program)?;

    let mut watch = Watch::new(hub, newcomer, before);
    let rates = FAULTS.map(str::parse::<Rate>).into_iter();
    let mut faults = Faults::new(
        rates.collect::<anyhow::Result<_>>()?,
        config.seed,
        FAULT_LASTS,
        config.agents,
    );
    let tally = Arc::new(Tally::default());
    let mix = Arc::new(Mutex::new(Mix::new(config.seed, abusers.clone())));
    for _ in 0..HALVES {
        let abuse = Abuse::start(mix.clone(), tally.clone())?;
        let half = config.duration / HALVES;
        watch
            .during(half, &mut fleet, &mut faults, &tally, out)
            .await?;
        abuse.end().await?;
        if Vitals::of(&hub.program).is_err() {
            // It has died: that was written down, and there is nothing to wait for.
            break;
        }
        for abuser in &abusers {
            if let Err(error) = abuser.clean_up(PATIENCE).await {
                watch.fault(format!("{error:#}"));
            }
        }
        faults.end(&mut fleet, 0);
        let settled = fleet.settled(PATIENCE).await;
        let concluded = fleet.concluded(PATIENCE).await;
        for error in [settled, concluded].into_iter().filter_map(Result::err) {
            watch.fault(format!("after the abuse, {error:#}"));
        }
        watch.until_quiet(&fleet, out).await?;
    }
    Ok(watch.report(&fleet, config, faults.made(), tally))
}

/// Every agent's samples have been seen, some of each.
async fn served(fleet: &Fleet) -> anyhow::Result<()> {
    let all = async {
        while fleet.ledger().totals().seen < 3 * fleet.agents.len() {
            sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, all)
        .await
        .context("the samples of a quiet fleet are not seen")
}

/// Abuse that goes on until it is ended.
struct Abuse {
    stop: CancellationToken,
    ended: tokio::sync::oneshot::Receiver<()>,
}

impl Abuse {
    fn start(mix: Arc<Mutex<Mix>>, tally: Arc<Tally>) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start the asynchronous runtime")?;
        let stop = CancellationToken::new();
        let (end, ended) = tokio::sync::oneshot::channel();
        let until = stop.clone();
        std::thread::Builder::new()
            .name("abuse".to_owned())
            .spawn(move || {
                let lanes = async {
                    let mut lanes = JoinSet::new();
                    for _ in 0..LANES {
                        lanes.spawn(go_on(mix.clone(), tally.clone()));
                    }
                    until.cancelled().await;
                };
                runtime.block_on(lanes);
                // Its sockets are closed with it, whatever they were doing.
                drop(runtime);
                // Nobody waits if the run has failed.
                let _unheard = end.send(());
            })?;
        Ok(Self { stop, ended })
    }

    async fn end(self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.ended.await.context("the thread of abuse has panicked")
    }
}

/// What is done next, and by whom: all kinds in a random order, then again.
struct Mix {
    random: StdRng,
    kinds: Vec<Kind>,
    abusers: Vec<Abuser>,
}

impl Mix {
    fn new(seed: u64, abusers: Vec<Abuser>) -> Self {
        Self {
            random: StdRng::seed_from_u64(seed),
            kinds: Vec::new(),
            abusers,
        }
    }

    /// A kind of abuse, by whom, what it takes from the seed, and the pause after it.
    fn next(&mut self) -> Option<(Kind, Abuser, StdRng, Duration)> {
        if self.kinds.is_empty() {
            self.kinds.extend(Kind::ALL);
            self.kinds.shuffle(&mut self.random);
        }
        let kind = self.kinds.pop()?;
        let abuser = self.abusers.choose(&mut self.random)?.clone();
        let random = StdRng::seed_from_u64(self.random.random());
        let pause = Duration::from_millis(self.random.random_range(0..PAUSE_MS));
        Some((kind, abuser, random, pause))
    }
}

/// One piece of abuse after another, for ever.
async fn go_on(mix: Arc<Mutex<Mix>>, tally: Arc<Tally>) {
    loop {
        let next = mix.lock().unwrap_or_else(PoisonError::into_inner).next();
        let Some((kind, abuser, mut random, pause)) = next else {
            return;
        };
        kind.play(&abuser, &mut random, &tally).await;
        sleep(pause).await;
    }
}
