//! The hub is away for so long that agents put on their disks what waits, and die while they do.

use std::thread::sleep;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::site::Site;

const CONFIG: &str = "[ingest]\ncommit_interval_secs = 2\nclock_wait_secs = 0\n";

const AGENTS: usize = 4;

/// After half a minute without a hub an agent writes to its disk.
const WRITTEN_WITHIN: Duration = Duration::from_mins(2);

/// Between two looks at the disks.
const LOOK: Duration = Duration::from_millis(1);

/// An agent dies so long after it has begun to write, at most: in the middle of it, and after it.
const DIES_WITHIN_MS: u64 = 20;

fn agents_die_while_they_write(rounds: usize, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let mut site = Site::new(CONFIG, AGENTS);
    site.run();
    site.until_measured(AGENTS);
    site.until_stored();
    for _ in 0..rounds {
        for service in &mut site.services {
            service.process.kill();
        }
        die_while_they_write(&mut site, &mut random);
        site.run();
        // They die once more before anybody is there.
        site.until_measured(AGENTS);
        for at in 0..AGENTS {
            site.kill(at);
        }
        for service in &mut site.services {
            service.start_again();
        }
        site.run();
        site.until_stored();
    }
    site.settle();
}

/// Kills each agent when it begins to write to its disk, or a little later.
fn die_while_they_write(site: &mut Site, random: &mut StdRng) {
    let before: Vec<_> = site
        .agents
        .iter()
        .map(|(agent, _)| agent.on_disk())
        .collect();
    let mut alive: Vec<usize> = (0..AGENTS).collect();
    let end = Instant::now() + WRITTEN_WITHIN;
    while !alive.is_empty() {
        assert!(
            Instant::now() < end,
            "{alive:?} have not written to their disks"
        );
        for &at in &alive {
            site.look_into(at);
        }
        alive.retain(|&at| {
            let writes = site.agents[at].0.on_disk() != before[at];
            if writes {
                sleep(Duration::from_millis(
                    random.random_range(0..DIES_WITHIN_MS),
                ));
                site.kill(at);
            }
            !writes
        });
        sleep(LOOK);
    }
}

#[test]
fn agents_that_die_while_they_put_samples_on_their_disks_lose_none() {
    agents_die_while_they_write(1, 5);
}

#[test]
#[ignore = "ten minutes"]
fn for_ten_minutes_agents_die_while_they_put_samples_on_their_disks_and_lose_none() {
    agents_die_while_they_write(12, rand::random());
}
