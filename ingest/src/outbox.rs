//! What ingest says after a commit, without anybody waiting for it.

use std::time::Duration;

use netmonitor_protocol::Message;
use netmonitor_protocol::payload::Ack;
use netmonitor_service::Counters;
use netmonitor_service::mqtt::{PublishError, Publisher};
use netmonitor_store::history::Stored;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Commits whose acknowledgements may wait: when there are more, those of the newest commit are
/// dropped and counted. Their agents send the samples again, which are acknowledged then.
const COMMITS: usize = 8;

/// Acknowledgements under way to the broker: it may be slow, and others publish as well.
const ACKS_AT_ONCE: usize = 16;

/// Lines of the log that may wait for a connection: when there are more they are dropped and
/// counted.
const LINES: usize = 256;

/// Between two attempts to say a line of the log.
const PAUSE: Duration = Duration::from_secs(1);

/// Hands messages to the tasks that publish them.
#[derive(Debug)]
pub struct Outbox {
    acks: mpsc::Sender<Vec<Stored>>,
    lines: mpsc::Sender<Message>,
    tasks: JoinSet<()>,
    counters: Counters,
}

impl Outbox {
    /// Starts the tasks.
    pub fn start(publisher: &Publisher, counters: &Counters) -> Self {
        let (acks, safe) = mpsc::channel(COMMITS);
        let (lines, log) = mpsc::channel(LINES);
        let mut tasks = JoinSet::new();
        tasks.spawn(acknowledge(safe, publisher.clone(), counters.clone()));
        tasks.spawn(say(log, publisher.clone()));
        Self {
            acks,
            lines,
            tasks,
            counters: counters.clone(),
        }
    }

    /// These are on disk: their agents are told, if there is a connection.
    pub fn acknowledge(&self, safe: Vec<Stored>) {
        let number = safe.len() as u64;
        if self.acks.try_send(safe).is_err() {
            self.counters.add("acks_dropped", number);
        }
    }

    /// A line of the log: said as soon as there is a connection.
    pub fn say(&self, line: Message) {
        if self.lines.try_send(line).is_err() {
            self.counters.count("events_dropped");
        }
    }

    /// Waits until everything is said, for this long at most.
    pub async fn finish(self, patience: Duration) {
        let Self {
            acks,
            lines,
            mut tasks,
            ..
        } = self;
        drop((acks, lines));
        let all = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, all).await.is_err() {
            tracing::debug!("no time to say everything");
        }
    }
}

async fn acknowledge(
    mut safe: mpsc::Receiver<Vec<Stored>>,
    publisher: Publisher,
    counters: Counters,
) {
    let mut under_way = JoinSet::new();
    while let Some(of_commit) = safe.recv().await {
        for stored in of_commit {
            if under_way.len() >= ACKS_AT_ONCE {
                under_way.join_next().await;
            }
            let (publisher, counters) = (publisher.clone(), counters.clone());
            under_way.spawn(async move {
                let ack = Ack {
                    session: stored.session,
                    ranges: stored.ranges,
                };
                let message = Message::DeviceAck(stored.device, ack);
                counters.count(match publisher.publish(message).await {
                    Ok(()) => "acks_sent",
                    Err(_) => "acks_dropped",
                });
            });
        }
    }
    while under_way.join_next().await.is_some() {}
}

async fn say(mut lines: mpsc::Receiver<Message>, publisher: Publisher) {
    while let Some(line) = lines.recv().await {
        while let Err(PublishError::NotConnected | PublishError::ConnectionLost) =
            publisher.publish(line.clone()).await
        {
            tokio::time::sleep(PAUSE).await;
        }
    }
}
