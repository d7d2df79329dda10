//! What has been sent to one client with `QoS` 1 or 2 and is not settled yet (MQTT 5.0,
//! sections 4.3, 4.4 and 4.9). Pure: messages go in and come out, nothing is written here.

use std::collections::{HashMap, VecDeque};

use crate::packet::{AckKind, QoS};
use crate::session::budget::Held;

/// Room that is kept when nothing is left in flight.
const KEEP: usize = 16;

/// Which acknowledgement a message waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaits {
    Ack,
    Rec,
    Comp,
}

#[derive(Debug)]
struct Sent<M> {
    /// Its place in the order of sending.
    order: u64,
    awaits: Awaits,
    /// Sent on this connection, so that it counts for the client's receive maximum.
    counts: bool,
    /// For another attempt, if there can be one. Boxed: most sessions never need it.
    message: Option<Box<M>>,
    bytes: usize,
}

/// The unsettled messages of one session, those included of which only PUBCOMP is missing,
/// bounded in number and, where they are kept for another attempt, in bytes, of this session and
/// of all. When it is full, nothing more is sent until the client acknowledges. One message always has room; while others hold all the bytes,
/// it is not kept for another attempt.
#[derive(Debug)]
pub(crate) struct Window<M> {
    sent: HashMap<u16, Sent<M>>,
    /// What a returning client has to be sent again, in order.
    again: VecDeque<u16>,
    /// How many count.
    unacknowledged: usize,
    max: usize,
    held: Held,
    bytes_max: usize,
    last_id: u16,
    last_order: u64,
}

/// What an acknowledgement asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// Nothing, or the identifier is not known where that does not matter.
    Done,
    /// PUBREL.
    Release,
    /// PUBREL for an identifier that nobody knows.
    Unknown,
}

/// What a returning client has to be sent next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Again<'a, M> {
    /// PUBLISH with DUP, for this identifier.
    Publish(u16, &'a M),
    /// PUBREL for this identifier.
    Release(u16),
}

impl<M> Window<M> {
    pub(crate) fn new(held: Held, bytes_max: usize) -> Self {
        Self {
            sent: HashMap::new(),
            again: VecDeque::new(),
            unacknowledged: 0,
            max: 1,
            held,
            bytes_max,
            last_id: 0,
            last_order: 0,
        }
    }

    /// A connection begins, whose client takes `max` messages at a time. All that is unsettled
    /// will be sent again.
    pub(crate) fn begin(&mut self, max: usize) {
        // Below 65,535, so that a free identifier can always be found.
        self.max = max.clamp(1, 10_000);
        self.unacknowledged = 0;
        // Without the message there is nothing that could be sent again.
        self.sent.retain(|_, sent| {
            sent.counts = false;
            sent.message.is_some() || sent.awaits == Awaits::Comp
        });
        let mut ids: Vec<(u64, u16)> = self.sent.iter().map(|(id, s)| (s.order, *id)).collect();
        ids.sort_unstable();
        self.again = ids.into_iter().map(|(_, id)| id).collect();
    }

    /// Whether another message has to wait.
    pub(crate) fn is_full(&self) -> bool {
        let is_heavy = self.held.bytes() >= self.bytes_max || !self.held.fits(0);
        self.sent.len() >= self.max || is_heavy && self.held.bytes() > 0
    }

    /// Whether all that had to be sent again has been.
    pub(crate) fn is_caught_up(&self) -> bool {
        self.again.is_empty()
    }

    /// An identifier for the next message: not 0, and not one that is in use. None: it is full.
    pub(crate) fn next_id(&mut self) -> Option<u16> {
        if self.is_full() {
            return None;
        }
        // Less than 10,000 are in use.
        loop {
            self.last_id = self.last_id.checked_add(1).unwrap_or(1);
            if !self.sent.contains_key(&self.last_id) {
                return Some(self.last_id);
            }
        }
    }

    /// Notes what is sent under `id`. `message`: for another attempt, with its size in bytes.
    pub(crate) fn sent(&mut self, id: u16, qos: QoS, message: Option<(M, usize)>) {
        let awaits = match qos {
            QoS::AtMostOnce => return,
            QoS::AtLeastOnce => Awaits::Ack,
            QoS::ExactlyOnce => Awaits::Rec,
        };
        let (message, bytes) = match message.filter(|_| self.held.fits(0)) {
            Some((message, bytes)) => (Some(Box::new(message)), bytes),
            None => (None, 0),
        };
        self.last_order += 1;
        self.unacknowledged += 1;
        self.held.take(bytes);
        let sent = Sent {
            order: self.last_order,
            awaits,
            counts: true,
            message,
            bytes,
        };
        self.sent.insert(id, sent);
    }

    /// What has to be sent again next, as far as the client has room for it.
    pub(crate) fn peek_again(&mut self) -> Option<Again<'_, M>> {
        while let Some(id) = self.again.front() {
            // Settled already by an acknowledgement of the earlier attempt.
            if self.sent.contains_key(id) {
                break;
            }
            self.again.pop_front();
        }
        let id = *self.again.front()?;
        match self.sent.get(&id) {
            Some(Sent {
                message: Some(message),
                awaits: Awaits::Ack | Awaits::Rec,
                ..
            }) if self.unacknowledged < self.max => Some(Again::Publish(id, message)),
            Some(Sent {
                awaits: Awaits::Comp,
                ..
            }) => Some(Again::Release(id)),
            _ => None,
        }
    }

    /// What `peek_again` said has been sent.
    pub(crate) fn sent_again(&mut self) {
        let id = self.again.pop_front();
        if let Some(sent) = id.and_then(|id| self.sent.get_mut(&id))
            && sent.awaits != Awaits::Comp
        {
            sent.counts = true;
            self.unacknowledged += 1;
        }
    }

    /// What `peek_again` said is not to be sent any more.
    pub(crate) fn give_up(&mut self) {
        if let Some(id) = self.again.pop_front() {
            self.remove(id);
        }
    }

    /// An acknowledgement from the client, in whatever order. `refused`: with a reason of 0x80
    /// or above.
    pub(crate) fn acknowledged(&mut self, kind: AckKind, id: u16, refused: bool) -> Settled {
        let awaits = self.sent.get(&id).map(|sent| sent.awaits);
        match (kind, awaits) {
            (AckKind::Ack, Some(Awaits::Ack)) | (AckKind::Comp, Some(Awaits::Comp)) => {
                self.remove(id);
                Settled::Done
            }
            (AckKind::Rec, Some(Awaits::Rec | Awaits::Comp)) if refused => {
                self.remove(id);
                Settled::Done
            }
            (AckKind::Rec, Some(Awaits::Rec | Awaits::Comp)) => {
                if let Some(sent) = self.sent.get_mut(&id) {
                    sent.awaits = Awaits::Comp;
                    sent.message = None;
                    self.held.give(std::mem::take(&mut sent.bytes));
                }
                Settled::Release
            }
            (AckKind::Rec, _) if !refused => Settled::Unknown,
            _ => Settled::Done,
        }
    }

    /// Takes the messages out that no client has acknowledged, in order.
    pub(crate) fn drain_unacknowledged(&mut self) -> Vec<M> {
        let mut left: Vec<Sent<M>> = self.sent.drain().map(|(_, sent)| sent).collect();
        left.sort_unstable_by_key(|sent| sent.order);
        self.held.give(self.held.bytes());
        self.unacknowledged = 0;
        let messages = left.into_iter().filter_map(|sent| sent.message);
        messages.map(|message| *message).collect()
    }

    fn remove(&mut self, id: u16) {
        if let Some(sent) = self.sent.remove(&id) {
            self.unacknowledged -= usize::from(sent.counts);
            self.held.give(sent.bytes);
        }
        if self.sent.is_empty() && self.sent.capacity() > KEEP {
            self.sent = HashMap::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::budget::Budget;

    fn held(max: usize) -> Held {
        Held::new([Budget::new(max)])
    }

    fn window(max: usize) -> Window<&'static str> {
        let mut window = Window::new(held(1_000), 1_000);
        window.begin(max);
        window
    }

    fn send(window: &mut Window<&'static str>, qos: QoS, message: &'static str) -> u16 {
        let id = window.next_id().unwrap();
        window.sent(id, qos, Some((message, message.len())));
        id
    }

    /// All that is sent again, as text.
    fn resend(window: &mut Window<&'static str>) -> Vec<String> {
        let mut all = Vec::new();
        while let Some(again) = window.peek_again() {
            all.push(match again {
                Again::Publish(id, message) => format!("{id} {message}"),
                Again::Release(id) => format!("{id} release"),
            });
            window.sent_again();
        }
        all
    }

    #[test]
    fn what_is_unsettled_is_sent_again_in_its_order_under_its_identifiers() {
        let mut window = window(10);
        for (qos, message) in [
            (QoS::AtLeastOnce, "one"),
            (QoS::ExactlyOnce, "two"),
            (QoS::AtLeastOnce, "three"),
            (QoS::ExactlyOnce, "four"),
        ] {
            send(&mut window, qos, message);
        }
        assert_eq!(
            window.acknowledged(AckKind::Rec, 2, false),
            Settled::Release
        );
        assert_eq!(window.acknowledged(AckKind::Ack, 3, false), Settled::Done);
        window.begin(10);
        assert!(!window.is_caught_up());
        assert_eq!(resend(&mut window), ["1 one", "2 release", "4 four"]);
        assert!(window.is_caught_up());
        // And once more, if that was not enough.
        window.begin(10);
        assert_eq!(resend(&mut window).len(), 3);
    }

    #[test]
    fn a_returning_client_that_takes_less_at_a_time_gets_less_at_a_time() {
        let mut window = window(3);
        for message in ["one", "two", "three"] {
            send(&mut window, QoS::AtLeastOnce, message);
        }
        assert!(window.is_full());
        window.begin(2);
        assert_eq!(resend(&mut window), ["1 one", "2 two"]);
        assert!(window.is_full() && !window.is_caught_up());
        // An acknowledgement of what it had before settles it as well.
        window.acknowledged(AckKind::Ack, 3, false);
        window.acknowledged(AckKind::Ack, 1, false);
        assert_eq!(resend(&mut window), [""; 0]);
        assert!(!window.is_full() && window.is_caught_up());
    }

    #[test]
    fn identifiers_in_use_are_passed_over() {
        let mut window = window(10);
        send(&mut window, QoS::AtLeastOnce, "one");
        window.last_id = u16::MAX;
        assert_eq!(window.next_id(), Some(2));
    }

    #[test]
    fn identifiers_never_run_out_however_often_a_client_comes_back() {
        let mut window = window(10_000);
        for _ in 0..10 {
            while !window.is_full() {
                let id = send(&mut window, QoS::ExactlyOnce, "m");
                window.acknowledged(AckKind::Rec, id, false);
            }
            assert!(window.sent.len() <= 10_000);
            window.begin(10_000);
            resend(&mut window);
        }
        window.acknowledged(AckKind::Comp, 7, false);
        assert!(!window.is_full());
    }

    #[test]
    fn bytes_fill_it_too_and_come_back() {
        let mut window = Window::new(held(1_000), 4);
        window.begin(10);
        send(&mut window, QoS::ExactlyOnce, "four");
        assert!(window.is_full());
        window.acknowledged(AckKind::Rec, 1, false);
        assert!(!window.is_full());
        send(&mut window, QoS::AtLeastOnce, "more");
        window.begin(10);
        window.peek_again();
        window.sent_again();
        window.peek_again();
        window.give_up();
        assert_eq!((window.held.bytes(), window.unacknowledged), (0, 0));
    }

    #[test]
    fn the_bytes_of_others_leave_room_for_one() {
        let budget = Budget::new(4);
        let mut other = Held::new([budget.clone()]);
        other.take(5);
        let mut window = Window::new(Held::new([budget.clone()]), 1_000);
        window.begin(10);
        assert!(!window.is_full());
        send(&mut window, QoS::AtLeastOnce, "one");
        // Kept by nobody: however many there are, they do not take more than there is.
        assert_eq!(budget.used(), 5);
        assert!(!window.is_full());
        drop(other);
        send(&mut window, QoS::AtLeastOnce, "two");
        send(&mut window, QoS::AtLeastOnce, "more");
        assert!(window.is_full());
    }

    #[test]
    fn what_was_not_kept_is_not_sent_again() {
        let mut window: Window<&str> = Window::new(held(1_000), 4);
        window.begin(10);
        window.sent(1, QoS::AtLeastOnce, None);
        window.sent(2, QoS::ExactlyOnce, None);
        window.acknowledged(AckKind::Rec, 2, false);
        window.begin(10);
        assert_eq!(resend(&mut window), ["2 release"]);
    }

    #[test]
    fn acknowledgements_of_nothing_are_passed_over() {
        let mut window = window(10);
        assert_eq!(window.acknowledged(AckKind::Ack, 7, false), Settled::Done);
        assert_eq!(
            window.acknowledged(AckKind::Rec, 7, false),
            Settled::Unknown
        );
        assert_eq!(window.acknowledged(AckKind::Comp, 7, false), Settled::Done);
        send(&mut window, QoS::ExactlyOnce, "one");
        assert_eq!(window.acknowledged(AckKind::Rec, 1, true), Settled::Done);
        assert_eq!(window.drain_unacknowledged(), [""; 0]);
    }
}
