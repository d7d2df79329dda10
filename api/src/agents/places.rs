//! Where a program is looked for. All names are made here, from those of [`Target`]: nothing that a
//! client sends reaches the file system.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use netmonitor_service::DataDir;

use super::Target;

/// Where a package of the system puts them.
const OF_THE_SYSTEM: &str = "/usr/share/netmonitor/agents";

/// The program as cargo builds it.
const PROGRAM: &str = "netmonitor-agent";

/// Folders, the first that has it counts.
#[derive(Debug)]
pub(super) struct Places {
    /// With a program for each system, which has the name of its target.
    folders: Vec<PathBuf>,
    /// Beside the hub's own program is one for the hub's own system, as `cargo build` leaves it. It
    /// is good where the C library is as new as here.
    beside: Option<(Target, PathBuf)>,
}

/// A program that was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) file: File,
    pub(super) bytes: u64,
    pub(super) stamp: Stamp,
}

/// By this one sees that a file is not as it was: which it is, its size, and when it and its entry
/// were changed, in seconds and nanoseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    file: (u64, u64),
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Places {
    pub(super) fn new(data_dir: &DataDir) -> Self {
        let hub = std::env::current_exe().ok();
        let beside = hub.map(|hub| hub.with_file_name(PROGRAM));
        Self {
            folders: vec![data_dir.agents(), OF_THE_SYSTEM.into()],
            beside: Target::own().zip(beside),
        }
    }

    /// Opens the program for a system. None if there is none.
    ///
    /// A symbolic link is followed: only the hub's own user can put one there, and with one into
    /// the folder of a build the newest is always handed out. What it leads to must be a regular
    /// file: a pipe would never end.
    pub(super) fn open(&self, target: Target) -> anyhow::Result<Option<Found>> {
        let in_folders = self
            .folders
            .iter()
            .map(|folder| folder.join(target.as_str()));
        let beside = self.beside.iter().filter(|(own, _)| *own == target);
        for path in in_folders.chain(beside.map(|(_, path)| path.clone())) {
            let found = open(&path).with_context(|| format!("cannot read {}", path.display()))?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

fn open(path: &Path) -> io::Result<Option<Found>> {
    use io::ErrorKind::{NotADirectory, NotFound};
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Ok(None),
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => return Ok(None),
        Err(error) => return Err(error),
    }
    let file = File::open(path)?;
    let stamp = Stamp::of(&file)?;
    Ok(Some(Found {
        file,
        bytes: stamp.bytes,
        stamp,
    }))
}

impl Stamp {
    pub(super) fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self {
            file: (metadata.dev(), metadata.ino()),
            bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}

#[cfg(test)]
impl Places {
    /// One folder alone.
    pub(super) fn in_one(folder: &Path) -> Self {
        Self {
            folders: vec![folder.to_owned()],
            beside: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    const TARGET: Target = Target::X86_64;

    fn text(places: &Places, target: Target) -> Option<String> {
        let mut text = String::new();
        let mut found = places.open(target).unwrap()?;
        found.file.read_to_string(&mut text).unwrap();
        Some(text)
    }

    #[test]
    fn the_data_directory_comes_first_and_what_was_built_last() {
        let folder = tempfile::tempdir().unwrap();
        let [first, second, build] = ["first", "second", "build"].map(|name| {
            let path = folder.path().join(name);
            fs::create_dir(&path).unwrap();
            path
        });
        let beside = build.join(PROGRAM);
        let places = Places {
            folders: vec![first.clone(), second.clone()],
            beside: Some((TARGET, beside.clone())),
        };
        assert_eq!(text(&places, TARGET), None);
        for path in [
            beside,
            second.join("x86_64-linux"),
            first.join("x86_64-linux"),
        ] {
            let name = path.display().to_string();
            fs::write(&path, &name).unwrap();
            assert_eq!(text(&places, TARGET), Some(name));
        }
        // What was built here is for this system alone.
        assert_eq!(text(&places, Target::Armv7), None);
    }

    #[test]
    fn only_regular_files_are_programs_and_a_link_is_what_it_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let places = Places::in_one(folder.path());
        let path = folder.path().join("x86_64-linux");
        fs::create_dir(&path).unwrap();
        assert_eq!(text(&places, TARGET), None);
        fs::remove_dir(&path).unwrap();

        let _socket = UnixListener::bind(&path).unwrap();
        assert_eq!(text(&places, TARGET), None);
        fs::remove_file(&path).unwrap();

        let elsewhere = folder.path().join("elsewhere");
        symlink(&elsewhere, &path).unwrap();
        assert_eq!(text(&places, TARGET), None);
        fs::write(&elsewhere, "a program").unwrap();
        assert_eq!(text(&places, TARGET).as_deref(), Some("a program"));
        fs::remove_file(&elsewhere).unwrap();
        fs::create_dir(&elsewhere).unwrap();
        assert_eq!(text(&places, TARGET), None);
    }
}
