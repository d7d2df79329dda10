//! From MQTT to disk: what a sample costs a broker and an ingest, each a process of its own, from
//! the JSON that a device publishes to the commit.

use std::collections::VecDeque;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use netmonitor_protocol::Topic;
use netmonitor_protocol::payload::{Ack, Metrics};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval_at, timeout};

use super::report::{Goal, Report, Row};
use super::set::{Set, Shape};
use super::store::Store;
use crate::packet::{self, Connect, Publish, Received};
use crate::program::Program;
use crate::raw::{Raw, Way};
use crate::site::{Kind, Site, Subject};

/// A sample costs ingest at most so much at full speed, in microseconds.
const GOAL_US: f64 = 0.4;

/// Devices that publish as fast as they may.
const FAST_DEVICES: usize = 20;

/// Samples of each that may wait for the hub's word that they are on disk: what is too much for
/// the broker's log would be dropped, and these devices do not send again.
const FAST_WINDOW: usize = 150;

/// Devices that publish at a pace, and the messages of all in a second: a thousand at 3 s.
const PACED_DEVICES: usize = 100;
const PACED_RATE: u32 = 333;

/// Packets that a device leaves unacknowledged at most (MQTT 5.0, section 4.9).
const IN_FLIGHT: u16 = 100;

/// Not counted.
const WARM_UP: Duration = Duration::from_secs(5);

/// Nothing is heard of samples for so long: they are lost.
const QUIET: Duration = Duration::from_secs(150);

/// Longer than anything here lasts: nobody has to ping.
const KEEP_ALIVE_SECS: u16 = 3_600;

/// How much is sent.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Messages of each device at full speed.
    pub messages: usize,
    /// How long the paced load lasts.
    pub paced: Duration,
}

/// A broker and an ingest at work.
struct Hub {
    site: Site,
    broker: Subject,
    ingest: Program,
}

/// Measures both.
pub async fn measure(
    netmonitor: &Path,
    metrics: usize,
    size: Size,
    report: &mut Report,
) -> anyhow::Result<()> {
    full_speed(netmonitor, metrics, size.messages, report).await?;
    paced(netmonitor, metrics, size.paced, report).await
}

async fn full_speed(
    netmonitor: &Path,
    metrics: usize,
    messages: usize,
    report: &mut Report,
) -> anyhow::Result<()> {
    // What is acknowledged makes room for more: often enough that nobody waits long.
    let hub = Hub::start(
        netmonitor,
        FAST_DEVICES,
        "[ingest]\ncommit_interval_secs = 0.2\n",
    )?;
    let shape = shape(metrics, FAST_DEVICES, messages);
    let mut payloads: Vec<VecDeque<Metrics>> = vec![VecDeque::new(); FAST_DEVICES];
    for one in shape.reports()? {
        payloads[one.device].push_back(one.metrics);
    }
    let numbers = payloads[0].front().map_or(0, numbers_of);
    let bytes = payloads[0].front().map(serde_json::to_vec).transpose()?;
    let cpu = hub.cpu()?;
    let begin = Instant::now();
    let mut tasks = JoinSet::new();
    for (device, samples) in payloads.into_iter().enumerate() {
        let raw = hub.device(device).await?;
        let topic = Topic::DeviceMetrics(hub.site.devices[device].0.clone()).to_string();
        tasks.spawn(send_all(raw, topic, samples));
    }
    let stored = hub.stored(&mut tasks).await?;
    let took = begin.elapsed();
    let used = hub.cpu()?.since(cpu);
    ensure!(
        stored == FAST_DEVICES * messages,
        "only {stored} were stored"
    );
    let name = format!(
        "MQTT to disk at full speed, {numbers} metrics in {} bytes",
        bytes.map_or(0, |it| it.len())
    );
    add_cpu(report, &name, used, stored * numbers, Some(GOAL_US));
    let rate = (stored * numbers) as f64 / took.as_secs_f64();
    report.add(Row::new(format!("{name}: samples in a second"), "").value(Store::Ours, rate));
    Ok(())
}

async fn paced(
    netmonitor: &Path,
    metrics: usize,
    duration: Duration,
    report: &mut Report,
) -> anyhow::Result<()> {
    let hub = Hub::start(netmonitor, PACED_DEVICES, "")?;
    let between = Duration::from_secs(1) * u32::try_from(PACED_DEVICES)? / PACED_RATE;
    let messages = ((duration + WARM_UP).as_secs_f64() / between.as_secs_f64()).ceil();
    let shape = shape(metrics, PACED_DEVICES, 1);
    let mut first: Vec<Metrics> = shape.reports()?.map(|one| one.metrics).collect();
    let numbers = first.first().map_or(0, numbers_of);
    let mut tasks = JoinSet::new();
    let begin = Instant::now() + Duration::from_secs(1);
    for (device, sample) in (0..).zip(first.drain(..)) {
        let at = usize::try_from(device)?;
        let raw = hub.device(at).await?;
        let topic = Topic::DeviceMetrics(hub.site.devices[at].0.clone()).to_string();
        let first = begin + between * device / u32::try_from(PACED_DEVICES)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number of messages"
        )]
        tasks.spawn(send_paced(
            raw,
            topic,
            sample,
            messages as u64,
            first,
            between,
        ));
    }
    tokio::time::sleep_until((begin + WARM_UP).into()).await;
    let (cpu, start) = (hub.cpu()?, Instant::now());
    tokio::time::sleep(duration).await;
    let used = hub.cpu()?.since(cpu);
    let sent = start.elapsed().as_secs_f64() * f64::from(PACED_RATE);
    let stored = hub.stored(&mut tasks).await?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of messages"
    )]
    let expected = messages as usize * PACED_DEVICES;
    ensure!(stored == expected, "{stored} of {expected} were stored");
    let name = format!("MQTT to disk at {PACED_RATE} messages/s");
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of messages"
    )]
    add_cpu(report, &name, used, sent as usize * numbers, None);
    Ok(())
}

fn add_cpu(report: &mut Report, name: &str, used: Used, samples: usize, goal: Option<f64>) {
    let each = |cpu: Duration| cpu.as_secs_f64() * 1e6 / samples.max(1) as f64;
    let mut ingest = Row::new(format!("{name}: CPU of ingest per sample"), "us")
        .value(Store::Ours, each(used.ingest));
    if let Some(goal) = goal {
        ingest = ingest.goal(Goal::AtMost(goal));
    }
    report.add(ingest);
    let both = each(used.ingest + used.broker);
    report.add(
        Row::new(format!("{name}: CPU of broker and ingest per sample"), "us")
            .value(Store::Ours, both),
    );
}

/// So many samples of each, with stamps as if they had been taken in their interval.
fn shape(metrics: usize, devices: usize, messages: usize) -> Shape {
    let interval = Duration::from_secs(3);
    Shape {
        set: Set::Aligned,
        days: interval.as_secs_f64() * messages as f64 / 86_400.0,
        devices,
        metrics,
        interval,
        seed: 1,
    }
}

fn numbers_of(sample: &Metrics) -> usize {
    super::series::series(sample).len()
}

#[derive(Debug, Clone, Copy)]
struct Used {
    broker: Duration,
    ingest: Duration,
}

impl Used {
    fn since(self, before: Self) -> Self {
        Self {
            broker: self.broker.saturating_sub(before.broker),
            ingest: self.ingest.saturating_sub(before.ingest),
        }
    }
}

impl Hub {
    fn start(netmonitor: &Path, devices: usize, config: &str) -> anyhow::Result<Self> {
        let site = Site::make(devices)?;
        site.configure(config)?;
        let broker = site.start(Kind::Ours, netmonitor)?;
        let data = site.data_dir();
        let mut command = Command::new(netmonitor);
        command.args(["ingest", "--data-dir"]).arg(data.path());
        let ingest = Program::start(&mut command, &data.path().join("ingest.log"))?;
        Ok(Self {
            site,
            broker,
            ingest,
        })
    }

    fn cpu(&self) -> anyhow::Result<Used> {
        Ok(Used {
            broker: self.broker.program.cpu()?,
            ingest: self.ingest.cpu()?,
        })
    }

    /// What all devices have stored; what ingest said if one fails.
    async fn stored(&self, tasks: &mut JoinSet<anyhow::Result<usize>>) -> anyhow::Result<usize> {
        let mut stored = 0;
        while let Some(ended) = tasks.join_next().await {
            stored += ended?.with_context(|| {
                let log = self.ingest.log().unwrap_or_default();
                format!("ingest said: {}", log.trim_end())
            })?;
        }
        Ok(stored)
    }

    /// A device that hears what is on disk.
    async fn device(&self, at: usize) -> anyhow::Result<Raw> {
        let (id, account) = &self.site.devices[at];
        let connect = Connect {
            client_id: &format!("agent-{id}"),
            user: &account.user,
            password: &account.password,
            keep_alive_secs: KEEP_ALIVE_SECS,
            will: None,
            session_secs: None,
        };
        let way = Way {
            address: self.broker.plain,
            tls: None,
            receive_buffer: None,
            from: None,
        };
        let mut raw = Raw::connect(&way, &connect.packet()).await?;
        let acks = Topic::DeviceAck(id.clone()).to_string();
        raw.subscribe(&[acks], 1).await?;
        Ok(raw)
    }
}

/// What a device knows of its samples.
#[derive(Default)]
struct Outstanding {
    /// Packets that the broker has not acknowledged.
    in_flight: u16,
    packet_id: u16,
    /// Samples that are on disk.
    stored: usize,
    /// What it has to say to the broker.
    replies: Vec<u8>,
}

impl Outstanding {
    /// Reads what there is.
    async fn hear(&mut self, raw: &mut Raw) -> anyhow::Result<()> {
        let mut acks = Vec::new();
        raw.read_all(|received| match received {
            Received::PubAck(_) => self.in_flight = self.in_flight.saturating_sub(1),
            Received::Publish { packet_id, payload } => {
                if packet_id != 0 {
                    self.replies.extend(packet::puback(packet_id));
                }
                acks.push(serde_json::from_slice::<Ack>(payload));
            }
            _ => {}
        })
        .await?;
        for ack in acks {
            let ranges = ack.context("an ack cannot be read")?.ranges;
            let number = |(first, last): (u64, u64)| usize::try_from(last - first + 1);
            for range in ranges {
                self.stored += number(range)?;
            }
        }
        if !self.replies.is_empty() {
            raw.write(&self.replies).await?;
            self.replies.clear();
        }
        Ok(())
    }

    fn publish(&mut self, topic: &str, sample: &Metrics) -> anyhow::Result<Vec<u8>> {
        let mut publish = Publish::new(topic, &serde_json::to_vec(sample)?, 1, true);
        self.packet_id = self.packet_id % 60_000 + 1;
        publish.set_packet_id(self.packet_id);
        self.in_flight += 1;
        Ok(publish.bytes().to_vec())
    }
}

/// As fast as it may. Each sample says that it was taken now: older ones would be sealed with
/// every commit, as after an outage.
async fn send_all(
    mut raw: Raw,
    topic: String,
    mut samples: VecDeque<Metrics>,
) -> anyhow::Result<usize> {
    let all = samples.len();
    let (mut sent, mut it) = (0, Outstanding::default());
    let mut batch = Vec::new();
    while it.stored < all {
        while it.in_flight < IN_FLIGHT && sent - it.stored.min(sent) < FAST_WINDOW {
            let Some(mut sample) = samples.pop_front() else {
                break;
            };
            sample.monotonic_ms = None;
            batch.extend(it.publish(&topic, &sample)?);
            sent += 1;
        }
        if !batch.is_empty() {
            raw.write(&batch).await?;
            batch.clear();
        }
        timeout(QUIET, it.hear(&mut raw))
            .await
            .context("nothing is heard of samples")??;
    }
    Ok(it.stored)
}

/// One sample at a time, each at its moment.
async fn send_paced(
    mut raw: Raw,
    topic: String,
    mut sample: Metrics,
    messages: u64,
    first: Instant,
    between: Duration,
) -> anyhow::Result<usize> {
    let mut ticks = interval_at(first.into(), between);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (mut sent, mut it) = (0, Outstanding::default());
    let mut heard = Instant::now();
    while (it.stored as u64) < messages {
        tokio::select! {
            _ = ticks.tick(), if sent < messages => {
                sent += 1;
                sample.seq = sent;
                sample.monotonic_ms = None;
                sample.cpu.usage_percent = ((sent * 7) % 1_000) as f64 / 10.0;
                let packet = it.publish(&topic, &sample)?;
                raw.write(&packet).await?;
            }
            result = it.hear(&mut raw) => {
                result?;
                heard = Instant::now();
            }
            () = tokio::time::sleep(QUIET) => {}
        }
        ensure!(heard.elapsed() < QUIET, "nothing is heard of samples");
    }
    Ok(it.stored)
}
