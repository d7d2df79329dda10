//! What each of the hub's services does alike: connect under its own name, say that it is
//! there, report what it counts, and say goodbye.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use netmonitor_protocol::payload::{
    DegradedReason, Event as LogEvent, EventKind, ServiceHealth, ServiceState, Severity,
};
use netmonitor_protocol::{Message, ServiceName};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::mqtt::{self, Dial, Events, Publisher};
use crate::{Counters, clock};

/// How often the counters are published.
const REPORT_INTERVAL: Duration = Duration::from_secs(30);

/// How long the goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// How a service appears and what it wants.
#[derive(Debug)]
pub struct Options {
    /// Which service.
    pub name: ServiceName,
    /// Its version.
    pub version: &'static str,
    /// Where to connect, as whom.
    pub dial: Dial,
    /// What to subscribe to.
    pub filters: Vec<String>,
    /// Received messages that may wait; see [`mqtt::Options::queue`].
    pub queue: usize,
    /// What it counts.
    pub counters: Counters,
    /// Ingest only: how long a sample waits at most for its commit.
    pub commit_interval: Option<Duration>,
}

/// A service's link to the rest of the hub.
#[derive(Debug)]
pub struct Frame {
    service: Arc<Service>,
    publisher: Publisher,
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

/// What is said of the service.
#[derive(Debug)]
struct Service {
    name: ServiceName,
    version: &'static str,
    since: Timestamp,
    commit_interval_ms: Option<u64>,
    counters: Counters,
    degraded: watch::Sender<Option<DegradedReason>>,
    /// Whether the log says that the service has started: once, not at each connection.
    announced: AtomicBool,
}

impl Frame {
    /// Connects in the background, and keeps trying.
    pub fn start(options: Options) -> (Self, Events) {
        let Options {
            name,
            version,
            dial,
            filters,
            queue,
            counters,
            commit_interval,
        } = options;
        let service = Arc::new(Service {
            name,
            version,
            since: clock::now(),
            commit_interval_ms: commit_interval
                .map(|it| u64::try_from(it.as_millis()).unwrap_or(u64::MAX)),
            counters,
            degraded: watch::Sender::new(None),
            announced: AtomicBool::new(false),
        });
        let born = service.clone();
        let (publisher, events, connection) = mqtt::client(mqtt::Options {
            will: Some(service.health(ServiceState::Stopped)),
            filters,
            queue,
            counters: service.counters.clone(),
            birth: Some(Arc::new(move || born.birth())),
            ..mqtt::Options::new(format!("netmonitor-{name}"), dial)
        });
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(connection.run(stop.clone()));
        tasks.spawn(report(service.clone(), publisher.clone(), stop.clone()));
        let frame = Self {
            service,
            publisher,
            tasks,
            stop,
        };
        (frame, events)
    }

    /// What the service counts.
    pub fn counters(&self) -> &Counters {
        &self.service.counters
    }

    /// Sends.
    pub fn publisher(&self) -> &Publisher {
        &self.publisher
    }

    /// Says what keeps the service from its work, if anything does. Returns at once: it is
    /// published in the background.
    pub fn set_degraded(&self, reason: Option<DegradedReason>) {
        self.service.degraded.send_if_modified(|now| {
            let changes = *now != reason;
            *now = reason;
            changes
        });
    }

    /// Says goodbye and disconnects.
    pub async fn stop(mut self) {
        let goodbye = async {
            let event = self.service.log(EventKind::ServiceStopped);
            send(&self.publisher, event).await;
            let stopped = self.service.health(ServiceState::Stopped);
            send(&self.publisher, stopped).await;
        };
        if tokio::time::timeout(GOODBYE, goodbye).await.is_err() {
            tracing::debug!(service = %self.service.name, "no time for a goodbye");
        }
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Service {
    /// The message that says how the service is now.
    fn now(&self) -> Message {
        self.health(match *self.degraded.borrow() {
            Some(_) => ServiceState::Degraded,
            None => ServiceState::Running,
        })
    }

    fn health(&self, state: ServiceState) -> Message {
        let is_degraded = state == ServiceState::Degraded;
        let health = ServiceHealth {
            state,
            reason: self.degraded.borrow().filter(|_| is_degraded),
            since: self.since,
            version: self.version.to_owned(),
            commit_interval_ms: self.commit_interval_ms,
            counters: self.counters.snapshot(),
        };
        Message::HubService(self.name, health)
    }

    /// What is said right after each connect.
    fn birth(&self) -> Vec<Message> {
        let mut messages = vec![self.now()];
        if !self.announced.swap(true, Ordering::Relaxed) {
            messages.push(self.log(EventKind::ServiceStarted));
        }
        messages
    }

    fn log(&self, kind: EventKind) -> Message {
        let parameters = [
            ("service", self.name.to_string()),
            ("version", self.version.to_owned()),
        ];
        Message::Event(LogEvent::new(
            clock::now(),
            kind,
            Severity::Info,
            parameters,
        ))
    }
}

/// Publishes how the service is: the counters from time to time, and at once what changes.
async fn report(service: Arc<Service>, publisher: Publisher, stop: CancellationToken) {
    let mut interval = tokio::time::interval(REPORT_INTERVAL);
    interval.tick().await;
    let mut degraded = service.degraded.subscribe();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = interval.tick() => {}
            Ok(()) = degraded.changed() => {}
        }
        send(&publisher, service.now()).await;
    }
}

/// A report that cannot be sent is repeated soon enough.
async fn send(publisher: &Publisher, message: Message) {
    if let Err(error) = publisher.publish(message).await {
        tracing::debug!(%error, "report not sent");
    }
}
