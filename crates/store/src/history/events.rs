//! The log.

use jiff::Timestamp;
use netmonitor_protocol::DeviceId;
use netmonitor_protocol::payload::{Event, Severity};
use rusqlite::{Connection, Row, ToSql, Transaction, params, params_from_iter};

use crate::{StoreError, time};

/// So many lines are removed at once at most: others can write in between.
const REMOVED_AT_ONCE: u32 = 5000;

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
    /// Of these kinds only; none: of all.
    pub kinds: Vec<String>,
    /// Those that matter at least so much.
    pub severity: Option<Severity>,
    /// Not before this moment.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
    /// With this text in a parameter, or in the name of who did it. Latin letters in any case.
    pub text: Option<String>,
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

/// Removes some of the lines before a moment. None is left if fewer were removed than can be at once.
pub(super) fn remove_before(connection: &Connection, at: i64) -> rusqlite::Result<Removed> {
    let sql = "DELETE FROM event WHERE id IN
               (SELECT id FROM event WHERE at < ? ORDER BY at LIMIT ?)";
    removed(connection, sql, [at, REMOVED_AT_ONCE.into()])
}

/// Removes some of the oldest lines, if there are more than so many.
pub(super) fn keep_newest(connection: &Connection, most: u32) -> rusqlite::Result<Removed> {
    let lines: i64 = connection.query_row("SELECT count(*) FROM event", [], |row| row.get(0))?;
    let too_many = (lines - i64::from(most)).clamp(0, REMOVED_AT_ONCE.into());
    if too_many == 0 {
        return Ok(Removed::default());
    }
    let sql = "DELETE FROM event WHERE id IN
               (SELECT id FROM event ORDER BY id LIMIT min(?, ?))";
    removed(connection, sql, [too_many, REMOVED_AT_ONCE.into()])
}

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Removed {
    pub(super) lines: u64,
    /// There may be more to remove.
    pub(super) is_more: bool,
}

fn removed(connection: &Connection, sql: &str, values: [i64; 2]) -> rusqlite::Result<Removed> {
    let lines = connection.prepare_cached(sql)?.execute(values)? as u64;
    Ok(Removed {
        lines,
        is_more: lines == u64::from(REMOVED_AT_ONCE),
    })
}

pub(super) fn select(
    connection: &Connection,
    filter: &EventFilter,
) -> Result<Vec<StoredEvent>, StoreError> {
    let (sql, values) = question(filter);
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), read)?;
    rows.map(|row| row?).collect()
}

type Values = Vec<Box<dyn ToSql>>;

/// Unary plus keeps a column from being looked up in an index: where a filter by device or by kind
/// has found few lines, or all are read from the newest on, nothing is to be sorted.
fn question(filter: &EventFilter) -> (String, Values) {
    let mut sql =
        "SELECT id, at, kind, severity, device, actor, parameters FROM event WHERE id < ?"
            .to_owned();
    let mut values: Values = vec![Box::new(filter.before.unwrap_or(i64::MAX))];
    if let Some(device) = &filter.device {
        sql += " AND device = ?";
        values.push(Box::new(device.to_string()));
    }
    if let [kind] = filter.kinds.as_slice() {
        // One index is enough: that of the device gives fewer lines.
        let column = if filter.device.is_some() {
            "+kind"
        } else {
            "kind"
        };
        sql += " AND ";
        sql += column;
        sql += " = ?";
        values.push(Box::new(kind.clone()));
    } else if !filter.kinds.is_empty() {
        let places = vec!["?"; filter.kinds.len()].join(", ");
        sql += " AND +kind IN (";
        sql += &places;
        sql += ")";
        values.extend(
            filter
                .kinds
                .iter()
                .map(|it| -> Box<dyn ToSql> { Box::new(it.clone()) }),
        );
    }
    match filter.severity {
        Some(Severity::Warning) => sql += " AND severity != 'info'",
        Some(Severity::Critical) => sql += " AND severity NOT IN ('info', 'warning')",
        Some(Severity::Info | Severity::Unknown) | None => {}
    }
    if let Some(from) = filter.from {
        sql += " AND +at >= ?";
        values.push(Box::new(from.as_millisecond()));
    }
    if let Some(to) = filter.to {
        sql += " AND +at < ?";
        values.push(Box::new(to.as_millisecond()));
    }
    if let Some(text) = &filter.text {
        // The first look spares most lines the second, which takes the parameters apart.
        sql += r" AND (actor LIKE ? ESCAPE '\' OR (parameters LIKE ? ESCAPE '\' AND EXISTS
                 (SELECT 1 FROM json_each(parameters) WHERE value LIKE ? ESCAPE '\')))";
        let json = serde_json::to_string(text).unwrap_or_default();
        let json = json.trim_matches('"');
        for pattern in [pattern(text), pattern(json), pattern(text)] {
            values.push(Box::new(pattern));
        }
    }
    sql += " ORDER BY id DESC LIMIT ?";
    values.push(Box::new(filter.limit));
    (sql, values)
}

/// Whatever has this text in it.
fn pattern(text: &str) -> String {
    let mut pattern = "%".to_owned();
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern + "%"
}

fn read(row: &Row<'_>) -> rusqlite::Result<Result<StoredEvent, StoreError>> {
    let texts = [row.get::<_, String>(2)?, row.get(3)?, row.get(6)?];
    let names = [row.get::<_, Option<String>>(4)?, row.get(5)?];
    let id = row.get(0)?;
    let event = event(time::from_ms(row.get(1)?), texts, names);
    let event = event.ok_or(StoreError::Damaged { what: "an event" });
    Ok(event.map(|event| StoredEvent { id, event }))
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

#[cfg(test)]
mod tests;
