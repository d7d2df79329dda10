//! Who stands at either end of a topic.

use std::fmt;

/// Who stands at either end of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// The agent of the device that the topic names.
    Agent,
    /// The broker itself, on behalf of a client that is gone.
    Broker,
    /// The frame around the services.
    Hub,
    /// The service that writes the history.
    Ingest,
    /// The service that concludes who is there, and raises alerts.
    Alerting,
    /// REST API and dashboard.
    Api,
    /// Any service; where the topic names a service, only that one.
    Services,
    /// Whoever may act on alerts: MQTT users with the role `operator`.
    Operators,
    /// A machine that is about to be enrolled.
    Joiner,
    /// Everyone with a credential: services, readers, operators and agents. An agent sees
    /// its own device only.
    All,
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Agent => "agent",
            Self::Broker => "broker",
            Self::Hub => "hub",
            Self::Ingest => "ingest",
            Self::Alerting => "alerting",
            Self::Api => "api",
            Self::Services => "services",
            Self::Operators => "operators",
            Self::Joiner => "joining machine",
            Self::All => "all",
        })
    }
}
