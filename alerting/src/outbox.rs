//! What is to be published, in order. Hearing never waits for sending: a broker that waits for
//! us to read while we wait for it to acknowledge would be a standstill.

use std::time::Duration;

use netmonitor_protocol::Message;
use netmonitor_service::Counters;
use netmonitor_service::mqtt::Publisher;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Messages that may wait: every device of a large fleet at once, with a line of the log each.
/// When it is full the newest is dropped and counted; a conclusion that the broker does not have
/// is published again when the connection is next made.
const WAITING: usize = 20_000;

/// How long what is left may take at the end.
const LAST: Duration = Duration::from_millis(500);

/// The way out.
#[derive(Debug)]
pub(crate) struct Outbox {
    messages: mpsc::Sender<Message>,
    task: JoinSet<()>,
    counters: Counters,
}

impl Outbox {
    pub(crate) fn start(publisher: Publisher, counters: Counters) -> Self {
        let (messages, waiting) = mpsc::channel(WAITING);
        let mut task = JoinSet::new();
        task.spawn(send(waiting, publisher, counters.clone()));
        Self {
            messages,
            task,
            counters,
        }
    }

    pub(crate) fn send(&self, message: Message) {
        if self.messages.try_send(message).is_err() {
            self.counters.count("dropped_queue_full");
        }
    }

    /// Sends what is left, if that does not take long.
    pub(crate) async fn stop(mut self) {
        drop(self.messages);
        let all = async { while self.task.join_next().await.is_some() {} };
        if timeout(LAST, all).await.is_err() {
            tracing::debug!("not everything was sent");
        }
    }
}

/// One after the other: of two conclusions about a device the later must be the last.
async fn send(mut waiting: mpsc::Receiver<Message>, publisher: Publisher, counters: Counters) {
    while let Some(message) = waiting.recv().await {
        let topic = message.topic();
        if let Err(error) = publisher.publish(message).await {
            counters.count("not_published");
            tracing::debug!(%topic, %error, "not published");
        }
    }
}
