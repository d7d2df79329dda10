//! Who may connect to the broker, as the broker sees it: the services' passwords, and what
//! `hub.db` says of devices, MQTT users and join codes, held in memory.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use netmonitor_protocol::acl::{OwnFilters, Principal, Role};
use netmonitor_protocol::{JOIN_USER, ServiceName};
use rusqlite::Connection;
use subtle::ConstantTimeEq as _;

use crate::hub::STEPS;
use crate::{StoreError, migrate, mosquitto_hash, secret_hash, time};

/// The table of MQTT credentials.
#[derive(Debug)]
pub struct Directory {
    hub_db: PathBuf,
    services: HashMap<String, (ServiceName, String)>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// None until api has made the file.
    connection: Option<Connection>,
    /// SQLite's `data_version`: changes when another connection has committed.
    data_version: Option<i64>,
    users: HashMap<String, User>,
    join_codes: HashMap<Vec<u8>, JoinCode>,
}

#[derive(Debug, Clone)]
struct User {
    password_hash: String,
    role: Option<Role>,
    own: OwnFilters,
}

#[derive(Debug, Clone, Copy)]
struct JoinCode {
    uses_left: u32,
    expires: Timestamp,
}

impl Directory {
    /// Reads what there is. `hub.db` may come later: api makes it.
    pub fn open(hub_db: &Path, services: Vec<(ServiceName, String)>) -> Result<Self, StoreError> {
        let directory = Self {
            hub_db: hub_db.to_owned(),
            services: services
                .into_iter()
                .map(|(service, secret)| (service.mqtt_user(), (service, secret)))
                .collect(),
            state: Mutex::default(),
        };
        directory.reload()?;
        Ok(directory)
    }

    /// Reads the tables anew, if anything was committed since. Blocks for a read of the file.
    pub fn reload(&self) -> Result<(), StoreError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.connection.is_none() {
            state.connection = migrate::open_read_only(&self.hub_db, STEPS)?;
        }
        let Some(connection) = &state.connection else {
            return Ok(());
        };
        let version = connection.pragma_query_value(None, "data_version", |row| row.get(0))?;
        if state.data_version == Some(version) {
            return Ok(());
        }
        let mut users = read_devices(connection)?;
        users.extend(read_mqtt_users(connection)?);
        let join_codes = read_join_codes(connection)?;
        state.users = users;
        state.join_codes = join_codes;
        state.data_version = Some(version);
        Ok(())
    }

    /// Who shows this user name and password. Costs about a millisecond of computing on a slow
    /// core; a name or password that is not known costs a look at the file as well, since it
    /// may have been made a moment ago by a command while the api was away.
    pub fn authenticate(
        &self,
        user: &str,
        password: &[u8],
        client_id: &str,
        now: Timestamp,
    ) -> Option<Principal> {
        if let Some((service, secret)) = self.services.get(user) {
            let matches: bool = secret.as_bytes().ct_eq(password).into();
            return matches.then(|| Principal {
                user: user.to_owned(),
                role: Some(Role::Service(*service)),
                own: OwnFilters::default(),
            });
        }
        self.lookup(user, password, client_id, now).or_else(|| {
            if let Err(error) = self.reload() {
                tracing::warn!(error = %error, "credentials not read anew");
            }
            self.lookup(user, password, client_id, now)
        })
    }

    fn lookup(
        &self,
        user: &str,
        password: &[u8],
        client_id: &str,
        now: Timestamp,
    ) -> Option<Principal> {
        if user == JOIN_USER {
            return self.lookup_join(password, client_id, now);
        }
        let found = {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.users.get(&user.to_lowercase()).cloned()?
        };
        // Outside the lock: this is the part that takes time.
        mosquitto_hash::verify(password, &found.password_hash).then(|| Principal {
            user: user.to_lowercase(),
            role: found.role,
            own: found.own,
        })
    }

    fn lookup_join(&self, token: &[u8], client_id: &str, now: Timestamp) -> Option<Principal> {
        let request = client_id.parse().ok()?;
        let token = std::str::from_utf8(token).ok()?;
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let code = state.join_codes.get(&secret_hash::of(token))?;
        (code.uses_left > 0 && code.expires > now).then(|| Principal {
            user: JOIN_USER.to_owned(),
            role: Some(Role::Joiner(request)),
            own: OwnFilters::default(),
        })
    }
}

fn read_devices(connection: &Connection) -> Result<HashMap<String, User>, StoreError> {
    let mut statement = connection.prepare("SELECT id, password_hash FROM device")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
    rows.map(|row| {
        let (id, password_hash) = row?;
        let device = id.parse().map_err(|_| StoreError::Damaged {
            what: "a device id",
        })?;
        let user = User {
            password_hash,
            role: Some(Role::Agent(device)),
            own: OwnFilters::default(),
        };
        Ok((id, user))
    })
    .collect()
}

fn read_mqtt_users(connection: &Connection) -> Result<HashMap<String, User>, StoreError> {
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
        let role = match role.as_deref() {
            None => None,
            Some("reader") => Some(Role::Reader),
            Some("operator") => Some(Role::Operator),
            Some(_) => return Err(StoreError::Damaged { what: "a role" }),
        };
        let filters = |json: &str| {
            serde_json::from_str(json).map_err(|_| StoreError::Damaged { what: "a filter" })
        };
        let user = User {
            password_hash,
            role,
            own: OwnFilters {
                publish: filters(&publish)?,
                subscribe: filters(&subscribe)?,
            },
        };
        Ok((name.to_lowercase(), user))
    })
    .collect()
}

fn read_join_codes(connection: &Connection) -> Result<HashMap<Vec<u8>, JoinCode>, StoreError> {
    let mut statement =
        connection.prepare("SELECT token_hash, uses_left, expires_at FROM join_code")?;
    let rows = statement.query_map([], |row| {
        let code = JoinCode {
            uses_left: row.get(1)?,
            expires: time::from_ms(row.get(2)?),
        };
        Ok((row.get(0)?, code))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HubDb;
    use crate::hub::{AuditLine, Enrolment, MqttRole, NewJoinCode, NewMqttUser};

    const NOW: &str = "2026-11-22T10:00:00Z";
    const CLIENT: &str = "00000000000000000000000000000007";

    fn now() -> Timestamp {
        NOW.parse().unwrap()
    }

    #[test]
    fn a_user_made_after_the_start_gets_in_without_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hub.db");
        let services = vec![(ServiceName::Ingest, "s3cret".to_owned())];
        let directory = Directory::open(&path, services).unwrap();
        let role = |user: &str, password: &str| {
            let principal = directory.authenticate(user, password.as_bytes(), CLIENT, now())?;
            principal.role
        };
        assert_eq!(
            role("service-ingest", "s3cret"),
            Some(Role::Service(ServiceName::Ingest))
        );
        assert_eq!(role("service-ingest", "guess"), None);
        assert_eq!(role("ha", "pw"), None);

        let db = HubDb::open(&path).unwrap();
        let audit = AuditLine {
            at: now(),
            actor: "console",
        };
        let own = OwnFilters::default();
        let user = NewMqttUser {
            name: "HA",
            role: Some(MqttRole::Reader),
            password: "pw",
            own: &own,
        };
        db.add_mqtt_user(user, audit).unwrap();
        assert_eq!(role("ha", "pw"), Some(Role::Reader));
        assert_eq!(role("HA", "pw"), Some(Role::Reader));
        assert_eq!(role("ha", "PW"), None);

        let code = NewJoinCode {
            token: "t",
            uses: 1,
            expires: "2026-11-22T10:15:00Z".parse().unwrap(),
        };
        db.add_join_code(code, audit).unwrap();
        assert!(matches!(role("join", "t"), Some(Role::Joiner(_))));
        assert_eq!(role("join", "u"), None);
        let later = "2026-11-22T10:15:00Z".parse().unwrap();
        assert_eq!(directory.authenticate("join", b"t", CLIENT, later), None);
        assert_eq!(directory.authenticate("join", b"t", "ws", now()), None);

        let enrolment = Enrolment {
            token: "t",
            host_name: "ws",
            name: None,
            password: "dp",
        };
        let device = db.enrol(enrolment, now()).unwrap().unwrap();
        assert_eq!(role("ws", "dp"), Some(Role::Agent(device.id)));
        directory.reload().unwrap();
        assert_eq!(role("join", "t"), None, "the code is used up");
    }
}
