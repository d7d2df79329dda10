//! A fleet that comes back at once.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::support::{SESSION, Site, sample};

const AGENTS: usize = 100;
const BATCH: u64 = 100;

/// Samples of one batch, a few seconds apart.
fn batch() -> Vec<netmonitor_protocol::payload::Metrics> {
    let ages = (1..=BATCH).map(|seq| (seq, Duration::from_secs(3 * (BATCH - seq))));
    ages.map(|(seq, age)| sample(seq, age)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_that_comes_back_at_once_holds_nobody_up() {
    let site = Site::start().await;
    let interval = 5.0;
    let ingest = site.ingest(interval).await;
    let mut steady = site.agent("steady").await;
    let mut fleet = JoinSet::new();
    for number in 0..AGENTS {
        let mut agent = site.agent(&format!("ws-{number}")).await;
        fleet.spawn(async move {
            agent.backfill(1, batch()).await;
            let (ack, _) = agent.ack().await;
            assert_eq!((ack.session, ack.ranges), (SESSION, vec![(1, BATCH)]));
        });
    }
    let sent = Instant::now();
    steady.live(sample(1, Duration::ZERO)).await;
    assert_eq!(steady.ack().await.0.ranges, [(1, 1)]);
    assert!(
        sent.elapsed().as_secs_f64() < 2.0 * interval,
        "{:?}",
        sent.elapsed()
    );
    while let Some(done) = fleet.join_next().await {
        done.unwrap();
    }
    for number in 0..AGENTS {
        assert_eq!(site.stored(&format!("ws-{number}")).len() as u64, BATCH);
    }
    ingest.stop().await;
}
