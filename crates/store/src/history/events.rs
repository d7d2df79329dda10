//! The log.

use jiff::Timestamp;
use netmonitor_protocol::DeviceId;
use netmonitor_protocol::payload::Event;
use rusqlite::{Connection, ToSql, Transaction, params};

use crate::{StoreError, time};

/// One line of the log, with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Ascending in the order of arrival.
    pub id: i64,
    /// The line.
    pub event: Event,
}

/// Which lines.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Of this device only.
    pub device: Option<DeviceId>,
    /// Before this number: the next page.
    pub before: Option<i64>,
    /// At most so many, the newest first.
    pub limit: u32,
}

pub(super) fn insert(transaction: &Transaction<'_>, event: &Event) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO event (at, kind, severity, device, actor, parameters)
             VALUES (?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            event.time.as_millisecond(),
            event.kind.as_str(),
            event.severity.as_str(),
            event.device.as_ref().map(DeviceId::as_str),
            event.actor,
            serde_json::to_string(&event.parameters).unwrap_or_else(|_| "{}".to_owned()),
        ])?;
    Ok(())
}

pub(super) fn select(
    connection: &Connection,
    filter: &EventFilter,
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut sql =
        "SELECT id, at, kind, severity, device, actor, parameters FROM event WHERE id < ?"
            .to_owned();
    let before = filter.before.unwrap_or(i64::MAX);
    let device = filter.device.as_ref().map(DeviceId::as_str);
    let mut values: Vec<&dyn ToSql> = vec![&before];
    if device.is_some() {
        sql += " AND device = ?";
        values.push(&device);
    }
    sql += " ORDER BY id DESC LIMIT ?";
    values.push(&filter.limit);
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(values.as_slice(), |row| {
        Ok((
            row.get(0)?,
            time::from_ms(row.get(1)?),
            [row.get::<_, String>(2)?, row.get(3)?, row.get(6)?],
            [row.get::<_, Option<String>>(4)?, row.get(5)?],
        ))
    })?;
    rows.map(|row| {
        let (id, time, texts, names) = row?;
        Ok(StoredEvent {
            id,
            event: event(time, texts, names).ok_or(StoreError::Damaged { what: "an event" })?,
        })
    })
    .collect()
}

fn event(
    time: Timestamp,
    [kind, severity, parameters]: [String; 3],
    [device, actor]: [Option<String>; 2],
) -> Option<Event> {
    use serde_json::{Value, from_str, from_value};
    Some(Event {
        time,
        kind: from_value(Value::String(kind)).ok()?,
        severity: from_value(Value::String(severity)).ok()?,
        device: device.map(|id| id.parse()).transpose().ok()?,
        actor,
        parameters: from_str(&parameters).ok()?,
    })
}
