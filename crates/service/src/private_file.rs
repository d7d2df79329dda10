//! Files that hold secrets: for their owner only, and never half written.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

/// From now on this process makes files and directories for its owner only, those of its
/// databases included. Called once, in `main`.
pub fn keep_private() {
    #[cfg(unix)]
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
}

/// Makes the directory, and those above it, for the owner only (0700).
pub fn create_dir(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes a directory for the owner only (0700) in a place where others may write as well. One that
/// is there already is an error if it is a link, someone else's, or open to others: whoever made
/// it could read, replace or fill what is put there.
pub fn create_own_dir(path: &Path) -> io::Result<()> {
    create_dir(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
        let found = fs::symlink_metadata(path)?;
        let is_ours = found.is_dir() && found.uid() == nix::unistd::geteuid().as_raw();
        if !is_ours || found.permissions().mode() & 0o077 != 0 {
            let message = format!("{} is not this program's own directory", path.display());
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
        }
    }
    Ok(())
}

/// Writes a file for the owner only (0600). A reader sees the old content or the new one, and
/// so does the machine after a power cut.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = options().open(path)?;
    file.write_all(content)?;
    file.commit()
}

#[cfg(unix)]
fn options() -> atomic_write_file::OpenOptions {
    use atomic_write_file::unix::OpenOptionsExt as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = atomic_write_file::OpenOptions::new();
    options.mode(0o600).preserve_mode(false);
    options
}

/// The folder's rights are inherited.
#[cfg(not(unix))]
fn options() -> atomic_write_file::OpenOptions {
    atomic_write_file::OpenOptions::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_a_private_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secrets").join("one");
        create_dir(path.parent().unwrap()).unwrap();
        write(&path, b"first").unwrap();
        write(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_directory_among_those_of_others_is_refused_unless_it_is_its_owners_alone() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let shared = tempfile::tempdir().unwrap();
        let own = shared.path().join("own");
        create_own_dir(&own).unwrap();
        create_own_dir(&own).unwrap();
        let link = shared.path().join("link");
        symlink(&own, &link).unwrap();
        create_own_dir(&link).unwrap_err();
        fs::set_permissions(&own, fs::Permissions::from_mode(0o755)).unwrap();
        let refused = create_own_dir(&own).unwrap_err();
        assert!(refused.to_string().contains("own"), "{refused}");
    }
}
