//! Cables are cut while programs die.

use std::time::Duration;

use crate::no_gaps::faults::Faults;
use crate::no_gaps::site::Site;

const CONFIG: &str = "[ingest]\ncommit_interval_secs = 2\nclock_wait_secs = 0\n";

const AGENTS: usize = 4;

fn cables_are_cut(lasts: Duration, seed: u64) {
    let mut site = Site::on_machines(CONFIG, AGENTS);
    site.run();
    site.until_measured(AGENTS);
    let hit = Faults::new(seed).happen(&mut site, None, lasts);
    site.until_stored();
    let stored = site.settle();
    // A third of the time each should run, on a machine that is slow.
    let expected = AGENTS as u64 * lasts.as_secs() / 3;
    assert!(
        stored > expected,
        "{stored} samples, {hit} faults, seed {seed}"
    );
}

#[test]
fn whatever_is_cut_off_or_dies_each_sample_is_stored_once() {
    cables_are_cut(Duration::from_secs(40), 7);
}

#[test]
#[ignore = "ten minutes"]
fn for_ten_minutes_cables_are_cut_and_each_sample_is_stored_once() {
    cables_are_cut(Duration::from_mins(10), rand::random());
}
