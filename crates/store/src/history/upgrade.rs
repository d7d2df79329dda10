//! From version 1, which had a row per sample, to chunks.

use std::collections::{BTreeMap, HashMap};

use integer_encoding::VarInt as _;
use rusqlite::Transaction;

use super::chunk::Chunk;
use super::column::Column;
use super::keys::{self, Tier, hour_of};
use super::names::Names;
use super::origins;
use super::received::{Numbers, Received};
use super::rollup::{SeriesId, column_of};
use super::upkeep::insert_chunk;
use crate::StoreError;

/// Moves all samples into chunks of hours, and removes the tables of version 1.
pub(super) fn samples_to_chunks(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    transaction.execute_batch(
        "INSERT INTO session (id, device, session, newest)
         SELECT old_session.id, device, old_session.session, ifnull(newest, 0)
         FROM old_session LEFT JOIN
             (SELECT session AS id, max(at) AS newest FROM old_sample GROUP BY session) AS its
             ON its.id = old_session.id",
    )?;
    let layouts = layouts(transaction)?;
    let mut hour = Hour::default();
    let mut stored: HashMap<i64, Numbers> = HashMap::new();
    let sql =
        "SELECT device, at, session, seq, layout, numbers FROM old_sample ORDER BY device, at";
    let mut statement = transaction.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (device, at, session): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let seq = row.get(3)?;
        if (hour.device, hour.begin) != (device, hour_of(at)) {
            hour.finish(transaction)?;
            hour = Hour {
                device,
                begin: hour_of(at),
                ..Hour::default()
            };
        }
        let layout: i64 = row.get(4)?;
        let series = layouts.get(&layout).map(Vec::as_slice).unwrap_or_default();
        let numbers = decode(row.get_ref(5)?.as_blob().unwrap_or_default());
        hour.add(at, (session, seq), series.iter().copied().zip(numbers));
        stored.entry(session).or_default().insert(seq..=seq);
    }
    hour.finish(transaction)?;
    Received::default().seal(transaction, &stored)?;
    drop(rows);
    drop(statement);
    transaction
        .execute_batch("DROP TABLE old_sample; DROP TABLE old_session; DROP TABLE old_layout;")?;
    Ok(())
}

/// The series of each layout, by their new numbers.
fn layouts(transaction: &Transaction<'_>) -> Result<HashMap<i64, Vec<SeriesId>>, StoreError> {
    let mut names = Names::default();
    let mut layouts = HashMap::new();
    let mut statement = transaction.prepare("SELECT id, series FROM old_layout")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let json: String = row.get(1)?;
        let series: Vec<String> =
            serde_json::from_str(&json).map_err(|_| StoreError::Damaged { what: "a layout" })?;
        let series: rusqlite::Result<Vec<SeriesId>> = series
            .iter()
            .map(|name| names.series(transaction, name))
            .collect();
        layouts.insert(row.get(0)?, series?);
    }
    Ok(layouts)
}

/// An hour of a device in the making.
#[derive(Debug, Default)]
struct Hour {
    device: i64,
    begin: i64,
    chunk: Chunk,
    columns: BTreeMap<SeriesId, Column>,
}

impl Hour {
    fn add(
        &mut self,
        at: i64,
        (session, seq): (i64, u64),
        numbers: impl Iterator<Item = (SeriesId, i64)>,
    ) {
        let index = self.chunk.times.len();
        self.chunk.times.push(at);
        origins::push(&mut self.chunk.origins, session, seq);
        for (series, number) in numbers {
            self.columns
                .entry(series)
                .or_default()
                .push_at(index, number);
        }
    }

    fn finish(&mut self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        if self.chunk.times.is_empty() {
            return Ok(());
        }
        let columns = std::mem::take(&mut self.columns).into_iter();
        self.chunk.columns = columns
            .map(|(id, column)| (column_of(id), column))
            .collect();
        let key = keys::chunk(self.device, Tier::Hour, self.begin, 0);
        insert_chunk(transaction, key, &self.chunk)
    }
}

/// The numbers of one sample: zigzag LEB128, one after another.
fn decode(mut bytes: &[u8]) -> Vec<i64> {
    let mut numbers = Vec::with_capacity(bytes.len() / 2);
    while let Some((number, length)) = i64::decode_var(bytes) {
        numbers.push(number);
        bytes = bytes.get(length..).unwrap_or_default();
    }
    numbers
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rusqlite::{Connection, params};

    use super::*;
    use crate::history::{HistoryReader, HistoryWriter, Query, STEPS};
    use crate::migrate;

    fn schema(path: &Path) -> Vec<(String, String)> {
        let connection = Connection::open(path).unwrap();
        let sql = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name";
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// What version 1 wrote: two devices, two hours, a layout that changes.
    fn old_database(path: &Path) {
        let connection = migrate::open(path, &STEPS[..1]).unwrap();
        let mut numbers = Vec::new();
        for number in [123_i64, -5, 70_000] {
            numbers.extend(number.encode_var_vec());
        }
        connection
            .execute_batch(
                "INSERT INTO device (id, name) VALUES (1, 'ws'), (2, 'nas');
                 INSERT INTO session VALUES (1, 1, '00000000000000aa'), (2, 2, '00000000000000bb');
                 INSERT INTO layout VALUES (1, '[\"cpu\",\"temp:a\",\"rx:eth0\"]'), (2, '[\"cpu\"]');
                 INSERT INTO event (at, kind, severity, parameters) VALUES (5, 'x', 'info', '{}');",
            )
            .unwrap();
        let mut insert = connection
            .prepare("INSERT INTO sample VALUES (?, ?, ?, ?, ?, ?)")
            .unwrap();
        for seq in 1..=100_i64 {
            let at = 1_800_000_000_000 + seq * 60_000;
            let layout = if seq == 50 { 2 } else { 1 };
            insert
                .execute(params![1, at, 1, seq, layout, &numbers])
                .unwrap();
            insert
                .execute(params![2, at, 2, seq * 2, 2, &numbers[..2]])
                .unwrap();
        }
    }

    #[test]
    fn an_upgraded_database_has_the_schema_of_a_fresh_one() {
        let folder = tempfile::tempdir().unwrap();
        let (old, fresh) = (folder.path().join("old.db"), folder.path().join("fresh.db"));
        old_database(&old);
        drop(HistoryWriter::open(&old).unwrap());
        drop(HistoryWriter::open(&fresh).unwrap());
        assert_eq!(schema(&old), schema(&fresh));
    }

    #[test]
    fn an_upgraded_database_has_all_samples_and_knows_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("monitor.db");
        old_database(&path);
        let writer = HistoryWriter::open(&path).unwrap();
        let reader = HistoryReader::new(&path);
        let query = |device: &str| Query {
            device: device.parse().unwrap(),
            series: Vec::new(),
            from: "2027-01-01T00:00:00Z".parse().unwrap(),
            to: "2027-02-01T00:00:00Z".parse().unwrap(),
            points: 500,
        };
        let columns = reader.columns(&query("ws"), &[]).unwrap();
        assert_eq!(columns.times.len(), 100);
        assert_eq!(columns.series["cpu"].mean, [Some(12.3)].repeat(100));
        assert_eq!(columns.series["temp:a"].mean[48..50], [Some(-0.5), None]);
        assert_eq!(columns.series["rx:eth0"].mean[0], Some(70_000.0));
        assert_eq!(reader.columns(&query("nas"), &[]).unwrap().times.len(), 100);
        let sessions = reader.sessions(&"ws".parse().unwrap()).unwrap();
        assert_eq!(sessions[0].ranges, [(1, 100)]);
        let sql = "SELECT device, newest FROM session ORDER BY device";
        let connection = Connection::open(&path).unwrap();
        let mut statement = connection.prepare(sql).unwrap();
        let newest = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        let newest: Vec<(i64, i64)> = newest.unwrap().map(Result::unwrap).collect();
        let last = 1_800_000_000_000 + 100 * 60_000;
        assert_eq!(newest, [(1, last), (2, last)]);
        drop(writer);
    }
}
