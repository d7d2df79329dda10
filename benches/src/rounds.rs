//! Random rounds: whatever happens to agents and hub, what the hub concludes about each device is
//! right in the end, and of nobody it is said that he is gone who was not.
//!
//! A round is one device through one or more faults. Many go on side by side in a wave.

use std::time::Duration;

use anyhow::{Context as _, bail};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::task::block_in_place;
use tokio::time::sleep;

use crate::fleet::{Agent, Belief, Fleet};
use crate::hub::Hub;

/// Faults in a wave, for each device in the mean.
const FAULTS: usize = 2;

/// The longest time between two faults of a wave, in milliseconds.
const PAUSE_MS: u64 = 60;

/// The hub crashes in one of so many waves.
const CRASHES: u32 = 5;

/// Longer than a hub that has only just started waits before it judges (19 s), on a machine that
/// does something else as well.
const CONCLUDED_WITHIN: Duration = Duration::from_secs(90);

/// What happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Played {
    /// Devices times waves.
    pub rounds: usize,
    /// What was done to agents.
    pub faults: usize,
    /// How often the hub was killed.
    pub crashes: usize,
}

/// Plays waves until there were so many rounds. The seed decides what happens, not when it is
/// noticed. Needs a
/// runtime of several threads. An error says which wave ended in a conclusion that is not right.
pub async fn play(
    hub: &mut Hub,
    fleet: &mut Fleet,
    rounds: usize,
    seed: u64,
) -> anyhow::Result<Played> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut played = Played::default();
    for wave in 0.. {
        if played.rounds >= rounds {
            break;
        }
        wave_of_faults(hub, fleet, &mut random, &mut played).await?;
        let place = || format!("wave {wave} of seed {seed}");
        fleet
            .concluded(CONCLUDED_WITHIN)
            .await
            .with_context(|| wrong(fleet))
            .with_context(place)?;
        let said = fleet.ledger().wrongly_concluded();
        if !said.is_empty() {
            bail!("{}: gone, and was not: {}", place(), said.join("; "));
        }
        played.rounds += fleet.agents.len();
    }
    Ok(played)
}

async fn wave_of_faults(
    hub: &mut Hub,
    fleet: &mut Fleet,
    random: &mut StdRng,
    played: &mut Played,
) -> anyhow::Result<()> {
    let faults = fleet.agents.len() * FAULTS;
    let crash = random
        .random_ratio(1, CRASHES)
        .then(|| random.random_range(0..faults));
    for fault in 0..faults {
        if crash == Some(fault) {
            // The agents go on meanwhile, on the runtime's other threads.
            block_in_place(|| hub.crash())?;
            played.crashes += 1;
        }
        let at = random.random_range(0..fleet.agents.len());
        happen(&mut fleet.agents[at], random).await;
        played.faults += 1;
        sleep(Duration::from_millis(random.random_range(0..PAUSE_MS))).await;
    }
    Ok(())
}

/// Something happens to an agent that can happen to it now.
async fn happen(agent: &mut Agent, random: &mut StdRng) {
    let what = random.random_range(0..6);
    match (agent.belief(), what) {
        (Belief::Gone, _) | (Belief::Connected(_) | Belief::Connecting, 0) => agent.start(),
        (Belief::Silent, 0..4) => {
            agent.thaw();
            agent.mend();
        }
        (_, 1) => agent.stop().await,
        (Belief::Silent, _) | (_, 2) => agent.kill(),
        (_, 3) => agent.freeze(),
        (_, 4) => agent.cut(),
        (_, _) => agent.take_over(),
    }
}

/// What is not right, for the error.
fn wrong(fleet: &Fleet) -> String {
    let wrong = fleet.agents.iter().filter(|agent| !agent.is_concluded());
    let lines = wrong.map(|agent| {
        let (device, belief) = (agent.device(), agent.belief());
        format!(
            "{device} is {belief:?}, and the hub says {:?}",
            agent.presence()
        )
    });
    lines.collect::<Vec<_>>().join("; ")
}
