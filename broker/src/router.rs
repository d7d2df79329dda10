//! The router of rumqttd behind one narrow type: matching, and a bounded log per filter from
//! which each subscriber reads at its own pace. Another core could take its place here.
//!
//! What is used of it, and how, so that nothing a client does can disturb it:
//!
//! - Every publish goes in through one link, so that all messages have one order. A subscriber
//!   has a link of its own, made with its first subscription.
//! - It sees `QoS` 0 only, on both sides. Its window for `QoS` 1 ends a link whose
//!   acknowledgements come out of order; ours (see [`crate::client::outbound`]) does not.
//! - It never gets a property or a retain flag from a client: those are in the
//!   [envelope](crate::message::Envelope). The subscription identifier it does get is our own
//!   number, by which we know for which subscription a message comes.
//! - Topics and filters get an ASCII prefix (`spelling`).
//! - It is never given a reason to end a link. We end it, last, and its name is used again.
//! - It forgets neither filters nor topics: both are counted and limited (`known`), and a new
//!   router takes its place when too much of it is dead.
//! - Each of its logs is bounded, but not all together: what they hold is counted (`held`, `logs`),
//!   a new router begins with empty ones, and meanwhile publishers have to stop.
//! - It is asked every second whether it lives, and replaced when not. Links go over to the new
//!   router (`replacement`, `link`); clients stay connected.
//!
//! From the outside in: `replacement` has what all links share, `history` when a new router may
//! be made; `link` is one subscriber's way
//! out, through one `place` after another; `seat` is what the replacement knows of it; `core`,
//! `publisher` and `ending` start, feed and end one router.

mod core;
mod ending;
mod held;
mod history;
mod known;
mod link;
mod logs;
mod place;
mod publisher;
mod replacement;
mod seat;
mod spelling;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;

pub(crate) use self::link::Link;
pub(crate) use self::place::Delivery;
use self::replacement::Inner;
use crate::config::Config;
use crate::origin::Origin;

/// How long a router may take to answer. It takes some 50 microseconds.
const ANSWER: Duration = Duration::from_secs(5);

/// Why the router did not take something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RouteError {
    /// It has died, and so have those before it: there will be no new one.
    #[error("the router has stopped")]
    Dead,
    /// It would have to remember one more topic or filter than is allowed, or holds as many
    /// messages as it may.
    #[error("the router knows as many topics or filters as it may, or holds as much")]
    Full,
}

/// How the routers of this broker have fared.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Health {
    /// Routers that died and were replaced.
    pub(crate) replacements: u64,
    /// Routers that were replaced because they knew too much that is not used any more.
    pub(crate) renewals: u64,
    /// Filters that the router knows now.
    pub(crate) known_filters: usize,
    /// Topics that the router knows now.
    pub(crate) known_topics: usize,
    /// What the messages in its logs take, and in those of the one before while it is read.
    pub(crate) held_bytes: usize,
}

/// Ways to break the router, for tests.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum Break {
    /// Its thread panics over a topic that no client can send it.
    Panic,
    /// Its thread stands still for ever.
    Hang,
}

/// The way to the router, whichever it is at the moment.
pub(crate) struct Router(Arc<Inner>);

impl Router {
    pub(crate) fn start(config: &Config) -> Result<Self, RouteError> {
        Ok(Self(Arc::new(Inner::start(config)?)))
    }

    /// A link for one subscriber. Blocks for the moment that the router takes to answer.
    pub(crate) fn link(&self) -> Result<Link, RouteError> {
        self.0.link()
    }

    /// Whether the router may come to know the filter. Ask before subscribing.
    pub(crate) fn admit_filter(&self, filter: &str, from: Origin<'_>) -> Result<(), RouteError> {
        self.0.admit_filter(&spelling::filter(filter), from)
    }

    /// Whether the router may come to know the topic. Ask before publishing.
    pub(crate) fn admit_topic(&self, topic: &str, from: Origin<'_>) -> Result<(), RouteError> {
        self.0.admit_topic(topic, from)
    }

    /// Gives a message to all who have subscribed its topic. The sequence counts the messages,
    /// one by one.
    pub(crate) fn publish(
        &self,
        sequence: u64,
        topic: &str,
        packed: &Bytes,
    ) -> Result<(), RouteError> {
        self.0.publish(sequence, topic, packed)
    }

    /// Passes on what has not been passed on at once. Has to be polled as long as anybody
    /// publishes; ends when there will be no new router.
    pub(crate) async fn keep_flushing(&self) -> RouteError {
        self.0.keep_flushing().await
    }

    /// How many messages the router has not taken yet.
    pub(crate) fn backlog(&self) -> usize {
        self.0.backlog()
    }

    /// Finds out whether the router lives, and replaces it if it does not or if it knows too
    /// much. To be called once in a second. May block for the time that it takes to give every
    /// link a new place (some 100 microseconds each).
    pub(crate) fn look_after(&self) -> Result<(), RouteError> {
        self.0.look_after()
    }

    pub(crate) fn health(&self) -> Health {
        self.0.health()
    }

    /// For tests.
    pub(crate) fn break_down(&self, how: Break) {
        self.0.break_down(how);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
