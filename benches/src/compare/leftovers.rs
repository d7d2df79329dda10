//! Memory that clients leave behind which connect, subscribe, publish, and go for good.

use tokio::task::JoinSet;

use super::idle::{own_filters, settled};
use super::throughput::PAYLOAD_BYTES;
use super::{Bench, Measured};
use crate::packet::Publish;
use crate::raw::Raw;

/// So many at the same time.
const AT_ONCE: usize = 8;

pub(super) async fn measure(bench: &Bench<'_>) -> anyhow::Result<Vec<Measured>> {
    let number = bench.size.idle;
    // What is made once, for the first connection, is not counted.
    visit(bench, number.min(10)).await?;
    let before = settled(bench).await?;
    visit(bench, number).await?;
    let once = settled(bench).await?;
    visit(bench, number).await?;
    let twice = settled(bench).await?;
    let each = |before: u64, after: u64| after.saturating_sub(before) as f64 / 1e3 / number as f64;
    let name = "left behind by a client, its topic and its three filters";
    Ok(vec![
        Measured::new(name, "kB", each(before, once)),
        Measured::new(format!("{name}, the second time"), "kB", each(once, twice)),
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
