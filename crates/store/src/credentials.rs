//! Who may connect to the broker, as the broker sees it: the services' passwords, and what
//! `hub.db` says of devices, MQTT users and join codes, held in memory.

mod guesses;
mod tables;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use netmonitor_protocol::acl::{OwnFilters, Principal, Role};
use netmonitor_protocol::{DeviceId, JOIN_USER, ServiceName};
use rusqlite::Connection;
use subtle::ConstantTimeEq as _;

use crate::hub::STEPS;
use crate::{StoreError, migrate, mosquitto_hash, secret_hash};
use guesses::{Guess, Guesses};
use tables::{JoinCode, User};

/// The table of MQTT credentials.
#[derive(Debug)]
pub struct Directory {
    hub_db: PathBuf,
    services: HashMap<String, (ServiceName, String)>,
    /// Locked before `state`, and for as long as the disk takes.
    file: Mutex<File>,
    /// Never locked while the disk is waited for: async code asks.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct File {
    /// None until api has made the file.
    connection: Option<Connection>,
    /// SQLite's `data_version` as of what was read last: changes when another connection has
    /// committed.
    data_version: Option<i64>,
}

#[derive(Debug, Default)]
struct State {
    /// Whether the tables have been read at all.
    is_read: bool,
    users: HashMap<String, User>,
    join_codes: HashMap<Vec<u8>, JoinCode>,
    /// Users that are gone or are not what they were, until somebody asks. No more than there
    /// were users.
    revoked: BTreeSet<String>,
    guesses: Guesses,
}

/// One line of the table: who may connect, with the password as mosquitto keeps it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// User name and what it may do. The name is as it was written.
    pub principal: Principal,
    /// In mosquitto's `$7$` form.
    pub password_hash: String,
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
            file: Mutex::default(),
            state: Mutex::default(),
        };
        directory.reload()?;
        Ok(directory)
    }

    /// Reads the tables anew, if anything was committed since. Blocks for a read of the file.
    pub fn reload(&self) -> Result<(), StoreError> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if file.connection.is_none() {
            file.connection = migrate::open_read_only(&self.hub_db, STEPS)?;
        }
        let Some(connection) = &file.connection else {
            return Ok(());
        };
        let version = connection.pragma_query_value(None, "data_version", |row| row.get(0))?;
        if file.data_version == Some(version) {
            return Ok(());
        }
        let users = tables::users(connection)?;
        let join_codes = tables::join_codes(connection)?;
        file.data_version = Some(version);
        let mut state = self.state();
        let before = std::mem::replace(&mut state.users, users);
        for (name, user) in before {
            if state.users.get(&name) != Some(&user) {
                state.revoked.insert(name);
            }
        }
        state.join_codes = join_codes;
        state.is_read = true;
        Ok(())
    }

    /// The users whose credential was taken away or changed since this was last asked: their
    /// connections have to end. The names are those of [`Principal::user`].
    pub fn take_revoked(&self) -> Vec<String> {
        let revoked = std::mem::take(&mut self.state().revoked);
        revoked.into_iter().collect()
    }

    /// Whether the device is enrolled, as of the last time the tables were read. True also while
    /// there is no `hub.db` to read: then nobody knows better.
    pub fn is_device(&self, device: &DeviceId) -> bool {
        let state = self.state();
        let role = |user: &User| user.role == Some(Role::Agent(device.clone()));
        !state.is_read || state.users.get(device.as_str()).is_some_and(role)
    }

    /// Whether that is the name of a service of the hub.
    pub fn is_service(&self, user: &str) -> bool {
        self.services.contains_key(user)
    }

    /// Whether that is the name of a device, an MQTT user, or of those who join, as of the last
    /// time the tables were read.
    pub fn is_user(&self, user: &str) -> bool {
        user == JOIN_USER || self.state().users.contains_key(&user.to_lowercase())
    }

    /// Everybody who may connect with a password of their own, by name. Not those who join: their
    /// password is the token of a join code, of which no password hash is kept.
    pub fn entries(&self) -> Vec<Entry> {
        let services = self.services.iter().map(|(user, (service, secret))| Entry {
            principal: Principal {
                user: user.clone(),
                role: Some(Role::Service(*service)),
                own: OwnFilters::default(),
            },
            password_hash: mosquitto_hash::hash(secret.as_bytes()),
        });
        let state = self.state();
        let users = state.users.values().map(|user| Entry {
            principal: Principal {
                user: user.name.clone(),
                role: user.role.clone(),
                own: user.own.clone(),
            },
            password_hash: user.password_hash.clone(),
        });
        let mut all: Vec<Entry> = services.chain(users).collect();
        all.sort_by(|left, right| left.principal.user.cmp(&right.principal.user));
        all
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
            if user == JOIN_USER && !self.is_worth_a_look(now) {
                return None;
            }
            if let Err(error) = self.reload() {
                tracing::warn!(error = %error, "credentials not read anew");
            }
            self.lookup(user, password, client_id, now)
        })
    }

    /// Counts a wrong join token.
    fn is_worth_a_look(&self, now: Timestamp) -> bool {
        let guess = self.state().guesses.wrong(now);
        if guess == Guess::Report {
            tracing::warn!("somebody tries many wrong join codes");
        }
        guess == Guess::Look
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
            let state = self.state();
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
        let state = self.state();
        let code = state.join_codes.get(&secret_hash::of(token))?;
        code.lets_in(&request, now).then(|| Principal {
            user: JOIN_USER.to_owned(),
            role: Some(Role::Joiner(request)),
            own: OwnFilters::default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

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
            request: &CLIENT.parse().unwrap(),
            token: "t",
            host_name: "ws",
            name: None,
            password: "dp",
        };
        let enrolled = db.enrol(enrolment, now()).unwrap().unwrap();
        assert_eq!(role("ws", "dp"), Some(Role::Agent(enrolled.device.id)));
        directory.reload().unwrap();
        let other = "00000000000000000000000000000008";
        assert_eq!(directory.authenticate("join", b"t", other, now()), None);
        // Whoever has used the code may not have heard the answer.
        assert!(role("join", "t").is_some());
        assert_eq!(directory.authenticate("join", b"t", CLIENT, later), None);
    }

    #[test]
    fn whoever_is_removed_is_told_once_and_a_device_is_none_from_then_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hub.db");
        let directory = Directory::open(&path, Vec::new()).unwrap();
        let device: DeviceId = "ws".parse().unwrap();
        assert!(directory.is_device(&device), "nobody knows yet");
        let db = HubDb::open(&path).unwrap();
        let audit = AuditLine {
            at: now(),
            actor: "console",
        };
        let user = NewMqttUser {
            name: "HA",
            role: Some(MqttRole::Reader),
            password: "pw",
            own: &OwnFilters::default(),
        };
        db.add_mqtt_user(user, audit).unwrap();
        let code = NewJoinCode {
            token: "t",
            uses: 1,
            expires: "2026-11-22T10:15:00Z".parse().unwrap(),
        };
        db.add_join_code(code, audit).unwrap();
        directory.reload().unwrap();
        assert!(!directory.is_device(&device));
        let enrolment = Enrolment {
            request: &CLIENT.parse().unwrap(),
            token: "t",
            host_name: "ws",
            name: None,
            password: "dp",
        };
        db.enrol(enrolment, now()).unwrap().unwrap();
        directory.reload().unwrap();
        assert!(directory.is_device(&device));
        let names: Vec<String> = directory
            .entries()
            .into_iter()
            .map(|entry| entry.principal.user)
            .collect();
        assert_eq!(names, ["HA", "ws"]);
        assert_eq!(directory.take_revoked(), [""; 0]);

        db.remove_device(&device, audit).unwrap();
        db.remove_mqtt_user("ha", audit).unwrap();
        // A login in between reads the tables as well, and must not hide it.
        assert_eq!(directory.authenticate("x", b"", CLIENT, now()), None);
        assert_eq!(directory.authenticate("ws", b"dp", CLIENT, now()), None);
        directory.reload().unwrap();
        assert_eq!(directory.take_revoked(), ["ha", "ws"]);
        assert_eq!(directory.take_revoked(), [""; 0]);
        assert!(!directory.is_device(&device));

        // A password that is another one is as good as gone.
        db.add_mqtt_user(user, audit).unwrap();
        directory.reload().unwrap();
        db.remove_mqtt_user("ha", audit).unwrap();
        db.add_mqtt_user(user, audit).unwrap();
        directory.reload().unwrap();
        assert_eq!(directory.take_revoked(), ["ha"]);
    }

    #[test]
    fn who_is_known_is_told_also_while_the_file_cannot_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hub.db");
        let user = NewMqttUser {
            name: "ha",
            role: None,
            password: "pw",
            own: &OwnFilters::default(),
        };
        let audit = AuditLine {
            at: now(),
            actor: "console",
        };
        let db = HubDb::open(&path).unwrap();
        db.add_mqtt_user(user, audit).unwrap();
        drop(db);
        // Without a write-ahead log a writer keeps readers out.
        let writer = Connection::open(&path).unwrap();
        writer
            .pragma_update(None, "journal_mode", "DELETE")
            .unwrap();
        let directory = Directory::open(&path, Vec::new()).unwrap();
        writer.execute_batch("BEGIN EXCLUSIVE").unwrap();
        std::thread::scope(|threads| {
            let reading = threads.spawn(|| directory.reload());
            let mut longest = Duration::ZERO;
            while !reading.is_finished() {
                let asked = Instant::now();
                assert!(directory.is_user("ha"));
                assert!(!directory.is_device(&"ws".parse().unwrap()));
                longest = longest.max(asked.elapsed());
            }
            assert!(reading.join().unwrap().is_err(), "it was kept out");
            assert!(longest < migrate::BUSY_TIMEOUT / 2, "{longest:?}");
        });
        writer.execute_batch("ROLLBACK").unwrap();
        directory.reload().unwrap();
    }

    #[test]
    fn a_good_join_code_works_however_many_wrong_ones_are_tried() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hub.db");
        let db = HubDb::open(&path).unwrap();
        let audit = AuditLine {
            at: now(),
            actor: "console",
        };
        let code = NewJoinCode {
            token: "t",
            uses: 1,
            expires: "2026-11-22T10:15:00Z".parse().unwrap(),
        };
        db.add_join_code(code, audit).unwrap();
        let directory = Directory::open(&path, Vec::new()).unwrap();
        let join = |token: &str| directory.authenticate("join", token.as_bytes(), CLIENT, now());
        for number in 0..200 {
            assert_eq!(join(&number.to_string()), None);
        }
        assert!(join("t").is_some());
        let other = NewJoinCode { token: "u", ..code };
        db.add_join_code(other, audit).unwrap();
        assert!(
            join("u").is_none(),
            "the api has not said that there is a new one"
        );
        directory.reload().unwrap();
        assert!(join("u").is_some());
    }
}
