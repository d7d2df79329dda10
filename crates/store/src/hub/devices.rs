//! Enrolled machines.

use jiff::Timestamp;
use netmonitor_protocol::{DeviceId, JoinRequestId};
use rusqlite::{OptionalExtension as _, Transaction, params};
use serde_json::json;

use super::mqtt_users::as_written;
use super::{AuditLine, HubDb};
use crate::{StoreError, mosquitto_hash, secret_hash, time};

/// An enrolled machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its id, which is its MQTT user name as well.
    pub id: DeviceId,
    /// What people see.
    pub name: String,
    /// When it was enrolled.
    pub joined_at: Timestamp,
}

/// A machine that asks to be enrolled.
#[derive(Debug, Clone, Copy)]
pub struct Enrolment<'a> {
    /// Whose request it is. One that is repeated gets the same answer.
    pub request: &'a JoinRequestId,
    /// The token of the join code: used up in the same step.
    pub token: &'a str,
    /// The host name as the system has it: the id is made from it.
    pub host_name: &'a str,
    /// What people shall see, if not the host name.
    pub name: Option<&'a str>,
    /// The new device's MQTT password: 256 random bits, only its hash is kept.
    pub password: &'a str,
}

/// What came of an [`Enrolment`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// The device that the machine is from now on.
    pub device: Device,
    /// False if an earlier request of the same machine has made it.
    pub is_new: bool,
}

impl HubDb {
    /// Enrols a machine, if its join code is still good. Two machines with the same host name
    /// get different ids.
    ///
    /// A request that is repeated with the same code and password, before the code expires, gets
    /// the device that was made for it, and uses nothing up. Whoever does not know the password
    /// is another machine.
    pub fn enrol(
        &self,
        enrolment: Enrolment<'_>,
        now: Timestamp,
    ) -> Result<Option<Enrolled>, StoreError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let token_hash = secret_hash::of(enrolment.token);
        if let Some((device, password_hash)) =
            made_before(&transaction, &token_hash, enrolment.request, now)?
        {
            let is_same = mosquitto_hash::verify(enrolment.password.as_bytes(), &password_hash);
            let is_new = false;
            return Ok(is_same.then_some(Enrolled { device, is_new }));
        }
        let used = transaction.execute(
            "UPDATE join_code SET uses_left = uses_left - 1
             WHERE token_hash = ? AND uses_left > 0 AND expires_at > ?",
            params![token_hash, now.as_millisecond()],
        )?;
        if used == 0 {
            return Ok(None);
        }
        let id = free_id(&transaction, enrolment.host_name)?;
        let is_first = id == DeviceId::from_host_name(enrolment.host_name);
        let name = enrolment.name.unwrap_or(if is_first {
            enrolment.host_name
        } else {
            // Two machines of one host name must not look the same.
            id.as_str()
        });
        let device = Device {
            name: name.to_owned(),
            id,
            joined_at: now,
        };
        transaction.execute(
            "INSERT INTO device (id, name, password_hash, joined_at) VALUES (?, ?, ?, ?)",
            params![
                device.id.as_str(),
                device.name,
                mosquitto_hash::hash(enrolment.password.as_bytes()),
                now.as_millisecond()
            ],
        )?;
        transaction.execute(
            "INSERT INTO join_use (token_hash, request, device) VALUES (?, ?, ?)",
            params![token_hash, enrolment.request.as_str(), device.id.as_str()],
        )?;
        let audit = AuditLine {
            at: now,
            actor: "device",
        };
        let details = json!({ "device": device.id.as_str(), "name": device.name });
        audit.write(&transaction, "device_joined", &details)?;
        transaction.commit()?;
        let is_new = true;
        Ok(Some(Enrolled { device, is_new }))
    }

    /// Takes the machine's credential away, and returns what it was. None if there is no such
    /// device. Its history stays; its id may be given again.
    pub fn remove_device(
        &self,
        id: &DeviceId,
        audit: AuditLine<'_>,
    ) -> Result<Option<Device>, StoreError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let removed = transaction
            .query_row(
                "DELETE FROM device WHERE id = ? RETURNING name, joined_at",
                [id.as_str()],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        let Some((name, joined_at)) = removed else {
            return Ok(None);
        };
        let device = Device {
            id: id.clone(),
            name,
            joined_at: time::from_ms(joined_at),
        };
        let details = json!({ "device": id.as_str(), "name": device.name });
        audit.write(&transaction, "device_revoked", &details)?;
        transaction.commit()?;
        Ok(Some(device))
    }

    /// Whether there is such a device.
    pub fn is_device(&self, id: &DeviceId) -> Result<bool, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached("SELECT 1 FROM device WHERE id = ?")?;
        Ok(statement.exists([id.as_str()])?)
    }

    /// All enrolled machines, by id.
    pub fn devices(&self) -> Result<Vec<Device>, StoreError> {
        let connection = self.lock();
        let mut statement =
            connection.prepare_cached("SELECT id, name, joined_at FROM device ORDER BY id")?;
        let rows = statement.query_map([], |row| {
            Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?))
        })?;
        rows.map(|row| {
            let (id, name, joined_at) = row?;
            Ok(Device {
                id: stored_id(&id)?,
                name,
                joined_at: time::from_ms(joined_at),
            })
        })
        .collect()
    }
}

/// What an earlier request of this id has made with the same code, and the hash of its password.
fn made_before(
    transaction: &Transaction<'_>,
    token_hash: &[u8],
    request: &JoinRequestId,
    now: Timestamp,
) -> Result<Option<(Device, String)>, StoreError> {
    let found = transaction
        .query_row(
            "SELECT id, name, joined_at, password_hash
             FROM join_use JOIN device ON id = device JOIN join_code USING (token_hash)
             WHERE token_hash = ? AND request = ? AND expires_at > ?",
            params![token_hash, request.as_str(), now.as_millisecond()],
            |row| {
                let id: String = row.get(0)?;
                Ok((id, row.get(1)?, row.get(2)?, row.get(3)?))
            },
        )
        .optional()?;
    let Some((id, name, joined_at, password_hash)) = found else {
        return Ok(None);
    };
    let device = Device {
        id: stored_id(&id)?,
        name,
        joined_at: time::from_ms(joined_at),
    };
    Ok(Some((device, password_hash)))
}

/// The first id for this host name that neither a device nor an MQTT user has.
fn free_id(transaction: &Transaction<'_>, host_name: &str) -> Result<DeviceId, StoreError> {
    let wanted = DeviceId::from_host_name(host_name);
    let mut statement = transaction.prepare("SELECT 1 FROM device WHERE id = ?")?;
    let mut candidate = wanted.clone();
    let mut number = 1;
    loop {
        let taken = statement.exists([candidate.as_str()])?
            || as_written(transaction, candidate.as_str())?.is_some();
        let reserved = super::names::check_mqtt_name(candidate.as_str()).is_err();
        if !taken && !reserved {
            return Ok(candidate);
        }
        number += 1;
        candidate = wanted.numbered(number);
    }
}

pub(super) fn stored_id(text: &str) -> Result<DeviceId, StoreError> {
    text.parse().map_err(|_| StoreError::Damaged {
        what: "a device id",
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::hub::{NewJoinCode, temporary};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn add_code(db: &HubDb, token: &str, uses: u32) {
        let new = NewJoinCode {
            token,
            uses,
            expires: at("2026-11-22T10:15:00Z"),
        };
        let audit = AuditLine {
            at: at("2026-11-22T10:00:00Z"),
            actor: "admin",
        };
        db.add_join_code(new, audit).unwrap();
    }

    fn enrol(db: &HubDb, token: &str, host_name: &str, now: &str) -> Option<String> {
        static REQUESTS: AtomicU64 = AtomicU64::new(0);
        let request = REQUESTS.fetch_add(1, Ordering::Relaxed);
        let enrolment = Enrolment {
            request: &JoinRequestId::from_bits(request.into()),
            token,
            host_name,
            name: None,
            password: "pw",
        };
        let enrolled = db.enrol(enrolment, at(now)).unwrap();
        enrolled.map(|enrolled| enrolled.device.id.to_string())
    }

    #[test]
    fn a_code_serves_as_often_as_it_says_and_no_longer() {
        let (_directory, db) = temporary();
        add_code(&db, "twice", 2);
        assert_eq!(enrol(&db, "guess", "ws", "2026-11-22T10:01:00Z"), None);
        assert_eq!(
            enrol(&db, "twice", "ws", "2026-11-22T10:01:00Z").as_deref(),
            Some("ws")
        );
        assert_eq!(
            enrol(&db, "twice", "WS", "2026-11-22T10:01:00Z").as_deref(),
            Some("ws-2")
        );
        assert_eq!(enrol(&db, "twice", "ws", "2026-11-22T10:01:00Z"), None);
        add_code(&db, "late", 1);
        assert_eq!(enrol(&db, "late", "ws", "2026-11-22T10:15:00Z"), None);
        let names: Vec<String> = db
            .devices()
            .unwrap()
            .into_iter()
            .map(|it| it.name)
            .collect();
        assert_eq!(names, ["ws", "ws-2"]);
    }

    #[test]
    fn a_request_that_is_repeated_gets_the_same_answer_and_uses_nothing_up() {
        let (_directory, db) = temporary();
        add_code(&db, "code", 2);
        let now = at("2026-11-22T10:01:00Z");
        let (one, other) = (JoinRequestId::from_bits(1), JoinRequestId::from_bits(2));
        let first = Enrolment {
            request: &one,
            token: "code",
            host_name: "ws",
            name: None,
            password: "pw",
        };
        let enrol = |enrolment| db.enrol(enrolment, now).unwrap();
        let Enrolled { device, is_new } = enrol(first).unwrap();
        assert!(is_new);
        let again = Some(Enrolled {
            device: device.clone(),
            is_new: false,
        });
        assert_eq!(enrol(first), again);
        // Knowing the code and the request is not enough to become the device.
        let thief = Enrolment {
            password: "another",
            ..first
        };
        assert_eq!(enrol(thief), None);
        let second = Enrolment {
            request: &other,
            ..first
        };
        assert_eq!(enrol(second).unwrap().device.id.as_str(), "ws-2");
        // The code is used up, for others; a new one does not make it forget.
        add_code(&db, "another", 1);
        let third = Enrolment {
            request: &JoinRequestId::from_bits(3),
            ..first
        };
        assert_eq!(enrol(third), None);
        assert_eq!(enrol(first), again);
        assert_eq!(db.devices().unwrap().len(), 2);

        let expired = at("2026-11-22T10:15:00Z");
        assert_eq!(db.enrol(first, expired).unwrap(), None);
        let audit = AuditLine {
            at: now,
            actor: "ada",
        };
        db.remove_device(&device.id, audit).unwrap();
        assert_eq!(enrol(first), None, "it was removed, not lost");
    }

    #[test]
    fn a_removed_machine_is_none_and_its_id_is_free_again() {
        let (_directory, db) = temporary();
        add_code(&db, "code", 3);
        let now = "2026-11-22T10:01:00Z";
        for expected in ["ws", "ws-2"] {
            assert_eq!(enrol(&db, "code", "ws", now).as_deref(), Some(expected));
        }
        let audit = AuditLine {
            at: at(now),
            actor: "ada",
        };
        let id: DeviceId = "ws".parse().unwrap();
        assert!(db.is_device(&id).unwrap());
        let removed = db.remove_device(&id, audit).unwrap().unwrap();
        assert!(!db.is_device(&id).unwrap());
        assert_eq!((removed.id, removed.name.as_str()), (id.clone(), "ws"));
        assert_eq!(db.remove_device(&id, audit).unwrap(), None);
        let left: Vec<String> = db
            .devices()
            .unwrap()
            .into_iter()
            .map(|it| it.name)
            .collect();
        assert_eq!(left, ["ws-2"]);
        let written: Vec<(String, String)> = db
            .lock()
            .prepare("SELECT actor, details FROM audit WHERE action = 'device_revoked'")
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap();
        assert_eq!(
            written,
            [(
                "ada".to_owned(),
                r#"{"device":"ws","name":"ws"}"#.to_owned()
            )]
        );
        assert_eq!(enrol(&db, "code", "ws", now).as_deref(), Some("ws"));
    }

    #[test]
    fn a_machine_never_gets_the_name_of_another_mqtt_client() {
        let (_directory, db) = temporary();
        add_code(&db, "code", 9);
        let now = "2026-11-22T10:01:00Z";
        assert_eq!(enrol(&db, "code", "join", now).as_deref(), Some("join-2"));
        let own = netmonitor_protocol::acl::OwnFilters::default();
        let user = crate::hub::NewMqttUser {
            name: "Zigbee",
            role: None,
            password: "pw",
            own: &own,
        };
        let audit = AuditLine {
            at: at(now),
            actor: "console",
        };
        db.add_mqtt_user(user, audit).unwrap();
        assert_eq!(
            enrol(&db, "code", "zigbee", now).as_deref(),
            Some("zigbee-2")
        );
        let user = crate::hub::NewMqttUser {
            name: "Zigbee-2",
            ..user
        };
        assert!(db.add_mqtt_user(user, audit).is_err());

        // The sign for kelvin is a k in lower case.
        let kelvin = |name| crate::hub::NewMqttUser { name, ..user };
        db.add_mqtt_user(kelvin("\u{212a}8s"), audit).unwrap();
        assert_eq!(enrol(&db, "code", "k8s", now).as_deref(), Some("k8s-2"));
        let same = db.add_mqtt_user(kelvin("\u{212a}8s-2"), audit);
        assert!(same.is_err());
    }
}
