//! One start of a simulated agent: birth, samples, goodbye. Samples go the way of the real agent:
//! kept, sent, sent again, until ingest has acknowledged them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use netmonitor_agent::delivery::Delivery;
use netmonitor_agent::goodbye;
use netmonitor_protocol::payload::{EndCause, Info, Metrics, Services, Session, Status};
use netmonitor_protocol::{DeviceId, Message};
use netmonitor_service::mqtt::{self, Event, Events, Options, PublishError, Publisher};
use netmonitor_service::{clock, random};
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use super::ledger::Ledger;
use super::machine::Machine;

/// What one start of an agent knows.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) session: Session,
    pub(super) device: DeviceId,
    pub(super) interval: Duration,
    pub(super) machine: Arc<Mutex<Machine>>,
    pub(super) latest: Arc<Mutex<Option<Metrics>>>,
    pub(super) delivery: Arc<Delivery>,
    /// No more samples are taken.
    pub(super) quiet: CancellationToken,
    pub(super) ledger: Arc<Ledger>,
    pub(super) claims: Arc<Notify>,
    pub(super) connected: Arc<AtomicBool>,
}

impl Known {
    fn online(&self) -> Message {
        let session = Some(self.session.session);
        Message::DeviceStatus(self.device.clone(), Status::Online, session)
    }

    fn info(&self) -> Info {
        self.machine()
            .info(self.device.as_str(), self.interval, clock::now())
    }

    fn services(&self) -> Services {
        self.machine().services(clock::now())
    }

    /// In the order of the real agent.
    pub(super) fn birth(&self) -> Vec<Message> {
        let mut messages = vec![
            Message::DeviceSession(self.device.clone(), self.session.clone()),
            Message::DeviceInfo(self.device.clone(), Box::new(self.info())),
            self.online(),
            Message::DeviceServices(self.device.clone(), self.services()),
        ];
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sample) = latest.clone() {
            self.ledger.sent(sample.session, sample.seq);
            self.delivery.sent(sample.seq);
            messages.push(self.delivery.live(sample));
        }
        messages
    }

    fn sample(&self, elapsed: Duration, seq: u64) -> Metrics {
        let session = self.session.session;
        let mut sample = self.machine().sample(elapsed, session, seq, clock::now());
        let since_boot = clock::since_boot().as_millis();
        sample.monotonic_ms = Some(u64::try_from(since_boot).unwrap_or(u64::MAX));
        self.delivery.took(&sample);
        self.ledger.measured(&self.device, session, seq);
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        *latest = Some(sample.clone());
        sample
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One start of an agent, from birth to goodbye.
pub(super) async fn live(known: Known, options: Options, stop: CancellationToken) {
    let (publisher, events, connection) = mqtt::client(options);
    let disconnect = CancellationToken::new();
    let connection = connection.run(disconnect.clone());
    let talking = async {
        tokio::select! {
            () = stop.cancelled() => {}
            () = take_samples(&known, &publisher) => {}
            () = known.delivery.clone().make_up(publisher.clone()) => {}
            () = known.delivery.clone().pack() => {}
            () = listen(events, &known) => {}
            () = claim(&known, &publisher) => {}
        }
        goodbye(
            &publisher,
            known.device.clone(),
            known.session.clone(),
            EndCause::Stop,
        )
        .await
    };
    tokio::pin!(connection);
    tokio::select! {
        () = &mut connection => {}
        said = talking => {
            // Without a goodbye it goes as a killed one does: the will has to say it.
            if said {
                disconnect.cancel();
                connection.await;
            }
        }
    }
}

async fn take_samples(known: &Known, publisher: &Publisher) {
    // Somewhere in the interval, so that a fleet does not speak with one voice.
    let phase = known.interval.mul_f64(random_share());
    let mut ticks = interval_at(Instant::now() + phase, known.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    for seq in 1.. {
        tokio::select! {
            _ = ticks.tick() => {}
            () = known.quiet.cancelled() => return std::future::pending().await,
        }
        let sample = known.sample(known.interval, seq);
        let message = known.delivery.live(sample);
        let session = known.session.session;
        known.ledger.sent(session, seq);
        match publisher.publish(message).await {
            Ok(()) => {
                known.delivery.sent(seq);
                known.ledger.acknowledged(session, seq);
            }
            Err(PublishError::NotConnected) => known.ledger.failed(session, seq),
            Err(error) => tracing::debug!(%error, "a sample was not acknowledged"),
        }
        let changed = known.machine().service_changed();
        if changed {
            let services = Message::DeviceServices(known.device.clone(), known.services());
            if let Err(error) = publisher.publish(services).await {
                tracing::debug!(%error, "services not sent");
            }
        }
    }
}

/// Follows the connection, and objects when someone says that this device is gone.
async fn listen(mut events: Events, known: &Known) {
    while let Some(event) = events.next().await {
        match event {
            Event::Connected => {
                known.delivery.connected();
                known.connected.store(true, Ordering::Relaxed);
            }
            Event::Disconnected(error) => {
                known.delivery.disconnected();
                known.connected.store(false, Ordering::Relaxed);
                tracing::debug!(device = %known.device, %error, "not connected");
            }
            Event::Message(message) => {
                known.delivery.heard(&message, false);
                match message {
                    Message::DeviceStatus(device, Status::Offline, _) if device == known.device => {
                        known.claims.notify_one();
                    }
                    Message::DeviceAck(device, ack) if device == known.device => {
                        known.ledger.stored(&device, &ack);
                    }
                    _ => {}
                }
            }
            Event::Retained(message) => known.delivery.heard(&message, true),
        }
    }
}

async fn claim(known: &Known, publisher: &Publisher) {
    loop {
        known.claims.notified().await;
        if let Err(error) = publisher.publish(known.online()).await {
            tracing::debug!(%error, "online was not claimed");
        }
    }
}

/// From 0 to 1.
fn random_share() -> f64 {
    random::bits64() as f64 / u64::MAX as f64
}
