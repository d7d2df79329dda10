//! Reading the history, beside its writer.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use netmonitor_protocol::{DeviceId, SessionId};
use rusqlite::Connection;

use super::overview::{Overview, overview};
use super::{
    Columns, EventFilter, NewSample, Query, STEPS, StoredEvent, events, names, query, tail,
    unstored,
};
use crate::{StoreError, migrate};

/// The history, open for reading. There may be no file yet: then there is no history.
#[derive(Debug)]
pub struct HistoryReader {
    path: PathBuf,
    connection: Mutex<Option<Connection>>,
}

/// What is known of one start of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSession {
    /// Which.
    pub session: SessionId,
    /// First and last number of each run of samples that are stored, both included, ascending.
    pub ranges: Vec<(u64, u64)>,
    /// Samples that will never come.
    pub lost: u64,
}

impl HistoryReader {
    /// Nothing is opened before the first question: ingest makes the file.
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            connection: Mutex::default(),
        }
    }

    /// Samples of one device, as many points as asked for: of what is stored, and of `recent`
    /// samples of that device that may be stored or not. With no more samples than points, they
    /// come as they were measured.
    pub fn columns(&self, query: &Query, recent: &[NewSample]) -> Result<Columns, StoreError> {
        let columns = self.with(|connection| query::columns(connection, query, recent))?;
        match columns {
            Some(columns) => Ok(columns),
            // No file yet: as if there were an empty one.
            None => query::columns(&migrate::open_in_memory(STEPS)?, query, recent),
        }
    }

    /// Which samples of a device are stored, and how many will never come, by session.
    pub fn sessions(&self, device: &DeviceId) -> Result<Vec<StoredSession>, StoreError> {
        let sessions = self.with(|connection| sessions(connection, device))?;
        Ok(sessions.unwrap_or_default())
    }

    /// How many samples of a device are missing for good: they could not be kept.
    pub fn lost(&self, device: &DeviceId) -> Result<u64, StoreError> {
        let sql = "SELECT coalesce(sum(lost), 0) FROM session
                   WHERE device = (SELECT id FROM device WHERE name = ?)";
        let lost = self.with(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            Ok(statement.query_row([device.as_str()], |row| row.get(0))?)
        })?;
        Ok(lost.unwrap_or_default())
    }

    /// How large the history is.
    pub fn overview(&self) -> Result<Option<Overview>, StoreError> {
        self.with(|connection| Ok(overview(connection)?))
    }

    /// Lines of the log, the newest first.
    pub fn events(&self, filter: &EventFilter) -> Result<Vec<StoredEvent>, StoreError> {
        let events = self.with(|connection| events::select(connection, filter))?;
        Ok(events.unwrap_or_default())
    }

    fn with<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut connection: MutexGuard<'_, Option<Connection>> = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if connection.is_none() {
            *connection = migrate::open_read_only(&self.path, STEPS)?;
        }
        connection.as_ref().map(read).transpose()
    }
}

fn sessions(connection: &Connection, device: &DeviceId) -> Result<Vec<StoredSession>, StoreError> {
    let snapshot = connection.unchecked_transaction()?;
    let Some(number) = names::find_device(&snapshot, device)? else {
        return Ok(Vec::new());
    };
    let hours = &(0..=0);
    let tail = tail::of_device(&snapshot, number, hours, true, |_| false, &mut 0)?;
    let stored = unstored::stored(&snapshot, number, &tail.origins, |_| true)?;
    let sql = "SELECT lost FROM session WHERE device = ? AND session = ?";
    let mut lost = snapshot.prepare_cached(sql)?;
    let sessions = stored.into_iter().map(|(session, numbers)| {
        Ok(StoredSession {
            session,
            ranges: numbers
                .iter()
                .map(|run| (*run.start(), *run.end()))
                .collect(),
            lost: lost.query_row((number, session.to_string()), |row| row.get(0))?,
        })
    });
    sessions.collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use std::collections::BTreeMap;

    use netmonitor_protocol::SessionId;
    use netmonitor_protocol::payload::{Cpu, Event, EventKind, Memory, Metrics, Severity};

    use super::*;
    use crate::history::{HistoryWriter, Layouts, NewSample};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn sample(device: &str, seq: u64, second: i64, cpu: f64) -> NewSample {
        let metrics = Metrics {
            uptime_secs: 1,
            cpu: Cpu {
                usage_percent: cpu,
                ..Cpu::default()
            },
            memory: Memory {
                total_bytes: 1000,
                used_bytes: 250,
                ..Memory::default()
            },
            ..Metrics::blank(SessionId(1), seq, at(second))
        };
        let device = device.parse().unwrap();
        NewSample::new(device, at(second), &metrics, &mut Layouts::default())
    }

    fn open(folder: &Path) -> (HistoryWriter, HistoryReader) {
        let path = folder.join("monitor.db");
        let writer = HistoryWriter::open(&path).unwrap();
        (writer, HistoryReader::new(&path))
    }

    fn query(device: &str, series: &[&str]) -> Query {
        Query {
            device: device.parse().unwrap(),
            series: series.iter().map(ToString::to_string).collect(),
            from: at(0),
            to: at(100),
            points: 500,
        }
    }

    #[test]
    fn a_reader_without_a_file_has_no_history() {
        let folder = tempfile::tempdir().unwrap();
        let reader = HistoryReader::new(&folder.path().join("monitor.db"));
        assert_eq!(
            reader.columns(&query("ws", &[]), &[]).unwrap(),
            Columns::default()
        );
        assert_eq!(reader.events(&EventFilter::default()).unwrap(), []);
    }

    #[test]
    fn samples_are_stored_once_and_read_by_device_time_and_name() {
        let folder = tempfile::tempdir().unwrap();
        let (mut writer, reader) = open(folder.path());
        let samples = [
            sample("ws", 1, 10, 12.3),
            sample("ws", 2, 13, 45.6),
            sample("nas", 1, 10, 99.0),
            sample("ws", 3, 200, 1.0),
        ];
        assert_eq!(writer.commit(&samples, &[]).unwrap().stored, 4);
        assert_eq!(writer.commit(&samples, &[]).unwrap().stored, 0);
        // The same sample is the same one, even when it is placed at another time.
        assert_eq!(
            writer
                .commit(&[sample("ws", 1, 11, 12.3)], &[])
                .unwrap()
                .stored,
            0
        );

        let columns = reader.columns(&query("ws", &[]), &[]).unwrap();
        assert_eq!(
            columns.times,
            [at(10), at(13)].map(Timestamp::as_millisecond)
        );
        assert_eq!(columns.series["cpu"].mean, [Some(12.3), Some(45.6)]);
        assert_eq!(columns.series["ram"].mean, [Some(25.0), Some(25.0)]);
        let columns = reader.columns(&query("ws", &["cpu"]), &[]).unwrap();
        assert_eq!(columns.series.keys().collect::<Vec<_>>(), ["cpu"]);
        assert_eq!(
            reader.columns(&query("nobody", &[]), &[]).unwrap().times,
            [] as [i64; 0]
        );
    }

    #[test]
    fn a_second_writer_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (_writer, _reader) = open(folder.path());
        let second = HistoryWriter::open(&folder.path().join("monitor.db"));
        assert!(matches!(second, Err(StoreError::Locked { .. })));
    }

    #[test]
    fn events_come_newest_first_and_page_by_page() {
        let folder = tempfile::tempdir().unwrap();
        let (mut writer, reader) = open(folder.path());
        let event = |device: Option<&str>, second| Event {
            time: at(second),
            kind: EventKind::Other("of_tomorrow".to_owned()),
            severity: Severity::Warning,
            device: device.map(|id| id.parse().unwrap()),
            actor: None,
            parameters: BTreeMap::from([("n".to_owned(), second.to_string())]),
        };
        let events = [event(None, 1), event(Some("ws"), 2), event(None, 3)];
        writer.commit(&[], &events).unwrap();
        let page = |device: Option<&str>, before| {
            let filter = EventFilter {
                device: device.map(|id| id.parse().unwrap()),
                before,
                limit: 2,
                ..EventFilter::default()
            };
            reader.events(&filter).unwrap()
        };
        let first = page(None, None);
        assert_eq!(first.len(), 2);
        assert_eq!(first[0].event, events[2]);
        let second = page(None, Some(first[1].id));
        assert_eq!(second.len(), 1);
        assert_eq!(second[0].event, events[0]);
        let of_device = page(Some("ws"), None);
        assert_eq!(of_device.len(), 1);
        assert_eq!(of_device[0].event, events[1]);
    }
}
