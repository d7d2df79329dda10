//! Every few seconds something dies, is stopped or stands still.

use std::time::Duration;

use super::faults::Faults;
use super::site::Site;

/// Commits are seldom enough that something waits for one whenever something dies.
const CONFIG: &str = "[ingest]\ncommit_interval_secs = 2\nclock_wait_secs = 0\n";

/// What a user has.
const USUAL: &str = "[ingest]\nclock_wait_secs = 0\n";

/// Has things die under so many agents, then peace.
#[expect(
    clippy::print_stderr,
    reason = "the runner shows it with a story that has failed"
)]
fn things_die(config: &str, agents: usize, lasts: Duration, seed: u64) {
    let mut site = Site::new(config, agents);
    site.run();
    eprintln!("seed {seed}");
    let hit = Faults::new(seed).happen(&mut site, lasts);
    site.until_stored();
    let stored = site.settle();
    eprintln!("{hit} programs were hit, {stored} samples are stored");
    // Half of the time each of them should run, on a machine that is slow.
    let expected = agents as u64 * lasts.as_secs() / 4;
    assert!(stored > expected, "{stored} samples, {hit} programs hit");
}

#[test]
fn whatever_dies_every_few_seconds_each_sample_is_stored_once() {
    things_die(CONFIG, 5, Duration::from_secs(45), 4);
}

#[test]
#[ignore = "ten minutes"]
fn for_ten_minutes_something_dies_and_each_sample_is_stored_once() {
    things_die(CONFIG, 6, Duration::from_mins(10), rand::random());
}

#[test]
#[ignore = "ten minutes"]
fn for_ten_minutes_something_dies_under_a_hub_that_commits_once_a_minute() {
    things_die(USUAL, 6, Duration::from_mins(10), rand::random());
}
