//! Full speed: as fast as the broker takes it, many publishers, one subscriber with a wildcard.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Bench, Goal, Measured};
use crate::packet::{self, Publish, Received};
use crate::raw::Raw;

/// Bytes of payload.
pub(super) const PAYLOAD_BYTES: usize = 300;

/// Messages that a publisher hands over at once, and leaves unacknowledged at most.
const WINDOW: u16 = 20;

/// After so long without a message, the rest is lost.
const QUIET: Duration = Duration::from_secs(3);

/// Half of mosquitto's CPU.
const GOAL: Goal = Goal::Ratio(0.5);

pub(super) async fn measure(bench: &Bench<'_>, qos: u8) -> anyhow::Result<Vec<Measured>> {
    let mut subscriber = bench.reader(&bench.way(false), qos).await?;
    let publishers = bench.devices(bench.size.publishers, false).await?;
    let messages = bench.size.messages;
    let (publishers, _warm) =
        run(bench, &mut subscriber, publishers, messages.div_ceil(10), qos).await?;
    let cpu = bench.subject.program.cpu()?;
    let start = Instant::now();
    let (publishers, seen) = run(bench, &mut subscriber, publishers, messages, qos).await?;
    let cpu = bench.subject.program.cpu()?.saturating_sub(cpu);
    let sent = publishers.len() * messages;
    let took = seen.last.saturating_duration_since(start);
    let arrived = seen.number.max(1) as f64;
    Ok(vec![
        Measured::new(
            format!("full speed, QoS {qos}: CPU per message"),
            "us",
            cpu.as_secs_f64() * 1e6 / arrived,
        )
        .with(GOAL),
        Measured::new(
            format!("full speed, QoS {qos}: messages per CPU second"),
            "",
            arrived / cpu.as_secs_f64(),
        ),
        Measured::new(
            format!("full speed, QoS {qos}"),
            "messages/s",
            arrived / took.as_secs_f64(),
        ),
        Measured::new(
            format!("full speed, QoS {qos}: lost"),
            "%",
            100.0 * (1.0 - seen.number as f64 / sent as f64),
        ),
    ])
}

/// What the subscriber has seen.
pub(super) struct Seen {
    pub(super) number: usize,
    pub(super) last: Instant,
}

/// Publishes so many messages by each, and returns when the subscriber has seen all or it has
/// become quiet.
async fn run(
    bench: &Bench<'_>,
    subscriber: &mut Raw,
    publishers: Vec<Raw>,
    messages: usize,
    qos: u8,
) -> anyhow::Result<(Vec<Raw>, Seen)> {
    let expected = publishers.len() * messages;
    let mut tasks = JoinSet::new();
    for (device, raw) in publishers.into_iter().enumerate() {
        let publish = Publish::new(
            &bench.metrics_topic(device),
            &[b'x'; PAYLOAD_BYTES],
            qos,
            false,
        );
        tasks.spawn(async move { anyhow::Ok((device, send(raw, publish, messages, qos).await?)) });
    }
    let sending = async {
        let mut publishers = Vec::new();
        while let Some(ended) = tasks.join_next().await {
            publishers.push(ended??);
        }
        anyhow::Ok(publishers)
    };
    let seeing = see(subscriber, expected, QUIET);
    let (mut publishers, seen) = tokio::try_join!(sending, seeing)?;
    publishers.sort_by_key(|(device, _)| *device);
    Ok((publishers.into_iter().map(|(_, raw)| raw).collect(), seen))
}

/// Counts and acknowledges what arrives until it is enough, or quiet.
pub(super) async fn see(
    subscriber: &mut Raw,
    expected: usize,
    quiet: Duration,
) -> anyhow::Result<Seen> {
    let mut seen = Seen {
        number: 0,
        last: Instant::now(),
    };
    let mut acknowledgements = Vec::new();
    while seen.number < expected {
        let mut number = 0;
        let read = subscriber.read_all(|received| {
            if let Received::Publish { packet_id, .. } = received {
                number += 1;
                if packet_id != 0 {
                    acknowledgements.extend(packet::puback(packet_id));
                }
            }
        });
        match timeout(quiet, read).await {
            Ok(read) => read?,
            Err(_) => break,
        }
        if number > 0 {
            seen.number += number;
            seen.last = Instant::now();
        }
        if !acknowledgements.is_empty() {
            subscriber.write(&acknowledgements).await?;
            acknowledgements.clear();
        }
    }
    Ok(seen)
}

/// Sends so many, and returns when all are acknowledged.
pub(super) async fn send(
    mut raw: Raw,
    mut publish: Publish,
    messages: usize,
    qos: u8,
) -> anyhow::Result<Raw> {
    let (mut sent, mut under_way, mut packet_id) = (0, 0, 0_u16);
    let mut batch = Vec::new();
    while sent < messages || under_way > 0 {
        while sent < messages && under_way < WINDOW {
            if qos > 0 {
                packet_id = packet_id % (WINDOW * 4) + 1;
                publish.set_packet_id(packet_id);
            }
            batch.extend_from_slice(publish.bytes());
            sent += 1;
            under_way += 1;
        }
        if !batch.is_empty() {
            raw.write(&batch).await?;
            batch.clear();
        }
        if qos == 0 {
            under_way = 0;
            tokio::task::yield_now().await;
            continue;
        }
        raw.read_all(|received| {
            if let Received::PubAck(_) = received {
                under_way = under_way.saturating_sub(1);
            }
        })
        .await?;
    }
    Ok(raw)
}
