//! The message that announces a death (MQTT 5.0, sections 3.1.2.5 and 3.1.3.2.2).

use std::sync::Arc;
use std::time::Duration;

use crate::counters::Counter;
use crate::edge::Edge;
use crate::exchange::Published;
use crate::message::Message;
use crate::origin::{Origin, Standing};

/// The will of one connection, also while it waits for its delay to pass.
///
/// Dropping it publishes it, whatever the reason: a death is never silent by mistake. A broker
/// that stops, or has lost its router for good, says nothing about its clients, not even those
/// it cuts off: they live.
pub(crate) struct Will {
    edge: Arc<Edge>,
    /// Number of the session, its user, and how far that one may use what all share.
    from: (u64, Box<str>, Standing),
    message: Option<Message>,
    delay: Duration,
}

impl Will {
    pub(crate) fn new(
        edge: Arc<Edge>,
        from: Origin<'_>,
        message: Option<Message>,
        delay: Duration,
    ) -> Self {
        Self {
            edge,
            from: (from.number, from.user.into(), from.standing),
            message,
            delay,
        }
    }

    /// How long it waits for the client to come back. Zero if there is none.
    pub(crate) fn delay(&self) -> Duration {
        self.message.as_ref().map_or(Duration::ZERO, |_| self.delay)
    }

    /// The client has said goodbye, or is back in time.
    pub(crate) fn cancel(&mut self) {
        self.message = None;
    }

    /// Its user has no rights any more. What a device or a service says is to be cleared by
    /// whoever takes its rights away, and that it is gone is true.
    pub(crate) fn revoke(&mut self) {
        if self.from.2 == Standing::Common && self.message.take().is_some() {
            self.edge.counters.one(Counter::WillsRefused);
        }
    }

    /// Publishes it, if there is one.
    pub(crate) fn publish(&mut self) {
        let will = self.message.take();
        let stops = self.edge.shutdown.is_cancelled() || self.edge.exchange.is_dead();
        if let Some(will) = will.filter(|_| !stops) {
            let from = Origin {
                number: self.from.0,
                user: &self.from.1,
                standing: self.from.2,
            };
            // Why it could not be published is counted or known by now: nobody is left who
            // could be told.
            let published = self.edge.exchange.publish_reserved(from, &will);
            if published.is_ok() {
                self.edge.counters.one(Counter::WillsPublished);
            }
            if published == Ok(Published::NotKept) {
                self.edge.counters.one(Counter::WillsNotKept);
            }
        }
    }
}

impl Drop for Will {
    fn drop(&mut self) {
        self.publish();
    }
}
