//! MQTT clients that are neither agents nor services.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use netmonitor_protocol::acl::OwnFilters;
use rusqlite::{Connection, params};
use serde_json::json;

use super::names::check_mqtt_name;
use super::{AddError, AuditLine, HubDb};
use crate::{StoreError, mosquitto_hash, time};

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

/// An MQTT user as it is stored, without its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MqttUser {
    /// MQTT user name, as it was written.
    pub name: String,
    /// None: own filters only.
    pub role: Option<MqttRole>,
    /// Beside the role.
    pub own: OwnFilters,
    /// When it was made.
    pub created_at: Timestamp,
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
    /// Beside the role; checked by the caller with `acl::is_grantable_to_read` and its like.
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
            "SELECT EXISTS (SELECT 1 FROM device WHERE id = ?)",
            [new.name.to_lowercase()],
            |row| row.get(0),
        )?;
        if is_device || as_written(&transaction, new.name)?.is_some() {
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

    /// All MQTT users, by name.
    pub fn mqtt_users(&self) -> Result<Vec<MqttUser>, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT name, role, publish, subscribe, created_at FROM mqtt_user ORDER BY name",
        )?;
        let rows = statement.query_map([], |row| {
            Ok((
                row.get(0)?,
                row.get::<_, Option<String>>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, String>(3)?,
                row.get(4)?,
            ))
        })?;
        rows.map(|row| {
            let (name, role, publish, subscribe, created_at) = row?;
            Ok(MqttUser {
                name,
                role: stored_role(role.as_deref())?,
                own: OwnFilters {
                    publish: stored_filters(&publish)?,
                    subscribe: stored_filters(&subscribe)?,
                },
                created_at: time::from_ms(created_at),
            })
        })
        .collect()
    }

    /// Removes an MQTT user, named without regard to case, and returns its name as it was
    /// written. None if there is no such user.
    pub fn remove_mqtt_user(
        &self,
        name: &str,
        audit: AuditLine<'_>,
    ) -> Result<Option<String>, StoreError> {
        let Some(name) = as_written(&self.lock(), name)? else {
            return Ok(None);
        };
        let sql = "DELETE FROM mqtt_user WHERE name = ? RETURNING name";
        self.remove_named(sql, &name, "mqtt_user_removed", audit)
    }
}

/// How the name of the MQTT user is written that logs in as `name`: the broker compares names in
/// lower case, and SQLite's `NOCASE` knows that of ASCII only.
pub(super) fn as_written(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    let lower = name.to_lowercase();
    let mut statement = connection.prepare_cached("SELECT name FROM mqtt_user")?;
    for found in statement.query_map([], |row| row.get::<_, String>(0))? {
        let found = found?;
        if found.to_lowercase() == lower {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The role that a column holds.
pub(crate) fn stored_role(word: Option<&str>) -> Result<Option<MqttRole>, StoreError> {
    let role = word.map(str::parse).transpose();
    role.map_err(|_: String| StoreError::Damaged { what: "a role" })
}

/// The filters that a column holds.
pub(crate) fn stored_filters(json: &str) -> Result<Vec<String>, StoreError> {
    serde_json::from_str(json).map_err(|_| StoreError::Damaged { what: "a filter" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::temporary;

    #[test]
    fn a_user_is_listed_as_it_was_made_and_removed_in_any_case() {
        let (_directory, db) = temporary();
        let audit = AuditLine {
            at: "2026-11-22T10:00:00Z".parse().unwrap(),
            actor: "console",
        };
        let own = OwnFilters {
            publish: vec!["zigbee/+/set".to_owned()],
            subscribe: vec!["zigbee/#".to_owned()],
        };
        let zigbee = NewMqttUser {
            name: "Zigbee",
            role: None,
            password: "pw",
            own: &own,
        };
        let reader = NewMqttUser {
            name: "ha",
            role: Some(MqttRole::Reader),
            own: &OwnFilters::default(),
            ..zigbee
        };
        db.add_mqtt_user(zigbee, audit).unwrap();
        db.add_mqtt_user(reader, audit).unwrap();
        let user = |name: &str, role, own: &OwnFilters| MqttUser {
            name: name.to_owned(),
            role,
            own: own.clone(),
            created_at: audit.at,
        };
        let ha = user("ha", Some(MqttRole::Reader), &OwnFilters::default());
        let all = [ha.clone(), user("Zigbee", None, &own)];
        assert_eq!(db.mqtt_users().unwrap(), all);
        let removed = db.remove_mqtt_user("ZIGBEE", audit).unwrap();
        assert_eq!(removed.as_deref(), Some("Zigbee"));
        assert_eq!(db.remove_mqtt_user("zigbee", audit).unwrap(), None);
        assert_eq!(db.mqtt_users().unwrap(), [ha]);
    }

    #[test]
    fn two_names_that_differ_in_case_alone_are_one_in_any_alphabet() {
        let (_directory, db) = temporary();
        let audit = AuditLine {
            at: "2026-11-22T10:00:00Z".parse().unwrap(),
            actor: "console",
        };
        let add = |name| {
            let user = NewMqttUser {
                name,
                role: None,
                password: "pw",
                own: &OwnFilters::default(),
            };
            db.add_mqtt_user(user, audit)
        };
        add("ZOÉ").unwrap();
        for same in ["zoé", "Zoé", "zoÉ", "ZOÉ"] {
            assert!(matches!(add(same), Err(AddError::Exists(_))), "{same}");
        }
        add("zoe").unwrap();
        let removed = db.remove_mqtt_user("zoé", audit).unwrap();
        assert_eq!(removed.as_deref(), Some("ZOÉ"));
        let left: Vec<String> = db
            .mqtt_users()
            .unwrap()
            .into_iter()
            .map(|it| it.name)
            .collect();
        assert_eq!(left, ["zoe"]);
    }
}
