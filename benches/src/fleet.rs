//! Simulated agents: each joined for real, each with a connection of its own over TLS, speaking
//! as the real agent does, with values of an invented machine.
//!
//! Samples are kept in a spool as the real one does, until ingest has acknowledged them.
//!
//! An agent reaches the hub over a relay of its own, where the network's faults are made. What
//! was sent, acknowledged and seen is in the [`Ledger`].

mod agent;
mod deliveries;
mod freeze;
mod ledger;
mod life;
mod machine;
mod relay;
mod watcher;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use netmonitor_agent::Identity;
use netmonitor_agent::join::enrol;
use netmonitor_protocol::join_code::JoinCode;
use netmonitor_service::mqtt::Dial;
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

pub use agent::{Agent, Belief};
pub use ledger::{Death, How, Ledger, Totals};
pub use machine::Machine;

/// Machines that join at the same time.
const JOINING_AT_ONCE: usize = 8;

/// How often to look whether all is as it should be.
const LOOK: Duration = Duration::from_millis(20);

/// How a fleet behaves.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Seed of all values: the same seed makes the same machines.
    pub seed: u64,
    /// Numbers in a sample, as many as the history keeps of it.
    pub metrics: usize,
    /// Time between two samples of one agent.
    pub interval: Duration,
    /// MQTT keepalive of the agents, in whole seconds from 1.
    pub keep_alive: Duration,
    /// Time from the start of the first agent to that of the last.
    pub ramp_up: Duration,
    /// Whether faults of the network can be made: then each agent has a relay.
    pub relays: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seed: 1,
            metrics: Machine::METRICS_USUAL,
            interval: Duration::from_secs(3),
            keep_alive: Duration::from_secs(6),
            ramp_up: Duration::ZERO,
            relays: true,
        }
    }
}

/// Agents that run, and who watches them.
pub struct Fleet {
    /// In the order of their identities.
    pub agents: Vec<Agent>,
    ledger: Arc<Ledger>,
    quiet: CancellationToken,
    _watcher: watcher::Watcher,
    /// Of their spools.
    _folder: TempDir,
}

/// Enrols so many machines with a join code that is good for as many.
pub async fn join(code: &JoinCode, number: usize) -> anyhow::Result<Vec<Identity>> {
    let at_once = Arc::new(Semaphore::new(JOINING_AT_ONCE));
    let mut tasks = JoinSet::new();
    for i in 0..number {
        let (code, at_once) = (code.clone(), at_once.clone());
        tasks.spawn(async move {
            let _permit = at_once.acquire().await?;
            let host_name = format!("simulated-{i:04}");
            let identity = enrol(&code, host_name, None).await;
            anyhow::Ok((i, identity.context("a machine could not join")?))
        });
    }
    let mut joined = Vec::with_capacity(number);
    while let Some(ended) = tasks.join_next().await {
        joined.push(ended??);
    }
    joined.sort_by_key(|(i, _)| *i);
    Ok(joined.into_iter().map(|(_, identity)| identity).collect())
}

/// A folder that no disk is written for, where there is such a place.
fn in_memory() -> std::io::Result<TempDir> {
    let shared = Path::new("/dev/shm");
    if shared.is_dir() {
        tempfile::tempdir_in(shared)
    } else {
        tempfile::tempdir()
    }
}

impl Fleet {
    /// Starts an agent for each identity. `watch` is the way to the broker of one who may read
    /// everything.
    pub async fn start(
        identities: Vec<Identity>,
        watch: Dial,
        config: Config,
    ) -> anyhow::Result<Self> {
        let ledger = Arc::new(Ledger::default());
        let watcher = watcher::Watcher::start(watch, ledger.clone()).await?;
        let pause = config
            .ramp_up
            .checked_div(u32::try_from(identities.len())?)
            .unwrap_or_default();
        let folder = in_memory()?;
        let quiet = CancellationToken::new();
        let mut agents = Vec::with_capacity(identities.len());
        for (seed, identity) in (config.seed..).zip(identities) {
            let spool = folder.path().join(identity.device.as_str());
            std::fs::create_dir(&spool)?;
            let ledger = ledger.clone();
            let mut agent =
                Agent::new(identity, seed, config, ledger, spool, quiet.clone()).await?;
            agent.start();
            agents.push(agent);
            sleep(pause).await;
        }
        Ok(Self {
            agents,
            ledger,
            quiet,
            _watcher: watcher,
            _folder: folder,
        })
    }

    /// What was sent, acknowledged and seen.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Waits until the broker's last word about every agent is what the agent would say itself.
    pub async fn settled(&self, within: Duration) -> anyhow::Result<()> {
        self.until(Agent::is_settled, within)
            .await
            .context("not every agent is connected, or gone, as it should be")
    }

    /// The same for what the hub concludes.
    pub async fn concluded(&self, within: Duration) -> anyhow::Result<()> {
        self.until(Agent::is_concluded, within)
            .await
            .context("not every presence is what it should be")
    }

    /// Takes no more samples, starts every agent that is gone, and waits until ingest has
    /// acknowledged all that was measured. False if it has not in time.
    pub async fn delivered(&mut self, within: Duration) -> bool {
        self.quiet.cancel();
        for agent in &mut self.agents {
            agent.thaw();
            agent.mend();
            if agent.belief() == Belief::Gone {
                agent.start();
            }
        }
        let all = async {
            while self.ledger.stored_in_all() < self.ledger.measured_in_all() {
                sleep(LOOK).await;
            }
        };
        tokio::time::timeout(within, all).await.is_ok()
    }

    async fn until(
        &self,
        holds: impl Fn(&Agent) -> bool,
        within: Duration,
    ) -> Result<(), tokio::time::error::Elapsed> {
        let all = async {
            while !self.agents.iter().all(&holds) {
                sleep(LOOK).await;
            }
        };
        tokio::time::timeout(within, all).await
    }

    /// The agents about which the broker's last word, or the hub's conclusion if it concludes
    /// anything, is not what it should be.
    pub fn wrong(&self) -> Vec<&Agent> {
        let concludes = self.agents.iter().any(|agent| agent.presence().is_some());
        let is_right = |agent: &Agent| agent.is_settled() && (!concludes || agent.is_concluded());
        let agents = self.agents.iter();
        agents.filter(|agent| !is_right(agent)).collect()
    }
}
