//! The agent programs that this hub can hand out, so that a machine gets its agent from the hub
//! and needs no internet.
//!
//! - [`target`]: for which systems
//! - [`places`]: where a program is looked for
//! - [`digests`]: SHA-256 of each, computed once
//! - [`script`], [`line`]: what a new machine runs, and the line that people paste there
//! - [`download`]: a program on its way
//!
//! Everything here but the download blocks.

mod digests;
mod download;
mod line;
mod places;
mod script;
mod target;

use std::fs::File;
use std::sync::Arc;

use netmonitor_service::DataDir;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use digests::Digests;
pub(crate) use download::download;
pub(crate) use line::install_line;
use places::Places;
pub(crate) use target::Target;

/// So many machines are served at the same time, each with an open file and two pieces of it: whoever
/// asks needs no credential, and the hub may be small.
const AT_ONCE: usize = 8;

/// The programs, as they lie on the disk.
#[derive(Debug)]
pub(crate) struct Agents {
    places: Places,
    digests: Digests,
    turns: Arc<Semaphore>,
}

/// One that can be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) target: Target,
    pub(crate) bytes: u64,
    /// In hexadecimal digits.
    pub(crate) sha256: String,
}

impl Agents {
    /// Those of the hub in this data directory.
    pub(crate) fn new(data_dir: &DataDir) -> Self {
        Self::of(Places::new(data_dir))
    }

    fn of(places: Places) -> Self {
        Self {
            places,
            digests: Digests::default(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// All that there are now.
    pub(crate) fn all(&self) -> anyhow::Result<Vec<Program>> {
        let mut programs = Vec::new();
        for target in Target::ALL {
            if let Some(found) = self.places.open(target)? {
                programs.push(Program {
                    target,
                    bytes: found.bytes,
                    sha256: self.digests.of(target, found)?,
                });
            }
        }
        Ok(programs)
    }

    /// One of them, and how many bytes it has.
    pub(crate) fn open(&self, target: Target) -> anyhow::Result<Option<(File, u64)>> {
        let found = self.places.open(target)?;
        Ok(found.map(|found| (found.file, found.bytes)))
    }

    /// `install.sh` for the programs that there are now. None if there are none.
    pub(crate) fn script(&self) -> anyhow::Result<Option<String>> {
        let programs = self.all()?;
        Ok((!programs.is_empty()).then(|| script::of(&programs)))
    }

    /// A turn to be served. None if too many are served already.
    pub(crate) fn turn(&self) -> Option<OwnedSemaphorePermit> {
        self.turns.clone().try_acquire_owned().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_listed_with_its_size_and_its_digest() {
        let folder = tempfile::tempdir().unwrap();
        let agents = Agents::of(Places::in_one(folder.path()));
        assert_eq!(agents.all().unwrap(), []);
        assert_eq!(agents.script().unwrap(), None);

        std::fs::write(folder.path().join("aarch64-linux"), "abc").unwrap();
        std::fs::write(folder.path().join("pdp11-unix"), "abc").unwrap();
        let expected = Program {
            target: Target::Aarch64,
            bytes: 3,
            // The example of FIPS 180-4's test vectors.
            sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".to_owned(),
        };
        assert_eq!(agents.all().unwrap(), std::slice::from_ref(&expected));
        let script = agents.script().unwrap().unwrap();
        assert!(script.contains(&expected.sha256), "{script}");
    }

    #[test]
    fn no_more_machines_are_served_at_once_than_the_hub_can_bear() {
        let folder = tempfile::tempdir().unwrap();
        let agents = Agents::of(Places::in_one(folder.path()));
        let mut turns: Vec<_> = (0..AT_ONCE).map(|_| agents.turn().unwrap()).collect();
        assert!(agents.turn().is_none());
        turns.pop();
        assert!(agents.turn().is_some());
    }
}
