//! Where the spool lies.

use std::io;
use std::path::{Path, PathBuf};

use netmonitor_service::digest::{hex, sha256};
use netmonitor_service::{environment, private_file};

/// Where the tail is, below the folder of the blocks, if there is no other place.
const TAIL_ON_DISK: &str = "tail";

/// Memory that looks like a disk, on every Linux. Anyone may write there.
const SHARED_MEMORY: &str = "/dev/shm";

/// The folders of a spool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Of the tail: in memory where there is such a place, which a killed program does not lose
    /// and no card is written for.
    pub tail: PathBuf,
    /// Where a tail may have been left when the environment was another.
    pub former_tails: Vec<PathBuf>,
    /// Of the blocks: below the state directory.
    pub disk: PathBuf,
}

impl Place {
    /// The folders of the agent with this state directory; the one of the tail is made. Several
    /// agents of one user do not share any.
    pub fn of(state_dir: &Path) -> Self {
        let mut place = Self::seen(state_dir);
        let usable = in_memory(state_dir).find(|tail| match private_file::create_own_dir(tail) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, path = %tail.display(), "not used for samples that wait");
                false
            }
        });
        place.tail = usable.unwrap_or_else(|| place.disk.join(TAIL_ON_DISK));
        place.former_tails.retain(|tail| *tail != place.tail);
        place
    }

    /// Makes the folder of the tail, which somebody may have tidied away.
    pub(super) fn make_tail(&self) -> io::Result<()> {
        if self.tail.starts_with(&self.disk) {
            private_file::create_dir(&self.tail)
        } else {
            private_file::create_own_dir(&self.tail)
        }
    }

    /// The same for a look, while the agent may be running: nothing is made. The tail may be in
    /// any of the former ones.
    pub(crate) fn seen(state_dir: &Path) -> Self {
        let disk = state_dir.join("spool");
        let tail = disk.join(TAIL_ON_DISK);
        Self {
            former_tails: in_memory(state_dir).collect(),
            tail,
            disk,
        }
    }
}

/// The folders in memory, the best first.
fn in_memory(state_dir: &Path) -> impl Iterator<Item = PathBuf> {
    let name = format!("netmonitor-agent-{}", key(state_dir));
    let shared = PathBuf::from(SHARED_MEMORY);
    [
        environment::runtime_directory(),
        environment::user_runtime_directory(),
        Some(shared),
    ]
    .into_iter()
    .flatten()
    .filter(|parent| parent.is_dir())
    .map(move |parent| parent.join(&name))
}

/// A name for the state directory, the same whichever way it is written.
fn key(state_dir: &Path) -> String {
    let path = state_dir
        .canonicalize()
        .or_else(|_| std::path::absolute(state_dir))
        .unwrap_or_else(|_: io::Error| state_dir.to_owned());
    hex(&sha256(path.as_os_str().as_encoded_bytes())[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_directory_has_a_tail_of_its_own_whichever_way_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        std::fs::create_dir(&one).unwrap();
        std::fs::create_dir(&other).unwrap();
        assert_ne!(key(&one), key(&other));
        assert_eq!(key(&one), key(&other.join("../one")));
        assert_ne!(Place::seen(&one), Place::seen(&other));
    }
}
