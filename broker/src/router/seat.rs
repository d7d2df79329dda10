//! What the router's replacement knows of a link: what it has subscribed, and how to tell it
//! where to go on.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;

use futures_util::task::AtomicWaker;

use super::lock;
use super::place::Place;
use super::publisher::Publisher;

/// The part of a link that others can reach.
#[derive(Default)]
pub(super) struct Seat {
    state: Mutex<SeatState>,
    has_moved: AtomicBool,
    waker: AtomicWaker,
}

#[derive(Default)]
pub(super) struct SeatState {
    /// Spelled filters by number.
    pub(super) subscriptions: BTreeMap<usize, Arc<str>>,
    /// Not taken yet. At most one per replacement of the router.
    moves: VecDeque<Move>,
}

/// Where a link goes on.
pub(super) struct Move {
    pub(super) to: Place,
    pub(super) generation: u64,
    /// The last message that the router before may have had.
    pub(super) sequence: u64,
    pub(super) leave: Leave,
}

/// How a link leaves the router that it was at.
pub(super) enum Leave {
    /// It takes with it what is there now.
    Dead,
    /// It reads on until each of these subscriptions has met its mark. Those that can have
    /// nothing left to read have none.
    Drained {
        marks: BTreeMap<usize, Arc<str>>,
        /// Ends when the last link has left.
        router: Arc<Retired>,
    },
}

/// A router to which nothing more is published, while links still read from it.
pub(super) struct Retired {
    publisher: Mutex<Option<Publisher>>,
    /// How many messages the log of each filter has had.
    ends: HashMap<Arc<str>, u64>,
}

impl Retired {
    pub(super) fn new(publisher: Publisher, ends: HashMap<Arc<str>, u64>) -> Self {
        Self {
            publisher: Mutex::new(Some(publisher)),
            ends,
        }
    }

    /// What its messages take.
    pub(super) fn held(&self) -> usize {
        lock(&self.publisher).as_ref().map_or(0, Publisher::held)
    }

    /// Where the log of a spelled filter ends.
    pub(super) fn end_of(&self, filter: &str) -> Option<u64> {
        self.ends.get(filter).copied()
    }

    /// Whether the log of a spelled filter has had no message: nothing can be left in it. The router
    /// gives a log memory with its first, and most of the filters of devices never have one.
    pub(super) fn is_unused(&self, filter: &str) -> bool {
        self.end_of(filter) == Some(0)
    }

    /// See [`Publisher::nudge`].
    pub(super) fn nudge(&self) {
        if let Some(publisher) = &mut *lock(&self.publisher) {
            publisher.nudge();
        }
    }

    /// Marks the ends of the logs. Tell the links first.
    pub(super) fn mark<'a>(&self, filters: impl Iterator<Item = &'a Arc<str>>) {
        if let Some(publisher) = &mut *lock(&self.publisher) {
            publisher.mark(filters);
        }
    }

    /// Ends the router, whoever still reads.
    pub(super) fn end(&self) {
        lock(&self.publisher).take();
    }
}

impl Seat {
    pub(super) fn state(&self) -> MutexGuard<'_, SeatState> {
        lock(&self.state)
    }

    /// Tells the link to go on elsewhere.
    pub(super) fn send(&self, next: Move) {
        self.state().moves.push_back(next);
        self.has_moved.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Where to go on, oldest first.
    pub(super) fn take_moves(&self) -> VecDeque<Move> {
        if !self.has_moved.swap(false, Ordering::AcqRel) {
            return VecDeque::new();
        }
        std::mem::take(&mut self.state().moves)
    }

    /// Resolves when there is somewhere to go on. For one task at a time.
    pub(super) async fn moved(&self) {
        poll_fn(|context| {
            self.waker.register(context.waker());
            if self.has_moved.load(Ordering::Acquire) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}
