//! Whether the history is what was stored.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use jiff::Timestamp;
use rusqlite::Connection;

use super::chunk::Chunk;
use super::keys::{self, HOUR_MS, Tier};
use super::received::{self, Numbers};
use super::{STEPS, names};
use crate::{StoreError, migrate, time};

/// What a look at the whole history has found.
#[derive(Debug, Default)]
pub struct Report {
    /// Samples that are sound.
    pub samples: u64,
    /// Chunks that are sound, those of points included.
    pub chunks: u64,
    /// What is not sound.
    pub findings: Vec<Finding>,
}

/// Something that is damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// SQLite says that the file itself is damaged.
    File(String),
    /// A chunk cannot be read, or not all of it: what it holds is lost.
    Chunk {
        /// Whose; none if not even that is known.
        device: Option<String>,
        /// Samples or points of which length: `hour`, `day`, `five minutes`, `two hours`, `tail`.
        tier: &'static str,
        /// When it begins.
        from: Timestamp,
    },
    /// Samples are there more than once.
    Twice {
        /// Whose.
        device: Option<String>,
        /// How many.
        samples: u64,
    },
    /// Samples are there that are not in the list of those that are stored.
    Unlisted {
        /// Whose.
        device: Option<String>,
        /// How many.
        samples: u64,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |device: &Option<String>| device.clone().unwrap_or_else(|| "?".to_owned());
        match self {
            Self::File(error) => write!(f, "the file is damaged: {error}"),
            Self::Chunk { device, tier, from } => {
                write!(f, "{}: the {tier} from {from} on is damaged", name(device))
            }
            Self::Twice { device, samples } => {
                write!(f, "{}: {samples} samples are stored twice", name(device))
            }
            Self::Unlisted { device, samples } => write!(
                f,
                "{}: {samples} samples are stored and not listed as such",
                name(device)
            ),
        }
    }
}

/// Reads the whole history beside its writer and checks every checksum. None if there is no
/// file.
pub fn verify(path: &Path) -> Result<Option<Report>, StoreError> {
    let Some(connection) = migrate::open_read_only(path, STEPS)? else {
        return Ok(None);
    };
    let mut report = Report::default();
    let snapshot = connection.unchecked_transaction()?;
    report.check_file(&snapshot)?;
    let devices: HashMap<i64, String> = names::all_devices(&snapshot)?.into_iter().collect();
    let mut found: HashMap<i64, HashMap<i64, Numbers>> = HashMap::new();
    let mut twice: HashMap<i64, u64> = HashMap::new();
    let mut note = |device: i64, chunk: &Chunk| {
        let sessions = found.entry(device).or_default();
        for (session, seq) in chunk.identities() {
            let numbers = sessions.entry(session).or_default();
            if numbers.contains(&seq) {
                *twice.entry(device).or_default() += 1;
            }
            numbers.insert(seq..=seq);
        }
    };
    report.check_tail(&snapshot, &devices, &mut note)?;
    report.check_chunks(&snapshot, &devices, &mut note)?;
    for (device, samples) in twice {
        let device = devices.get(&device).cloned();
        report.findings.push(Finding::Twice { device, samples });
    }
    report.check_lists(&snapshot, &devices, &found)?;
    Ok(Some(report))
}

impl Report {
    fn check_file(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let mut statement = connection.prepare("PRAGMA integrity_check(20)")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let said: String = row.get(0)?;
            if said != "ok" {
                self.findings.push(Finding::File(said));
            }
        }
        Ok(())
    }

    fn check_tail(
        &mut self,
        connection: &Connection,
        devices: &HashMap<i64, String>,
        note: &mut impl FnMut(i64, &Chunk),
    ) -> Result<(), StoreError> {
        let mut statement = connection.prepare("SELECT id, hour, data FROM tail")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let device = keys::device_of_tail(row.get(0)?);
            let from = row.get::<_, i64>(1)? * HOUR_MS;
            let data = row.get_ref(2)?.as_blob().unwrap_or_default();
            if let Some(chunk) = self.check_chunk(data, devices.get(&device), "tail", from) {
                self.samples += chunk.times.len() as u64;
                note(device, &chunk);
            }
        }
        Ok(())
    }

    fn check_chunks(
        &mut self,
        connection: &Connection,
        devices: &HashMap<i64, String>,
        note: &mut impl FnMut(i64, &Chunk),
    ) -> Result<(), StoreError> {
        let mut statement = connection.prepare("SELECT id, first, data FROM chunk")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let key = row.get(0)?;
            let (device, tier) = keys::owner_of_chunk(key);
            let name = match tier {
                Some(Tier::Hour) => "hour",
                Some(Tier::Day) => "day",
                Some(Tier::FiveMinutes) => "five minutes",
                Some(Tier::TwoHours) => "two hours",
                None => "unknown",
            };
            let (from, data) = (row.get(1)?, row.get_ref(2)?);
            let data = data.as_blob().unwrap_or_default();
            let Some(chunk) = self.check_chunk(data, devices.get(&device), name, from) else {
                continue;
            };
            self.chunks += 1;
            if matches!(tier, Some(Tier::Hour | Tier::Day)) {
                self.samples += chunk.times.len() as u64;
                note(device, &chunk);
            }
        }
        Ok(())
    }

    fn check_chunk(
        &mut self,
        data: &[u8],
        device: Option<&String>,
        tier: &'static str,
        from: i64,
    ) -> Option<Chunk> {
        let chunk = Chunk::decode(data).ok();
        if chunk.is_none() {
            self.findings.push(Finding::Chunk {
                device: device.cloned(),
                tier,
                from: time::from_ms(from),
            });
        }
        chunk
    }

    /// Each stored sample must be listed, or it could be stored again. Not the other way round:
    /// old samples go, and stay listed.
    fn check_lists(
        &mut self,
        connection: &Connection,
        devices: &HashMap<i64, String>,
        found: &HashMap<i64, HashMap<i64, Numbers>>,
    ) -> Result<(), StoreError> {
        let mut in_tail: HashMap<i64, Numbers> = HashMap::new();
        let mut statement = connection.prepare("SELECT data FROM tail")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let data = row.get_ref(0)?.as_blob().unwrap_or_default();
            for (session, seq) in Chunk::decode(data).iter().flat_map(Chunk::identities) {
                in_tail.entry(session).or_default().insert(seq..=seq);
            }
        }
        for (device, sessions) in found {
            let mut unlisted = 0;
            for (session, numbers) in sessions {
                let mut listed = received::read(connection, *session)?;
                if let Some(tail) = in_tail.get(session) {
                    listed.extend(tail.iter().cloned());
                }
                let stored = numbers.iter();
                unlisted += stored
                    .flat_map(|run| listed.gaps(run))
                    .map(|gap| gap.end() - gap.start() + 1)
                    .sum::<u64>();
            }
            if unlisted > 0 {
                self.findings.push(Finding::Unlisted {
                    device: devices.get(device).cloned(),
                    samples: unlisted,
                });
            }
        }
        Ok(())
    }
}
