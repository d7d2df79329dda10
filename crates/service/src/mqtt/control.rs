//! What the owner of a connection may want of it while it runs.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// Steers a running [`Connection`](super::Connection). Cloning gives another handle on the same
/// one. Each wish replaces the one before, so nothing queues up.
#[derive(Debug, Clone)]
pub struct Control {
    wishes: watch::Sender<Wishes>,
    link: watch::Receiver<Link>,
}

/// How it stands with the connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Link {
    /// Connected and subscribed.
    pub(super) stands: bool,
    /// Where the broker was last reached.
    pub(super) reached: Option<String>,
}

/// How to leave before staying away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parting {
    /// With DISCONNECT: the broker drops the will (MQTT 5.0, section 3.14.4). For those who
    /// have said themselves that they go.
    Disconnect,
    /// Without a word: the broker publishes the will.
    Silent,
}

/// What is wanted now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wishes {
    pub(super) keep_alive: Duration,
    pub(super) away: Option<Away>,
}

/// To have no connection for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Away {
    pub(super) until: Instant,
    pub(super) parting: Parting,
}

impl Control {
    pub(super) fn new(keep_alive: Duration, link: watch::Receiver<Link>) -> Self {
        let wishes = Wishes {
            keep_alive,
            away: None,
        };
        Self {
            wishes: watch::Sender::new(wishes),
            link,
        }
    }

    pub(super) fn wishes(&self) -> watch::Receiver<Wishes> {
        self.wishes.subscribe()
    }

    /// From now on the broker may hear nothing for so long, in whole seconds from
    /// [`KEEP_ALIVE_MIN`](super::KEEP_ALIVE_MIN) on. It is told at CONNECT and not later, so the
    /// connection is closed and made anew at once. The broker publishes the will in between: with
    /// DISCONNECT it would drop it, and nobody would say so if the client died before it is back.
    pub fn set_keep_alive(&self, keep_alive: Duration) {
        self.change(|wishes| wishes.keep_alive = keep_alive);
    }

    /// Ends the connection and makes no other for this long, or until [`come_back`](Self::come_back).
    pub fn stay_away(&self, how_long: Duration, parting: Parting) {
        let until = Instant::now() + how_long;
        self.change(|wishes| wishes.away = Some(Away { until, parting }));
    }

    /// Connects again, at once.
    pub fn come_back(&self) {
        self.change(|wishes| wishes.away = None);
    }

    /// The address at which the broker was last reached, as [`Endpoint`](super::Endpoint)
    /// writes it; none before the first time.
    pub fn reached(&self) -> Option<String> {
        self.link.borrow().reached.clone()
    }

    /// Waits until there is no connection.
    pub async fn closed(&self) {
        let mut link = self.link.clone();
        // An error means that the connection is not run any more.
        let _gone = link.wait_for(|link| !link.stands).await.is_err();
    }

    fn change(&self, change: impl FnOnce(&mut Wishes)) {
        self.wishes.send_if_modified(|wishes| {
            let before = wishes.clone();
            change(wishes);
            *wishes != before
        });
    }
}
