//! What the cases ask of a client, whatever library it is made of.

use std::path::Path;

/// The protocol that a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// MQTT 3.1.1.
    V3,
    /// MQTT 5.
    V5,
}

/// What is below MQTT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Tcp,
    Tls,
    WebSocket,
}

/// What not every client can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ability {
    /// Publish and unsubscribe on a connection that has subscribed, more than once.
    Converse,
    /// End a connection with DISCONNECT so that its will is not published.
    TakeLeave,
    /// Come back to a session and see that it is there.
    Resume,
    /// Options of a subscription that came with MQTT 5.
    SubscriptionOptions,
}

/// Where a hub's broker is, and how to get in.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    pub(crate) version: Version,
    pub(crate) transport: Transport,
    pub(crate) port: String,
    /// The file with the hub's certificate authority.
    pub(crate) ca: String,
    /// Of [`Who::User`] and [`Who::Owner`].
    pub(crate) passwords: [String; 2],
}

/// As whom to connect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Who {
    /// May write and read `x/#`, and read `y/#`.
    #[default]
    User,
    /// May write `y/#`.
    Owner,
    /// Says that it is the user, with a wrong password.
    Impostor,
}

impl Door {
    /// TLS for clients in Rust: it trusts the hub's authority, and expects the hub's name
    /// whatever was dialled.
    pub(crate) fn tls(&self) -> Option<rumqttc::Transport> {
        if self.transport != Transport::Tls {
            return None;
        }
        let config = netmonitor_service::tls::pinned_to(Path::new(&self.ca)).unwrap();
        let config = rumqttc::TlsConfiguration::Rustls(config);
        Some(rumqttc::Transport::tls_with_config(config))
    }

    /// User name and password.
    pub(crate) fn credentials(&self, who: Who) -> (&'static str, &str) {
        match who {
            Who::User => ("user", &self.passwords[0]),
            Who::Owner => ("owner", &self.passwords[1]),
            Who::Impostor => ("user", "wrong"),
        }
    }
}

/// The name in every hub's certificate.
pub(crate) const TLS_NAME: &str = "hub.netmonitor";

/// How to connect.
#[derive(Debug, Clone, Default)]
pub(crate) struct Connect {
    pub(crate) client_id: String,
    pub(crate) who: Who,
    /// A session that outlives the connection, and in MQTT 5 for how many seconds.
    pub(crate) session_secs: Option<u32>,
    pub(crate) will: Option<Message>,
}

/// A subscription.
#[derive(Debug, Clone, Default)]
pub(crate) struct Subscribe {
    pub(crate) filter: String,
    pub(crate) qos: u8,
    pub(crate) no_local: bool,
    pub(crate) retain_as_published: bool,
    pub(crate) retain_handling: u8,
    pub(crate) id: Option<u32>,
}

impl Subscribe {
    /// Without any options.
    pub(crate) fn new(filter: &str, qos: u8) -> Self {
        Self {
            filter: filter.to_owned(),
            qos,
            ..Self::default()
        }
    }
}

/// A message, as it is sent or as it came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) topic: String,
    pub(crate) payload: String,
    pub(crate) qos: u8,
    pub(crate) retain: bool,
    pub(crate) properties: Properties,
}

/// What MQTT 5 says beside the payload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Properties {
    pub(crate) user: Vec<(String, String)>,
    pub(crate) expiry_secs: Option<u32>,
    pub(crate) content_type: Option<String>,
    pub(crate) response_topic: Option<String>,
    pub(crate) correlation: Option<String>,
    /// Identifiers of the subscriptions it came by.
    pub(crate) subscriptions: Vec<u32>,
}

impl Message {
    /// QoS 1, not retained.
    pub(crate) fn new(topic: &str, payload: &str) -> Self {
        Self {
            topic: topic.to_owned(),
            payload: payload.to_owned(),
            qos: 1,
            ..Self::default()
        }
    }

    pub(crate) fn qos(self, qos: u8) -> Self {
        Self { qos, ..self }
    }

    pub(crate) fn retained(self) -> Self {
        Self {
            retain: true,
            ..self
        }
    }
}

/// One library or program, in one version over one transport. It fails the story when it is
/// not answered.
pub(crate) trait Client {
    fn can(&self, ability: Ability) -> bool;
    /// With which code it is not let in; None if it is.
    fn refusal(&self, options: &Connect) -> Option<u8>;
    fn connect(&self, options: &Connect) -> Box<dyn Connection>;
}

/// A connection of it. Dropping it leaves the connection as it is.
pub(crate) trait Connection {
    /// Whether the broker had a session.
    fn session_present(&self) -> bool;
    /// The granted quality of service, or the reason of the refusal.
    fn subscribe(&mut self, subscribe: &Subscribe) -> u8;
    fn unsubscribe(&mut self, filter: &str);
    /// Publishes and waits for the acknowledgement. The reason in it, if the client tells.
    fn publish(&mut self, message: &Message) -> Option<u8>;
    /// The next message that came.
    fn next(&mut self) -> Message;
    /// Those that have come and were not asked for yet.
    fn arrived(&mut self) -> Vec<Message>;
    /// Ends it with DISCONNECT.
    fn disconnect(self: Box<Self>);
    /// Ends it without.
    fn kill(self: Box<Self>);
}
