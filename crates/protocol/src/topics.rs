//! The table of all topics. Code, `docs/ref/topics.md` and the broker's ACL follow from it.

mod markdown;
mod party;

pub use markdown::markdown;
pub use party::Party;

/// Root of everything that third parties may rely on.
pub const PUBLIC_ROOT: &str = "netmonitor/v1";

/// Root of what only the hub's own services (and a joining machine) may see.
pub const PRIVATE_ROOT: &str = "netmonitor-private/v1";

/// Root of what the embedded broker says of itself, in the names of mosquitto. It is not part of
/// the contract: an external broker has its own.
pub const SYS_ROOT: &str = "$SYS/broker";

/// MQTT quality of service (MQTT 5.0, section 4.3). Ours never needs level 2: every message
/// is a state or carries an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Qos {
    /// Level 0: may be lost.
    AtMostOnce,
    /// Level 1: arrives, perhaps twice.
    AtLeastOnce,
}

impl Qos {
    /// The level as the protocol writes it.
    pub fn level(self) -> u8 {
        match self {
            Self::AtMostOnce => 0,
            Self::AtLeastOnce => 1,
        }
    }
}

/// Whether the newest message of a topic is kept for whoever subscribes later (MQTT 5.0,
/// section 3.3.1.3), and how soon the embedded broker has it on disk. Flash wears out: what
/// changes all the time, and is said anew after a restart, is written seldom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retained {
    /// Not kept.
    No,
    /// Kept, and on disk within seconds.
    Promptly,
    /// Kept, and on disk now and then, and when the hub stops.
    NowAndThen,
    /// Kept as long as the broker runs: whoever said it has to say it anew to the next one, since
    /// no will corrects what was left behind.
    InMemory,
}

impl Retained {
    /// Whether it is kept at all.
    pub fn is_kept(self) -> bool {
        self != Self::No
    }
}

/// Which topic of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the table says what each one is")]
pub enum Kind {
    DeviceStatus,
    DeviceSession,
    DevicePresence,
    DeviceInfo,
    DeviceMetrics,
    DeviceServices,
    DeviceProcesses,
    DeviceBackfill,
    DeviceAck,
    DeviceSettings,
    DeviceWatch,
    DeviceNotify,
    Alert,
    AlertSet,
    Event,
    HubStatus,
    HubInfo,
    HubService,
    Settings,
    CredentialsChanged,
    DeviceRevoke,
    DeviceAlerting,
    HistoryCommand,
    ChannelTest,
    ChannelTested,
    JoinRequest,
    JoinReply,
}

/// One row of the table.
#[derive(Debug)]
pub struct Row {
    /// Which topic.
    pub kind: Kind,
    /// [`PUBLIC_ROOT`] or [`PRIVATE_ROOT`].
    pub root: &'static str,
    /// What follows the root; levels may be parameters in braces.
    pub pattern: &'static str,
    /// What it carries, for people.
    pub payload: &'static str,
    /// The quality of service that the publisher uses.
    pub qos: Qos,
    /// Whether the broker keeps the newest one for whoever comes later.
    pub retained: Retained,
    /// Who publishes it.
    pub from: &'static [Party],
    /// Who reads it.
    pub to: &'static [Party],
}

impl Row {
    /// The filter that matches every topic of this row.
    pub fn filter(&self) -> String {
        self.filter_with("", "")
    }

    /// The same for the topics in which this parameter has this value.
    pub(crate) fn filter_with(&self, parameter: &str, value: &str) -> String {
        let levels: Vec<&str> = self
            .pattern
            .split('/')
            .map(|level| match level {
                _ if level == parameter => value,
                _ if level.starts_with('{') => "+",
                _ => level,
            })
            .collect();
        format!("{}/{}", self.root, levels.join("/"))
    }
}

/// Every topic there is.
pub static TOPICS: &[Row] = &[
    Row {
        kind: Kind::DeviceStatus,
        root: PUBLIC_ROOT,
        pattern: "device/{id}/status",
        payload: "`online` or `offline`, plain text; also the agent's will",
        qos: Qos::AtLeastOnce,
        retained: Retained::Promptly,
        from: &[Party::Agent, Party::Broker],
        to: &[Party::All],
    },
    Row {
        kind: Kind::DeviceSession,
        root: PUBLIC_ROOT,
        pattern: "device/{id}/session",
        payload: "birth: session id, boot id, since, agent version; at a clean stop also \
                  `ended` with cause and time",
        qos: Qos::AtLeastOnce,
        retained: Retained::Promptly,
        from: &[Party::Agent],
        to: &[Party::All],
    },
    Row {
        kind: Kind::DevicePresence,
        root: PUBLIC_ROOT,
        pattern: "device/{id}/presence",
        payload: "what the hub concludes: state, cause, since, last seen",
        qos: Qos::AtLeastOnce,
        retained: Retained::Promptly,
        from: &[Party::Alerting],
        to: &[Party::All],
    },
    Row {
        kind: Kind::DeviceInfo,
        root: PUBLIC_ROOT,
        pattern: "device/{id}/info",
        payload: "inventory: name, OS, kernel, processor, cores, RAM, disks, addresses, interval",
        qos: Qos::AtLeastOnce,
        retained: Retained::Promptly,
        from: &[Party::Agent],
        to: &[Party::All],
    },
    Row {
        kind: Kind::DeviceMetrics,
        root: PUBLIC_ROOT,
        pattern: "device/{id}/metrics",
        payload: "latest sample",
        qos: Qos::AtLeastOnce,
        retained: Retained::NowAndThen,
        from: &[Party::Agent],
        to: &[Party::All],
    },
    Row {
        kind: Kind::DeviceServices,
        root: PUBLIC_ROOT,
        pattern: "device/{id}/services",
        payload: "services with their state; on change, and now and then",
        qos: Qos::AtLeastOnce,
        retained: Retained::Promptly,
        from: &[Party::Agent],
        to: &[Party::All],
    },
    Row {
        kind: Kind::DeviceProcesses,
        root: PUBLIC_ROOT,
        pattern: "device/{id}/processes",
        payload: "top processes (names, never arguments), while someone looks",
        qos: Qos::AtMostOnce,
        retained: Retained::No,
        from: &[Party::Agent],
        to: &[Party::All],
    },
    Row {
        kind: Kind::DeviceBackfill,
        root: PUBLIC_ROOT,
        pattern: "device/{id}/backfill",
        payload: "a batch of samples that were not acknowledged",
        qos: Qos::AtLeastOnce,
        retained: Retained::No,
        from: &[Party::Agent],
        to: &[Party::Ingest, Party::Api],
    },
    Row {
        kind: Kind::DeviceAck,
        root: PUBLIC_ROOT,
        pattern: "device/{id}/ack",
        payload: "samples that are on disk: session and ranges of numbers",
        qos: Qos::AtLeastOnce,
        retained: Retained::No,
        from: &[Party::Ingest],
        to: &[Party::Agent],
    },
    Row {
        kind: Kind::DeviceSettings,
        root: PUBLIC_ROOT,
        pattern: "device/{id}/settings",
        payload: "interval, offline timeout, watched services, notifications",
        qos: Qos::AtLeastOnce,
        retained: Retained::Promptly,
        from: &[Party::Api],
        to: &[Party::Agent, Party::Alerting],
    },
    Row {
        kind: Kind::DeviceWatch,
        root: PUBLIC_ROOT,
        pattern: "device/{id}/watch",
        payload: "someone looks, for so many seconds",
        qos: Qos::AtMostOnce,
        retained: Retained::No,
        from: &[Party::Api],
        to: &[Party::Agent],
    },
    Row {
        kind: Kind::DeviceNotify,
        root: PUBLIC_ROOT,
        pattern: "device/{id}/notify",
        payload: "title, text, severity, alert id, expiry: for the person at that machine",
        qos: Qos::AtLeastOnce,
        retained: Retained::No,
        from: &[Party::Alerting],
        to: &[Party::Agent],
    },
    Row {
        kind: Kind::Alert,
        root: PUBLIC_ROOT,
        pattern: "alert/{subject}/{rule}",
        payload: "state of one rule of a device, or of the hub (`hub`): ok, pending, firing, \
                  acknowledged, snoozed, unknown; since, value, limit",
        qos: Qos::AtLeastOnce,
        retained: Retained::NowAndThen,
        from: &[Party::Alerting],
        to: &[Party::All],
    },
    Row {
        kind: Kind::AlertSet,
        root: PUBLIC_ROOT,
        pattern: "alert/{subject}/{rule}/set",
        payload: "`{\"action\":\"ack\"}`, `{\"action\":\"snooze\",\"for_secs\":3600}`, \
                  `{\"action\":\"unack\"}`; `by` and `note` as one likes",
        qos: Qos::AtLeastOnce,
        retained: Retained::No,
        from: &[Party::Api, Party::Operators],
        to: &[Party::Alerting],
    },
    Row {
        kind: Kind::Event,
        root: PUBLIC_ROOT,
        pattern: "event",
        payload: "a line of the log: kind and parameters, rendered by whoever shows it",
        qos: Qos::AtLeastOnce,
        retained: Retained::No,
        from: &[Party::Services],
        to: &[Party::Ingest, Party::Alerting, Party::Api],
    },
    Row {
        kind: Kind::HubStatus,
        root: PUBLIC_ROOT,
        pattern: "hub/status",
        payload: "`online` or `offline`, plain text; also the hub's will",
        qos: Qos::AtLeastOnce,
        retained: Retained::Promptly,
        from: &[Party::Hub, Party::Broker],
        to: &[Party::All],
    },
    Row {
        kind: Kind::HubInfo,
        root: PUBLIC_ROOT,
        pattern: "hub/info",
        payload: "name, version, addresses",
        qos: Qos::AtLeastOnce,
        retained: Retained::Promptly,
        from: &[Party::Hub],
        to: &[Party::All],
    },
    Row {
        kind: Kind::HubService,
        root: PUBLIC_ROOT,
        pattern: "hub/service/{name}",
        payload: "health of one service of the hub; its will says `stopped`",
        qos: Qos::AtLeastOnce,
        retained: Retained::InMemory,
        from: &[Party::Services],
        to: &[Party::All],
    },
    Row {
        kind: Kind::Settings,
        root: PRIVATE_ROOT,
        pattern: "settings/{section}",
        payload: "a part of the hub's settings, with its revision: `history`, `alerting`, `channels`",
        qos: Qos::AtLeastOnce,
        retained: Retained::Promptly,
        from: &[Party::Api],
        to: &[Party::Services],
    },
    Row {
        kind: Kind::CredentialsChanged,
        root: PRIVATE_ROOT,
        pattern: "credentials/changed",
        payload: "accounts of MQTT clients changed: read them anew",
        qos: Qos::AtLeastOnce,
        retained: Retained::No,
        from: &[Party::Api],
        to: &[Party::Broker],
    },
    Row {
        kind: Kind::DeviceRevoke,
        root: PRIVATE_ROOT,
        pattern: "device/{id}/revoke",
        payload: "the device is no longer one: end its connection, forget its topics",
        qos: Qos::AtLeastOnce,
        retained: Retained::No,
        from: &[Party::Api],
        to: &[Party::Broker],
    },
    Row {
        kind: Kind::DeviceAlerting,
        root: PRIVATE_ROOT,
        pattern: "device/{id}/alerting",
        payload: "what is set about the alerts of a device, with its revision: rules, groups, uplink",
        qos: Qos::AtLeastOnce,
        retained: Retained::Promptly,
        from: &[Party::Api],
        to: &[Party::Services],
    },
    Row {
        kind: Kind::HistoryCommand,
        root: PRIVATE_ROOT,
        pattern: "history/command",
        payload: "lines of the log are to be removed; answered by a line of the log",
        qos: Qos::AtLeastOnce,
        retained: Retained::No,
        from: &[Party::Api],
        to: &[Party::Ingest],
    },
    Row {
        kind: Kind::ChannelTest,
        root: PRIVATE_ROOT,
        pattern: "channels/test",
        payload: "which channel for messages is to be tried",
        qos: Qos::AtLeastOnce,
        retained: Retained::No,
        from: &[Party::Api],
        to: &[Party::Alerting],
    },
    Row {
        kind: Kind::ChannelTested,
        root: PRIVATE_ROOT,
        pattern: "channels/tested",
        payload: "whether the message got there, and what was answered",
        qos: Qos::AtLeastOnce,
        retained: Retained::No,
        from: &[Party::Alerting],
        to: &[Party::Api],
    },
    Row {
        kind: Kind::JoinRequest,
        root: PRIVATE_ROOT,
        pattern: "join/{request}/request",
        payload: "a machine asks to be enrolled",
        qos: Qos::AtLeastOnce,
        retained: Retained::No,
        from: &[Party::Joiner],
        to: &[Party::Api],
    },
    Row {
        kind: Kind::JoinReply,
        root: PRIVATE_ROOT,
        pattern: "join/{request}/reply",
        payload: "the device's id and password, or why not",
        qos: Qos::AtLeastOnce,
        retained: Retained::No,
        from: &[Party::Api],
        to: &[Party::Joiner],
    },
];

impl Kind {
    /// The row of this topic.
    pub fn row(self) -> &'static Row {
        TOPICS
            .iter()
            .find(|row| row.kind == self)
            .expect("every kind has a row: tested below")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_one_row_of_its_own() {
        for (i, row) in TOPICS.iter().enumerate() {
            assert!(
                TOPICS[i + 1..].iter().all(|other| other.kind != row.kind),
                "{:?} twice",
                row.kind
            );
            assert!(std::ptr::eq(row.kind.row(), row));
        }
        assert_eq!(TOPICS.len(), Kind::JoinReply as usize + 1);
    }

    #[test]
    fn a_parameter_becomes_a_wildcard() {
        assert_eq!(
            Kind::DeviceStatus.row().filter(),
            "netmonitor/v1/device/+/status"
        );
        assert_eq!(Kind::Event.row().filter(), "netmonitor/v1/event");
    }
}
