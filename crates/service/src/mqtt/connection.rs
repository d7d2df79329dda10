//! One connection after another.

use std::time::Duration;

use rumqttc::Outgoing;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::Options;
use super::backoff::Backoff;
use super::dial::Target;
use super::events::{ConnectionError, Event, describe};
use super::publisher::Request;
use super::session::{Session, refuse};

/// How long a stopping client waits for its DISCONNECT to leave.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Connects, reconnects, sends and receives. Must be [run](Connection::run).
#[derive(Debug)]
pub struct Connection {
    options: Options,
    requests: mpsc::Receiver<Request>,
    arrivals: mpsc::Sender<Event>,
}

impl Connection {
    pub(super) fn new(
        options: Options,
        requests: mpsc::Receiver<Request>,
        arrivals: mpsc::Sender<Event>,
    ) -> Self {
        Self {
            options,
            requests,
            arrivals,
        }
    }

    /// Keeps a connection until `shutdown`, then says DISCONNECT (so that the broker drops the
    /// will) and ends.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut backoff = Backoff::default();
        let mut attempt = 0;
        while !shutdown.is_cancelled() {
            let error = match self.options.dial.target(attempt) {
                Ok(target) => match self.session(&target, &mut backoff, &shutdown).await {
                    Ok(()) => return,
                    Err(error) => error,
                },
                Err(error) => error.into(),
            };
            attempt = attempt.wrapping_add(1);
            // The owner may be slow, but an event must not keep us from reconnecting.
            if self.arrivals.try_send(Event::Disconnected(error)).is_err() {
                tracing::debug!("the end of a connection was not reported: queue full");
            }
            let wait = backoff.next(rand::random());
            self.refuse_requests_for(wait, &shutdown).await;
        }
    }

    /// Waits, and answers everything that is to be sent with "not connected".
    async fn refuse_requests_for(&mut self, wait: Duration, shutdown: &CancellationToken) {
        let until = sleep(wait);
        tokio::pin!(until);
        loop {
            tokio::select! {
                () = &mut until => return,
                () = shutdown.cancelled() => return,
                Some(request) = self.requests.recv() => refuse(request),
            }
        }
    }

    /// One connection, from CONNECT to its end. `Ok` means that it was told to stop.
    async fn session(
        &mut self,
        target: &Target,
        backoff: &mut Backoff,
        shutdown: &CancellationToken,
    ) -> Result<(), ConnectionError> {
        let (mut session, mut event_loop) = Session::open(&self.options, target, &self.arrivals);
        let mut leaving: Option<Instant> = None;
        loop {
            // The poll is never dropped half way: it may have taken a request off its queue.
            let polled = {
                let poll = event_loop.poll();
                tokio::pin!(poll);
                loop {
                    let deadline = leaving.unwrap_or_else(|| Instant::now() + NO_DEADLINE);
                    tokio::select! {
                        polled = &mut poll => break polled,
                        Some(request) = self.requests.recv(), if session.has_room() => {
                            session.send(request);
                        }
                        () = shutdown.cancelled(), if leaving.is_none() => {
                            leaving = Some(Instant::now() + DISCONNECT_TIMEOUT);
                            if !session.subscribed || session.client.try_disconnect().is_err() {
                                return Ok(());
                            }
                        }
                        () = tokio::time::sleep_until(deadline), if leaving.is_some() => {
                            return Ok(());
                        }
                    }
                }
            };
            match polled {
                Ok(rumqttc::v5::Event::Outgoing(Outgoing::Disconnect)) => {
                    // Let the packet leave: the socket closes with the event loop.
                    let _closed = timeout(DISCONNECT_TIMEOUT, event_loop.poll()).await;
                    return Ok(());
                }
                Ok(event) => {
                    if session.handle(event).await? {
                        backoff.reset();
                    }
                }
                Err(_) if leaving.is_some() => return Ok(()),
                Err(error) => return Err(describe(error, target)),
            }
        }
    }
}

/// Stands for "no deadline" in a select that needs one.
const NO_DEADLINE: Duration = Duration::from_hours(1);
