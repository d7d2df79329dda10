//! What the broker counts. What it drops or refuses is never silent.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// One line per count; the order is that of the names below.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Counter {
    ConnectionsAccepted,
    ConnectionsOverLimit,
    ConnectionsFailed,
    LoginsRefused,
    Takeovers,
    SessionsResumed,
    SessionsExpired,
    SessionsEvicted,
    KeepalivesExpired,
    ProtocolFaults,
    MessagesReceived,
    MessagesSent,
    WillsPublished,
    WillsRefused,
    PublishesRefused,
    SubscriptionsRefused,
    DeliveriesWithheld,
    DroppedSlowSubscriber,
    DroppedOfflineQueueFull,
    DroppedTooLarge,
    DroppedExpired,
    DroppedRouterFull,
    RetainedNotKept,
    RetainedWritten,
    RetainedWriteErrors,
}

const NAMES: [&str; 25] = [
    "connections_accepted",
    "connections_over_limit",
    "connections_failed",
    "logins_refused",
    "takeovers",
    "sessions_resumed",
    "sessions_expired",
    "sessions_evicted",
    "keepalives_expired",
    "protocol_faults",
    "messages_received",
    "messages_sent",
    "wills_published",
    "wills_refused",
    "publishes_refused",
    "subscriptions_refused",
    "deliveries_withheld",
    "dropped_slow_subscriber",
    "dropped_offline_queue_full",
    "dropped_too_large",
    "dropped_expired",
    "dropped_router_full",
    "retained_not_kept",
    "retained_written",
    "retained_write_errors",
];

#[derive(Debug, Default)]
pub(crate) struct Counters {
    values: [AtomicU64; NAMES.len()],
    last_warning: Mutex<Option<Instant>>,
}

impl Counters {
    pub(crate) fn add(&self, counter: Counter, amount: u64) {
        self.values[counter as usize].fetch_add(amount, Ordering::Relaxed);
    }

    pub(crate) fn one(&self, counter: Counter) {
        self.add(counter, 1);
    }

    pub(crate) fn all(&self) -> BTreeMap<String, u64> {
        let values = self.values.iter().map(|v| v.load(Ordering::Relaxed));
        NAMES.into_iter().map(str::to_owned).zip(values).collect()
    }

    /// Counts a refusal and says so in the log, at most once in a second for all clients: the
    /// counters have the rest.
    pub(crate) fn refuse(&self, counter: Counter, who: &Who<'_>, what: &str) {
        self.one(counter);
        let now = Instant::now();
        let mut last = self
            .last_warning
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| now - last < Duration::from_secs(1)) {
            return;
        }
        *last = Some(now);
        drop(last);
        tracing::warn!(
            reason = NAMES[counter as usize],
            user = who.user,
            client = who.client_id,
            address = %who.peer,
            what,
            "refused"
        );
    }
}

/// A client, for the log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Who<'a> {
    pub(crate) user: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) peer: SocketAddr,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counter_has_its_name() {
        let counters = Counters::default();
        counters.add(Counter::ConnectionsAccepted, 2);
        counters.one(Counter::MessagesSent);
        counters.one(Counter::RetainedWriteErrors);
        let all = counters.all();
        assert_eq!(all["connections_accepted"], 2);
        assert_eq!(all["messages_sent"], 1);
        assert_eq!(all["retained_write_errors"], 1);
        assert_eq!(all.values().sum::<u64>(), 4);
    }
}
