//! Where the system's files are: `/`, or a folder of fixtures.

use std::io;
use std::path::{Path, PathBuf};

#[cfg(target_os = "linux")]
use anyhow::Context as _;

/// The folder below which `proc`, `sys` and `etc` are read. In a container it may be where the
/// host's root is mounted; in tests it is a folder of recorded files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root(PathBuf);

impl Root {
    /// System files are read below `folder`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// The path of `file`, which is given without a leading slash (`proc/uptime`).
    pub fn path(&self, file: impl AsRef<Path>) -> PathBuf {
        self.0.join(file)
    }

    /// The text of `file`; what is not UTF-8 in it is replaced, since names of processes and
    /// disks may be anything.
    pub fn read(&self, file: impl AsRef<Path>) -> io::Result<String> {
        let bytes = std::fs::read(self.path(file))?;
        Ok(String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    /// The same, with an error that names the file.
    #[cfg(target_os = "linux")]
    pub(crate) fn text(&self, file: &str) -> anyhow::Result<String> {
        self.read(file)
            .with_context(|| format!("cannot read /{file}"))
    }
}

impl Default for Root {
    fn default() -> Self {
        Self::new("/")
    }
}
