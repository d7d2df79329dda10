//! A link at one router: what is asked of it, and what it says.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rumqttd::Notification;
use rumqttd::local::{LinkError, LinkRx, LinkTx};
use rumqttd::protocol::{
    Disconnect, DisconnectReasonCode, Filter, Packet, QoS, RetainForwardRule, Subscribe,
    SubscribeProperties, Unsubscribe,
};

use super::{ANSWER, RouteError, spelling};

/// Messages that may wait in a link outside the router; the oldest goes first.
const READY_MAX: usize = 1024;

/// A message for one subscription.
#[derive(Debug)]
pub(crate) struct Delivery {
    /// The number given with the subscription, or [`Delivery::RESTARTED`].
    pub(crate) subscription: usize,
    /// Its place among those of the subscription: a gap is what was lost.
    pub(crate) offset: u64,
    pub(crate) topic: Bytes,
    /// What was published; empty for what the router itself says.
    pub(crate) packed: Bytes,
}

impl Delivery {
    /// In place of a subscription's number: a router has died, and what it still had for this
    /// link is lost. Instead of an offset it has the sequence of the last message that may be
    /// among it.
    pub(crate) const RESTARTED: usize = 0;

    /// The topic as the publisher wrote it.
    pub(crate) fn topic(&self) -> Option<&str> {
        spelling::plain(&self.topic)
    }
}

/// Both ends of a link, as the router gave them.
pub(super) struct Place {
    tx: LinkTx,
    rx: LinkRx,
    /// Messages that were met on the way to an answer.
    ready: VecDeque<Delivery>,
    is_dead: bool,
}

impl Place {
    pub(super) fn new((tx, rx): (LinkTx, LinkRx)) -> Self {
        Self {
            tx,
            rx,
            ready: VecDeque::new(),
            is_dead: false,
        }
    }

    /// Its router is dead, or hangs, and is not to be waited for.
    pub(super) fn give_up(&mut self) {
        self.is_dead = true;
    }

    /// See [`Self::subscribe`].
    pub(super) fn subscribe_all(
        &mut self,
        subscriptions: &BTreeMap<usize, Arc<str>>,
    ) -> Result<(), RouteError> {
        self.subscribe(
            subscriptions
                .iter()
                .map(|(number, filter)| (*number, &**filter)),
        )
    }

    /// Subscribes to spelled filters, each with its number.
    ///
    /// Blocks until the router has done it. What is published afterwards is certain to come:
    /// without the wait it could pass the subscription in the router's queues.
    pub(super) fn subscribe<'a>(
        &mut self,
        filters: impl IntoIterator<Item = (usize, &'a str)>,
    ) -> Result<(), RouteError> {
        let mut awaited = 0;
        for (number, filter) in filters {
            let subscribe = Subscribe {
                pkid: 1,
                filters: vec![Filter {
                    path: filter.to_owned(),
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
            let packet = Packet::Subscribe(subscribe, Some(properties));
            self.tx.buffer().push_back(packet);
            awaited += 1;
        }
        if awaited == 0 {
            return Ok(());
        }
        self.wake()?;
        let deadline = Instant::now() + ANSWER;
        while awaited > 0 {
            match self.rx.recv_deadline(deadline).map_err(dead)? {
                // The type of an acknowledgement cannot be named.
                Some(Notification::DeviceAck(ack)) => {
                    if matches!(Packet::from(ack), Packet::SubAck(..)) {
                        awaited -= 1;
                    }
                }
                Some(other) => self.sort(other)?,
                None => {}
            }
        }
        // The router swaps its own buffer for ours when it reads: see `Core::start`.
        self.tx.buffer().shrink_to_fit();
        Ok(())
    }

    /// No more of this filter; what is on its way still comes.
    pub(super) fn unsubscribe(&mut self, filter: &str) -> Result<(), RouteError> {
        let unsubscribe = Unsubscribe {
            pkid: 1,
            filters: vec![filter.to_owned()],
        };
        let packet = Packet::Unsubscribe(unsubscribe, None);
        self.tx.buffer().push_back(packet);
        self.wake()
    }

    /// The next message. Cancel safe: the router's queue is swapped in one step.
    pub(super) async fn next(&mut self) -> Result<Delivery, RouteError> {
        loop {
            if let Some(delivery) = self.ready.pop_front() {
                return Ok(delivery);
            }
            if let Some(notification) = self.rx.next().await.map_err(dead)? {
                self.sort(notification)?;
            }
        }
    }

    /// The next message, if there is one already.
    pub(super) fn try_next(&mut self) -> Option<Result<Delivery, RouteError>> {
        poll_once(self.next())
    }

    fn sort(&mut self, notification: Notification) -> Result<(), RouteError> {
        match notification {
            // The router has paused this link because nobody read. It may be told to go on
            // exactly once for each pause.
            Notification::Unschedule => self.rx.ready().map_err(dead)?,
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

    /// Makes the router look into the buffer.
    fn wake(&mut self) -> Result<(), RouteError> {
        let deadline = Instant::now() + ANSWER;
        while !wake(&mut self.tx)? {
            if Instant::now() > deadline {
                return Err(RouteError::Dead);
            }
            // A thousand events are waiting; it takes a few of them in this time.
            thread::sleep(Duration::from_micros(100));
        }
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.is_dead {
            return;
        }
        let reason_code = DisconnectReasonCode::NormalDisconnection;
        let end = Packet::Disconnect(Disconnect { reason_code }, None);
        self.tx.buffer().push_back(end);
        // A router that cannot be told has ended, or will be replaced.
        drop(self.wake());
    }
}

/// Makes the router look into the link's buffer. Never blocks. False: too many events are
/// waiting; try again.
pub(super) fn wake(tx: &mut LinkTx) -> Result<bool, RouteError> {
    // The one event that can be sent without waiting and with any effect on a link's buffer. The
    // filter is one that nobody can have.
    match tx.try_unsubscribe(String::new()) {
        Ok(_) => Ok(true),
        Err(LinkError::TrySend(flume::TrySendError::Full(_))) => Ok(false),
        Err(_) => Err(RouteError::Dead),
    }
}

pub(super) fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

fn dead(_: LinkError) -> RouteError {
    RouteError::Dead
}
