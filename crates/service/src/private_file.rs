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

/// Makes a directory for the owner only (0700) in one where others may write as well. It is an error
/// if that one is missing or in the hands of others, or if the directory is there already and is a
/// link, someone else's, or open to others: whoever made it could read, replace or fill what is put
/// there.
pub fn create_own_dir(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
        /// Only the owner of a file may delete or rename it (`inode(7)`).
        const STICKY: u32 = 0o1000;
        let refused = |path: &Path| {
            let message = format!("{} is in the hands of others", path.display());
            io::Error::new(io::ErrorKind::PermissionDenied, message)
        };
        let own = nix::unistd::geteuid().as_raw();
        let parent = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        let of_parent = fs::metadata(parent)?;
        let is_closed = of_parent.mode() & 0o022 == 0 || of_parent.mode() & STICKY != 0;
        if !is_closed || ![0, own].contains(&of_parent.uid()) {
            return Err(refused(parent));
        }
        match fs::DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let found = fs::symlink_metadata(path)?;
        if !found.is_dir() || found.uid() != own || found.mode() & 0o077 != 0 {
            return Err(refused(path));
        }
        Ok(())
    }
    #[cfg(not(unix))]
    create_dir(path)
}

/// Writes a file for the owner only (0600). A reader sees the old content or the new one, and
/// so does the machine after a power cut. A link is replaced, and not followed. What root writes into
/// the folder of another user is that user's: the service that runs there is to read it.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = options().open(path)?;
    #[cfg(unix)]
    if let Some((user, group)) = other_owner(path)? {
        // Of the file that is open: the name may be exchanged by that user at any time.
        std::os::unix::fs::fchown(file.as_file(), Some(user), Some(group))?;
    }
    file.write_all(content)?;
    file.commit()
}

/// Makes a directory for the owner only (0700) in another one; what root makes in the folder of
/// another user is that user's. A link is refused.
pub fn create_dir_in(path: &Path) -> io::Result<()> {
    create_dir(path)?;
    #[cfg(unix)]
    if let Some((user, group)) = other_owner(path)? {
        if !fs::symlink_metadata(path)?.is_dir() {
            let message = format!("{} is a link", path.display());
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
        }
        std::os::unix::fs::lchown(path, Some(user), Some(group))?;
    }
    Ok(())
}

/// User and group of the folder that something is in, if this is root and they are not.
#[cfg(unix)]
fn other_owner(path: &Path) -> io::Result<Option<(u32, u32)>> {
    use std::os::unix::fs::MetadataExt as _;
    if !nix::unistd::geteuid().is_root() {
        return Ok(None);
    }
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let here = Path::new(".");
    let owner = fs::metadata(if folder.as_os_str().is_empty() {
        here
    } else {
        folder
    })?;
    Ok((owner.uid() != 0).then(|| (owner.uid(), owner.gid())))
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

    /// For root only: nobody else can give anything away.
    #[cfg(unix)]
    #[test]
    fn what_root_writes_for_another_user_is_theirs_and_no_link_of_theirs_is_followed() {
        use std::os::unix::fs::{MetadataExt as _, chown, symlink};
        const NOBODY: u32 = 65534;
        if !nix::unistd::geteuid().is_root() {
            return;
        }
        let place = tempfile::tempdir().unwrap();
        let (secret, theirs) = (place.path().join("shadow"), place.path().join("theirs"));
        write(&secret, b"of root").unwrap();
        fs::create_dir(&theirs).unwrap();
        chown(&theirs, Some(NOBODY), Some(NOBODY)).unwrap();
        let (file, folder) = (theirs.join("file"), theirs.join("folder"));
        symlink(&secret, &file).unwrap();
        write(&file, b"new").unwrap();
        create_dir_in(&folder).unwrap();
        assert_eq!(fs::symlink_metadata(&file).unwrap().uid(), NOBODY);
        assert_eq!(fs::symlink_metadata(&folder).unwrap().uid(), NOBODY);
        assert_eq!(fs::read(&secret).unwrap(), b"of root");
        assert_eq!(fs::metadata(&secret).unwrap().uid(), 0);
        let link = theirs.join("link");
        symlink(place.path(), &link).unwrap();
        create_dir_in(&link).unwrap_err();
        assert_eq!(fs::metadata(place.path()).unwrap().uid(), 0);
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

        let mut of_all = fs::Permissions::from_mode(0o777);
        fs::set_permissions(shared.path(), of_all.clone()).unwrap();
        create_own_dir(&shared.path().join("new")).unwrap_err();
        of_all.set_mode(0o1777);
        fs::set_permissions(shared.path(), of_all).unwrap();
        create_own_dir(&shared.path().join("new")).unwrap();
        create_own_dir(&shared.path().join("missing/new")).unwrap_err();
    }
}
