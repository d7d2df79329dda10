//! Every few seconds something dies, is stopped or stands still.

use std::time::Duration;

use super::faults::Faults;
use super::simulated::Simulated;
use super::site::Site;

/// Commits are seldom enough that something waits for one whenever something dies.
const CONFIG: &str = "[ingest]\ncommit_interval_secs = 2\nclock_wait_secs = 0\n";

/// So many commits that the history seals what it has every minute or two.
const OFTEN: &str = "[ingest]\ncommit_interval_secs = 0.1\nclock_wait_secs = 0\n";

/// What a user has.
const USUAL: &str = "[ingest]\nclock_wait_secs = 0\n";

/// What runs, and for how long things die.
struct Mayhem {
    config: &'static str,
    agents: usize,
    simulated: usize,
    lasts: Duration,
    seed: u64,
}

impl Mayhem {
    /// Has things die, then peace: each sample is stored once.
    #[expect(
        clippy::print_stderr,
        reason = "the runner shows it with a story that has failed"
    )]
    fn happens(self) {
        eprintln!("seed {}", self.seed);
        let mut site = Site::new(self.config, self.agents);
        site.run();
        let mut simulated = Simulated::join(&site, self.simulated, self.seed);
        let hit = Faults::new(self.seed).happen(&mut site, Some(&mut simulated), self.lasts);
        site.until_stored();
        simulated.settle();
        let stored = site.settle();
        let of_simulated = simulated.assert_all_are_stored_once(&site.home.history());
        eprintln!("{hit} programs were hit, {stored} samples are stored");
        // A third of the time each should run, on a machine that is slow.
        let expected = |agents: usize| agents as u64 * self.lasts.as_secs() / 3;
        assert!(of_simulated > expected(self.simulated), "{of_simulated}");
        assert!(stored - of_simulated > expected(self.agents), "{stored}");
    }
}

#[test]
fn whatever_dies_every_few_seconds_each_sample_is_stored_once() {
    Mayhem {
        config: CONFIG,
        agents: 4,
        simulated: 50,
        lasts: Duration::from_secs(45),
        seed: 4,
    }
    .happens();
}

#[test]
#[ignore = "ten minutes"]
fn for_ten_minutes_something_dies_and_each_sample_is_stored_once() {
    Mayhem {
        config: CONFIG,
        agents: 6,
        simulated: 50,
        lasts: Duration::from_mins(10),
        seed: rand::random(),
    }
    .happens();
}

#[test]
#[ignore = "ten minutes"]
fn for_ten_minutes_something_dies_under_a_hub_that_commits_once_a_minute() {
    Mayhem {
        config: USUAL,
        agents: 6,
        simulated: 50,
        lasts: Duration::from_mins(10),
        seed: rand::random(),
    }
    .happens();
}

#[test]
#[ignore = "ten minutes"]
fn for_ten_minutes_something_dies_under_a_hub_that_seals_what_it_has() {
    Mayhem {
        config: OFTEN,
        agents: 4,
        simulated: 50,
        lasts: Duration::from_mins(10),
        seed: rand::random(),
    }
    .happens();
}
