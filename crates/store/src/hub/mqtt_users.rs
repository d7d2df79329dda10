//! MQTT clients that are neither agents nor services.

use std::fmt;
use std::str::FromStr;

use netmonitor_protocol::acl::OwnFilters;
use rusqlite::params;
use serde_json::json;

use super::names::check_mqtt_name;
use super::{AddError, AuditLine, HubDb};
use crate::mosquitto_hash;

/// What an MQTT user may do below our roots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
            Self::Reader => "reader",
            Self::Operator => "operator",
        }
    }
}

impl fmt::Display for MqttRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for MqttRole {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Reader, Self::Operator]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| format!("{text:?} is not a role: reader or operator"))
    }
}

/// An MQTT user to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewMqttUser<'a> {
    /// MQTT user name.
    pub name: &'a str,
    /// None: own filters only.
    pub role: Option<MqttRole>,
    /// 256 random bits; only its hash is kept.
    pub password: &'a str,
    /// Beside the role; checked by the caller with `acl::is_grantable`.
    pub own: &'a OwnFilters,
}

impl HubDb {
    /// Makes an MQTT user. Devices share the name space.
    pub fn add_mqtt_user(
        &self,
        new: NewMqttUser<'_>,
        audit: AuditLine<'_>,
    ) -> Result<(), AddError> {
        check_mqtt_name(new.name)?;
        let role = new.role.map(MqttRole::as_str);
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let is_device: bool = transaction.query_row(
            "SELECT EXISTS (SELECT 1 FROM device WHERE id = lower(?))",
            [new.name],
            |row| row.get(0),
        )?;
        if is_device {
            return Err(AddError::Exists(new.name.to_owned()));
        }
        transaction
            .execute(
                "INSERT INTO mqtt_user (name, role, password_hash, publish, subscribe, created_at)
                 VALUES (?, ?, ?, ?, ?, ?)",
                params![
                    new.name,
                    role,
                    mosquitto_hash::hash(new.password.as_bytes()),
                    json!(new.own.publish).to_string(),
                    json!(new.own.subscribe).to_string(),
                    audit.at.as_millisecond()
                ],
            )
            .map_err(|error| AddError::from_insert(error, new.name))?;
        let details = json!({
            "name": new.name,
            "role": role,
            "publish": new.own.publish,
            "subscribe": new.own.subscribe,
        });
        audit.write(&transaction, "mqtt_user_added", &details)?;
        Ok(transaction.commit()?)
    }
}
