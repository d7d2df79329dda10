//! Memory that clients leave behind which connect, subscribe, publish, and go for good.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::idle::{own_filters, settled};
use super::throughput::PAYLOAD_BYTES;
use super::{Bench, Goal, Measured};
use crate::packet::Publish;
use crate::raw::Raw;

/// So many at the same time.
const AT_ONCE: usize = 8;

/// How often all come.
const VISITS: usize = 5;

/// Left behind by all of them, in MB, once the broker has forgotten what is gone: what it may still
/// know of the last, and what an allocator keeps. A client, a topic and three filters cost the router
/// alone some twenty kB, 200 MB in all.
const MOST_MEGABYTES: f64 = 30.0;

/// Within this. Our broker leaves a router that knows too much after half a minute at the latest.
const FORGOTTEN_WITHIN: Duration = Duration::from_mins(1);

pub(super) async fn measure(bench: &Bench<'_>) -> anyhow::Result<Vec<Measured>> {
    let number = bench.size.idle;
    // What is made once, for the first connection, is not counted.
    visit(bench, number.min(10)).await?;
    let before = settled(bench).await?;
    for _ in 0..VISITS {
        visit(bench, number).await?;
    }
    let left = |now: u64| now.saturating_sub(before) as f64 / 1e6;
    let at_once = left(bench.subject.program.resident_bytes()?);
    let began = Instant::now();
    let mut least = left(settled(bench).await?);
    while least > MOST_MEGABYTES && began.elapsed() < FORGOTTEN_WITHIN {
        least = least.min(left(settled(bench).await?));
    }
    let visits = VISITS * number;
    let name = format!("left behind by {visits} clients with a topic and three filters each");
    Ok(vec![
        Measured::new(format!("{name}, at once"), "MB", at_once),
        Measured::new(name, "MB", least).with(Goal::AtMost(MOST_MEGABYTES)),
    ])
}

/// The first devices come and go.
async fn visit(bench: &Bench<'_>, number: usize) -> anyhow::Result<()> {
    let mut tasks = JoinSet::new();
    for worker in 0..AT_ONCE {
        let way = bench.way(false);
        let visits: Vec<_> = (worker..number)
            .step_by(AT_ONCE)
            .map(|device| {
                let topic = bench.metrics_topic(device);
                let publish = Publish::new(&topic, &[b'x'; PAYLOAD_BYTES], 0, false);
                let filters = own_filters(&bench.site.devices[device].0);
                (bench.connect_packet(device), filters, publish)
            })
            .collect();
        tasks.spawn(async move {
            for (connect, filters, publish) in visits {
                let mut raw = Raw::connect(&way, &connect).await?;
                raw.subscribe(&filters, 1).await?;
                raw.write(publish.bytes()).await?;
                raw.leave().await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(())
}
