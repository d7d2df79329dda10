//! A thousand messages in a second: what a busy hub has to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval_at, timeout};

use super::throughput::PAYLOAD_BYTES;
use super::{Bench, Goal, Measured};
use crate::packet::{self, Publish, Received};
use crate::raw::Raw;

/// Messages in a second, of all publishers together.
const RATE: usize = 1_000;

/// Not counted.
const WARM_UP: Duration = Duration::from_secs(1);

/// After so long without a message, the rest is lost.
const QUIET: Duration = Duration::from_secs(10);

/// How often the subscriber looks whether it has seen all.
const LOOK: Duration = Duration::from_millis(100);

/// Twice mosquitto's share of a core.
const GOAL: Goal = Goal::Ratio(2.0);

pub(super) async fn measure(
    bench: &Bench<'_>,
    qos: u8,
    retain: bool,
) -> anyhow::Result<Vec<Measured>> {
    let subscriber = bench.reader(&bench.way(false), qos).await?;
    let publishers = bench.devices(bench.size.publishers, false).await?;
    let between = Duration::from_secs(1) * u32::try_from(publishers.len())? / u32::try_from(RATE)?;
    let (stop, sent) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let begin = Instant::now();
    let mut tasks = JoinSet::new();
    let number = u32::try_from(publishers.len())?;
    for (device, raw) in (0..).zip(publishers) {
        let topic = bench.metrics_topic(usize::try_from(device)?);
        let publisher = Publisher {
            raw,
            publish: Publish::new(&topic, &[b'x'; PAYLOAD_BYTES], qos, retain),
            begin: begin + between * device / number,
            between,
            qos,
        };
        tasks.spawn(publisher.run(stop.clone(), Arc::clone(&sent)));
    }
    let (seen, ended) = (
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let mut seeing = JoinSet::new();
    seeing.spawn(see(subscriber, seen.clone(), sent.clone(), ended.clone()));

    tokio::time::sleep(WARM_UP).await;
    let (cpu, start) = (bench.subject.program.cpu()?, Instant::now());
    let already = sent.load(Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(bench.size.paced_secs)).await;
    let cpu = bench.subject.program.cpu()?.saturating_sub(cpu);
    let took = start.elapsed();
    let paced = sent.load(Ordering::Relaxed) - already;
    stop.store(true, Ordering::Relaxed);
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    ended.store(true, Ordering::Relaxed);
    while let Some(ended) = seeing.join_next().await {
        ended??;
    }
    let sent = sent.load(Ordering::Relaxed);
    let lost = sent - seen.load(Ordering::Relaxed).min(sent);
    let name = format!(
        "{RATE} messages/s, QoS {qos}{}",
        if retain { ", retained" } else { "" }
    );
    // A loaded machine may not keep the pace: the share is that of the messages that were sent.
    let pace = paced as f64 / took.as_secs_f64() / RATE as f64;
    Ok(vec![
        Measured::new(
            format!("{name}: share of a core"),
            "%",
            100.0 * cpu.as_secs_f64() / took.as_secs_f64() / pace,
        )
        .with(GOAL),
        Measured::new(
            format!("{name}: lost"),
            "%",
            100.0 * lost as f64 / sent.max(1) as f64,
        ),
    ])
}

struct Publisher {
    raw: Raw,
    publish: Publish,
    begin: Instant,
    between: Duration,
    qos: u8,
}

impl Publisher {
    async fn run(mut self, stop: Arc<AtomicBool>, sent: Arc<AtomicUsize>) -> anyhow::Result<()> {
        let mut ticks = interval_at(self.begin.into(), self.between);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut packet_id = 0_u16;
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                read = self.raw.read_all(|_| {}) => {
                    read?;
                    continue;
                }
            }
            if stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            if self.qos > 0 {
                packet_id = packet_id % 1_000 + 1;
                self.publish.set_packet_id(packet_id);
            }
            sent.fetch_add(1, Ordering::Relaxed);
            self.raw.write(self.publish.bytes()).await?;
        }
    }
}

/// Counts and acknowledges until all that was sent until the end is seen, or it is quiet.
async fn see(
    mut subscriber: Raw,
    seen: Arc<AtomicUsize>,
    sent: Arc<AtomicUsize>,
    ended: Arc<AtomicBool>,
) -> anyhow::Result<()> {
    let mut acknowledgements = Vec::new();
    let mut last = Instant::now();
    loop {
        let read = subscriber.read_all(|received| {
            if let Received::Publish { packet_id, .. } = received {
                seen.fetch_add(1, Ordering::Relaxed);
                if packet_id != 0 {
                    acknowledgements.extend(packet::puback(packet_id));
                }
            }
        });
        if let Ok(read) = timeout(LOOK, read).await {
            read?;
            last = Instant::now();
        } else {
            let all = seen.load(Ordering::Relaxed) >= sent.load(Ordering::Relaxed);
            if ended.load(Ordering::Relaxed) && all || last.elapsed() > QUIET {
                return Ok(());
            }
        }
        if !acknowledgements.is_empty() {
            subscriber.write(&acknowledgements).await?;
            acknowledgements.clear();
        }
    }
}
