//! How long it takes from a sample beyond its limit to the alert that says so, as a subscriber sees it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use netmonitor_protocol::payload::{AlertState, Info, Metrics, Session, Status};
use netmonitor_protocol::topics::Kind;
use netmonitor_protocol::{DeviceId, Message, RuleKind, SessionId};
use netmonitor_service::clock;
use netmonitor_service::mqtt::{self, Dial, Event, Events, Publisher};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::hub::PATIENCE;

/// Far beyond the limit of 90 percent, and far below.
const BAD: f64 = 99.0;
const GOOD: f64 = 1.0;

/// How long one sample took, there and back.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// Until a subscriber had the sample itself: what the broker takes.
    pub sample: Duration,
    /// Until it had the alert.
    pub alert: Duration,
}

/// A device and a subscriber, who know when what was said.
pub struct Range {
    device: DeviceId,
    publisher: Publisher,
    events: Events,
    seq: u64,
    stop: CancellationToken,
    _connections: JoinSet<()>,
}

impl Drop for Range {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Range {
    /// Connects both, and waits until the hub knows the device. The rule for the processor must fire
    /// at once.
    pub async fn open(device: DeviceId, dial: Dial, watcher: Dial) -> anyhow::Result<Self> {
        let (publisher, mut own, agent) =
            mqtt::client(mqtt::Options::new(device.as_str().to_owned(), dial));
        let (_reader, events, subscriber) = mqtt::client(mqtt::Options {
            filters: [Kind::DeviceMetrics, Kind::Alert]
                .map(|kind| kind.row().filter())
                .to_vec(),
            queue: 1024,
            ..mqtt::Options::new("range", watcher)
        });
        let stop = CancellationToken::new();
        let mut connections = JoinSet::new();
        connections.spawn(agent.run(stop.clone()));
        connections.spawn(subscriber.run(stop.clone()));
        connections.spawn(async move { while own.next().await.is_some() {} });
        let mut range = Self {
            device,
            publisher,
            events,
            seq: 0,
            stop,
            _connections: connections,
        };
        timeout(PATIENCE, range.begin())
            .await
            .context("the hub does not take the device for one")??;
        Ok(range)
    }

    async fn begin(&mut self) -> anyhow::Result<()> {
        while !matches!(self.events.next().await, Some(Event::Connected)) {}
        let session = Session {
            session: SessionId(1),
            boot_id: None,
            since: clock::now(),
            agent_version: "1".to_owned(),
            ended: None,
        };
        let info: Info = serde_json::from_value(serde_json::json!({
            "time": clock::now(), "name": "range", "host_name": "range", "os": "Linux",
            "architecture": "x86_64", "cores": 1, "memory_bytes": 1, "agent_version": "1",
            "interval_secs": 1,
        }))?;
        let id = || self.device.clone();
        for message in [
            Message::DeviceSession(id(), session),
            Message::DeviceInfo(id(), Box::new(info)),
            Message::DeviceStatus(id(), Status::Online, Some(SessionId(1))),
        ] {
            self.say(message).await?;
        }
        // Whoever is online is judged by its samples.
        loop {
            self.sample(GOOD).await?;
            let heard = timeout(Duration::from_secs(1), self.until(AlertState::Ok)).await;
            if heard.is_ok() {
                return Ok(());
            }
        }
    }

    /// There and back, once.
    pub async fn measure(&mut self) -> anyhow::Result<Measured> {
        let measured = timeout(PATIENCE, self.shot(BAD, AlertState::Firing)).await;
        let measured = measured.context("no alert came")??;
        let back = timeout(PATIENCE, self.shot(GOOD, AlertState::Ok)).await;
        back.context("the alert did not end")??;
        Ok(measured)
    }

    async fn shot(&mut self, cpu: f64, state: AlertState) -> anyhow::Result<Measured> {
        let begin = Instant::now();
        self.sample(cpu).await?;
        let mut sample = None;
        loop {
            match self.events.next().await {
                Some(Event::Message(Message::DeviceMetrics(_, it))) if it.seq == self.seq => {
                    sample = Some(begin.elapsed());
                }
                Some(Event::Message(message)) if is(&message, state) => {
                    let alert = begin.elapsed();
                    // The alert may be seen first.
                    let sample = sample.unwrap_or(alert);
                    return Ok(Measured { sample, alert });
                }
                Some(_) => {}
                None => anyhow::bail!("the connection has ended"),
            }
        }
    }

    async fn sample(&mut self, cpu: f64) -> anyhow::Result<()> {
        self.seq += 1;
        let mut metrics = Metrics::blank(SessionId(1), self.seq, clock::now());
        metrics.uptime_secs = 10_000;
        metrics.cpu.usage_percent = cpu;
        self.say(Message::DeviceMetrics(
            self.device.clone(),
            Box::new(metrics),
        ))
        .await
    }

    async fn say(&self, message: Message) -> anyhow::Result<()> {
        let said = timeout(PATIENCE, self.publisher.publish(message)).await;
        said.context("the broker does not acknowledge")??;
        Ok(())
    }

    async fn until(&mut self, state: AlertState) -> anyhow::Result<()> {
        loop {
            let event = self
                .events
                .next()
                .await
                .context("the connection has ended")?;
            let (Event::Message(message) | Event::Retained(message)) = event else {
                continue;
            };
            if is(&message, state) {
                return Ok(());
            }
        }
    }
}

fn is(message: &Message, state: AlertState) -> bool {
    let Message::Alert(_, rule, alert) = message else {
        return false;
    };
    rule.kind() == RuleKind::Cpu && alert.state == state
}

/// The times of so many samples.
pub async fn measure(range: &mut Range, times: usize) -> anyhow::Result<Vec<Measured>> {
    ensure!(times > 0, "nothing to measure");
    let mut all = Vec::with_capacity(times);
    for _ in 0..times {
        all.push(range.measure().await?);
    }
    Ok(all)
}
