//! Where the spool lies.

use std::fs;
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
    /// Where a tail may have been left when the environment was another, as far as only this
    /// agent's user can have put something there.
    pub former_tails: Vec<PathBuf>,
    /// Of the blocks: below the state directory.
    pub disk: PathBuf,
}

impl Place {
    /// The folders of the agent with this state directory; the one of the tail is made. Several
    /// agents of one user do not share any.
    pub fn of(state_dir: &Path) -> Self {
        Self::made(state_dir, in_memory(state_dir))
    }

    fn made(state_dir: &Path, in_memory: Vec<PathBuf>) -> Self {
        let usable = in_memory.iter().find(|tail| {
            let made = private_file::create_own_dir(tail);
            if let Err(error) = &made {
                tracing::warn!(%error, path = %tail.display(), "not used for samples that wait");
            }
            made.is_ok()
        });
        let usable = usable.cloned();
        let Self {
            tail: on_disk,
            mut former_tails,
            disk,
        } = Self::found(state_dir, in_memory);
        former_tails.push(on_disk.clone());
        let tail = usable.unwrap_or(on_disk);
        former_tails.retain(|it| *it != tail);
        Self {
            tail,
            former_tails,
            disk,
        }
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
        Self::found(state_dir, in_memory(state_dir))
    }

    fn found(state_dir: &Path, mut in_memory: Vec<PathBuf>) -> Self {
        let disk = state_dir.join("spool");
        let owner = fs::metadata(&disk).or_else(|_| fs::metadata(state_dir));
        in_memory.retain(|tail| owner.as_ref().is_ok_and(|owner| is_private(tail, owner)));
        Self {
            former_tails: in_memory,
            tail: disk.join(TAIL_ON_DISK),
            disk,
        }
    }
}

/// Whether it is a folder into which only this owner can have put something. Anyone can make one
/// of the right name.
fn is_private(folder: &Path, owner: &fs::Metadata) -> bool {
    let Ok(found) = fs::symlink_metadata(folder) else {
        return false;
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let for_others = found.mode() & 0o077;
        found.is_dir() && found.uid() == owner.uid() && for_others == 0
    }
    #[cfg(not(unix))]
    {
        let _nobody_asks = owner;
        found.is_dir()
    }
}

/// The folders in memory, the best first.
fn in_memory(state_dir: &Path) -> Vec<PathBuf> {
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
    .map(|parent| parent.join(&name))
    .collect()
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
    use super::super::tests::{fill, kept, owner, read};
    use super::super::{Limits, Spool, look};
    use super::*;

    fn open(place: &Place, session: u64) -> Spool {
        Spool::open(place.clone(), owner(session), Limits::default())
    }

    #[cfg(unix)]
    #[test]
    fn what_others_may_have_put_into_memory_is_neither_read_nor_deleted() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let root = tempfile::tempdir().unwrap();
        let [open_to_all, link, own] = ["open", "link", "own"].map(|name| root.path().join(name));
        let state_dir = root.path().join("state");
        // As if it were theirs: the same program, under the same name.
        let elsewhere = root.path().join("elsewhere");
        let forged = Place::made(&elsewhere, vec![open_to_all.clone()]);
        fill(&mut open(&forged, 1), 1..=3);
        fs::set_permissions(&open_to_all, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(elsewhere, &state_dir).unwrap();
        symlink(&open_to_all, &link).unwrap();

        let in_memory = vec![open_to_all.clone(), link, own.clone()];
        let place = Place::made(&state_dir, in_memory.clone());
        assert_eq!(place.tail, own);
        assert_eq!(kept(&open(&place, 2)), [(2, vec![])]);
        let seen = Place::found(&state_dir, in_memory);
        assert_eq!(seen.former_tails, [own]);
        assert_eq!(look(&seen, &owner(2).name).samples, 0);
        assert_eq!(fs::read_dir(open_to_all).unwrap().count(), 1);
    }

    #[test]
    fn a_tail_that_had_to_lie_on_disk_is_found_when_memory_is_usable_again() {
        let root = tempfile::tempdir().unwrap();
        let state_dir = root.path().join("state");
        let place = Place::made(&state_dir, Vec::new());
        assert!(place.tail.starts_with(&state_dir));
        fill(&mut open(&place, 1), 1..=3);
        let in_memory = vec![root.path().join("memory")];
        let place = Place::made(&state_dir, in_memory.clone());
        assert_eq!(place.tail, in_memory[0]);
        let mut spool = open(&place, 2);
        assert_eq!(read(&spool, 1), [1, 2, 3]);
        fill(&mut spool, 1..=2);
        // And the other way round.
        let seen = Place::found(&state_dir, in_memory);
        assert_eq!(look(&seen, &owner(2).name).samples, 5);
    }

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
