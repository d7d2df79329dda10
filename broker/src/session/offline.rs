//! What waits for a client that is away.

use std::collections::VecDeque;

use crate::session::budget::Held;

/// How much may wait for one client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

/// The queue of one client. When there is no room, for it or for all, its oldest message goes
/// first: what is newest says most about how things are.
#[derive(Debug)]
pub(crate) struct Offline<M> {
    queue: VecDeque<(M, usize)>,
    held: Held,
}

impl<M> Offline<M> {
    pub(crate) fn new(held: Held) -> Self {
        Self {
            queue: VecDeque::new(),
            held,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Puts a message of `bytes` at the end, and returns how many were dropped: the oldest, or
    /// this one if no room can be made here, because it is too large or others have it all.
    pub(crate) fn push(&mut self, message: M, bytes: usize, limits: Limits) -> u64 {
        if limits.messages == 0 || bytes > limits.bytes || !self.held.fits_instead(bytes) {
            return 1;
        }
        let mut dropped = 0;
        while !self.queue.is_empty() && !self.fits(bytes, limits) {
            self.pop();
            dropped += 1;
        }
        self.queue.push_back((message, bytes));
        self.held.take(bytes);
        dropped
    }

    fn fits(&self, bytes: usize, limits: Limits) -> bool {
        self.queue.len() < limits.messages
            && self.held.bytes() + bytes <= limits.bytes
            && self.held.fits(bytes)
    }

    /// Takes the oldest message.
    pub(crate) fn pop(&mut self) -> Option<M> {
        let (message, bytes) = self.queue.pop_front()?;
        self.held.give(bytes);
        if self.queue.is_empty() {
            self.queue = VecDeque::new();
        }
        Some(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::budget::Budget;

    const LIMITS: Limits = Limits {
        messages: 3,
        bytes: 100,
    };

    #[test]
    fn the_oldest_goes_when_there_are_too_many_messages_or_bytes() {
        let mut offline = Offline::new(Held::new([Budget::new(150)]));
        let dropped: u64 = (1..=4).map(|n| offline.push(n, 10, LIMITS)).sum();
        assert_eq!(dropped, 1);
        assert_eq!(offline.push(5, 85, LIMITS), 2);
        // One that can never fit costs nothing but itself.
        assert_eq!(offline.push(6, 101, LIMITS), 1);
        assert_eq!((offline.pop(), offline.pop()), (Some(4), Some(5)));
    }

    #[test]
    fn all_queues_share_one_bound_and_give_their_bytes_back() {
        let budget = Budget::new(150);
        let mut one = Offline::new(Held::new([budget.clone()]));
        let mut other = Offline::new(Held::new([budget.clone()]));
        assert_eq!(one.push("a", 90, LIMITS), 0);
        assert_eq!(other.push("b", 60, LIMITS), 0);
        assert_eq!(other.push("c", 60, LIMITS), 1);
        // All that there is here would not make room for it.
        assert_eq!(other.push("d", 61, LIMITS), 1);
        assert_eq!(other.pop(), Some("c"));
        drop(one);
        assert_eq!(other.push("e", 61, LIMITS), 0);
        assert_eq!(other.pop(), Some("e"));
        assert_eq!(budget.used(), 0);
    }
}
