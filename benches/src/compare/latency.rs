//! From publish to receipt at a light load: a hundred messages in a second.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

use super::throughput::PAYLOAD_BYTES;
use super::{Bench, Measured};
use crate::packet::{self, Publish, Received};
use crate::raw::Raw;
use crate::stats::{millis, percentile};

/// Between two messages.
const BETWEEN: Duration = Duration::from_millis(10);

/// After so long without a message, the rest is lost.
const QUIET: Duration = Duration::from_secs(10);

pub(super) async fn measure(bench: &Bench<'_>, qos: u8) -> anyhow::Result<Vec<Measured>> {
    let subscriber = bench.reader(&bench.way(false), qos).await?;
    let publisher = bench.devices(1, false).await?;
    let publisher = publisher.into_iter().next().context("there is one")?;
    let begin = Instant::now();
    let number = bench.size.timed;
    let publish = Publish::new(&bench.metrics_topic(0), &[b'x'; PAYLOAD_BYTES], qos, false);
    // Tasks of their own, so that neither waits for the other.
    let mut sending = JoinSet::new();
    sending.spawn(send(publisher, publish, begin, number, qos));
    let mut seeing = JoinSet::new();
    seeing.spawn(see(subscriber, begin, number));
    let mut took = seeing.join_next().await.context("it runs")???;
    while let Some(ended) = sending.join_next().await {
        ended??;
    }
    took.sort_unstable();
    let lost = number - took.len();
    let at = |percent| percentile(&took, percent).map_or(f64::NAN, millis);
    let name = format!("publish to receipt, QoS {qos}");
    Ok(vec![
        Measured::new(format!("{name}: p50"), "ms", at(50)),
        Measured::new(format!("{name}: p99"), "ms", at(99)),
        Measured::new(
            format!("{name}: lost"),
            "%",
            100.0 * lost as f64 / number as f64,
        ),
    ])
}

async fn send(
    mut raw: Raw,
    mut publish: Publish,
    begin: Instant,
    number: usize,
    qos: u8,
) -> anyhow::Result<()> {
    let mut ticks = interval(BETWEEN);
    let (mut sent, mut packet_id) = (0, 0_u16);
    while sent < number {
        tokio::select! {
            _ = ticks.tick() => {}
            read = raw.read_all(|_| {}) => {
                read?;
                continue;
            }
        }
        if qos > 0 {
            packet_id = packet_id % 1_000 + 1;
            publish.set_packet_id(packet_id);
        }
        let now = u64::try_from(begin.elapsed().as_nanos())?;
        publish.payload()[..8].copy_from_slice(&now.to_be_bytes());
        raw.write(publish.bytes()).await?;
        sent += 1;
    }
    // The last acknowledgements.
    while let Ok(read) = timeout(BETWEEN, raw.read_all(|_| {})).await {
        read?;
    }
    Ok(())
}

async fn see(mut subscriber: Raw, begin: Instant, number: usize) -> anyhow::Result<Vec<Duration>> {
    let mut took = Vec::with_capacity(number);
    let mut acknowledgements = Vec::new();
    while took.len() < number {
        let read = subscriber.read_all(|received| {
            let Received::Publish { packet_id, payload } = received else {
                return;
            };
            if packet_id != 0 {
                acknowledgements.extend(packet::puback(packet_id));
            }
            let sent = payload.first_chunk().copied().map(u64::from_be_bytes);
            let sent = Duration::from_nanos(sent.unwrap_or_default());
            took.push(begin.elapsed().saturating_sub(sent));
        });
        match timeout(QUIET, read).await {
            Ok(read) => read?,
            Err(_) => break,
        }
        if !acknowledgements.is_empty() {
            subscriber.write(&acknowledgements).await?;
            acknowledgements.clear();
        }
    }
    Ok(took)
}
