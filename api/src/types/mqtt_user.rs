//! Programs and things that share the broker.

use netmonitor_store::hub;
use poem_openapi::{Enum, Object};

use super::Time;

/// What an MQTT user may do with the hub's own topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum MqttRole {
    /// Reads what is public.
    Reader,
    /// Also acts on alerts.
    Operator,
}

impl MqttRole {
    /// The word on the command line and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reader => hub::MqttRole::Reader.as_str(),
            Self::Operator => hub::MqttRole::Operator.as_str(),
        }
    }
}

/// An MQTT user. Its password is not kept in readable form.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct MqttUser {
    /// MQTT user name.
    pub name: String,
    /// Absent for one that only has filters of its own.
    #[oai(skip_serializing_if_is_none)]
    pub role: Option<MqttRole>,
    /// Filters outside of the hub's own topics that it may publish.
    pub publish: Vec<String>,
    /// Filters outside of the hub's own topics that it may read.
    pub subscribe: Vec<String>,
    /// When it was made.
    pub created: Time,
}

impl From<hub::MqttUser> for MqttUser {
    fn from(user: hub::MqttUser) -> Self {
        Self {
            name: user.name,
            role: user.role.map(|role| match role {
                hub::MqttRole::Reader => MqttRole::Reader,
                hub::MqttRole::Operator => MqttRole::Operator,
            }),
            publish: user.own.publish,
            subscribe: user.own.subscribe,
            created: user.created_at.into(),
        }
    }
}

/// A list of MQTT users.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct MqttUserPage {
    /// By name.
    pub items: Vec<MqttUser>,
    /// Where the next page begins; null on the last one.
    pub next: Option<String>,
}

/// An MQTT user to be made. It needs a role, or a filter, or both.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(deny_unknown_fields)]
pub struct NewMqttUser {
    /// MQTT user name: 1 to 64 characters, no `:`. Devices share the name space.
    pub name: String,
    /// What it may do with the hub's own topics; nothing if absent.
    #[oai(skip_serializing_if_is_none)]
    pub role: Option<MqttRole>,
    /// Filters outside of the hub's own topics that it may publish.
    #[oai(default)]
    pub publish: Vec<String>,
    /// Filters outside of the hub's own topics that it may read.
    #[oai(default)]
    pub subscribe: Vec<String>,
}

/// The password of a new MQTT user. It is shown once.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct MqttPassword {
    /// MQTT user name.
    pub name: String,
    /// Its password.
    pub password: String,
}
