//! Presence, in random rounds with real processes.

use std::time::Duration;

use netmonitor_benches::fleet::{self, Config, Fleet};
use netmonitor_benches::hub::Hub;
use netmonitor_benches::rounds;
use netmonitor_testkit::program;

use super::DEADLINE;

/// Devices that suffer side by side.
const DEVICES: usize = 25;

/// The shortest that agents use, so that rounds are short.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

async fn play(rounds: usize, seed: u64) {
    let mut hub = Hub::start(&program("netmonitor"), "").unwrap();
    let code = hub.join_code(DEVICES).unwrap();
    let watch = hub.watcher(&code).unwrap();
    let identities = fleet::join(&code, DEVICES).await.unwrap();
    let config = Config {
        seed,
        interval: Duration::from_secs(1),
        keep_alive: KEEP_ALIVE,
        ..Config::default()
    };
    let mut fleet = Fleet::start(identities, watch, config).await.unwrap();
    fleet.concluded(DEADLINE).await.unwrap();
    let played = rounds::play(&mut hub, &mut fleet, rounds, seed)
        .await
        .unwrap_or_else(|error| panic!("{error:#}"));
    assert!(played.rounds >= rounds, "{played:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_rounds_of_faults_end_in_the_right_conclusions() {
    play(50, 1).await;
}

/// Some twenty minutes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long: tests/run --long runs it"]
async fn a_thousand_rounds_of_faults_end_in_the_right_conclusions() {
    play(1000, 2).await;
}
