//! A backup: everything that makes this hub what it is, in one file, while it runs.
//!
//! - `contents`: what belongs to it
//! - `manifest`: what a backup says of itself
//! - `archive`: the file

pub(crate) mod archive;
pub(crate) mod contents;
pub(crate) mod manifest;

use std::fs::{self, File};
use std::io::{self, IsTerminal as _, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::Timestamp;
use netmonitor_service::digest::Sha256;
use netmonitor_service::{DataDir, private_file};
use netmonitor_store::Database;
use tokio_util::sync::CancellationToken;

use crate::backup::manifest::{Entry, Manifest};
use crate::config::Config;
use crate::console::expect_hub;
use crate::verify;

/// Stands for standard output, and standard input.
pub(crate) const STREAM: &str = "-";

/// What a folder is called in which copies lie until the backup is complete.
const WORK: &str = ".netmonitor-backup-";

/// Which hub.
pub(crate) struct Source<'a> {
    pub(crate) data_dir: &'a DataDir,
    pub(crate) config: &'a Config,
    /// The configuration file in force, if there is one.
    pub(crate) config_file: Option<&'a Path>,
}

/// Writes the backup. The file appears when it is complete; after an error, or a signal, nothing
/// of it is left.
pub(crate) fn write(
    source: &Source<'_>,
    to: &Path,
    now: Timestamp,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    expect_hub(source.data_dir)?;
    let is_stream = to == Path::new(STREAM);
    // The copies are as large as the backup: they lie where it will be.
    let beside = if is_stream {
        anyhow::ensure!(
            !io::stdout().is_terminal(),
            "standard output is a terminal: name a file, or send it on, as in \
             `netmonitor backup - | ssh other 'cat > hub.backup'`"
        );
        source.data_dir.path()
    } else {
        check_target(to)?
    };
    let work = tempfile::Builder::new()
        .prefix(WORK)
        .tempdir_in(beside)
        .with_context(|| format!("cannot write to {}", beside.display()))?;
    let copies = work.path().join("copies");
    let manifest = collect(source, &copies, now, stop)?;
    if is_stream {
        archive::write(io::stdout().lock(), &manifest, &copies, stop)
            .context("cannot write the backup to standard output")?;
    } else {
        let complete = work.path().join("complete");
        write_file(&complete, &manifest, &copies, stop)
            .and_then(|()| Ok(fs::rename(&complete, to)?))
            .and_then(|()| Ok(File::open(beside)?.sync_all()?))
            .with_context(|| format!("cannot write {}", to.display()))?;
    }
    tell(&manifest, to, is_stream);
    Ok(())
}

/// The folder in which the file will be. What is there and is no backup is not replaced.
fn check_target(to: &Path) -> anyhow::Result<&Path> {
    anyhow::ensure!(
        !to.is_dir(),
        "{} is a directory: name a file in it",
        to.display()
    );
    if to.exists() {
        let is_backup = File::open(to).is_ok_and(archive::is_backup);
        anyhow::ensure!(
            is_backup,
            "{} is there already and is no backup: choose another name",
            to.display()
        );
    }
    let parent = to.parent().filter(|parent| *parent != Path::new(""));
    Ok(parent.unwrap_or(Path::new(".")))
}

fn write_file(
    path: &Path,
    manifest: &Manifest,
    copies: &Path,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    // Made for its owner only, like every file of this process.
    let file = File::create_new(path)?;
    archive::write(&file, manifest, copies, stop)?;
    Ok(file.sync_all()?)
}

/// Copies everything into a folder: what the manifest says is then not changed any more.
fn collect(
    source: &Source<'_>,
    copies: &Path,
    now: Timestamp,
    stop: &CancellationToken,
) -> anyhow::Result<Manifest> {
    let mut files = Vec::new();
    for (name, path) in plain_files(source)? {
        copy_of(copies, &name)
            .and_then(|to| fs::copy(&path, to))
            .with_context(|| format!("cannot copy {}", path.display()))?;
        files.push(Entry::of(copies, name, None)?);
    }
    for database in Database::ALL {
        let path = verify::path(database, source.config, source.data_dir)?;
        if !path.exists() {
            continue;
        }
        let name = contents::database_file(database);
        let to =
            copy_of(copies, name).with_context(|| format!("cannot copy {}", path.display()))?;
        let whole = database
            .copy(&path, &to, || !stop.is_cancelled())
            .with_context(|| format!("cannot copy {}", path.display()))?;
        anyhow::ensure!(whole, "stopped: no backup was written");
        if is_worth_keeping(database, &to, &path)? {
            files.push(Entry::of(
                copies,
                name.to_owned(),
                Some(database.version(&to)?),
            )?);
        }
    }
    Ok(Manifest::new(files, now))
}

/// The place of a copy, its folder made.
fn copy_of(copies: &Path, name: &str) -> io::Result<PathBuf> {
    let path = copies.join(name);
    if let Some(folder) = path.parent() {
        private_file::create_dir(folder)?;
    }
    Ok(path)
}

/// Whether a copy goes into the backup. A backup that looks good and is not would take the place of
/// an older one that is.
fn is_worth_keeping(database: Database, copy: &Path, original: &Path) -> anyhow::Result<bool> {
    let faults = database.faults(copy)?;
    let Some(fault) = faults.first() else {
        return Ok(true);
    };
    let original = original.display();
    match database {
        Database::Hub => anyhow::bail!(
            "{original} is damaged ({fault}), so no backup was written: `netmonitor verify` tells \
             more"
        ),
        Database::History => {
            tracing::error!("{original} is damaged ({fault}) and is in the backup as it is");
            Ok(true)
        }
        // The hub would begin it anew.
        Database::Retained | Database::Alerting => {
            tracing::warn!("{original} is damaged ({fault}) and was left out");
            Ok(false)
        }
    }
}

/// Names in the backup, and the files.
fn plain_files(source: &Source<'_>) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let mut files = Vec::new();
    if let Some(path) = source.config_file {
        files.push((contents::CONFIG.to_owned(), path.to_owned()));
    }
    let data_dir = source.data_dir.path();
    for folder in contents::FOLDERS {
        let path = data_dir.join(folder);
        let names = match names_in(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            names => names.with_context(|| format!("cannot read {}", path.display()))?,
        };
        let names = names.into_iter().map(|name| format!("{folder}/{name}"));
        let known = names.filter(|name| contents::is_known(name));
        files.extend(known.map(|name| (name.clone(), data_dir.join(&name))));
    }
    Ok(files)
}

/// Names of the files in a folder, in order.
fn names_in(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file()
            && let Ok(name) = entry.file_name().into_string()
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

impl Entry {
    /// What is to be said of a copy.
    fn of(copies: &Path, name: String, version: Option<i64>) -> anyhow::Result<Self> {
        let path = copies.join(&name);
        let (bytes, sha256) =
            digest(&path).with_context(|| format!("cannot read the copy of {name}"))?;
        Ok(Self {
            path: name,
            bytes,
            sha256,
            database_version: version,
        })
    }
}

fn digest(path: &Path) -> io::Result<(u64, String)> {
    let mut digest = Sha256::default();
    let bytes = io::copy(&mut File::open(path)?, &mut digest)?;
    Ok((bytes, digest.finish()))
}

/// Says on standard error what was written: standard output may be the backup.
fn tell(manifest: &Manifest, to: &Path, is_stream: bool) {
    let bytes: u64 = manifest.files.iter().map(|file| file.bytes).sum();
    let what = if is_stream {
        "the backup".to_owned()
    } else {
        to.display().to_string()
    };
    // What was asked for is done, whether or not anybody hears of it.
    let _closed = writeln!(
        io::stderr(),
        "{what} holds {} files ({:.1} MB unpacked): accounts and devices, history, configuration, \
         the keys of the hub's certificates and the passwords of its services. It is a secret: \
         whoever has it can pose as this hub",
        manifest.files.len(),
        bytes as f64 / 1e6
    );
}

/// Where to read a backup from.
pub(crate) fn read_from(path: &Path) -> anyhow::Result<Box<dyn Read>> {
    if path == Path::new(STREAM) {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    anyhow::ensure!(
        !path.is_dir(),
        "{} is a directory: name the backup itself",
        path.display()
    );
    Ok(Box::new(file))
}
