//! Looks whether what is on disk is sound, beside a running hub or without one.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use netmonitor_service::DataDir;
use netmonitor_store::{Database, history};

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
    let (mut sound, mut damaged) = (0, 0);
    let mut contents = Vec::new();
    for database in Database::ALL {
        let path = path(database, config, data_dir)?;
        // A service that has never run has none.
        if !path.exists() {
            continue;
        }
        let (faults, content) = match database {
            Database::History => look_at_history(&path)?,
            Database::Hub | Database::Retained | Database::Alerting => {
                (database.faults(&path)?, None)
            }
        };
        contents.extend(content);
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
        "{damaged} of {} databases are damaged",
        sound + damaged
    );
    contents.insert(0, format!("{sound} databases"));
    tell(
        out,
        &format!("everything is sound: {}", contents.join(", ")),
    )
}

/// What is wrong with the history, and what it holds if it could be read to the end.
fn look_at_history(path: &Path) -> anyhow::Result<(Vec<String>, Option<String>)> {
    match history::verify(path) {
        Ok(Some(report)) => {
            let faults = report.findings.iter();
            // Each is one line, whatever SQLite has to say.
            let faults = faults.map(|fault| fault.to_string().replace('\n', ", "));
            let content = format!("{} samples, {} chunks", report.samples, report.chunks);
            Ok((faults.collect(), Some(content)))
        }
        // Of an older version: it is upgraded when the hub starts.
        Ok(None) => Ok((Database::History.faults(path)?, None)),
        Err(error) if error.is_damage() => {
            let mut faults = Database::History.faults(path)?;
            if faults.is_empty() {
                faults.push(error.to_string());
            }
            Ok((faults, None))
        }
        Err(error) => Err(error.into()),
    }
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
        Database::Alerting => data_dir.alerting_db(),
    })
}

fn remedy(database: Database, path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().display();
    match database {
        Database::Hub => {
            "stop the hub and restore a backup with `netmonitor restore FILE --force`".to_owned()
        }
        Database::History => format!(
            "only what is named is lost, and the hub goes on; to have it back, stop the hub and \
             restore a backup with `netmonitor restore FILE --force`. If the hub cannot write the \
             history, move {name} and what begins with {name}- away: it then begins anew"
        ),
        Database::Retained => "restart the hub: it puts the file aside, and everybody says anew \
                               what was in it"
            .to_owned(),
        Database::Alerting => "restart the hub: it puts the file aside, and takes what fires from \
                               the broker; messages that were not sent yet are lost"
            .to_owned(),
    }
}

fn tell(out: &mut dyn Write, line: &str) -> anyhow::Result<()> {
    writeln!(out, "{line}").context("cannot write the answer")
}
