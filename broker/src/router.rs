//! The router of rumqttd behind one narrow type: matching, and a bounded log per filter from
//! which each subscriber reads at its own pace. Another core could take its place here.
//!
//! What is used of it, and how, so that nothing a client does can disturb it:
//!
//! - Every publish goes in through one link, so that all messages have one order. A subscriber
//!   has a link of its own, made with its first subscription.
//! - It sees `QoS` 0 only, on both sides. Its window for `QoS` 1 ends a link whose
//!   acknowledgements come out of order; ours (see [`crate::outbound`]) does not.
//! - It never gets a property or a retain flag from a client: those are in the
//!   [envelope](crate::message::Envelope). The subscription identifier it does get is our own
//!   number, by which we know for which subscription a message comes.
//! - Topics and filters get an ASCII prefix: it slices the first byte off as if it were a
//!   character, and gives `$` a meaning of its own.
//! - It is never given a reason to end a link. We end it, last, and its name is used again.
//! - It forgets neither filters nor topics: both are counted and limited here.

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashSet, VecDeque};
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use netmonitor_protocol::topics::{PRIVATE_ROOT, PUBLIC_ROOT};
use rumqttd::local::{LinkBuilder, LinkError, LinkRx, LinkTx};
use rumqttd::protocol::{
    Disconnect, DisconnectReasonCode, Filter, Packet, QoS, RetainForwardRule, Subscribe,
    SubscribeProperties, Unsubscribe,
};
use rumqttd::{Notification, RouterConfig, SegmentConfig};

use crate::config::Config;

const PREFIX: &str = "m/";
/// Messages that the router hands to a link at a time; it stops at about 200 unread ones.
const BATCH: u64 = 32;
/// Messages that may wait in a link outside the router; the oldest goes first.
const READY_MAX: usize = 1024;
/// How long the router may take to answer. It takes some 50 microseconds.
const ANSWER: Duration = Duration::from_secs(5);
/// Pieces in which a log forgets.
const SEGMENTS: usize = 8;

/// Why the router did not take something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RouteError {
    /// Its thread has ended. There is nothing to be done but to start a new one.
    #[error("the router has stopped")]
    Dead,
    /// It would have to remember one more topic or filter than is allowed.
    #[error("the router knows as many topics or filters as it may")]
    Full,
}

impl From<LinkError> for RouteError {
    fn from(_: LinkError) -> Self {
        Self::Dead
    }
}

/// Holds the way to the router's thread, whose type cannot be named.
type Connect = dyn Fn(&str) -> Result<(LinkTx, LinkRx), RouteError> + Send + Sync;

/// The way to the router's thread.
pub(crate) struct Router {
    connect: Box<Connect>,
    names: Arc<Mutex<Names>>,
    filters: Mutex<HashSet<String>>,
    filters_max: usize,
}

impl Router {
    pub(crate) fn start(config: &Config) -> Self {
        let segment = |bytes: usize| SegmentConfig {
            max_segment_size: (bytes / SEGMENTS).max(1024),
            max_segment_count: SEGMENTS,
        };
        let foreign = segment(config.backlog_foreign_bytes);
        let own = [PUBLIC_ROOT, PRIVATE_ROOT].map(|root| {
            let filter = format!("{PREFIX}{root}/#");
            (filter, segment(config.backlog_bytes))
        });
        let sender = rumqttd::Router::new(
            0,
            RouterConfig {
                max_connections: config.links_max(),
                max_outgoing_packet_count: BATCH,
                max_segment_size: foreign.max_segment_size,
                max_segment_count: foreign.max_segment_count,
                custom_segment: Some(own.into()),
                ..RouterConfig::default()
            },
        )
        .spawn();
        Self {
            connect: Box::new(move |name| {
                let (tx, rx, _) = LinkBuilder::new(name, sender.clone())
                    .clean_session(true)
                    .build()?;
                Ok((tx, rx))
            }),
            names: Arc::default(),
            filters: Mutex::default(),
            filters_max: config.router_filters_max,
        }
    }

    /// The link for all that is published. There is one.
    pub(crate) fn publisher(&self, topics_max: usize) -> Result<Publisher, RouteError> {
        let (tx, rx) = (self.connect)("publisher")?;
        Ok(Publisher {
            tx,
            _rx: rx,
            topics: HashSet::new(),
            topics_max,
        })
    }

    /// A link for one subscriber. Blocks for the moment that the router takes to answer.
    pub(crate) fn link(&self) -> Result<Link, RouteError> {
        let name = lock(&self.names).take();
        let (tx, rx) = (self.connect)(&format!("s{name}"))?;
        Ok(Link {
            tx,
            rx,
            ready: VecDeque::new(),
            name,
            names: self.names.clone(),
        })
    }

    /// Whether the router may come to know the filter.
    pub(crate) fn admit(&self, filter: &str) -> Result<(), RouteError> {
        let mut filters = lock(&self.filters);
        if filters.contains(filter) {
            return Ok(());
        }
        if filters.len() >= self.filters_max {
            return Err(RouteError::Full);
        }
        filters.insert(filter.to_owned());
        Ok(())
    }
}

/// Puts messages in.
pub(crate) struct Publisher {
    tx: LinkTx,
    /// Unused, and the router expects it to be there.
    _rx: LinkRx,
    /// Hashes of the topics that the router has seen.
    topics: HashSet<u64>,
    topics_max: usize,
}

impl Publisher {
    /// Whether the router may come to know the topic. Ask before publishing.
    pub(crate) fn admit(&mut self, topic: &str) -> Result<(), RouteError> {
        let mut hasher = DefaultHasher::new();
        topic.hash(&mut hasher);
        let hash = hasher.finish();
        if self.topics.contains(&hash) {
            return Ok(());
        }
        if self.topics.len() >= self.topics_max {
            return Err(RouteError::Full);
        }
        self.topics.insert(hash);
        Ok(())
    }

    /// Blocks only while a thousand events wait for the router.
    pub(crate) fn publish(&mut self, topic: &str, packed: Bytes) -> Result<(), RouteError> {
        self.tx.publish(format!("{PREFIX}{topic}"), packed)?;
        Ok(())
    }

    /// How many messages the router has not taken yet.
    pub(crate) fn backlog(&self) -> usize {
        self.tx.buffer().len()
    }

    /// Wakes the router with a message that nobody can have subscribed to. It may go to sleep
    /// with work left when a link ends at the wrong moment, until the next event.
    pub(crate) fn nudge(&mut self) -> Result<(), RouteError> {
        self.tx.publish("nudge", Bytes::new())?;
        Ok(())
    }
}

/// A message for one subscription.
#[derive(Debug)]
pub(crate) struct Delivery {
    /// The number given with the subscription.
    pub(crate) subscription: usize,
    /// Its place in the log of the filter: a gap is what was lost.
    pub(crate) offset: u64,
    pub(crate) topic: Bytes,
    pub(crate) packed: Bytes,
}

impl Delivery {
    /// The topic as the publisher wrote it.
    pub(crate) fn topic(&self) -> Option<&str> {
        std::str::from_utf8(&self.topic).ok()?.strip_prefix(PREFIX)
    }
}

/// One subscriber's way out of the router.
pub(crate) struct Link {
    tx: LinkTx,
    rx: LinkRx,
    /// Messages that were met on the way to an answer.
    ready: VecDeque<Delivery>,
    name: u64,
    names: Arc<Mutex<Names>>,
}

impl Link {
    /// From now on, messages that match the filter come with this number (never 0).
    ///
    /// Blocks until the router has done it. What is published afterwards is certain to come:
    /// without the wait it could pass the subscription in the router's queues.
    pub(crate) fn subscribe(&mut self, filter: &str, number: usize) -> Result<(), RouteError> {
        let subscribe = Subscribe {
            pkid: 1,
            filters: vec![Filter {
                path: format!("{PREFIX}{filter}"),
                qos: QoS::AtMostOnce,
                nolocal: false,
                preserve_retain: false,
                retain_forward_rule: RetainForwardRule::Never,
            }],
        };
        let properties = SubscribeProperties {
            id: Some(number),
            user_properties: Vec::new(),
        };
        self.send(Packet::Subscribe(subscribe, Some(properties)))?;
        let deadline = Instant::now() + ANSWER;
        loop {
            match self.rx.recv_deadline(deadline)? {
                // The type of an acknowledgement cannot be named.
                Some(Notification::DeviceAck(ack)) => {
                    if matches!(Packet::from(ack), Packet::SubAck(..)) {
                        return Ok(());
                    }
                }
                Some(other) => self.sort(other)?,
                None => {}
            }
        }
    }

    /// No more of this filter; what is on its way still comes.
    pub(crate) fn unsubscribe(&mut self, filter: &str) -> Result<(), RouteError> {
        let unsubscribe = Unsubscribe {
            pkid: 1,
            filters: vec![format!("{PREFIX}{filter}")],
        };
        self.send(Packet::Unsubscribe(unsubscribe, None))
    }

    /// The next message. Cancel safe: the router's queue is swapped in one step.
    pub(crate) async fn next(&mut self) -> Result<Delivery, RouteError> {
        loop {
            if let Some(delivery) = self.ready.pop_front() {
                return Ok(delivery);
            }
            if let Some(notification) = self.rx.next().await? {
                self.sort(notification)?;
            }
        }
    }

    fn sort(&mut self, notification: Notification) -> Result<(), RouteError> {
        match notification {
            // The router has paused this link because nobody read. It may be told to go on
            // exactly once for each pause.
            Notification::Unschedule => self.rx.ready()?,
            Notification::Forward(forward) => {
                let numbers = forward.properties.map(|p| p.subscription_identifiers);
                let number = numbers.and_then(|numbers| numbers.last().copied());
                if self.ready.len() >= READY_MAX {
                    // Only a client that subscribes again and again and reads nothing comes
                    // here. The gap in the offsets is counted as any other.
                    self.ready.pop_front();
                }
                self.ready.push_back(Delivery {
                    subscription: number.unwrap_or_default(),
                    offset: forward.cursor.map_or(0, |(_, offset)| offset),
                    topic: forward.publish.topic,
                    packed: forward.publish.payload,
                });
            }
            Notification::Disconnect(..) => return Err(RouteError::Dead),
            // Other acknowledgements of the router: ours do not wait for them.
            _ => {}
        }
        Ok(())
    }

    /// The next message of a link that there may be.
    pub(crate) async fn next_of(link: &mut Option<Self>) -> Result<Delivery, RouteError> {
        match link {
            Some(link) => link.next().await,
            None => std::future::pending().await,
        }
    }

    /// The next message, if there is one already.
    pub(crate) fn try_next(&mut self) -> Option<Result<Delivery, RouteError>> {
        poll_once(self.next())
    }

    fn send(&mut self, packet: Packet) -> Result<(), RouteError> {
        match poll_once(self.tx.send(packet)) {
            Some(Ok(_)) => Ok(()),
            // `send` does not wait, although it is async.
            Some(Err(_)) | None => Err(RouteError::Dead),
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let reason_code = DisconnectReasonCode::NormalDisconnection;
        let end = Packet::Disconnect(Disconnect { reason_code }, None);
        if self.send(end).is_ok() {
            // Whoever gets the name next comes behind the end in the router's queue.
            lock(&self.names).free.push(self.name);
        }
    }
}

/// Names of links. The router remembers each for ever, so they are used again.
#[derive(Default)]
struct Names {
    free: Vec<u64>,
    made: u64,
}

impl Names {
    fn take(&mut self) -> u64 {
        self.free.pop().unwrap_or_else(|| {
            self.made += 1;
            self.made
        })
    }
}

fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
