//! What is to be published, in order. Hearing never waits for sending: a broker that waits for
//! us to read while we wait for it to acknowledge would be a standstill.

use std::collections::BTreeMap;
use std::time::Duration;

use netmonitor_protocol::{Message, Topic};
use netmonitor_service::Counters;
use netmonitor_service::mqtt::{PublishError, Publisher};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

/// Messages that may wait: every rule of every device of a large fleet at once, with a line of the log
/// each. When it is full the newest is dropped and counted; a conclusion that the broker does not
/// have is published again when the connection is next made.
const WAITING: usize = 200_000;

/// How long what is left may take at the end.
const LAST: Duration = Duration::from_millis(500);

/// After this a conclusion that the broker refused is published again.
const AGAIN: Duration = Duration::from_secs(10);

/// The way out.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    messages: mpsc::Sender<Message>,
    counters: Counters,
}

/// Whoever sends what is in it.
#[derive(Debug)]
pub(crate) struct Sending(JoinSet<()>);

impl Outbox {
    pub(crate) fn start(publisher: Publisher, counters: Counters) -> (Self, Sending) {
        let (messages, waiting) = mpsc::channel(WAITING);
        let mut task = JoinSet::new();
        let way = Way {
            publisher,
            counters: counters.clone(),
            refused: BTreeMap::new(),
        };
        task.spawn(way.send_all(waiting));
        (Self { messages, counters }, Sending(task))
    }

    pub(crate) fn send(&self, message: Message) {
        if self.messages.try_send(message).is_err() {
            self.counters.count("dropped_queue_full");
        }
    }
}

impl Sending {
    /// Sends what is left, if that does not take long. Every [`Outbox`] must be gone.
    pub(crate) async fn stop(mut self) {
        let all = async { while self.0.join_next().await.is_some() {} };
        if timeout(LAST, all).await.is_err() {
            tracing::debug!("not everything was sent");
        }
    }
}

/// The sending end.
struct Way {
    publisher: Publisher,
    counters: Counters,
    /// The newest conclusion of each kind that the broker had no room for, by topic. As many as
    /// there are devices and rules.
    refused: BTreeMap<String, Message>,
}

impl Way {
    /// One after the other: of two conclusions about a device the later must be the last.
    async fn send_all(mut self, mut waiting: mpsc::Receiver<Message>) {
        let mut again = Instant::now();
        loop {
            let is_waiting = !self.refused.is_empty();
            tokio::select! {
                message = waiting.recv() => match message {
                    Some(message) => self.send(message).await,
                    None => return,
                },
                () = sleep_until(again), if is_waiting => {
                    for message in std::mem::take(&mut self.refused).into_values() {
                        self.send(message).await;
                    }
                }
            }
            if !is_waiting || again <= Instant::now() {
                again = Instant::now() + AGAIN;
            }
        }
    }

    async fn send(&mut self, message: Message) {
        let topic = message.topic();
        self.refused.remove(&topic.to_string());
        let Err(error) = self.publisher.publish(message.clone()).await else {
            return;
        };
        self.counters.count("not_published");
        tracing::debug!(%topic, %error, "not published");
        // What was lost with the connection is concluded anew on the next one.
        if matches!(error, PublishError::Refused { .. })
            && matches!(topic, Topic::DevicePresence(_) | Topic::Alert(..))
        {
            self.refused.insert(topic.to_string(), message);
        }
    }
}
