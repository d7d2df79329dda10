//! Whether the history is what was stored.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use jiff::Timestamp;
use rusqlite::Connection;

use super::chunk::Chunk;
use super::found::Found;
use super::keys::{self, HOUR_MS, Tier};
use super::listing::{self, Table};
use super::received::{self, Numbers};
use super::{STEPS, names};
use crate::error::is_unreadable;
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
    let devices = names::all_devices(&snapshot)?.into_iter().collect();
    let mut contents = Contents {
        devices,
        ..Contents::default()
    };
    report.check_tail(&snapshot, &mut contents)?;
    report.check_chunks(&snapshot, &mut contents)?;
    for (device, samples) in &contents.twice {
        report.findings.push(Finding::Twice {
            device: contents.devices.get(device).cloned(),
            samples: *samples,
        });
    }
    report.check_lists(&snapshot, &contents)?;
    Ok(Some(report))
}

/// Which samples there are.
#[derive(Debug, Default)]
struct Contents {
    devices: HashMap<i64, String>,
    found: HashMap<i64, HashMap<i64, Numbers>>,
    in_tail: HashMap<i64, Numbers>,
    twice: HashMap<i64, u64>,
}

impl Contents {
    /// Where a chunk is, in words.
    fn place(&self, key: i64) -> String {
        let (device, tier) = keys::owner_of_chunk(key);
        let device = self.devices.get(&device).map_or("?", String::as_str);
        let from = time::from_ms(keys::hour_of_chunk(key) * HOUR_MS);
        format!("{device}'s {} from {from} on", name_of(tier))
    }

    fn note(&mut self, device: i64, chunk: &Chunk) {
        let sessions = self.found.entry(device).or_default();
        for (session, seq) in chunk.identities() {
            let numbers = sessions.entry(session).or_default();
            if numbers.contains(&seq) {
                *self.twice.entry(device).or_default() += 1;
            }
            numbers.insert(seq..=seq);
        }
    }
}

impl Report {
    fn check_file(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let mut statement = connection.prepare("PRAGMA integrity_check(20)")?;
        let mut rows = statement.query([])?;
        loop {
            let said: String = match rows.next() {
                Ok(Some(row)) => row.get(0)?,
                Ok(None) => return Ok(()),
                Err(error) if is_unreadable(&error) => {
                    self.findings.push(Finding::File(error.to_string()));
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            };
            if said != "ok" {
                self.findings.push(Finding::File(said));
            }
        }
    }

    fn check_tail(
        &mut self,
        connection: &Connection,
        contents: &mut Contents,
    ) -> Result<(), StoreError> {
        let listing = listing::list(connection, Table::Tail, &listing::ALL)?;
        if !listing.holes.is_empty() {
            let lost = "a page with samples of the last hours cannot be read".to_owned();
            self.findings.push(Finding::File(lost));
        }
        // On its own: it can be read where the samples cannot.
        let mut hour = connection.prepare("SELECT hour FROM tail WHERE id = ?")?;
        let mut read = connection.prepare("SELECT data FROM tail WHERE id = ?")?;
        for key in listing.keys {
            let device = keys::device_of_tail(key);
            let (Found::Sound(chunk), _) = Found::read(&mut read, key)? else {
                let hour = hour.query_row([key], |row| row.get(0))?;
                self.add_damaged(contents, device, "tail", hour);
                continue;
            };
            self.samples += chunk.times.len() as u64;
            contents.note(device, &chunk);
            for run in &chunk.origins {
                let numbers = contents.in_tail.entry(run.session).or_default();
                numbers.extend(run.numbers());
            }
        }
        Ok(())
    }

    fn check_chunks(
        &mut self,
        connection: &Connection,
        contents: &mut Contents,
    ) -> Result<(), StoreError> {
        let listing = listing::list(connection, Table::Chunk, &listing::ALL)?;
        for hole in &listing.holes {
            let (before, after) = (hole.start().checked_sub(1), hole.end().checked_add(1));
            let place = |key: Option<i64>, bound: &str| {
                let key = key.filter(|key| listing.keys.binary_search(key).is_ok());
                key.map_or(bound.to_owned(), |key| contents.place(key))
            };
            let (before, after) = (place(before, "the begin"), place(after, "the end"));
            let lost = format!("a page between {before} and {after} cannot be read");
            self.findings.push(Finding::File(lost));
        }
        let mut read = connection.prepare("SELECT data FROM chunk WHERE id = ?")?;
        for key in listing.keys {
            let (device, tier) = keys::owner_of_chunk(key);
            let name = name_of(tier);
            let (Found::Sound(chunk), _) = Found::read(&mut read, key)? else {
                self.add_damaged(contents, device, name, keys::hour_of_chunk(key));
                continue;
            };
            self.chunks += 1;
            if matches!(tier, Some(Tier::Hour | Tier::Day)) {
                self.samples += chunk.times.len() as u64;
                contents.note(device, &chunk);
            }
        }
        Ok(())
    }

    fn add_damaged(&mut self, contents: &Contents, device: i64, tier: &'static str, hour: i64) {
        self.findings.push(Finding::Chunk {
            device: contents.devices.get(&device).cloned(),
            tier,
            from: time::from_ms(hour * HOUR_MS),
        });
    }

    /// Each stored sample must be listed, or it could be stored again. Not the other way round:
    /// old samples go, and stay listed.
    fn check_lists(
        &mut self,
        connection: &Connection,
        contents: &Contents,
    ) -> Result<(), StoreError> {
        for (device, sessions) in &contents.found {
            let mut unlisted = 0;
            for (session, numbers) in sessions {
                let mut listed = received::read(connection, *session)?;
                if let Some(tail) = contents.in_tail.get(session) {
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
                    device: contents.devices.get(device).cloned(),
                    samples: unlisted,
                });
            }
        }
        Ok(())
    }
}

fn name_of(tier: Option<Tier>) -> &'static str {
    match tier {
        Some(Tier::Hour) => "hour",
        Some(Tier::Day) => "day",
        Some(Tier::FiveMinutes) => "five minutes",
        Some(Tier::TwoHours) => "two hours",
        None => "unknown",
    }
}
