//! One writer per database: a lock on a file beside it, which the system frees when the process
//! ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::StoreError;

/// Held as long as it lives.
#[derive(Debug)]
pub struct WriteLock {
    _file: File,
}

impl WriteLock {
    /// Takes the lock, and waits for it if another process holds it. For what is held for a
    /// moment only.
    pub fn wait(path: &Path) -> Result<Self, StoreError> {
        let file = open(path)?;
        file.lock().map_err(StoreError::file(path))?;
        Ok(Self { _file: file })
    }

    /// Takes the lock, or says that another process holds it.
    pub fn take(path: &Path) -> Result<Self, StoreError> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked {
                path: path.to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(StoreError::file(path)(source)),
        }
    }
}

fn open(path: &Path) -> Result<File, StoreError> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(StoreError::file(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_holds_the_lock_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("hub.lock");
        let held = WriteLock::take(&path).unwrap();
        assert!(matches!(
            WriteLock::take(&path),
            Err(StoreError::Locked { .. })
        ));
        drop(held);
        WriteLock::take(&path).unwrap();
    }
}
