//! Puts a backup in place of what is in a data directory, all of it or nothing.
//!
//! Everything is unpacked and checked in a folder of its own first. Then what is there is set aside
//! and the new files are moved in, and moved back if that fails. Nothing is ever deleted.
//!
//! - `place`: the data directory, while no hub may run in it
//! - `moves`: renames that can be taken back

mod moves;
mod place;

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::iter;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use netmonitor_service::{DataDir, private_file};
use netmonitor_store::{Database, WriteLock};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::backup::manifest::{Entry, Manifest};
use crate::backup::{self, archive, contents};
use crate::config::{self, Flags};
use moves::Moves;
use place::Place;

/// What a folder is called in which files lie until all of them are known to be good.
const WORK: &str = ".netmonitor-restore-";

/// What belongs to a hub, besides its databases, and is set aside before another takes its place.
const BELONGINGS: [&str; 7] = [
    contents::CONFIG,
    "tls",
    "secrets",
    "agent",
    "addresses.json",
    "retained.db.damaged",
    "alerting.db.damaged",
];

/// What a person has asked for.
pub(crate) struct Wanted<'a> {
    pub(crate) file: &'a Path,
    pub(crate) data_dir: &'a DataDir,
    /// The configuration file on the command line.
    pub(crate) config: Option<&'a Path>,
    pub(crate) flags: &'a Flags,
    /// Set aside the hub that is there.
    pub(crate) force: bool,
}

/// Files that are unpacked.
struct Unpacked {
    // Goes first: a directory that is new goes with its last file.
    work: TempDir,
    place: Place,
    created_at: Timestamp,
}

/// Restores, and says on standard error what was done.
pub(crate) fn restore(
    wanted: &Wanted<'_>,
    now: Timestamp,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let name = wanted.file.display();
    let input = backup::read_from(wanted.file)?;
    let unpacked = archive::read(input, stop, |manifest| begin(manifest, wanted), unpack)
        .with_context(|| format!("cannot restore {name}"))?;
    let Unpacked {
        place,
        work,
        created_at,
    } = unpacked;
    check_versions(work.path()).with_context(|| format!("cannot restore {name}"))?;
    let history =
        history(wanted, &place, work.path()).with_context(|| format!("cannot restore {name}"))?;
    let aside = exchange(wanted, &place, work.path(), &history, now)
        .with_context(|| format!("cannot restore {name}; nothing was changed"))?;
    place.keep();
    tell(wanted, created_at, aside.as_deref());
    Ok(())
}

/// Looks whether there is room for a hub, before anything is unpacked.
fn begin(manifest: &Manifest, wanted: &Wanted<'_>) -> anyhow::Result<Unpacked> {
    let place = Place::take(wanted.data_dir)?;
    if !wanted.force
        && let Some(there) = place.occupied_by()
    {
        anyhow::bail!(
            "{} is there already: name an empty directory with --data-dir, or use --force, which \
             sets everything aside that is there and deletes nothing",
            there.display()
        );
    }
    let work = tempfile::Builder::new()
        .prefix(WORK)
        .tempdir_in(wanted.data_dir.path())
        .with_context(|| format!("cannot write to {}", wanted.data_dir.path().display()))?;
    Ok(Unpacked {
        work,
        place,
        created_at: manifest.created_at,
    })
}

fn unpack(unpacked: &mut Unpacked, file: &Entry) -> anyhow::Result<File> {
    // The manifest has known names only: see `contents`.
    let path = unpacked.work.path().join(&file.path);
    let make = || {
        if let Some(folder) = path.parent() {
            private_file::create_dir(folder)?;
            unpacked.place.hand_over(folder)?;
        }
        let file = File::create_new(&path)?;
        unpacked.place.hand_over(&path)?;
        Ok::<File, io::Error>(file)
    };
    make().with_context(|| format!("cannot unpack {}", file.path))
}

/// The manifest may say anything: what counts is what this program finds in the files.
fn check_versions(work: &Path) -> anyhow::Result<()> {
    for database in Database::ALL {
        let path = work.join(contents::database_file(database));
        if path.exists() {
            database.version(&path)?;
        }
    }
    Ok(())
}

/// Where the history goes, and the lock that says that nobody writes there.
struct History {
    place: PathBuf,
    _lock: Option<WriteLock>,
}

/// The restored configuration may keep it elsewhere, as the one that was backed up did.
fn history(wanted: &Wanted<'_>, place: &Place, work: &Path) -> anyhow::Result<History> {
    let restored = Some(work.join(contents::CONFIG)).filter(|path| path.exists());
    let file = config::named_file(wanted.config).or(restored);
    let config = config::load_from(file, wanted.flags)?;
    let to = config.history.path(wanted.data_dir)?;
    if to == wanted.data_dir.history_db() {
        return Ok(History {
            place: to,
            _lock: None,
        });
    }
    let remedy = || {
        format!(
            "the restored hub keeps its history in {}, which cannot be written: make its folder, \
             or name another place with --store-url",
            to.display()
        )
    };
    let lock = WriteLock::take(&to.with_extension("lock")).with_context(remedy)?;
    place.hand_over(&to.with_extension("lock"))?;
    anyhow::ensure!(
        wanted.force || !to.exists(),
        "{} is there already: --force sets it aside",
        to.display()
    );
    // It may be another disk, so it is brought there before anything is moved.
    let unpacked = work.join(contents::database_file(Database::History));
    if unpacked.exists() {
        let beside = beside(&to, "restoring");
        let copy = || {
            fs::copy(&unpacked, &beside)?;
            File::open(&beside)?.sync_all()?;
            place.hand_over(&beside)
        };
        if let Err(error) = copy() {
            let _not_there = fs::remove_file(&beside);
            return Err(error).with_context(remedy);
        }
        fs::remove_file(&unpacked)?;
    }
    Ok(History {
        place: to,
        _lock: Some(lock),
    })
}

/// Sets aside what is there and moves the new files in. Returns where the old ones are, if there
/// were any.
fn exchange(
    wanted: &Wanted<'_>,
    place: &Place,
    work: &Path,
    history: &History,
    now: Timestamp,
) -> anyhow::Result<Option<PathBuf>> {
    let data_dir = wanted.data_dir.path();
    let time = now.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ");
    let aside = data_dir.join(format!("before-restore-{time}"));
    let mut moves = Moves::default();
    let mut old: Vec<String> = BELONGINGS.map(str::to_owned).into();
    for database in Database::ALL {
        let name = contents::database_file(database);
        old.extend(with_beside().map(|ending| format!("{name}{ending}")));
    }
    for name in old.iter().filter(|name| data_dir.join(name).exists()) {
        private_file::create_dir(&aside)?;
        place.hand_over(&aside)?;
        moves.rename(&data_dir.join(name), &aside.join(name))?;
    }
    if history.place != wanted.data_dir.history_db() {
        for ending in with_beside() {
            let mut name = history.place.clone().into_os_string();
            name.push(ending);
            let old = PathBuf::from(name);
            if old.exists() {
                moves.rename(&old, &beside(&old, &format!("before-restore-{time}")))?;
            }
        }
        let new = beside(&history.place, "restoring");
        if new.exists() {
            moves.rename(&new, &history.place)?;
        }
    }
    // hub.db goes last: without it there is no hub.
    let hub_db = contents::database_file(Database::Hub);
    let others = [
        contents::CONFIG,
        "tls",
        "secrets",
        "agent",
        "monitor.db",
        "retained.db",
        "alerting.db",
    ];
    for name in others.into_iter().chain([hub_db]) {
        if work.join(name).exists() {
            moves.rename(&work.join(name), &data_dir.join(name))?;
        }
    }
    moves.sync()?;
    moves.keep();
    Ok(Some(aside).filter(|aside| aside.exists()))
}

/// Endings of a database and of what belongs to it.
fn with_beside() -> impl Iterator<Item = &'static str> {
    iter::once("").chain(Database::BESIDE)
}

/// A file of the same name beside it, with an ending more.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(format!(".{ending}"));
    name.into()
}

fn tell(wanted: &Wanted<'_>, created_at: Timestamp, aside: Option<&Path>) {
    let to = wanted.data_dir.path().display();
    let mut parts = vec![format!("restored the hub of {created_at} to {to}")];
    if let Some(aside) = aside {
        parts.push(format!("what was there before is in {}", aside.display()));
    }
    let named = config::named_file(wanted.config);
    if let Some(named) = named.filter(|named| *named != wanted.data_dir.config()) {
        parts.push(format!(
            "{} stays in force, the restored configuration is not used",
            named.display()
        ));
    }
    // What was asked for is done, whether or not anybody hears of it.
    let _closed = writeln!(io::stderr(), "{}", parts.join("; "));
}

#[cfg(test)]
mod tests;
