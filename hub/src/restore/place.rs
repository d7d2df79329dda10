//! A data directory in which no hub runs as long as this is held.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use netmonitor_service::{DataDir, private_file};
use netmonitor_store::WriteLock;

/// The directory, with the locks of all who write in it.
pub(super) struct Place {
    data_dir: DataDir,
    /// It was not there before.
    is_new: bool,
    locks: Vec<WriteLock>,
}

impl Place {
    /// Makes the directory if need be. An error if a hub, or a service of one, runs in it.
    pub(super) fn take(data_dir: &DataDir) -> anyhow::Result<Self> {
        let path = data_dir.path();
        let is_new = !path.exists();
        private_file::create_dir(path).with_context(|| {
            format!(
                "cannot make the data directory {}: choose another with --data-dir",
                path.display()
            )
        })?;
        let mut place = Self {
            data_dir: data_dir.clone(),
            is_new,
            locks: Vec::new(),
        };
        for lock in place.lock_files() {
            place
                .locks
                .push(WriteLock::take(&lock).context("stop the hub first")?);
            place.hand_over(&lock)?;
        }
        Ok(place)
    }

    fn lock_files(&self) -> [PathBuf; 4] {
        [
            self.data_dir.hub_lock(),
            self.data_dir.history_db().with_extension("lock"),
            self.data_dir.retained_lock(),
            self.data_dir.alerting_lock(),
        ]
    }

    /// The first thing that is there of a hub, or would be replaced.
    pub(super) fn occupied_by(&self) -> Option<PathBuf> {
        let places = [
            self.data_dir.hub_db(),
            self.data_dir.history_db(),
            self.data_dir.retained_db(),
            self.data_dir.alerting_db(),
            self.data_dir.tls(),
            self.data_dir.secrets(),
            self.data_dir.agent(),
            self.data_dir.config(),
        ];
        places.into_iter().find(|path| path.exists())
    }

    /// Gives a file to the directory's owner: root may restore for the user that the hub runs as.
    pub(super) fn hand_over(&self, path: &Path) -> io::Result<()> {
        let (file, directory) = (fs::metadata(path)?, fs::metadata(self.data_dir.path())?);
        if file.uid() == directory.uid() {
            return Ok(());
        }
        chown(path, Some(directory.uid()), Some(directory.gid()))
    }

    /// What is in it now stays.
    pub(super) fn keep(mut self) {
        self.is_new = false;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_new {
            return;
        }
        for lock in self.lock_files() {
            let _not_there = fs::remove_file(lock);
        }
        let _not_empty = fs::remove_dir(self.data_dir.path());
    }
}
