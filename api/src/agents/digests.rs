//! SHA-256 of the programs. Each is computed when somebody asks for it first, and again when the
//! file has changed.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;
use netmonitor_service::digest::Sha256;

use super::Target;
use super::places::{Found, Stamp};

/// What is known.
#[derive(Debug, Default)]
pub(super) struct Digests(Mutex<BTreeMap<Target, (Stamp, String)>>);

impl Digests {
    /// That of a program, in hexadecimal digits. Only a piece of it is in memory at a time, and one
    /// program is read at a time: others wait.
    pub(super) fn of(&self, target: Target, found: Found) -> anyhow::Result<String> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((stamp, sha256)) = known.get(&target)
            && *stamp == found.stamp
        {
            return Ok(sha256.clone());
        }
        let Found {
            mut file, stamp, ..
        } = found;
        let context = || format!("cannot read the agent program for {}", target.as_str());
        let mut digest = Sha256::default();
        io::copy(&mut file, &mut digest).with_context(context)?;
        let sha256 = digest.finish();
        // One that was written meanwhile is read again next time.
        if Stamp::of(&file).with_context(context)? == stamp {
            known.insert(target, (stamp, sha256.clone()));
        }
        Ok(sha256)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::places::Places;
    use netmonitor_service::digest::{hex, sha256};
    use std::fs;

    const TARGET: Target = Target::X86_64;

    #[test]
    fn a_file_that_has_changed_is_read_again_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(TARGET.as_str());
        let places = Places::in_one(folder.path());
        let digests = Digests::default();
        let told = || digests.of(TARGET, places.open(TARGET).unwrap().unwrap());

        fs::write(&path, "one").unwrap();
        assert_eq!(told().unwrap(), hex(&sha256(b"one")));
        // What is remembered is told: the file is not read.
        let remembered = |text: &str| {
            let mut known = digests.0.lock().unwrap();
            known.get_mut(&TARGET).unwrap().1 = text.to_owned();
        };
        remembered("as before");
        assert_eq!(told().unwrap(), "as before");

        // As a package does it: another file, of the same size, with a date of its own.
        let new = folder.path().join("new");
        fs::write(&new, "two").unwrap();
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        fs::File::options()
            .write(true)
            .open(&new)
            .unwrap()
            .set_modified(modified)
            .unwrap();
        fs::rename(&new, &path).unwrap();
        assert_eq!(told().unwrap(), hex(&sha256(b"two")));
    }
}
