//! The link through which every message goes in, so that all have one order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rumqttd::Notification;
use rumqttd::local::{LinkRx, LinkTx};
use rumqttd::protocol::{Packet, PingReq, Publish};

use super::core::Core;
use super::ending::{self, Fate};
use super::held::Held;
use super::place::{poll_once, wake};
use super::{RouteError, spelling};

/// How many looks in a row may find the same question unanswered. They are a second apart.
const UNANSWERED_MAX: u32 = 5;
/// In traffic that goes on, the router is told of messages so often; what comes in between waits,
/// and goes together. Waking a thread costs ten times what a message does.
const TOGETHER: Duration = Duration::from_millis(10);
/// After a time with less traffic, so many messages go at once before that begins.
const AT_ONCE: u32 = 16;
/// Messages that need not wait for more.
const ENOUGH: usize = 64;
/// How long to wait for the router to take what it has been told of. It does not say when.
const ANSWER_PAUSE: Duration = Duration::from_millis(1);

/// Puts messages into one router. Dropping it ends the router.
///
/// Messages wait in a buffer until the router is told of them. It is told again only when it
/// has answered, which it does after it has handed out what it took: it would go on taking as
/// long as there is more, and hand out nothing.
pub(super) struct Publisher {
    tx: LinkTx,
    rx: LinkRx,
    /// The router has been told, and has not answered.
    is_asked: bool,
    /// When the router would be told next if it were told at regular intervals.
    due: Instant,
    /// Messages wait of which the router has not been told: somebody has to [flush](Self::flush).
    is_waiting: bool,
    unanswered: u32,
    /// Messages since the router answered last.
    unconfirmed: u64,
    /// Of the last message.
    sequence: u64,
    /// What its messages take.
    held: Held,
    ended: bool,
}

impl Publisher {
    pub(super) fn new(core: &Core) -> Result<Self, RouteError> {
        let (tx, rx) = core.connect("publisher")?;
        Ok(Self {
            tx,
            rx,
            is_asked: false,
            due: Instant::now(),
            is_waiting: false,
            unanswered: 0,
            unconfirmed: 0,
            sequence: 0,
            held: Held::default(),
            ended: false,
        })
    }

    /// Takes a spelled topic, and how many logs get the message. Never blocks. True: somebody else
    /// has to [flush](Self::flush).
    pub(super) fn publish(
        &mut self,
        sequence: u64,
        topic: String,
        packed: Bytes,
        logs: usize,
    ) -> Result<bool, RouteError> {
        self.unconfirmed += 1;
        self.sequence = sequence;
        let packed = self.held.count(&topic, packed, logs);
        let waiting = self.push(Bytes::from(topic), packed);
        if self.is_waiting && !waiting.is_multiple_of(ENOUGH) {
            // Somebody is about to flush.
            return Ok(false);
        }
        let was_waiting = self.is_waiting;
        Ok(self.flush()?.is_some() && !was_waiting)
    }

    /// Returns how many messages the router has not taken yet.
    fn push(&mut self, topic: Bytes, payload: Bytes) -> usize {
        let message = Packet::Publish(Publish::new(topic, payload, false), None);
        let mut buffer = self.tx.buffer();
        buffer.push_back(message);
        buffer.len()
    }

    /// Tells the router what waits, if it is time to. Otherwise: when to come again.
    pub(super) fn flush(&mut self) -> Result<Option<Duration>, RouteError> {
        if self.is_asked {
            self.hear()?;
        }
        let waiting = self.backlog();
        let early = if waiting < ENOUGH {
            let now = Instant::now();
            self.due.saturating_duration_since(now + TOGETHER * AT_ONCE)
        } else {
            Duration::ZERO
        };
        let pause = if waiting == 0 {
            None
        } else if !early.is_zero() {
            Some(early)
        } else if self.is_asked || !self.ask()? {
            Some(ANSWER_PAUSE)
        } else {
            None
        };
        self.is_waiting = pause.is_some();
        Ok(pause)
    }

    /// Tells the router what waits. False: it has too much to do to be told.
    fn ask(&mut self) -> Result<bool, RouteError> {
        self.tx.buffer().push_back(Packet::PingReq(PingReq));
        self.is_asked = wake(&mut self.tx)?;
        let now = Instant::now();
        let latest = now + TOGETHER * AT_ONCE;
        self.due = self.due.clamp(now, latest) + TOGETHER;
        Ok(self.is_asked)
    }

    /// Ends the logs of spelled filters: whoever reads one knows that nothing more will come.
    pub(super) fn mark<'a>(&mut self, filters: impl Iterator<Item = &'a Arc<str>>) {
        for filter in filters {
            // As a topic, a filter matches itself.
            self.push(Bytes::copy_from_slice(filter.as_bytes()), Bytes::new());
        }
        self.nudge();
    }

    /// Makes the router go on with whatever it has. It may go to sleep with work left when a
    /// link ends at the wrong moment.
    pub(super) fn nudge(&mut self) {
        // One that has died is noticed by whoever reads from it.
        drop(wake(&mut self.tx));
    }

    /// How many messages the router has not taken yet.
    pub(super) fn backlog(&self) -> usize {
        self.tx.buffer().len()
    }

    /// Finds out whether the router lives: whether it has answered since the last look.
    pub(super) fn probe(&mut self) -> Result<(), RouteError> {
        self.hear()?;
        if !self.is_asked {
            self.ask()?;
            return Ok(());
        }
        self.unanswered += 1;
        if self.unanswered > UNANSWERED_MAX {
            return Err(RouteError::Dead);
        }
        self.nudge();
        Ok(())
    }

    /// Takes the answers that are there. An error: the router is dead.
    pub(super) fn hear(&mut self) -> Result<(), RouteError> {
        while let Some(heard) = poll_once(self.rx.next()) {
            if let Some(Notification::DeviceAck(_)) = heard.map_err(|_| RouteError::Dead)? {
                self.is_asked = false;
                // It lives: the next question is another one, however soon it is asked.
                self.unanswered = 0;
                self.unconfirmed = self.backlog() as u64;
            }
        }
        Ok(())
    }

    /// Whether the router has answered since the last look, as far as that is known.
    pub(super) fn is_answering(&self) -> bool {
        self.unanswered == 0
    }

    /// Messages of which it is not known whether the router came to deal with them.
    pub(super) fn unconfirmed(&self) -> u64 {
        self.unconfirmed
    }

    /// What its messages take, until nobody has them any more.
    pub(super) fn held(&self) -> usize {
        self.held.bytes()
    }

    /// The last message that the router may have had.
    pub(super) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Takes over what another router has not taken. That one has had nothing else.
    pub(super) fn inherit(&mut self, other: &mut Self) -> Result<(), RouteError> {
        let waiting = std::mem::take(&mut *other.tx.buffer());
        let is_message = |packet: &Packet| match packet {
            Packet::Publish(publish, _) => !publish.topic.starts_with(spelling::UNHEARD.as_bytes()),
            _ => false,
        };
        let messages: Vec<Packet> = waiting.into_iter().filter(is_message).collect();
        self.sequence = other.sequence;
        other.sequence = other.sequence.saturating_sub(messages.len() as u64);
        self.tx.buffer().extend(messages);
        self.ask()?;
        Ok(())
    }

    /// Lets the router's thread meet its fate, behind everything that was published.
    pub(super) fn send_fate(&mut self, fate: Fate) {
        if self.ended {
            return;
        }
        self.ended = true;
        let topic = Bytes::from_static(spelling::UNHEARD.as_bytes());
        let last = Publish::new(topic, ending::payload(fate), false);
        self.tx.buffer().push_back(Packet::Publish(last, None));
        self.nudge();
    }

    /// Publishes a topic on which rumqttd's router panics, as no client of ours can.
    #[doc(hidden)]
    pub(super) fn poison(&mut self) {
        self.push(Bytes::from_static("é".as_bytes()), Bytes::new());
        self.nudge();
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.send_fate(Fate::End);
    }
}
