//! What an admin may set. Every number has its unit in its name.

use serde::{Deserialize, Serialize};

use crate::bucket::Rate;
use crate::session::offline::Limits;

/// The `[broker]` table. The defaults suit a hub with 1 GB of RAM and a thousand devices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Addresses for MQTT without TLS. Port 0 lets the system choose one.
    pub mqtt: Vec<String>,
    /// Addresses for MQTT over TLS. `[::]` takes IPv4 as well.
    pub mqtts: Vec<String>,
    /// Addresses for MQTT over WebSocket, without TLS. Nowhere by default.
    pub mqtt_ws: Vec<String>,
    /// Longest packet that a client may send, headers included.
    pub packet_max_bytes: usize,
    /// Longest topic, and longest filter.
    pub topic_max_bytes: usize,
    /// How many sockets may be open at once, those that have not said anything included. A quarter
    /// is left to devices and services of the hub.
    pub connections_max: usize,
    /// Of these, how many may not have shown a credential yet. One too many sends away the oldest
    /// that is silent, of the address that has most; a network (/64) of IPv6 is one address.
    pub connections_unauthenticated_max: usize,
    /// Connections of one user. A device has no more than 4, and all who join no more than 64.
    pub connections_per_user_max: usize,
    /// Wrong passwords in a minute, for each user name and address, after which that name waits
    /// for a second from there, eight logins at a time; more are turned away. Names that nobody
    /// has count together.
    pub login_failures_per_minute: u32,
    /// How long a peer may take from its first byte of TLS to a whole CONNECT.
    pub connect_timeout_secs: u64,
    /// The longest keepalive; also what applies to a client that asks for none.
    pub keepalive_max_secs: u16,
    /// Messages of QoS 1 and 2 that a client may leave unacknowledged before it gets no more.
    pub inflight_max_messages: u16,
    /// Messages of QoS 2 that a client may have under way to the broker. MQTT 5 clients are told
    /// (receive maximum); one that has more is disconnected.
    pub receive_max_messages: u16,
    /// How long a session is kept, at most, for a client that is away. Also what applies to a
    /// session of MQTT 3.1.1, which cannot say.
    pub session_expiry_max_secs: u32,
    /// Sessions that are kept for clients that are away. One too many ends the one that has
    /// waited longest.
    pub sessions_parked_max: usize,
    /// The same for one user.
    pub sessions_parked_per_user_max: usize,
    /// Messages of QoS 1 and 2 that wait for a client that is away. When full, the oldest go.
    pub session_queue_max_messages: usize,
    /// The same in bytes; also what may be unacknowledged in a session that is kept.
    pub session_queue_max_bytes: usize,
    /// Both, in all sessions together. Users that are neither a device nor a service of the hub
    /// leave a quarter of it to those.
    pub sessions_total_max_bytes: usize,
    /// Both, in all sessions of one user.
    pub sessions_per_user_max_bytes: usize,
    /// Subscriptions of one client.
    pub subscriptions_per_client_max: usize,
    /// Subscriptions of all clients of one user that is neither a device nor a service of the hub.
    pub subscriptions_per_user_max: usize,
    /// Groups of shared subscriptions. Users that are neither a device nor a service of the hub
    /// leave a quarter of them to those.
    pub shared_groups_max: usize,
    /// Those of one such user.
    pub shared_groups_per_user_max: usize,
    /// Different filters, and different topics, that the router may know at once (about 6.4 kB
    /// each and 0.6 kB each). Before it knows so many, a new one takes its place, which knows
    /// those that are in use.
    pub router_filters_max: usize,
    /// See `router_filters_max`.
    pub router_topics_max: usize,
    /// Filters that the router does not know yet and that one user may bring in a minute, beyond
    /// as many at once as it may have subscriptions.
    pub new_filters_per_minute: u32,
    /// Different topics that one user, neither a device nor a service of the hub, may bring of
    /// these. All of those together leave a quarter of both to devices and services.
    pub topics_per_user_max: usize,
    /// What the router keeps for slow subscribers of one of our own filters. Payloads are
    /// shared by all filters that match them.
    pub backlog_bytes: usize,
    /// The same for a filter outside our roots.
    pub backlog_foreign_bytes: usize,
    /// What the messages in all logs of the router may take. At a sixteenth of it a new router takes
    /// over, with empty logs (at a quarter if the last did within two minutes); users that are
    /// neither a device nor a service of the hub may bring it to three quarters, and are refused
    /// until then.
    pub backlog_total_bytes: usize,
    /// Retained messages, all together.
    pub retained_max_messages: usize,
    /// Retained messages, all together, with their topics.
    pub retained_max_bytes: usize,
    /// Retained messages of one user that is neither a device nor a service of the hub. All of
    /// those together leave a quarter of the room to devices and services.
    pub retained_per_user_max: usize,
    /// How often what has changed of the `$SYS` topics is published; 0 for never.
    pub sys_interval_secs: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            mqtt: vec!["127.0.0.1:1883".to_owned()],
            mqtts: vec!["[::]:8883".to_owned()],
            mqtt_ws: Vec::new(),
            packet_max_bytes: 256 * 1024,
            topic_max_bytes: 1024,
            connections_max: 2_000,
            connections_unauthenticated_max: 400,
            connections_per_user_max: 500,
            login_failures_per_minute: 30,
            connect_timeout_secs: 10,
            keepalive_max_secs: 600,
            inflight_max_messages: 100,
            receive_max_messages: 1_000,
            session_expiry_max_secs: 7 * 24 * 60 * 60,
            sessions_parked_max: 500,
            sessions_parked_per_user_max: 50,
            session_queue_max_messages: 1_000,
            session_queue_max_bytes: 1024 * 1024,
            sessions_total_max_bytes: 32 * 1024 * 1024,
            sessions_per_user_max_bytes: 8 * 1024 * 1024,
            subscriptions_per_client_max: 64,
            subscriptions_per_user_max: 2_000,
            shared_groups_max: 100,
            shared_groups_per_user_max: 20,
            router_filters_max: 10_000,
            router_topics_max: 100_000,
            new_filters_per_minute: 600,
            topics_per_user_max: 20_000,
            backlog_bytes: 4 * 1024 * 1024,
            backlog_foreign_bytes: 1024 * 1024,
            backlog_total_bytes: 64 * 1024 * 1024,
            retained_max_messages: 50_000,
            retained_max_bytes: 32 * 1024 * 1024,
            retained_per_user_max: 10_000,
            sys_interval_secs: 10,
        }
    }
}

impl Config {
    /// Links to the router that may be needed at once.
    pub(crate) fn links_max(&self) -> usize {
        // And for those that are about to end, and the publisher's own.
        self.connections_max + self.sessions_parked_max + self.shared_groups_max + 64
    }

    /// New filters of one user.
    pub(crate) fn new_filters(&self) -> Rate {
        let at_once = self.subscriptions_per_user_max;
        let at_once = at_once.max(self.subscriptions_per_client_max);
        let at_once = u32::try_from(at_once).unwrap_or(u32::MAX);
        Rate::new(at_once, self.new_filters_per_minute)
    }

    /// How much may wait for a client that is away.
    pub(crate) fn offline(&self) -> Limits {
        Limits {
            messages: self.session_queue_max_messages,
            bytes: self.session_queue_max_bytes,
        }
    }
}
