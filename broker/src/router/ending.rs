//! How a router's thread is ended: there is no command for it, and it never ends by itself.
//!
//! A payload whose last copy is dropped runs code of ours, on the thread that drops it. A
//! message that nobody has subscribed is dropped by the router.

use std::{panic, thread};

use bytes::Bytes;

use super::core::THREAD;

/// What happens to the thread of the router that drops the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It unwinds, without a word, and everything of the router is freed.
    End,
    /// It never goes on. For tests.
    Hang,
}

/// A payload that brings it about.
pub(super) fn payload(fate: Fate) -> Bytes {
    Bytes::from_owner(Last(fate))
}

struct Last(Fate);

impl AsRef<[u8]> for Last {
    fn as_ref(&self) -> &[u8] {
        b"last"
    }
}

impl Drop for Last {
    fn drop(&mut self) {
        let current = thread::current();
        let is_router = current.name().is_some_and(|name| {
            name.strip_prefix(THREAD)
                .is_some_and(|id| id.bytes().all(|byte| byte.is_ascii_digit()))
        });
        // A router that has ended already leaves it to others, whose thread goes on.
        if !is_router || thread::panicking() {
            return;
        }
        match self.0 {
            Fate::End => panic::resume_unwind(Box::new("this router is no longer needed")),
            Fate::Hang => loop {
                thread::park();
            },
        }
    }
}
