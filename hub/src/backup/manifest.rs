//! What a backup says of itself: the first thing in it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::contents;

/// By this it is known.
const FORMAT: &str = "netmonitor-backup";

/// The newest form that this program reads, and the one that it writes.
const VERSION: u32 = 1;

/// A backup has a few dozen files.
const FILES_MAX: usize = 1_000;

/// What is in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    format: String,
    format_version: u32,
    /// Of the program that wrote it.
    program_version: String,
    /// When, by the clock of the hub.
    pub(crate) created_at: Timestamp,
    /// In the order in which they follow.
    pub(crate) files: Vec<Entry>,
}

/// One file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Its place below the data directory.
    pub(crate) path: String,
    pub(crate) bytes: u64,
    /// Hexadecimal digits.
    pub(crate) sha256: String,
    /// Of a database: its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) database_version: Option<i64>,
}

/// What every form of it has.
#[derive(Deserialize)]
struct Heading {
    format: String,
    format_version: u32,
    #[serde(default)]
    program_version: String,
}

/// Why something cannot be restored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoBackup {
    #[error("this is no backup of NetMonitor")]
    Foreign,
    #[error(
        "this backup was made by NetMonitor {program_version}, which is newer than this program: \
         install that one, or a newer one, and restore again"
    )]
    Newer { program_version: String },
    #[error("this backup is damaged ({0}): take another one")]
    Damaged(String),
}

impl Manifest {
    pub(crate) fn new(files: Vec<Entry>, now: Timestamp) -> Self {
        Self {
            format: FORMAT.to_owned(),
            format_version: VERSION,
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            created_at: now,
            files,
        }
    }

    /// Reads it, and looks whether this program can restore what it names.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, NoBackup> {
        let heading: Heading = serde_json::from_slice(json).map_err(|_| NoBackup::Foreign)?;
        if heading.format != FORMAT {
            return Err(NoBackup::Foreign);
        }
        let newer = || NoBackup::Newer {
            program_version: heading.program_version.clone(),
        };
        if heading.format_version > VERSION {
            return Err(newer());
        }
        let manifest: Self =
            serde_json::from_slice(json).map_err(|error| NoBackup::Damaged(error.to_string()))?;
        let is_newer = |file: &Entry| {
            let database = contents::database(&file.path);
            database.is_some_and(|database| {
                file.database_version
                    .is_some_and(|version| version > database.newest_version())
            })
        };
        if manifest.files.iter().any(is_newer) {
            return Err(newer());
        }
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), NoBackup> {
        let damaged = |what: String| Err(NoBackup::Damaged(what));
        if self.files.len() > FILES_MAX {
            return damaged(format!("it names {} files", self.files.len()));
        }
        let mut names = BTreeSet::new();
        for file in &self.files {
            if !contents::is_known(&file.path) {
                return damaged(format!("{:?} does not belong in it", file.path));
            }
            if !names.insert(file.path.as_str()) {
                return damaged(format!("{:?} is named twice", file.path));
            }
        }
        for needed in ["hub.db", "tls/ca.pem", "tls/ca.key"] {
            if !names.contains(needed) {
                return damaged(format!("{needed} is missing"));
            }
        }
        Ok(())
    }
}
