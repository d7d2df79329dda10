//! Looks whether what is on disk is sound, beside a running hub or without one.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use netmonitor_service::DataDir;
use netmonitor_store::Database;

use crate::config::Config;
use crate::console::expect_hub;

/// Writes a line for each fault, naming what is damaged and what to do, or one that there is none.
/// An error if there is any.
pub(crate) fn verify(
    config: &Config,
    data_dir: &DataDir,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    expect_hub(data_dir)?;
    let mut sound = 0;
    let mut damaged = 0;
    for database in Database::ALL {
        let path = path(database, config, data_dir)?;
        // A service that has never run has none.
        if !path.exists() {
            continue;
        }
        let faults = database.faults(&path)?;
        if faults.is_empty() {
            sound += 1;
            continue;
        }
        damaged += 1;
        for fault in faults {
            let line = format!("{}: {fault}: {}", path.display(), remedy(database, &path));
            tell(out, &line)?;
        }
    }
    anyhow::ensure!(
        damaged == 0,
        "{damaged} of {} are damaged",
        databases(sound + damaged)
    );
    tell(out, &format!("everything is sound: {}", databases(sound)))
}

/// Where a database is.
pub(crate) fn path(
    database: Database,
    config: &Config,
    data_dir: &DataDir,
) -> anyhow::Result<PathBuf> {
    Ok(match database {
        Database::Hub => data_dir.hub_db(),
        Database::History => config.history.path(data_dir)?,
        Database::Retained => data_dir.retained_db(),
    })
}

fn remedy(database: Database, path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().display();
    match database {
        Database::Hub => {
            "stop the hub and restore a backup with `netmonitor restore FILE --force`".to_owned()
        }
        Database::History => format!(
            "restore a backup with `netmonitor restore FILE --force`, or stop the hub and move \
             {name}, {name}-wal and {name}-shm away: the history then begins anew"
        ),
        Database::Retained => "restart the hub: it puts the file aside, and everybody says anew \
                               what was in it"
            .to_owned(),
    }
}

fn databases(number: usize) -> String {
    match number {
        1 => "1 database".to_owned(),
        _ => format!("{number} databases"),
    }
}

fn tell(out: &mut dyn Write, line: &str) -> anyhow::Result<()> {
    writeln!(out, "{line}").context("cannot write the answer")
}
