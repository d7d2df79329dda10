//! A session whose client is away: it waits for it, or for its end.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::client::will::Will;
use crate::counters::Counter;
use crate::edge::Edge;
use crate::router::{Delivery, Link, RouteError};
use crate::session::Session;
use crate::session::sessions::{Kick, Lease};
use crate::session::share::next_of;

/// Messages that are taken from the router in one go.
const BATCH: usize = 64;

/// What is left of a connection. Dropping it publishes the will, ends the link to the router
/// and gives the seat back, in this order.
pub(crate) struct Parked {
    edge: Arc<Edge>,
    will: Will,
    session: Box<Session>,
    lease: Lease,
    /// When the will is due, if the client is not back by then.
    will_at: Option<Instant>,
    expires_at: Instant,
}

impl Parked {
    /// The client is gone now, and its session has `expiry` left.
    pub(crate) fn new(
        edge: Arc<Edge>,
        mut will: Will,
        mut session: Box<Session>,
        lease: Lease,
        expiry: Duration,
    ) -> Self {
        let now = Instant::now();
        let delay = will.delay().min(expiry);
        if delay.is_zero() {
            will.publish();
        }
        session.set_connected(false);
        let evicted = lease.park();
        edge.counters.add(Counter::SessionsEvicted, evicted);
        Self {
            edge,
            will,
            session,
            lease,
            will_at: (!delay.is_zero()).then(|| now + delay),
            expires_at: now + expiry,
        }
    }

    /// Queues what comes for the client until it is back or its session ends.
    pub(crate) async fn wait(mut self) {
        let mut kicks = self.lease.kicks();
        loop {
            let wake_at = self.will_at.unwrap_or(self.expires_at);
            tokio::select! {
                biased;
                kick = kicks.wait_for(Option::is_some) => {
                    let kick = kick.ok().and_then(|kick| *kick);
                    match kick.unwrap_or(Kick::Revoked) {
                        Kick::TakenOver { clean: false } => {
                            // Back in time.
                            self.will.cancel();
                            self.lease.leave(self.session);
                        }
                        Kick::Revoked => self.will.revoke(),
                        Kick::TakenOver { clean: true } | Kick::Evicted => {}
                    }
                    return;
                }
                () = self.edge.shutdown.cancelled() => return,
                () = sleep_until(wake_at) => {
                    self.will.publish();
                    self.will_at = None;
                    if self.expires_at <= Instant::now() {
                        self.edge.counters.one(Counter::SessionsExpired);
                        return;
                    }
                }
                next = next_of(&self.session.shares, &self.edge.counters, self.session.turn, true) => {
                    let Ok((index, shared)) = next else {
                        return;
                    };
                    let counters = &self.edge.counters;
                    if let Some(pending) = self.session.read_shared(counters, index, shared) {
                        self.session.keep(&self.edge, pending);
                    }
                    if self.keep_ready().is_err() {
                        return;
                    }
                }
                next = Link::next_of(&mut self.session.link) => {
                    let Ok(delivery) = next else {
                        return;
                    };
                    self.keep(&delivery);
                    if self.keep_ready().is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// Queues a bounded number of messages that are there already.
    fn keep_ready(&mut self) -> Result<(), RouteError> {
        for _ in 0..BATCH {
            match self.session.link.as_mut().and_then(Link::try_next) {
                Some(delivery) => self.keep(&delivery?),
                None => break,
            }
        }
        Ok(())
    }

    fn keep(&mut self, delivery: &Delivery) {
        if delivery.subscription == Delivery::RESTARTED {
            return self.catch_up(delivery.offset);
        }
        if let Some(pending) = self.session.read(&self.edge.counters, delivery) {
            self.session.keep(&self.edge, pending);
        }
    }

    /// See [`Session::catch_up`]. Queued at once, behind what was published before.
    fn catch_up(&mut self, lost_until: u64) {
        let not_begun = std::mem::take(&mut self.session.retained);
        self.session.catch_up(lost_until);
        for (number, mut walk) in std::mem::replace(&mut self.session.retained, not_begun) {
            while !walk.is_done() {
                self.edge.exchange.turn_page(&mut walk);
                while let Some(kept) = walk.take() {
                    if let Some(pending) = self.session.read_retained(number, &kept, true) {
                        self.session.keep(&self.edge, pending);
                    }
                }
            }
        }
    }
}
