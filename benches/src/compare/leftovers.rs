//! Memory that clients leave behind which connect, subscribe, publish, and go for good.

use tokio::task::JoinSet;

use super::idle::{own_filters, settled};
use super::throughput::PAYLOAD_BYTES;
use super::{Bench, Goal, Measured};
use crate::packet::Publish;
use crate::raw::Raw;

/// So many at the same time.
const AT_ONCE: usize = 8;

/// How often all come again, once they have all been there.
const AGAIN: usize = 4;

/// Left behind by all that were there, in MB: what the broker may still know of them, and what an
/// allocator keeps.
const MOST_MEGABYTES: f64 = 30.0;

/// Left behind by each that comes once more, in kB. A client, a topic and three filters cost the
/// router alone some twenty.
const MOST_KILOBYTES: f64 = 1.0;

pub(super) async fn measure(bench: &Bench<'_>) -> anyhow::Result<Vec<Measured>> {
    let number = bench.size.idle;
    // What is made once, for the first connection, is not counted.
    visit(bench, number.min(10)).await?;
    let before = settled(bench).await?;
    visit(bench, number).await?;
    let once = settled(bench).await?;
    for _ in 0..AGAIN {
        visit(bench, number).await?;
    }
    let again = settled(bench).await?;
    let left = |before: u64, after: u64| after.saturating_sub(before) as f64;
    let visits = (AGAIN * number) as f64;
    Ok(vec![
        Measured::new(
            format!("left behind by {number} clients with a topic and three filters each"),
            "MB",
            left(before, once) / 1e6,
        )
        .with(Goal::AtMost(MOST_MEGABYTES)),
        Measured::new(
            format!("left behind by each of {visits} more"),
            "kB",
            left(once, again) / 1e3 / visits,
        )
        .with(Goal::AtMost(MOST_KILOBYTES)),
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
