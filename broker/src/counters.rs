//! What the broker counts. What it drops or refuses is never silent.

pub(crate) mod refusals;
pub(crate) mod sys;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::counters::refusals::Refusals;
use crate::origin::network_of;

/// Declares each count with its name on the outside.
macro_rules! counters {
    ($($counter:ident $name:literal)*) => {
        /// What is counted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum Counter {
            $($counter),*
        }

        const NAMES: [&str; [$($name),*].len()] = [$($name),*];
    };
}

counters! {
    ConnectionsAccepted "connections_accepted"
    ConnectionsOverLimit "connections_over_limit"
    ConnectionsUnauthenticatedOverLimit "connections_unauthenticated_over_limit"
    ConnectionsOfUserOverLimit "connections_of_user_over_limit"
    ConnectionsFailed "connections_failed"
    LoginsRefused "logins_refused"
    LoginsSlowed "logins_slowed"
    LoginsTurnedAway "logins_turned_away"
    Takeovers "takeovers"
    SessionsResumed "sessions_resumed"
    SessionsExpired "sessions_expired"
    SessionsEvicted "sessions_evicted"
    KeepalivesExpired "keepalives_expired"
    ProtocolFaults "protocol_faults"
    BytesReceived "bytes_received"
    BytesSent "bytes_sent"
    PacketsReceived "packets_received"
    AnswersSent "answers_sent"
    MessagesReceived "messages_received"
    MessagesSent "messages_sent"
    WillsPublished "wills_published"
    WillsRefused "wills_refused"
    WillsNotKept "wills_not_kept"
    PublishesRefused "publishes_refused"
    SubscriptionsRefused "subscriptions_refused"
    SubscriptionsOverLimit "subscriptions_over_limit"
    DeliveriesWithheld "deliveries_withheld"
    DroppedSlowSubscriber "dropped_slow_subscriber"
    DroppedOfflineQueueFull "dropped_offline_queue_full"
    DroppedTooLarge "dropped_too_large"
    DroppedExpired "dropped_expired"
    DroppedRouterFull "dropped_router_full"
    RetainedNotKept "retained_not_kept"
    RetainedWritten "retained_written"
    RetainedWriteErrors "retained_write_errors"
}

/// Counted, and what was said of it.
#[derive(Debug)]
pub(crate) struct Counters {
    values: [AtomicU64; NAMES.len()],
    refusals: Mutex<Refusals>,
}

/// Longest piece of what a stranger says that goes into the log, in bytes.
const QUOTED_MAX: usize = 128;

impl Default for Counters {
    fn default() -> Self {
        Self {
            values: [const { AtomicU64::new(0) }; NAMES.len()],
            refusals: Mutex::default(),
        }
    }
}

impl Counters {
    pub(crate) fn add(&self, counter: Counter, amount: u64) {
        self.values[counter as usize].fetch_add(amount, Ordering::Relaxed);
    }

    pub(crate) fn one(&self, counter: Counter) {
        self.add(counter, 1);
    }

    pub(crate) fn get(&self, counter: Counter) -> u64 {
        self.values[counter as usize].load(Ordering::Relaxed)
    }

    pub(crate) fn all(&self) -> BTreeMap<String, u64> {
        let values = self.values.iter().map(|v| v.load(Ordering::Relaxed));
        NAMES.into_iter().map(str::to_owned).zip(values).collect()
    }

    /// Counts a refusal and says so in the log; of many that are alike, the first (see
    /// [`Refusals`]).
    pub(crate) fn refuse(&self, counter: Counter, who: &Who<'_>, what: &str) {
        self.one(counter);
        // Before the login, anybody can claim to be anybody.
        let is_stranger = matches!(
            counter,
            Counter::LoginsRefused | Counter::LoginsSlowed | Counter::LoginsTurnedAway
        );
        let network = network_of(who.peer.ip());
        let is_news = if is_stranger {
            self.is_news(counter, &network.to_string())
        } else {
            self.is_news(counter, who.user)
        };
        if is_news {
            tracing::warn!(
                reason = NAMES[counter as usize],
                user = quoted(who.user),
                client = quoted(who.client_id),
                address = %who.peer,
                what = quoted(what),
                "refused"
            );
        }
    }

    /// The same for a socket on which nothing has been said.
    pub(crate) fn turn_away(&self, counter: Counter, peer: SocketAddr) {
        self.one(counter);
        let network = network_of(peer.ip());
        if self.is_news(counter, &network.to_string()) {
            let reason = NAMES[counter as usize];
            tracing::warn!(reason, address = %peer, "refused");
        }
    }

    fn is_news(&self, counter: Counter, who: &str) -> bool {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        refusals.note(Instant::now(), counter, who)
    }

    /// Says how many refusals were not shown. To be called from time to time.
    pub(crate) fn sum_up(&self) {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let summaries = refusals.summaries(Instant::now());
        drop(refusals);
        for summary in summaries {
            tracing::warn!(
                reason = NAMES[summary.reason as usize],
                who = quoted(&summary.who),
                count = summary.count,
                "refused more of the same"
            );
        }
    }
}

/// The beginning of a text that may be long.
fn quoted(text: &str) -> &str {
    &text[..text.floor_char_boundary(QUOTED_MAX)]
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

    #[test]
    fn what_a_stranger_says_is_cut_between_characters() {
        assert_eq!(quoted("short"), "short");
        assert_eq!(quoted(&"é".repeat(100)), "é".repeat(64));
        assert_eq!(quoted(&format!("x{}", "é".repeat(100))).len(), 127);
    }
}
