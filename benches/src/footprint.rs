//! What agents cost the machine that they watch: ours beside others, in one run, each alone among
//! as many other processes.

mod peers;
mod process;
mod site;

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;
use tokio::time::sleep;

pub use peers::Peer;
use process::{Crowd, Usage};
pub use site::Site;

/// How long an agent may settle before it is measured: listings that are made once are not what it
/// costs.
const SETTLE: Duration = Duration::from_secs(12);

/// How long, and among how many.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Processes on the machine that do nothing.
    pub processes: usize,
    /// How long each is measured.
    pub duration: Duration,
}

/// What one agent costs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cost {
    /// Time on the processor, in milliseconds for each minute.
    pub cpu_ms_per_min: f64,
    /// Resident memory, in MiB.
    pub resident_mib: f64,
    /// The same with shared pages divided among those who share them (`Pss`), in MiB.
    pub proportional_mib: f64,
}

/// Measures one agent after the other.
pub async fn measure(
    peers: &[Peer],
    site: &Site,
    agent: &Path,
    scale: Size,
) -> anyhow::Result<Vec<(Peer, Cost)>> {
    let _crowd = Crowd::gather(scale.processes)?;
    let mut costs = Vec::new();
    for peer in peers {
        let cost = one(*peer, site, agent, scale.duration)
            .await
            .with_context(|| format!("cannot measure {}", peer.name()))?;
        tracing::info!(agent = peer.name(), ?cost, "measured");
        costs.push((*peer, cost));
    }
    Ok(costs)
}

async fn one(peer: Peer, site: &Site, agent: &Path, duration: Duration) -> anyhow::Result<Cost> {
    let running = peer.start(site, agent)?;
    let _used = peer.use_it(site, &running);
    sleep(SETTLE).await;
    let before = Usage::of(running.pid())?;
    sleep(duration).await;
    let after = Usage::of(running.pid())?;
    Ok(after.since(&before))
}
