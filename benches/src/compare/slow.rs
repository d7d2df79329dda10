//! A subscriber that is slower than the publishers: what it does not get must be counted.

use std::time::Duration;

use anyhow::Context as _;
use netmonitor_protocol::payload::ServiceHealth;
use netmonitor_protocol::{ServiceName, Topic};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::throughput::{Credit, PAYLOAD_BYTES, see, send};
use super::{Bench, Goal, Measured};
use crate::packet::{self, Publish, Received};
use crate::raw::{Raw, Way};
use crate::site::Kind;

/// The kernel's buffer of the subscriber, in bytes.
const BUFFER: u32 = 4096;

/// It reads so many bytes, and then rests.
const SIP: usize = 4096;
const REST: Duration = Duration::from_millis(10);

/// Once nothing is published any more: after so long without a message, the rest is lost.
const QUIET: Duration = Duration::from_secs(3);

/// The broker publishes its counters every 30 s.
const REPORT_WITHIN: Duration = Duration::from_secs(40);

pub(super) async fn measure(bench: &Bench<'_>, qos: u8) -> anyhow::Result<Vec<Measured>> {
    let way = Way {
        receive_buffer: Some(BUFFER),
        ..bench.way(false)
    };
    let mut subscriber = bench.reader(&way, qos).await?;
    let publishers = bench.devices(bench.size.publishers, false).await?;
    let messages = bench.size.messages / 2;
    let sent = publishers.len() * messages;
    let mut tasks = JoinSet::new();
    for (device, raw) in publishers.into_iter().enumerate() {
        let topic = bench.metrics_topic(device);
        let publish = Publish::new(&topic, &[b'x'; PAYLOAD_BYTES], qos, false);
        tasks.spawn(async move { send(raw, publish, messages, qos, &Credit(None)).await });
    }
    // Connections stay open until all has been seen.
    let mut publishers = Vec::new();
    let mut seen = 0;
    let mut acknowledgements = Vec::new();
    while !tasks.is_empty() {
        let read = subscriber.read(SIP, |received| {
            if let Received::Publish { packet_id, .. } = received {
                seen += 1;
                if packet_id != 0 {
                    acknowledgements.extend(packet::puback(packet_id));
                }
            }
        });
        // At QoS 1 there may be nothing to read before the next acknowledgement.
        if let Ok(read) = timeout(REST, read).await {
            read?;
        }
        if !acknowledgements.is_empty() {
            subscriber.write(&acknowledgements).await?;
            acknowledgements.clear();
        }
        sleep(REST).await;
        while let Some(ended) = tasks.try_join_next() {
            publishers.push(ended??);
        }
    }
    seen += see(
        &mut subscriber,
        sent.saturating_sub(seen),
        QUIET,
        &Credit(None),
    )
    .await?
    .number;
    let lost = sent
        .checked_sub(seen)
        .context("more has arrived than was sent")?;
    let name = format!("slow subscriber, QoS {qos}");
    let mut measured = vec![Measured::new(
        format!("{name}: lost"),
        "%",
        100.0 * lost as f64 / sent as f64,
    )];
    if bench.subject.kind == Kind::Ours {
        let counted = dropped(bench).await?;
        measured.push(
            Measured::new(
                format!("{name}: lost and not counted"),
                "messages",
                (lost as f64 - counted as f64).abs(),
            )
            .with(Goal::EachTime(0.0)),
        );
    }
    drop(publishers);
    Ok(measured)
}

/// What the broker says that it has dropped, in the first report after now.
async fn dropped(bench: &Bench<'_>) -> anyhow::Result<u64> {
    let topic = Topic::HubService(ServiceName::Broker).to_string();
    let mut raw = bench.reading(&bench.way(false), &[topic], 1).await?;
    let report = async {
        let mut reports = Vec::new();
        // The first one is retained, and from before.
        while reports.len() < 2 {
            next_reports(&mut raw, &mut reports).await?;
        }
        anyhow::Ok(reports)
    };
    let reports = timeout(REPORT_WITHIN, report)
        .await
        .context("the broker does not report what it has counted")??;
    let last = reports.last().context("there is a report")?;
    let is_drop = |name: &String| name.starts_with("dropped_");
    let drops = last.counters.iter().filter(|(name, _)| is_drop(name));
    Ok(drops.map(|(_, number)| number).sum())
}

async fn next_reports(raw: &mut Raw, reports: &mut Vec<ServiceHealth>) -> anyhow::Result<()> {
    let mut acknowledgements = Vec::new();
    let mut damaged = None;
    raw.read_all(|received| {
        if let Received::Publish { packet_id, payload } = received {
            acknowledgements.extend(packet::puback(packet_id));
            match serde_json::from_slice(payload) {
                Ok(report) => reports.push(report),
                Err(error) => damaged = Some(error),
            }
        }
    })
    .await?;
    raw.write(&acknowledgements).await?;
    damaged.map_or(Ok(()), |error| Err(error.into()))
}
