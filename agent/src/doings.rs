//! How the agent itself is doing, for those who ask on this machine.

use std::sync::Mutex;
use std::sync::PoisonError;

use jiff::Timestamp;
use netmonitor_protocol::payload::Notification;
use netmonitor_service::clock;
use tokio::sync::{broadcast, watch};

use crate::collect::Health;

/// Notifications that may wait for whoever shows them: one that is too slow misses the oldest.
const NOTIFICATIONS: usize = 32;

/// What the agent knows of itself. Who finds something out writes it here, and waits for nobody.
#[derive(Debug)]
pub(crate) struct Doings {
    connection: watch::Sender<Connection>,
    collectors: Mutex<Vec<Health>>,
    notifications: broadcast::Sender<Notification>,
}

/// The connection with the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Connection {
    /// Since when it stands, or does not.
    pub(crate) since: Timestamp,
    /// Where it leads, if it stands.
    pub(crate) address: Option<String>,
    /// Why it does not stand, or why the one before ended.
    pub(crate) error: Option<String>,
}

impl Doings {
    pub(crate) fn new() -> Self {
        let connection = Connection {
            since: clock::now(),
            address: None,
            error: None,
        };
        Self {
            connection: watch::Sender::new(connection),
            collectors: Mutex::default(),
            notifications: broadcast::Sender::new(NOTIFICATIONS),
        }
    }

    pub(crate) fn connected(&self, address: &str) {
        self.connection.send_modify(|it| {
            it.since = clock::now();
            it.address = Some(address.to_owned());
        });
    }

    /// The connection ended, or could not be made.
    pub(crate) fn disconnected(&self, error: Option<&str>) {
        self.connection.send_if_modified(|it| {
            it.error = error.map(str::to_owned);
            let stood = it.address.take().is_some();
            if stood {
                it.since = clock::now();
            }
            stood
        });
    }

    #[cfg(unix)]
    pub(crate) fn connection(&self) -> watch::Receiver<Connection> {
        self.connection.subscribe()
    }

    pub(crate) fn collected(&self, collectors: Vec<Health>) {
        *self
            .collectors
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = collectors;
    }

    #[cfg(unix)]
    pub(crate) fn collectors(&self) -> Vec<Health> {
        let collectors = self.collectors.lock();
        collectors.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The hub wants the person at this machine to see something.
    pub(crate) fn notify(&self, notification: Notification) {
        // Nobody is logged in, and nobody waits.
        let _nobody = self.notifications.send(notification);
    }

    #[cfg(unix)]
    pub(crate) fn notifications(&self) -> broadcast::Receiver<Notification> {
        self.notifications.subscribe()
    }
}
