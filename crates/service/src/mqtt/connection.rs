//! One connection after another.

use std::collections::VecDeque;
use std::time::Duration;

use rumqttc::Outgoing;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::Options;
use super::backoff::Backoff;
use super::control::{Control, Link, Parting, Wishes};
use super::dial::{Endpoint, Target};
use super::events::{Arrivals, ConnectionError, Event, describe};
use super::publisher::Request;
use super::reachable::reachable;
use super::round::round;
use super::session::{Patience, Session, refuse};
use super::silence::Silence;

/// How long a stopping client waits for its DISCONNECT to leave.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// From TCP connect to CONNACK.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The same while there are other addresses to go to: one that is dead costs no more. The last
/// one has the full time, in case the broker is only slow.
const CONNECT_TIMEOUT_SHORT: Duration = Duration::from_secs(2);

/// Connects, reconnects, sends and receives. Must be [run](Connection::run).
#[derive(Debug)]
pub struct Connection {
    options: Options,
    requests: mpsc::Receiver<Request>,
    arrivals: Arrivals,
    control: Control,
    wishes: watch::Receiver<Wishes>,
    link: watch::Sender<Link>,
}

impl Connection {
    pub(super) fn new(
        options: Options,
        requests: mpsc::Receiver<Request>,
        arrivals: mpsc::Sender<Event>,
    ) -> Self {
        let link = watch::Sender::new(Link::default());
        let control = Control::new(options.keep_alive, link.subscribe());
        Self {
            options,
            requests,
            arrivals: Arrivals::new(arrivals),
            wishes: control.wishes(),
            control,
            link,
        }
    }

    /// A handle that steers this connection while it runs.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Keeps a connection until `shutdown`, then says DISCONNECT (so that the broker drops the
    /// will) and ends.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut backoff = Backoff::new(self.options.pace);
        let mut answered = Vec::new();
        while !shutdown.is_cancelled() {
            if self.is_away(&shutdown).await {
                continue;
            }
            let attempts = Box::pin(self.try_all(&answered, &mut backoff, &shutdown));
            let lost = attempts.await;
            answered.clear();
            if !lost {
                continue;
            }
            let until = Instant::now() + backoff.next(rand::random());
            answered = self.wait_and_look(until, &shutdown).await;
        }
    }

    /// One address after the other, until a connection has stood. False if it ended because we
    /// wanted it: then there is no reason to wait.
    async fn try_all(
        &mut self,
        answered: &[String],
        backoff: &mut Backoff,
        shutdown: &CancellationToken,
    ) -> bool {
        let targets = match self.options.dial.targets() {
            Ok(targets) => targets,
            Err(error) => {
                self.arrivals.tell_end(error.into());
                return true;
            }
        };
        let elsewhere = targets.len() > 1 && backoff.is_fresh();
        let worked = self.control.reached();
        let mut to_try = VecDeque::from(round(targets, worked.as_deref(), answered));
        while let Some(target) = to_try.pop_front() {
            let patience = Patience {
                connect: if elsewhere || !to_try.is_empty() {
                    CONNECT_TIMEOUT_SHORT
                } else {
                    CONNECT_TIMEOUT
                },
                keep_alive: self.wishes.borrow().keep_alive,
            };
            let ended = Box::pin(self.session(&target, patience, shutdown)).await;
            let stood = self
                .link
                .send_if_modified(|link| std::mem::take(&mut link.stands));
            if stood {
                backoff.reset();
            }
            match ended {
                Ok(()) => return false,
                Err(error) => self.arrivals.tell_end(error),
            }
            if stood {
                break;
            }
        }
        true
    }

    /// Addresses worth asking whether they answer: none where there is no choice.
    fn others(&self) -> Vec<Endpoint> {
        let targets = self.options.dial.targets().unwrap_or_default();
        if targets.len() < 2 {
            return Vec::new();
        }
        targets.into_iter().map(|target| target.endpoint).collect()
    }

    /// Waits as long as no connection is wanted. False if one is wanted right now.
    async fn is_away(&mut self, shutdown: &CancellationToken) -> bool {
        let Some(away) = self.wishes.borrow_and_update().away else {
            return false;
        };
        self.refuse_requests_until(away.until, shutdown).await;
        let is_over = Instant::now() >= away.until;
        if is_over && self.wishes.borrow().away == Some(away) {
            self.control.come_back();
        }
        true
    }

    /// Waits, and looks meanwhile which addresses answer.
    async fn wait_and_look(&mut self, until: Instant, shutdown: &CancellationToken) -> Vec<String> {
        let others = self.others();
        let look = reachable_until(&others, until);
        let waited = self.refuse_requests_until(until, shutdown);
        tokio::pin!(look, waited);
        let mut answered = None;
        loop {
            tokio::select! {
                () = &mut waited => return answered.unwrap_or_default(),
                found = &mut look, if answered.is_none() => answered = Some(found),
            }
        }
    }

    /// Waits, and answers everything that is to be sent with "not connected". Ends early when
    /// something else is wanted of the connection.
    async fn refuse_requests_until(&mut self, until: Instant, shutdown: &CancellationToken) {
        loop {
            tokio::select! {
                () = sleep_until(until) => return,
                () = shutdown.cancelled() => return,
                Ok(()) = self.wishes.changed() => return,
                Some(request) = self.requests.recv() => refuse(request),
            }
        }
    }

    /// One connection, from CONNECT to its end. `Ok` means that it was to end.
    async fn session(
        &mut self,
        target: &Target,
        patience: Patience,
        shutdown: &CancellationToken,
    ) -> Result<(), ConnectionError> {
        // They were meant for the connection before.
        while let Ok(request) = self.requests.try_recv() {
            refuse(request);
        }
        let (mut session, mut event_loop) =
            Session::open(&self.options, target, patience, &mut self.arrivals);
        let mut leaving: Option<Instant> = None;
        let mut silence: Option<Silence> = None;
        loop {
            // The poll is never dropped half way: it may have taken a request off its queue.
            let polled = {
                let poll = event_loop.poll();
                tokio::pin!(poll);
                loop {
                    let silent_at = silence.as_ref().map(Silence::deadline);
                    let deadline = leaving.or(silent_at).unwrap_or_else(far_away);
                    tokio::select! {
                        polled = &mut poll => break polled,
                        Some(request) = self.requests.recv(), if session.has_room() => {
                            session.send(request);
                        }
                        Ok(()) = self.wishes.changed(), if leaving.is_none() => {
                            let wishes = self.wishes.borrow_and_update().clone();
                            let parting = wishes.away.map(|away| away.parting);
                            if parting.is_none() && wishes.keep_alive == patience.keep_alive {
                                continue;
                            }
                            // A will that DISCONNECT took back would be missing until the next
                            // CONNACK, which may never come.
                            if parting != Some(Parting::Disconnect) || !session.leave() {
                                return Ok(());
                            }
                            leaving = Some(Instant::now() + DISCONNECT_TIMEOUT);
                        }
                        () = shutdown.cancelled(), if leaving.is_none() => {
                            if !session.leave() {
                                return Ok(());
                            }
                            leaving = Some(Instant::now() + DISCONNECT_TIMEOUT);
                        }
                        () = sleep_until(deadline) => if leaving.is_some() {
                            return Ok(());
                        }
                    }
                    if leaving.is_some() {
                        continue;
                    }
                    if let Some(absent) = silence.as_mut().and_then(Silence::absence) {
                        return Err(ConnectionError::silent(target, absent));
                    }
                    if let Some(silent) = silence.as_ref().and_then(Silence::too_long) {
                        // Something may have come since.
                        match timeout(Duration::ZERO, &mut poll).await {
                            Ok(polled) => break polled,
                            Err(_) => return Err(ConnectionError::silent(target, silent)),
                        }
                    }
                }
            };
            if let Some(absent) = silence.as_mut().and_then(Silence::absence)
                && leaving.is_none()
            {
                return Err(ConnectionError::silent(target, absent));
            }
            match polled {
                Ok(rumqttc::v5::Event::Outgoing(Outgoing::Disconnect)) => {
                    // Let the packet leave: the socket closes with the event loop.
                    let _closed = timeout(DISCONNECT_TIMEOUT, event_loop.poll()).await;
                    return Ok(());
                }
                Ok(event) => {
                    if matches!(event, rumqttc::v5::Event::Incoming(_)) {
                        // The broker may have chosen another keepalive in its CONNACK.
                        silence = Some(Silence::broken(event_loop.options.keep_alive()));
                    }
                    if session.handle(event).await? {
                        self.link.send_replace(Link {
                            stands: true,
                            reached: Some(target.endpoint.to_string()),
                        });
                    }
                }
                Err(_) if leaving.is_some() => return Ok(()),
                Err(error) => return Err(describe(error, target)),
            }
        }
    }
}

async fn reachable_until(endpoints: &[Endpoint], until: Instant) -> Vec<String> {
    // A part of the wait, so that the answers are there at its end.
    let within = until
        .saturating_duration_since(Instant::now())
        .mul_f64(0.75);
    let found = reachable(endpoints, within).await;
    found.iter().map(Endpoint::to_string).collect()
}

/// Stands for "no deadline" in a select that needs one.
fn far_away() -> Instant {
    Instant::now() + Duration::from_hours(1)
}

#[cfg(test)]
mod tests;
