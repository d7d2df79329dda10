//! What an admin has set about single machines.

use std::ops::RangeInclusive;

use netmonitor_protocol::DeviceId;
use netmonitor_protocol::payload::{DeviceAlerting, Settings};
use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};
use serde::Serialize;

use super::settings::rules;
use super::settings::words::{at_most, each_once, groups, is_line, name, within};
use super::settings::{revise, stored_revision, write_audit};
use super::{AuditLine, Changed, HubDb, Revised, SettingsError};
use crate::StoreError;

/// Time between two samples, in seconds: what agents can.
const INTERVAL_SECS: RangeInclusive<f64> = 1.0..=3600.0;

/// So many services can be watched: what agents can.
const MAX_WATCHED: usize = 256;

/// Longest name of a service, in characters.
const MAX_SERVICE: usize = 256;

/// What is set about one machine. Its revision, which is that of [`Self::alerting`], counts all of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeviceSettings {
    /// Which.
    #[serde(skip)]
    pub id: DeviceId,
    /// What people see.
    pub name: String,
    /// About its alerts; without its name.
    pub alerting: DeviceAlerting,
    /// For its agent; without the offline timeout, which is that of the rule `offline`.
    pub agent: Settings,
}

impl Revised for DeviceSettings {
    fn revision(&self) -> u64 {
        self.alerting.revision
    }

    fn set_revision(&mut self, revision: u64) {
        self.alerting.revision = revision;
    }
}

impl DeviceSettings {
    /// Whether all of it is within its bounds; else what to do.
    fn check(&self) -> Result<(), String> {
        name("a device", &self.name)?;
        rules::check(&self.alerting.rules, true)?;
        groups(&self.alerting.groups)?;
        if let Some(interval) = self.agent.interval_secs {
            within("interval_secs", interval, INTERVAL_SECS)?;
        }
        let watched = self.agent.watched_services.as_deref().unwrap_or_default();
        at_most("watched services", watched.len(), MAX_WATCHED)?;
        each_once("watched services", watched)?;
        match watched.iter().find(|it| !is_line(it, MAX_SERVICE)) {
            None => Ok(()),
            Some(service) => Err(format!("{service:?} is no name of a service")),
        }
    }
}

/// Of all machines, or, with another line, of one.
const SELECT: &str = "SELECT id, name, revision, alerting, agent
                      FROM device LEFT JOIN device_setting ON device = id";

impl HubDb {
    /// What is set about one machine. None if there is no such device.
    pub fn device_settings(&self, id: &DeviceId) -> Result<Option<DeviceSettings>, StoreError> {
        stored(&self.lock(), id)
    }

    /// The same for all of them, by id.
    pub fn all_device_settings(&self) -> Result<Vec<DeviceSettings>, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(&format!("{SELECT} ORDER BY id"))?;
        let rows = statement.query_map([], |row| Ok(read(row)))?;
        rows.map(|row| row?).collect()
    }

    /// Changes what is set about a machine, its name included; see
    /// [`Self::change_settings`]. None if there is no such device.
    pub fn change_device(
        &self,
        id: &DeviceId,
        change: impl FnOnce(&mut DeviceSettings) -> Result<(), SettingsError>,
        expected: Option<&[u64]>,
        audit: AuditLine<'_>,
    ) -> Result<Option<Changed<DeviceSettings>>, SettingsError> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let Some(before) = stored(&transaction, id)? else {
            return Ok(None);
        };
        let changed = revise(before, change, expected)?;
        if !changed.is_change() {
            return Ok(Some(changed));
        }
        let after = &changed.after;
        after.check().map_err(SettingsError::Value)?;
        if after.alerting.uplink != changed.before.alerting.uplink {
            check_uplink(&transaction, after)?;
        }
        transaction.execute(
            "UPDATE device SET name = ? WHERE id = ?",
            params![after.name, id.as_str()],
        )?;
        transaction.execute(
            "INSERT OR REPLACE INTO device_setting (device, revision, alerting, agent)
             VALUES (?, ?, ?, ?)",
            params![
                id.as_str(),
                stored_revision(after),
                serde_json::json!(after.alerting).to_string(),
                serde_json::json!(after.agent).to_string(),
            ],
        )?;
        write_audit(&transaction, audit, ("device", id.as_str()), &changed)?;
        transaction.commit()?;
        Ok(Some(changed))
    }
}

/// Whether the uplink is there, and does not hang behind the device itself.
fn check_uplink(connection: &Connection, device: &DeviceSettings) -> Result<(), SettingsError> {
    let mut next = device.alerting.uplink.clone();
    let mut is_first = true;
    // What was stored has no circle, and this stops at the device itself.
    while let Some(uplink) = next {
        if uplink == device.id {
            let text = if is_first {
                format!("{uplink} cannot be its own uplink: name the device that it hangs behind")
            } else {
                format!(
                    "{} cannot hang behind a device that hangs behind it: take that uplink away \
                     first",
                    device.id
                )
            };
            return Err(SettingsError::Value(text));
        }
        next = match stored(connection, &uplink)? {
            Some(settings) => settings.alerting.uplink,
            None if is_first => {
                let text = format!("there is no device {uplink}: uplink is the id of another one");
                return Err(SettingsError::Value(text));
            }
            // It was removed.
            None => None,
        };
        is_first = false;
    }
    Ok(())
}

fn stored(connection: &Connection, id: &DeviceId) -> Result<Option<DeviceSettings>, StoreError> {
    let mut statement = connection.prepare_cached(&format!("{SELECT} WHERE id = ?"))?;
    let found = statement.query_row([id.as_str()], |row| Ok(read(row)));
    found.optional()?.transpose()
}

fn read(row: &Row<'_>) -> Result<DeviceSettings, StoreError> {
    let id: String = row.get(0)?;
    let damaged = || StoreError::Damaged {
        what: "the settings of a device",
    };
    let text = |column| row.get::<_, Option<String>>(column);
    let mut alerting: DeviceAlerting = match text(3)? {
        Some(json) => serde_json::from_str(&json).map_err(|_| damaged())?,
        None => DeviceAlerting::default(),
    };
    alerting.revision = row.get::<_, Option<u64>>(2)?.unwrap_or_default();
    Ok(DeviceSettings {
        id: super::devices::stored_id(&id)?,
        name: row.get(1)?,
        alerting,
        agent: match text(4)? {
            Some(json) => serde_json::from_str(&json).map_err(|_| damaged())?,
            None => Settings::default(),
        },
    })
}

#[cfg(test)]
mod tests {
    use netmonitor_protocol::RuleKind;
    use netmonitor_protocol::payload::RuleSettings;

    use super::*;
    use crate::hub::settings::tests::audit;
    use crate::hub::{STEPS, temporary};
    use crate::migrate;

    fn add(db: &HubDb, ids: &[&str]) {
        for id in ids {
            let sql = "INSERT INTO device VALUES (?1, upper(?1), '', 0)";
            db.lock().execute(sql, [id]).unwrap();
        }
    }

    fn id(text: &str) -> DeviceId {
        text.parse().unwrap()
    }

    fn change(
        db: &HubDb,
        device: &str,
        change: impl FnOnce(&mut DeviceSettings),
    ) -> Result<Option<Changed<DeviceSettings>>, SettingsError> {
        let change = |settings: &mut DeviceSettings| {
            change(settings);
            Ok(())
        };
        db.change_device(&id(device), change, None, audit())
    }

    fn hang(db: &HubDb, device: &str, uplink: &str) -> Result<(), String> {
        change(db, device, |it| it.alerting.uplink = Some(id(uplink)))
            .map(drop)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_set_about_a_device_counts_its_name_and_goes_with_it() {
        let (_directory, db) = temporary();
        add(&db, &["ws"]);
        let before = db.device_settings(&id("ws")).unwrap().unwrap();
        assert_eq!((before.revision(), before.name.as_str()), (0, "WS"));
        let renamed = change(&db, "ws", |it| it.name = "Desk 14".to_owned());
        assert_eq!(renamed.unwrap().unwrap().after.revision(), 1);
        let set = change(&db, "ws", |it| {
            let rule = RuleSettings {
                limit: Some(80.0),
                ..RuleSettings::default()
            };
            it.alerting.rules.insert(RuleKind::Cpu, rule);
            it.agent.interval_secs = Some(5.0);
        });
        let after = set.unwrap().unwrap().after;
        assert_eq!(after.revision(), 2);
        assert_eq!(db.all_device_settings().unwrap(), [after]);
        assert_eq!(db.devices().unwrap()[0].name, "Desk 14");
        let lines = "SELECT group_concat(details ->> '$.before.name') FROM audit
                     WHERE action = 'settings_changed' AND details ->> '$.device' = 'ws'";
        let lines: String = db.lock().query_row(lines, [], |row| row.get(0)).unwrap();
        assert_eq!(lines, "WS,Desk 14");

        db.remove_device(&id("ws"), audit()).unwrap();
        assert_eq!(db.device_settings(&id("ws")).unwrap(), None);
        let sql = "SELECT count(*) FROM device_setting";
        let left: i64 = db.lock().query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(left, 0);
        assert!(change(&db, "ws", |_| ()).unwrap().is_none());
    }

    #[test]
    fn an_uplink_is_another_device_that_does_not_hang_behind_this_one() {
        let (_directory, db) = temporary();
        add(&db, &["switch", "router", "ws"]);
        let check = |result: Result<(), String>, part: &str| {
            let text = result.unwrap_err();
            assert!(text.contains(part), "{text}");
        };
        check(hang(&db, "ws", "nobody"), "there is no device nobody");
        check(hang(&db, "ws", "ws"), "its own uplink");
        assert_eq!(hang(&db, "ws", "switch"), Ok(()));
        assert_eq!(hang(&db, "switch", "router"), Ok(()));
        check(hang(&db, "router", "ws"), "hangs behind it");
        // What is behind a device that is gone can be set all the same.
        db.remove_device(&id("router"), audit()).unwrap();
        assert_eq!(hang(&db, "ws", "switch"), Ok(()));
        change(&db, "switch", |it| it.alerting.always_on = true).unwrap();
    }

    #[test]
    fn what_an_agent_cannot_do_is_refused() {
        let (_directory, db) = temporary();
        add(&db, &["ws"]);
        let check = |set: fn(&mut DeviceSettings), part: &str| {
            let text = change(&db, "ws", set).unwrap_err().to_string();
            assert!(text.contains(part), "{text}");
        };
        check(
            |it| it.agent.interval_secs = Some(0.5),
            "interval_secs is 0.5: give 1 to 3600",
        );
        check(
            |it| it.agent.watched_services = Some(vec!["x".to_owned(); 257]),
            "at most 256",
        );
        check(
            |it| it.agent.watched_services = Some(vec![String::new()]),
            "no name of a service",
        );
        check(|it| it.name = " ".to_owned(), "1 to 64 characters");
        check(|it| it.alerting.groups = vec!["x".repeat(33)], "1 to 32");
    }

    #[test]
    fn a_hub_of_before_knows_its_devices_and_has_nothing_set_about_them() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("hub.db");
        let old = migrate::open(&path, &STEPS[..3]).unwrap();
        old.execute("INSERT INTO device VALUES ('ws', 'WS', '', 0)", [])
            .unwrap();
        drop(old);
        let settings = HubDb::open(&path).unwrap().all_device_settings().unwrap();
        assert_eq!(settings.len(), 1);
        assert_eq!(settings[0].alerting, DeviceAlerting::default());
    }
}
