//! Full speed: as fast as the broker takes it, many publishers, one subscriber with a wildcard.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
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
const QUIET: Duration = Duration::from_secs(10);

/// Half of mosquitto's CPU.
const GOAL: Goal = Goal::Ratio(0.5);

/// Messages that may be on their way to the subscriber, where nothing is to be lost.
const UNSEEN: usize = 2_000;

pub(super) async fn measure(
    bench: &Bench<'_>,
    qos: u8,
    paced_by_subscriber: bool,
) -> anyhow::Result<Vec<Measured>> {
    let mut subscriber = bench.reader(&bench.way(false), qos).await?;
    let publishers = bench.devices(bench.size.publishers, false).await?;
    let credit = Credit(paced_by_subscriber.then(|| Arc::new(Semaphore::new(UNSEEN))));
    let messages = bench.size.messages;
    let warm_up = messages.div_ceil(10);
    let (publishers, _) = run(bench, &mut subscriber, publishers, warm_up, qos, &credit).await?;
    let cpu = bench.subject.program.cpu()?;
    let start = Instant::now();
    let (publishers, seen) =
        run(bench, &mut subscriber, publishers, messages, qos, &credit).await?;
    let cpu = bench.subject.program.cpu()?.saturating_sub(cpu);
    let sent = publishers.len() * messages;
    let took = seen.last.saturating_duration_since(start);
    let arrived = seen.number.max(1) as f64;
    let lost = Measured::new(
        "lost",
        "%",
        100.0 * (1.0 - seen.number as f64 / sent as f64),
    );
    let measured = if paced_by_subscriber {
        vec![
            Measured::new("CPU per message", "us", cpu.as_secs_f64() * 1e6 / arrived).with(GOAL),
            Measured::new("per CPU second", "messages", arrived / cpu.as_secs_f64()),
            Measured::new("rate", "messages/s", arrived / took.as_secs_f64()),
            lost.with(Goal::EachTime(0.0)),
        ]
    } else {
        let each = cpu.as_secs_f64() * 1e6 / sent as f64;
        vec![
            Measured::new("CPU per published message", "us", each),
            Measured::new("delivered", "messages/s", arrived / took.as_secs_f64()),
            lost,
        ]
    };
    let name = if paced_by_subscriber {
        "full speed"
    } else {
        "faster than the subscriber"
    };
    let named = |one: Measured| Measured {
        row: format!("{name}, QoS {qos}: {}", one.row),
        ..one
    };
    Ok(measured.into_iter().map(named).collect())
}

/// What publishers may still send before the subscriber must have seen some; none: as much as
/// they like.
#[derive(Debug, Clone)]
pub(super) struct Credit(pub(super) Option<Arc<Semaphore>>);

impl Credit {
    /// False once there will be none any more.
    async fn take(&self, number: u16) -> bool {
        let Some(semaphore) = &self.0 else {
            return true;
        };
        match semaphore.acquire_many(number.into()).await {
            Ok(permits) => {
                permits.forget();
                true
            }
            Err(_) => false,
        }
    }

    fn give(&self, number: usize) {
        if let Some(semaphore) = &self.0 {
            semaphore.add_permits(number);
        }
    }

    fn end(&self) {
        if let Some(semaphore) = &self.0 {
            semaphore.close();
        }
    }
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
    credit: &Credit,
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
        let credit = credit.clone();
        tasks.spawn(async move {
            let raw = send(raw, publish, messages, qos, &credit).await?;
            anyhow::Ok((device, raw))
        });
    }
    let sending = async {
        let mut publishers = Vec::new();
        while let Some(ended) = tasks.join_next().await {
            publishers.push(ended??);
        }
        anyhow::Ok(publishers)
    };
    let seeing = see(subscriber, expected, QUIET, credit);
    let (mut publishers, seen) = tokio::try_join!(sending, seeing)?;
    publishers.sort_by_key(|(device, _)| *device);
    Ok((publishers.into_iter().map(|(_, raw)| raw).collect(), seen))
}

/// Counts and acknowledges what arrives until it is enough, or quiet.
pub(super) async fn see(
    subscriber: &mut Raw,
    expected: usize,
    quiet: Duration,
    credit: &Credit,
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
        let Ok(read) = timeout(quiet, read).await else {
            credit.end();
            break;
        };
        read?;
        if number > 0 {
            seen.number += number;
            credit.give(number);
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
    credit: &Credit,
) -> anyhow::Result<Raw> {
    let (mut left, mut under_way, mut packet_id) = (messages, 0, 0_u16);
    let mut batch = Vec::new();
    while left > 0 || under_way > 0 {
        let next = (WINDOW - under_way).min(u16::try_from(left).unwrap_or(WINDOW));
        if next > 0 && !credit.take(next).await {
            break;
        }
        for _ in 0..next {
            if qos > 0 {
                packet_id = packet_id % (WINDOW * 4) + 1;
                publish.set_packet_id(packet_id);
            }
            batch.extend_from_slice(publish.bytes());
        }
        left -= usize::from(next);
        raw.write(&batch).await?;
        batch.clear();
        if qos == 0 {
            tokio::task::yield_now().await;
            continue;
        }
        under_way += next;
        raw.read_all(|received| {
            if let Received::PubAck(_) = received {
                under_way = under_way.saturating_sub(1);
            }
        })
        .await?;
    }
    Ok(raw)
}
