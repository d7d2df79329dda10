//! What `hub.db` says of those who may connect to the broker.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use netmonitor_protocol::JoinRequestId;
use netmonitor_protocol::acl::{OwnFilters, Role};
use rusqlite::Connection;

use crate::hub::{MqttRole, stored_filters, stored_role};
use crate::{StoreError, time};

/// A device or an MQTT user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct User {
    /// As it was written; it is looked up in lower case.
    pub(super) name: String,
    pub(super) password_hash: String,
    pub(super) role: Option<Role>,
    pub(super) own: OwnFilters,
}

/// What is left of a join code.
#[derive(Debug, Clone)]
pub(super) struct JoinCode {
    uses_left: u32,
    expires: Timestamp,
    /// Requests that have used it.
    used_by: HashSet<String>,
}

impl JoinCode {
    /// Whether the request may come with this code. One that has used it may come again: the
    /// answer may have been lost.
    pub(super) fn lets_in(&self, request: &JoinRequestId, now: Timestamp) -> bool {
        let is_known = || self.used_by.contains(request.as_str());
        self.expires > now && (self.uses_left > 0 || is_known())
    }
}

/// Devices and MQTT users, by name in lower case.
pub(super) fn users(connection: &Connection) -> Result<HashMap<String, User>, StoreError> {
    let mut all = devices(connection)?;
    all.extend(mqtt_users(connection)?);
    Ok(all)
}

fn devices(connection: &Connection) -> Result<HashMap<String, User>, StoreError> {
    let mut statement = connection.prepare("SELECT id, password_hash FROM device")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
    rows.map(|row| {
        let (id, password_hash) = row?;
        let device = id.parse().map_err(|_| StoreError::Damaged {
            what: "a device id",
        })?;
        let user = User {
            name: id.clone(),
            password_hash,
            role: Some(Role::Agent(device)),
            own: OwnFilters::default(),
        };
        Ok((id, user))
    })
    .collect()
}

fn mqtt_users(connection: &Connection) -> Result<HashMap<String, User>, StoreError> {
    let mut statement = connection
        .prepare("SELECT name, role, password_hash, publish, subscribe FROM mqtt_user")?;
    let rows = statement.query_map([], |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, Option<String>>(1)?,
            row.get(2)?,
            row.get::<_, String>(3)?,
            row.get::<_, String>(4)?,
        ))
    })?;
    rows.map(|row| {
        let (name, role, password_hash, publish, subscribe) = row?;
        let role = stored_role(role.as_deref())?.map(|role| match role {
            MqttRole::Reader => Role::Reader,
            MqttRole::Operator => Role::Operator,
        });
        let user = User {
            name: name.clone(),
            password_hash,
            role,
            own: OwnFilters {
                publish: stored_filters(&publish)?,
                subscribe: stored_filters(&subscribe)?,
            },
        };
        Ok((name.to_lowercase(), user))
    })
    .collect()
}

/// Join codes, by the hash of their token.
pub(super) fn join_codes(
    connection: &Connection,
) -> Result<HashMap<Vec<u8>, JoinCode>, StoreError> {
    let mut statement =
        connection.prepare("SELECT token_hash, uses_left, expires_at FROM join_code")?;
    let rows = statement.query_map([], |row| {
        let code = JoinCode {
            uses_left: row.get(1)?,
            expires: time::from_ms(row.get(2)?),
            used_by: HashSet::new(),
        };
        Ok((row.get(0)?, code))
    })?;
    let mut codes: HashMap<Vec<u8>, JoinCode> = rows.collect::<rusqlite::Result<_>>()?;
    let mut statement = connection.prepare("SELECT token_hash, request FROM join_use")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(code) = codes.get_mut(&row.get::<_, Vec<u8>>(0)?) {
            code.used_by.insert(row.get(1)?);
        }
    }
    Ok(codes)
}
