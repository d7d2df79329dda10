//! One attempt to connect to one address, which is not repeated.

use std::error::Error;
use std::time::Duration;

use netmonitor_service::mqtt::{self, ConnectionError, Event, Events, Options, Publisher};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long an address may take to answer.
pub(crate) const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// How long the goodbye may take.
const LEAVE_WITHIN: Duration = Duration::from_secs(1);

/// A connection that stands.
pub(crate) struct Attempt {
    pub(crate) publisher: Publisher,
    pub(crate) events: Events,
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AttemptError {
    /// Nobody answered in time.
    #[error("no answer within {} s", CONNECT_WITHIN.as_secs())]
    TimedOut,
    /// Someone answered, and it did not work out.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
}

/// Connects and subscribes.
pub(crate) async fn connect(options: Options) -> Result<Attempt, AttemptError> {
    let (publisher, mut events, connection) = mqtt::client(options);
    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(connection.run(stop.clone()));
    match timeout(CONNECT_WITHIN, connected(&mut events)).await {
        Ok(Ok(())) => Ok(Attempt {
            publisher,
            events,
            tasks,
            stop,
        }),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(AttemptError::TimedOut),
    }
}

async fn connected(events: &mut Events) -> Result<(), AttemptError> {
    loop {
        match events.next().await {
            Some(Event::Connected) => return Ok(()),
            Some(Event::Disconnected(error)) => return Err(error.into()),
            Some(Event::Message(_) | Event::Retained(_)) => {}
            None => return Err(AttemptError::TimedOut),
        }
    }
}

impl Attempt {
    /// Says goodbye.
    pub(crate) async fn end(mut self) {
        self.stop.cancel();
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(LEAVE_WITHIN, ended).await.is_err() {
            tracing::debug!("the connection was not closed in time");
        }
    }
}

impl AttemptError {
    /// What happened at the bottom, without what the reader knows already.
    pub(crate) fn cause(&self) -> String {
        let mut cause: &dyn Error = self;
        while let Some(source) = cause.source() {
            cause = source;
        }
        cause.to_string()
    }
}
