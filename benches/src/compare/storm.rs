//! Connections one after another, some at the same time: TCP, TLS, CONNECT with a password,
//! CONNACK, DISCONNECT.

use std::time::Instant;

use tokio::task::JoinSet;

use super::{Bench, Measured, over};
use crate::raw::Raw;

/// So many at the same time.
const AT_ONCE: usize = 16;

pub(super) async fn measure(bench: &Bench<'_>, tls: bool) -> anyhow::Result<Vec<Measured>> {
    storm(bench, bench.size.storm / 10, tls).await?;
    let cpu = bench.subject.program.cpu()?;
    let start = Instant::now();
    storm(bench, bench.size.storm, tls).await?;
    let took = start.elapsed();
    let cpu = bench.subject.program.cpu()?.saturating_sub(cpu);
    let number = bench.size.storm as f64;
    let way = over(tls);
    Ok(vec![
        Measured::new(
            format!("connect storm over {way}"),
            "connections/s",
            number / took.as_secs_f64(),
        ),
        Measured::new(
            format!("connect storm over {way}, CPU"),
            "us each",
            cpu.as_secs_f64() * 1e6 / number,
        ),
    ])
}

async fn storm(bench: &Bench<'_>, number: usize, tls: bool) -> anyhow::Result<()> {
    let mut tasks = JoinSet::new();
    for worker in 0..AT_ONCE {
        let way = bench.way(tls);
        let packets: Vec<Vec<u8>> = (worker..number)
            .step_by(AT_ONCE)
            .map(|device| bench.connect_packet(device))
            .collect();
        tasks.spawn(async move {
            for connect in packets {
                Raw::connect(&way, &connect).await?.leave().await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(())
}
