//! A disk that is small, so that it can be full: a file system in memory. Needs root.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;

/// A file system of its own, until the last one that uses it is gone.
#[derive(Debug, Clone)]
pub(crate) struct SmallDisk(Arc<Mount>);

#[derive(Debug)]
struct Mount(TempDir);

impl SmallDisk {
    /// An empty one of so many MiB.
    pub(crate) fn new(mebibytes: u32) -> Self {
        assert!(
            nix::unistd::geteuid().is_root(),
            "this story mounts a file system: run it as root"
        );
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={mebibytes}m,mode=0700");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]);
        let mounted = mount.arg(folder.path()).status().unwrap();
        assert!(mounted.success(), "{mount:?}");
        Self(Arc::new(Mount(folder)))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.0.path()
    }

    /// Takes all the room that is left.
    pub(crate) fn fill(&self) {
        let mut file = File::options();
        let mut file = file.append(true).create(true).open(self.filler()).unwrap();
        // The last bytes as well.
        for size in [1 << 20, 1 << 12, 1] {
            let piece = vec![0; size];
            let full = loop {
                if let Err(error) = file.write_all(&piece) {
                    break error;
                }
            };
            assert_eq!(full.kind(), ErrorKind::StorageFull);
        }
    }

    /// Gives it back.
    pub(crate) fn free(&self) {
        fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // What is still open in it keeps it until it is closed.
        let mut unmount = Command::new("umount");
        let _gone = unmount.arg("--lazy").arg(self.0.path()).status();
    }
}
