//! What each of the hub's services does alike: connect under its own name, say that it is
//! there, report what it counts, and say goodbye.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use netmonitor_protocol::payload::{
    Event as LogEvent, EventKind, ServiceHealth, ServiceState, Severity,
};
use netmonitor_protocol::{Message, ServiceName};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::mqtt::{self, Dial, Events, Options, Publisher};
use crate::{Counters, clock};

/// How often the counters are published.
const REPORT_INTERVAL: Duration = Duration::from_secs(30);

/// How long the goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// A service's link to the rest of the hub.
#[derive(Debug)]
pub struct Frame {
    name: ServiceName,
    version: &'static str,
    since: Timestamp,
    counters: Counters,
    publisher: Publisher,
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

impl Frame {
    /// Connects in the background, and keeps trying. `queue` is how many received messages may
    /// wait.
    pub fn start(
        name: ServiceName,
        version: &'static str,
        dial: Dial,
        filters: Vec<String>,
        queue: usize,
    ) -> (Self, Events) {
        let since = clock::now();
        let counters = Counters::default();
        let stop = CancellationToken::new();
        let birth = {
            let counters = counters.clone();
            move || {
                let health = health(ServiceState::Running, since, version, counters.snapshot());
                vec![Message::HubService(name, health)]
            }
        };
        let (publisher, events, connection) = mqtt::client(Options {
            will: Some(Message::HubService(
                name,
                health(ServiceState::Stopped, since, version, BTreeMap::new()),
            )),
            filters,
            queue,
            birth: Some(Arc::new(birth)),
            ..Options::new(format!("netmonitor-{name}"), dial)
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(connection.run(stop.clone()));
        let frame = Self {
            name,
            version,
            since,
            counters,
            publisher,
            tasks,
            stop,
        };
        (frame, events)
    }

    /// What the service counts.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Sends.
    pub fn publisher(&self) -> &Publisher {
        &self.publisher
    }

    /// Says in the log that the service is there. Called once, at the first connection.
    pub async fn announce(&self) {
        self.log(EventKind::ServiceStarted).await;
    }

    /// Publishes the counters from time to time, until dropped.
    pub async fn report(&self) {
        let mut interval = tokio::time::interval(REPORT_INTERVAL);
        interval.tick().await;
        loop {
            interval.tick().await;
            self.say(ServiceState::Running).await;
        }
    }

    /// Says goodbye and disconnects.
    pub async fn stop(mut self) {
        let goodbye = async {
            self.log(EventKind::ServiceStopped).await;
            self.say(ServiceState::Stopped).await;
        };
        if tokio::time::timeout(GOODBYE, goodbye).await.is_err() {
            tracing::debug!(service = %self.name, "no time for a goodbye");
        }
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }

    async fn say(&self, state: ServiceState) {
        let health = health(state, self.since, self.version, self.counters.snapshot());
        self.send(Message::HubService(self.name, health)).await;
    }

    async fn log(&self, kind: EventKind) {
        self.send(Message::Event(LogEvent {
            time: clock::now(),
            kind,
            severity: Severity::Info,
            device: None,
            actor: None,
            parameters: BTreeMap::from([
                ("service".to_owned(), self.name.to_string()),
                ("version".to_owned(), self.version.to_owned()),
            ]),
        }))
        .await;
    }

    /// A report that cannot be sent is repeated soon enough.
    async fn send(&self, message: Message) {
        if let Err(error) = self.publisher.publish(message).await {
            tracing::debug!(service = %self.name, %error, "report not sent");
        }
    }
}

fn health(
    state: ServiceState,
    since: Timestamp,
    version: &str,
    counters: BTreeMap<String, u64>,
) -> ServiceHealth {
    ServiceHealth {
        state,
        since,
        version: version.to_owned(),
        counters,
    }
}
