//! Sending.

use netmonitor_protocol::Message;
use tokio::sync::{mpsc, oneshot};

/// Why a message was not sent, or is not known to have arrived.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// There is no connection now: the message is not kept.
    #[error("not connected to the broker")]
    NotConnected,
    /// The connection ended before the broker acknowledged.
    #[error("the connection ended before the broker acknowledged")]
    ConnectionLost,
    /// The broker refused the message.
    #[error("the broker refused the message: {reason}")]
    Refused {
        /// The reason code, as MQTT names it.
        reason: String,
    },
}

/// A message on its way to the connection, and where the outcome goes.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) message: Message,
    pub(crate) done: oneshot::Sender<Result<(), PublishError>>,
}

/// Sends messages. Cloning gives another handle on the same connection.
#[derive(Debug, Clone)]
pub struct Publisher {
    requests: mpsc::Sender<Request>,
}

impl Publisher {
    pub(crate) fn new(requests: mpsc::Sender<Request>) -> Self {
        Self { requests }
    }

    /// Sends a message with the quality of service and retain flag that the contract gives its
    /// topic. At level 1 it returns once the broker has acknowledged. Without a connection it
    /// fails at once: nothing is kept for the next one.
    pub async fn publish(&self, message: Message) -> Result<(), PublishError> {
        let (done, outcome) = oneshot::channel();
        self.requests
            .send(Request { message, done })
            .await
            .map_err(|_| PublishError::NotConnected)?;
        outcome.await.unwrap_or(Err(PublishError::ConnectionLost))
    }
}
