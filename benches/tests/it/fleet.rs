//! A few simulated agents on a real hub.

use std::time::Duration;

use netmonitor_benches::fleet::{self, Belief, Config, Fleet};
use netmonitor_benches::hub::Hub;
use netmonitor_benches::stored::Stored;
use netmonitor_protocol::payload::Status;
use netmonitor_service::{DataDir, clock};
use netmonitor_testkit::program;
use tokio::time::{sleep, timeout};

use super::DEADLINE;

const AGENTS: usize = 5;

async fn start(hub: &Hub) -> Fleet {
    let code = hub.join_code(AGENTS).unwrap();
    let watch = hub.watcher(&code).unwrap();
    let identities = fleet::join(&code, AGENTS).await.unwrap();
    let config = Config {
        interval: Duration::from_millis(200),
        ..Config::default()
    };
    let fleet = Fleet::start(identities, watch, config).await.unwrap();
    fleet.settled(DEADLINE).await.unwrap();
    fleet
}

async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(timeout(DEADLINE, waiting).await.is_ok(), "{what}");
}

#[tokio::test]
async fn every_sample_is_seen_and_every_end_is_announced() {
    let hub = Hub::start(&program("netmonitor"), "").unwrap();
    let mut fleet = start(&hub).await;
    eventually("samples are seen", || {
        fleet.ledger().totals().seen > 3 * AGENTS
    })
    .await;

    fleet.agents[0].kill();
    fleet.agents[1].stop().await;
    let before = fleet.agents[2].session().unwrap();
    fleet.agents[2].start();
    assert_ne!(fleet.agents[2].session(), Some(before));
    fleet.agents[3].take_over();
    eventually("both ends are announced", || {
        let deaths = fleet.ledger().deaths();
        let ended = |at: usize| {
            let device = fleet.agents[at].device();
            let mut of_it = deaths.iter().filter(|death| death.device == *device);
            of_it.any(|death| death.announced.is_some())
        };
        ended(0) && ended(1)
    })
    .await;
    fleet.settled(DEADLINE).await.unwrap();
    for (at, expected) in [Status::Offline, Status::Offline, Status::Online]
        .into_iter()
        .enumerate()
    {
        let last = fleet.ledger().last_status(fleet.agents[at].device());
        assert_eq!(last.unwrap().0, expected);
    }

    for agent in &mut fleet.agents {
        agent.stop().await;
        assert_eq!(agent.belief(), Belief::Gone);
    }
    eventually("nothing is lost", || {
        let totals = fleet.ledger().totals();
        totals.acknowledged > 0 && totals.lost == 0
    })
    .await;
    assert_eq!(fleet.ledger().totals().foreign, 0);
    assert_eq!(fleet.ledger().totals().unexplained_offline, 0);
    fleet.settled(DEADLINE).await.unwrap();
    fleet.concluded(DEADLINE).await.unwrap();
    assert!(fleet.wrong().is_empty());
}

#[tokio::test]
async fn an_agent_that_is_cut_off_is_missed_and_comes_back() {
    let hub = Hub::start(&program("netmonitor"), "").unwrap();
    let mut fleet = start(&hub).await;
    fleet.agents[0].cut();
    assert_eq!(fleet.agents[0].belief(), Belief::Silent);
    let device = fleet.agents[0].device().clone();
    let says = |expected| {
        let last = fleet.ledger().last_status(&device);
        last.is_some_and(|(status, _)| status == expected)
    };
    eventually("the broker misses it", || says(Status::Offline)).await;
    fleet.agents[0].mend();
    eventually("it is back", || fleet.agents[0].is_settled()).await;
}

#[tokio::test]
async fn every_sample_that_was_measured_is_stored_once_whatever_happens_to_agents() {
    let hub = Hub::start(
        &program("netmonitor"),
        "[ingest]\ncommit_interval_secs = 0.5\n",
    )
    .unwrap();
    let began = clock::now();
    let mut fleet = start(&hub).await;
    for round in 1..=3 {
        fleet.agents[0].kill();
        fleet.agents[1].start();
        fleet.agents[2].take_over();
        fleet.agents[3].cut();
        eventually("the others go on", || {
            let measured = fleet.ledger().measured_in_all();
            measured > 20 * round
        })
        .await;
        fleet.agents[0].start();
        fleet.agents[3].mend();
        fleet.settled(DEADLINE).await.unwrap();
    }
    // It stays away until the end.
    fleet.agents[4].kill();
    assert!(fleet.delivered(DEADLINE).await);

    let data = DataDir::from(hub.data_dir().to_owned());
    let stored = Stored::read(&data.history_db(), &fleet, began).unwrap();
    assert!(stored.is_good(), "{stored:?}");
    assert_eq!(stored.acknowledged, stored.measured);
    assert_eq!(stored.stored, stored.measured);

    let empty = hub.data_dir().join("another.db");
    let nothing = Stored::read(&empty, &fleet, began).unwrap();
    assert_eq!(nothing.missing, stored.measured);
    assert!(!nothing.is_good());
}
