//! Numbers of devices, sessions and series in the database, remembered by the writer so that
//! storing a sample needs no look-up.

use std::collections::HashMap;
use std::sync::Arc;

use netmonitor_protocol::{DeviceId, SessionId};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::received::signed;
use super::rollup::SeriesId;
use super::sample::Layout;

/// Sessions and layouts are remembered up to this number, so that years of restarts do not add
/// up.
const REMEMBERED: usize = 4096;

/// Layouts are remembered up to this size, in bytes: with more, all are looked up anew.
const LAYOUT_BYTES: usize = 4 << 20;

/// Series are remembered up to this number; the same.
const SERIES: usize = 1 << 16;

/// What was looked up before.
#[derive(Debug, Default)]
pub(super) struct Names {
    devices: HashMap<DeviceId, i64>,
    sessions: HashMap<(i64, SessionId), i64>,
    series: HashMap<String, SeriesId>,
    layouts: HashMap<Arc<Layout>, Arc<[SeriesId]>>,
    /// What their names take in memory.
    layout_bytes: usize,
}

impl Names {
    /// The number of a device, which gets one if it has none.
    pub(super) fn device(
        &mut self,
        connection: &Connection,
        id: &DeviceId,
    ) -> rusqlite::Result<i64> {
        if let Some(number) = self.devices.get(id) {
            return Ok(*number);
        }
        connection.execute(
            "INSERT OR IGNORE INTO device (name) VALUES (?)",
            [id.as_str()],
        )?;
        let sql = "SELECT id FROM device WHERE name = ?";
        let number = connection.query_row(sql, [id.as_str()], |row| row.get(0))?;
        self.devices.insert(id.clone(), number);
        Ok(number)
    }

    /// The number of a session, which gets one if it has none. Its first sample is of this time,
    /// and its agent has `oldest` and what comes after it.
    ///
    /// Of a device of which nothing older is stored, what comes before `oldest` was acknowledged
    /// by another history, or by none: it is not expected. Nobody can tell so when the history is
    /// an old copy: then it is missing, as the rest of what came since.
    pub(super) fn session(
        &mut self,
        connection: &Connection,
        device: i64,
        session: SessionId,
        at: i64,
        oldest: u64,
    ) -> rusqlite::Result<i64> {
        if let Some(number) = self.sessions.get(&(device, session)) {
            return Ok(*number);
        }
        let text = session.to_string();
        connection.execute(
            "INSERT OR IGNORE INTO session (device, session, newest, first)
             VALUES (?1, ?2, ?3, CASE
                 WHEN EXISTS (SELECT 1 FROM session WHERE device = ?1 AND newest < ?3) THEN 1
                 ELSE ?4
             END)",
            params![device, text, at, signed(oldest)],
        )?;
        let sql = "SELECT id FROM session WHERE device = ? AND session = ?";
        let number = connection.query_row(sql, params![device, text], |row| row.get(0))?;
        if self.sessions.len() >= REMEMBERED {
            self.sessions.clear();
        }
        self.sessions.insert((device, session), number);
        Ok(number)
    }

    /// Whether a session was looked up, as far as is remembered.
    pub(super) fn knows(&self, session: i64) -> bool {
        self.sessions.values().any(|number| *number == session)
    }

    /// The numbers of the series of a layout.
    pub(super) fn layout(
        &mut self,
        connection: &Connection,
        layout: &Arc<Layout>,
    ) -> rusqlite::Result<Arc<[SeriesId]>> {
        if let Some(known) = self.layouts.get(layout) {
            return Ok(known.clone());
        }
        let series: rusqlite::Result<Vec<SeriesId>> = layout
            .names()
            .iter()
            .map(|name| self.series(connection, name))
            .collect();
        let series: Arc<[SeriesId]> = series?.into();
        if self.layouts.len() >= REMEMBERED || self.layout_bytes >= LAYOUT_BYTES {
            self.layouts.clear();
            self.layout_bytes = 0;
        }
        self.layout_bytes += layout.bytes();
        self.layouts.insert(layout.clone(), series.clone());
        Ok(series)
    }

    /// The number of a series, which gets one if it has none.
    pub(super) fn series(
        &mut self,
        connection: &Connection,
        name: &str,
    ) -> rusqlite::Result<SeriesId> {
        if let Some(number) = self.series.get(name) {
            return Ok(*number);
        }
        connection.execute("INSERT OR IGNORE INTO series (name) VALUES (?)", [name])?;
        let sql = "SELECT id FROM series WHERE name = ?";
        let number = connection.query_row(sql, [name], |row| row.get(0))?;
        if self.series.len() >= SERIES {
            self.series.clear();
        }
        self.series.insert(name.to_owned(), number);
        Ok(number)
    }
}

/// All series by number.
pub(super) fn all_series(connection: &Connection) -> rusqlite::Result<HashMap<SeriesId, String>> {
    let mut statement = connection.prepare_cached("SELECT id, name FROM series")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// The number of the series that is stored under this name.
pub(super) fn find_series(
    connection: &Connection,
    name: &str,
) -> rusqlite::Result<Option<SeriesId>> {
    connection
        .prepare_cached("SELECT id FROM series WHERE name = ?")?
        .query_row([name], |row| row.get(0))
        .optional()
}

/// The name under which a series is stored.
pub(super) fn name_of_series(
    connection: &Connection,
    id: SeriesId,
) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT name FROM series WHERE id = ?")?
        .query_row([id], |row| row.get(0))
        .optional()
}

/// The largest number of a series; 0 if there is none.
pub(super) fn last_series(connection: &Connection) -> rusqlite::Result<SeriesId> {
    connection
        .prepare_cached("SELECT coalesce(max(id), 0) FROM series")?
        .query_row([], |row| row.get(0))
}

/// All devices: number and id.
pub(super) fn all_devices(connection: &Connection) -> rusqlite::Result<Vec<(i64, String)>> {
    let mut statement = connection.prepare_cached("SELECT id, name FROM device ORDER BY id")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// The number of a device, if anything of it is stored.
pub(super) fn find_device(connection: &Connection, id: &DeviceId) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT id FROM device WHERE name = ?")?
        .query_row([id.as_str()], |row| row.get(0))
        .optional()
}
