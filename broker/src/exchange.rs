//! Where every message passes: the retained store and the router, under one lock, so that what
//! is retained and what subscribers saw last are always the same.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::message::{Envelope, Message};
use crate::origin::Origin;
use crate::retained::changes::{Change, Pace};
use crate::retained::snapshot::Walk;
use crate::retained::{Limits, Retained};
use crate::router::{Break, Health, Link, RouteError, Router};

/// Messages that wait for the router before publishers are stopped until it has taken some; it
/// takes some 200 in a millisecond. What each has sent by then, one read at most, is let in.
const CONGESTED: usize = 256;

/// The middle of the broker.
pub(crate) struct Exchange {
    router: Router,
    ordered: Mutex<Ordered>,
    started: Instant,
    /// Cancelled when the router has stopped for good.
    dead: CancellationToken,
    /// What is retained has changed, and the file is to hear of it soon.
    changed_soon: Notify,
}

struct Ordered {
    retained: Retained,
    sequence: u64,
}

/// What became of a published message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Published {
    Done,
    /// Delivered, but the retained store had no room for it.
    NotKept,
}

impl Exchange {
    pub(crate) fn start(config: &Config) -> Result<Self, RouteError> {
        Ok(Self {
            router: Router::start(config)?,
            ordered: Mutex::new(Ordered {
                retained: Retained::new(Limits::of(config)),
                sequence: 0,
            }),
            started: Instant::now(),
            dead: CancellationToken::new(),
            changed_soon: Notify::new(),
        })
    }

    /// Keeps the message if it is to be retained, and gives it to all subscribers.
    pub(crate) fn publish(
        &self,
        from: Origin<'_>,
        message: &Message,
    ) -> Result<Published, RouteError> {
        self.reserve(from, &message.topic)?;
        self.publish_reserved(from, message)
    }

    /// The same for a topic for which there is room. The room may have been used meanwhile by
    /// others: one more does not matter, and a will that was accepted is published.
    pub(crate) fn publish_reserved(
        &self,
        from: Origin<'_>,
        message: &Message,
    ) -> Result<Published, RouteError> {
        let expiry = message
            .expiry_secs
            .map(|secs| Duration::from_secs(secs.into()));
        let mut envelope = Envelope {
            sequence: 0,
            publisher: from.number,
            qos: message.qos,
            retain: message.retain,
            stored: message.retain,
            expires_at: expiry.map(|expiry| self.now() + expiry),
            properties: message.properties.clone(),
            payload: message.payload.clone(),
        };
        let mut ordered = self.ordered();
        ordered.sequence += 1;
        envelope.sequence = ordered.sequence;
        let mut packed = envelope.pack();
        if message.retain {
            let store = &mut ordered.retained;
            if !store.set(&message.topic, from, &envelope, &packed) {
                envelope.stored = false;
                packed = envelope.pack();
            }
            self.tell_of_changes(store);
        }
        self.notice(
            self.router
                .publish(envelope.sequence, &message.topic, &packed),
        )?;
        if envelope.stored == message.retain {
            Ok(Published::Done)
        } else {
            Ok(Published::NotKept)
        }
    }

    /// Whether more is published than the router can take.
    pub(crate) fn is_congested(&self) -> bool {
        self.router.backlog() > CONGESTED
    }

    /// Makes sure that there will be room for the topic.
    pub(crate) fn reserve(&self, from: Origin<'_>, topic: &str) -> Result<(), RouteError> {
        self.notice(self.router.admit_topic(topic, from))
    }

    /// The number of the last message.
    pub(crate) fn sequence(&self) -> u64 {
        self.ordered().sequence
    }

    /// What a new subscription starts with. Subscribe at the router first.
    pub(crate) fn snapshot(&self, filter: &str) -> Walk {
        Walk::new(filter.to_owned(), self.sequence())
    }

    /// Takes the next page of a walk, which may be empty before its end.
    pub(crate) fn turn_page(&self, walk: &mut Walk) {
        let now = self.now();
        self.ordered().retained.page(walk, now);
    }

    /// A subscriber's link to the router.
    pub(crate) fn link(&self) -> Result<Link, RouteError> {
        self.notice(self.router.link())
    }

    /// Whether the router has room for the filter.
    pub(crate) fn admit(&self, from: Origin<'_>, filter: &str) -> Result<(), RouteError> {
        self.router.admit_filter(filter, from)
    }

    /// See [`Router::keep_flushing`].
    pub(crate) async fn keep_flushing(&self) {
        let error = self.router.keep_flushing().await;
        drop(self.notice::<()>(Err(error)));
    }

    /// See [`Router::look_after`]. Blocks.
    pub(crate) fn look_after(&self) {
        drop(self.notice(self.router.look_after()));
    }

    /// How the router has fared.
    pub(crate) fn health(&self) -> Health {
        self.router.health()
    }

    /// For tests.
    pub(crate) fn break_router(&self, how: Break) {
        self.router.break_down(how);
    }

    /// Time since the start, on the monotonic clock: what expiry is counted in.
    pub(crate) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Whether the router is dead for good.
    pub(crate) fn is_dead(&self) -> bool {
        self.dead.is_cancelled()
    }

    /// Resolves when the router has stopped for good.
    pub(crate) async fn dead(&self) {
        self.dead.cancelled().await;
    }

    /// Number and bytes of retained messages.
    pub(crate) fn retained_size(&self) -> (usize, usize) {
        let ordered = self.ordered();
        (ordered.retained.len(), ordered.retained.bytes())
    }

    /// From now on, changes of retained messages are noted for the file on disk.
    pub(crate) fn note_changes(&self) {
        self.ordered().retained.note_changes();
    }

    /// See [`Retained::loaded`].
    pub(crate) fn loaded(&self) {
        self.ordered().retained.loaded();
    }

    /// See [`Retained::restore`].
    pub(crate) fn restore(&self, topic: &str, owner: &str, packed: Bytes) -> bool {
        self.ordered().retained.restore(topic, owner, packed)
    }

    /// Resolves when retained messages have changed of which the file is to hear soon. For one
    /// task.
    pub(crate) async fn has_changed_soon(&self) {
        while !self.ordered().retained.has_changed_soon() {
            self.changed_soon.notified().await;
        }
    }

    fn tell_of_changes(&self, store: &Retained) {
        if store.has_changed_soon() {
            self.changed_soon.notify_one();
        }
    }

    /// See [`Retained::begin_pass`].
    pub(crate) fn begin_pass(&self, slowest: Pace) {
        self.ordered().retained.begin_pass(slowest);
    }

    /// See [`Retained::take_changes`].
    pub(crate) fn take_changes(&self) -> Vec<Change> {
        self.ordered().retained.take_changes()
    }

    /// See [`Retained::put_back`].
    pub(crate) fn put_back(&self, topics: Vec<Arc<str>>) {
        self.ordered().retained.put_back(topics.into_iter());
    }

    /// See [`Retained::put_back_all`].
    pub(crate) fn put_back_all(&self) {
        self.ordered().retained.put_back_all();
    }

    /// Forgets retained messages that have expired. They are not handed out before either.
    pub(crate) fn purge(&self) {
        let now = self.now();
        let mut position: Option<Arc<str>> = None;
        loop {
            // Others may publish between two pages.
            let mut ordered = self.ordered();
            position = ordered.retained.purge(position.as_deref(), now);
            self.tell_of_changes(&ordered.retained);
            drop(ordered);
            if position.is_none() {
                return;
            }
        }
    }

    fn notice<T>(&self, result: Result<T, RouteError>) -> Result<T, RouteError> {
        if result.as_ref().is_err_and(|err| *err == RouteError::Dead) {
            self.dead.cancel();
        }
        result
    }

    fn ordered(&self) -> MutexGuard<'_, Ordered> {
        // Nothing between lock and unlock leaves the state half changed.
        self.ordered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
