//! One who sees everything that the fleet says, as any reader of the hub does.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use netmonitor_protocol::Message;
use netmonitor_protocol::topics::Kind;
use netmonitor_service::mqtt::{self, Dial, Event, Events, Options};
use netmonitor_service::random;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::ledger::Ledger;

/// Messages that may wait to be written down. If it is full the watcher stops reading: that is
/// seen as latency.
const QUEUE: usize = 65_536;

/// How long it may take to connect.
const CONNECT_WITHIN: Duration = Duration::from_secs(20);

/// Watches until dropped.
#[derive(Debug)]
pub(super) struct Watcher {
    _tasks: JoinSet<()>,
}

impl Watcher {
    /// Connects and subscribes.
    pub(super) async fn start(dial: Dial, ledger: Arc<Ledger>) -> anyhow::Result<Self> {
        let rows = [
            Kind::DeviceStatus,
            Kind::DeviceSession,
            Kind::DevicePresence,
            Kind::DeviceMetrics,
        ];
        let client_id = format!("watcher-{:016x}", random::bits64());
        let (_silent, mut events, connection) = mqtt::client(Options {
            filters: rows.iter().map(|kind| kind.row().filter()).collect(),
            queue: QUEUE,
            ..Options::new(client_id, dial)
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(connection.run(CancellationToken::new()));
        timeout(CONNECT_WITHIN, connected(&mut events))
            .await
            .context("the watcher could not connect in time")??;
        tasks.spawn(write_down(events, ledger));
        Ok(Self { _tasks: tasks })
    }
}

async fn connected(events: &mut Events) -> anyhow::Result<()> {
    while let Some(event) = events.next().await {
        match event {
            Event::Connected => return Ok(()),
            Event::Disconnected(error) => {
                return Err(error).context("the watcher could not connect");
            }
            Event::Message(_) | Event::Retained(_) => {}
        }
    }
    bail!("the watcher's connection has ended")
}

async fn write_down(mut events: Events, ledger: Arc<Ledger>) {
    while let Some(event) = events.next().await {
        match event {
            Event::Message(Message::DeviceMetrics(_, sample)) => {
                ledger.seen(sample.session, sample.seq);
            }
            // What is retained is the state after a time without a connection.
            Event::Message(Message::DeviceStatus(device, status, session))
            | Event::Retained(Message::DeviceStatus(device, status, session)) => {
                ledger.status(&device, status, session);
            }
            Event::Message(Message::DevicePresence(device, presence)) => {
                ledger.presence(&device, presence, false);
            }
            Event::Retained(Message::DevicePresence(device, presence)) => {
                ledger.presence(&device, presence, true);
            }
            Event::Message(Message::DeviceSession(device, session)) => {
                ledger.session(&device, &session);
            }
            Event::Disconnected(error) => tracing::warn!(%error, "the watcher is not connected"),
            _ => {}
        }
    }
}
