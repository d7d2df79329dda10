//! Which agent the files belong to, while it runs.
//!
//! Two agents may be started with one state directory, by mistake or while a service manager
//! replaces one with the other. The one that has the lock [on disk](disk) looks after the blocks
//! and what former starts have left; what a running one has in its tail is its own.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use netmonitor_protocol::SessionId;

/// The extension of a file that names a running session.
const EXTENSION: &str = "lock";

/// A session that runs, as a locked file beside its tail: it goes with this.
#[derive(Debug)]
pub(super) struct Running {
    path: PathBuf,
    _file: File,
}

impl Running {
    /// Says so in this folder. Who sees the file finds it locked, or its agent has ended.
    pub(super) fn begin(folder: &Path, session: SessionId) -> io::Result<Self> {
        let path = folder.join(session.to_string()).with_extension(EXTENSION);
        let unseen = path.with_extension("new");
        let file = open(&unseen)?;
        if let Err(error) = try_lock(&file).and_then(|()| fs::rename(&unseen, &path)) {
            drop(fs::remove_file(&unseen));
            return Err(error);
        }
        Ok(Self { path, _file: file })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // What stays is found to be nobody's.
        drop(fs::remove_file(&self.path));
    }
}

/// The sessions that run and have their tail in this folder. What killed ones have left is
/// deleted.
pub(super) fn running_in(folder: &Path) -> Vec<SessionId> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let found = entries.filter_map(|entry| {
        let entry = entry.ok()?;
        let path = entry.path();
        let is_named = path.extension().is_some_and(|it| it == EXTENSION);
        // To open a pipe may take for ever.
        let is_file = is_named && entry.file_type().ok()?.is_file();
        let session = path.file_stem()?.to_str()?.parse().ok()?;
        is_file.then_some((session, path))
    });
    let runs = found.filter(|(_, path)| {
        // To be written, or some file systems have no lock for it.
        let file = File::options().write(true).open(path);
        let locked = file.and_then(|file| try_lock(&file));
        match locked {
            Ok(()) => drop(fs::remove_file(path)),
            Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
        }
        false
    });
    runs.map(|(session, _)| session).collect()
}

/// The lock of who looks after the disk. The error is of the kind [`io::ErrorKind::WouldBlock`]
/// if another one does.
pub(super) fn disk(folder: &Path) -> io::Result<File> {
    let file = open(&disk_path(folder))?;
    try_lock(&file)?;
    Ok(file)
}

/// Whether the folder with this lock is out of sight, and may come back: a disk that is not
/// mounted just now. If it was deleted it is gone.
pub(super) fn is_out_of_sight(folder: &Path, lock: &File) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let Ok(held) = lock.metadata() else {
            return true;
        };
        let is_seen = disk_path(folder)
            .metadata()
            .is_ok_and(|seen| (seen.dev(), seen.ino()) == (held.dev(), held.ino()));
        held.nlink() > 0 && !is_seen
    }
    #[cfg(not(unix))]
    {
        let _nobody_asks = (folder, lock);
        false
    }
}

fn disk_path(folder: &Path) -> PathBuf {
    folder.join("lock")
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn try_lock(file: &File) -> io::Result<()> {
    match file.try_lock() {
        Err(fs::TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
        // On a file system without locks there is nobody to ask.
        Ok(()) | Err(fs::TryLockError::Error(_)) => Ok(()),
    }
}
