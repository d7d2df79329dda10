//! Renames that are taken back unless all of them succeed.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// What was renamed so far, from where to where.
#[derive(Default)]
pub(super) struct Moves(Vec<(PathBuf, PathBuf)>);

impl Moves {
    /// Renames a file or folder. Nothing may be in its new place.
    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> anyhow::Result<()> {
        anyhow::ensure!(!to.exists(), "{} is there already", to.display());
        fs::rename(from, to)
            .with_context(|| format!("cannot move {} to {}", from.display(), to.display()))?;
        self.0.push((from.to_owned(), to.to_owned()));
        Ok(())
    }

    /// Makes them outlast a power cut.
    pub(super) fn sync(&self) -> io::Result<()> {
        let places = self.0.iter().flat_map(|(from, to)| [from, to]);
        let folders: BTreeSet<_> = places.filter_map(|path| path.parent()).collect();
        folders
            .into_iter()
            .filter(|folder| folder.exists())
            .try_for_each(|folder| File::open(folder)?.sync_all())
    }

    /// They stay as they are.
    pub(super) fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for Moves {
    fn drop(&mut self) {
        for (from, to) in self.0.drain(..).rev() {
            if let Err(error) = fs::rename(&to, &from) {
                let (from, to) = (from.display(), to.display());
                tracing::error!(%error, "{to} could not be moved back: it was {from}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_moved_goes_back_in_order_unless_it_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("old"), "old").unwrap();
        fs::write(path("new"), "new").unwrap();
        let exchange = || {
            let mut moves = Moves::default();
            moves.rename(&path("old"), &path("aside")).unwrap();
            moves.rename(&path("new"), &path("old")).unwrap();
            moves
        };
        let mut moves = exchange();
        moves.rename(&path("none"), &path("other")).unwrap_err();
        moves.rename(&path("aside"), &path("old")).unwrap_err();
        drop(moves);
        assert_eq!(fs::read_to_string(path("old")).unwrap(), "old");
        assert_eq!(fs::read_to_string(path("new")).unwrap(), "new");
        let moves = exchange();
        moves.sync().unwrap();
        moves.keep();
        assert_eq!(fs::read_to_string(path("old")).unwrap(), "new");
        assert_eq!(fs::read_to_string(path("aside")).unwrap(), "old");
    }
}
