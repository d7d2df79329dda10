//! What waits for a client that is away.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How much may wait. When there is no room, the oldest message of the same client goes first:
/// what is newest says most about how things are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Of one client.
    pub(crate) messages: usize,
    /// Of one client.
    pub(crate) bytes: usize,
    /// Of all clients.
    pub(crate) total_bytes: usize,
}

/// The queue of one client. The bytes of all queues together are in a number that they share.
#[derive(Debug)]
pub(crate) struct Offline<M> {
    queue: VecDeque<(M, usize)>,
    bytes: usize,
    total: Arc<AtomicUsize>,
}

impl<M> Offline<M> {
    pub(crate) fn new(total: Arc<AtomicUsize>) -> Self {
        Self {
            queue: VecDeque::new(),
            bytes: 0,
            total,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Puts a message of `bytes` at the end, and returns how many had to go for it, itself
    /// included.
    pub(crate) fn push(&mut self, message: M, bytes: usize, limits: Limits) -> u64 {
        let mut dropped = 0;
        loop {
            let fits = self.queue.len() < limits.messages
                && self.bytes + bytes <= limits.bytes
                && self.total.load(Ordering::Relaxed) + bytes <= limits.total_bytes;
            if fits {
                break;
            }
            dropped += 1;
            if self.pop().is_none() {
                return dropped;
            }
        }
        self.queue.push_back((message, bytes));
        self.bytes += bytes;
        self.total.fetch_add(bytes, Ordering::Relaxed);
        dropped
    }

    /// Takes the oldest message.
    pub(crate) fn pop(&mut self) -> Option<M> {
        let (message, bytes) = self.queue.pop_front()?;
        self.bytes -= bytes;
        self.total.fetch_sub(bytes, Ordering::Relaxed);
        if self.queue.is_empty() {
            self.queue = VecDeque::new();
        }
        Some(message)
    }
}

impl<M> Drop for Offline<M> {
    fn drop(&mut self) {
        self.total.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        messages: 3,
        bytes: 100,
        total_bytes: 150,
    };

    #[test]
    fn the_oldest_goes_when_there_are_too_many_messages_or_bytes() {
        let mut offline = Offline::new(Arc::default());
        let dropped: u64 = (1..=4).map(|n| offline.push(n, 10, LIMITS)).sum();
        assert_eq!(dropped, 1);
        assert_eq!(offline.push(5, 85, LIMITS), 2);
        assert_eq!(offline.push(6, 101, LIMITS), 3);
        assert_eq!(offline.pop(), None);
    }

    #[test]
    fn all_queues_share_one_bound_and_give_their_bytes_back() {
        let total = Arc::new(AtomicUsize::new(0));
        let mut one = Offline::new(total.clone());
        let mut other = Offline::new(total.clone());
        assert_eq!(one.push("a", 90, LIMITS), 0);
        assert_eq!(other.push("b", 60, LIMITS), 0);
        assert_eq!(other.push("c", 60, LIMITS), 1);
        assert_eq!(other.push("d", 61, LIMITS), 2);
        assert!(other.is_empty());
        drop(one);
        assert_eq!(other.push("e", 61, LIMITS), 0);
        assert_eq!(other.pop(), Some("e"));
        assert_eq!(total.load(Ordering::Relaxed), 0);
    }
}
