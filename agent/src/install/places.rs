//! Where the parts of an installed agent are.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use netmonitor_service::private_file;

use super::UNIT_NAME;
use crate::config::OF_THE_SERVICE;

/// Where the parts of an installed agent are. The unit and the autostart name the same program.
#[derive(Debug, Clone)]
pub(super) struct Places {
    program: PathBuf,
    unit: PathBuf,
    autostart: PathBuf,
    /// Who runs it.
    pub(super) user: PathBuf,
    /// What the agent knows.
    pub(super) state: PathBuf,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            program: "/usr/local/bin/netmonitor-agent".into(),
            unit: Path::new("/etc/systemd/system").join(UNIT_NAME),
            autostart: "/etc/xdg/autostart/netmonitor-agent-notify.desktop".into(),
            user: "/etc/sysusers.d/netmonitor-agent.conf".into(),
            state: OF_THE_SERVICE.into(),
        }
    }
}

impl Places {
    /// Whether it is installed, or parts of it are.
    pub(super) fn is_there(&self) -> bool {
        self.parts().iter().any(|part| part.exists())
    }

    /// Whether systemd may know it.
    pub(super) fn has_unit(&self) -> bool {
        self.unit.exists()
    }

    /// Everything but what the agent knows, the unit last: while it is there, systemd can be told to
    /// forget it.
    fn parts(&self) -> [&Path; 4] {
        [&self.autostart, &self.user, &self.program, &self.unit]
    }

    /// Puts everything in its place. Each file is there whole or not at all.
    pub(super) fn put(
        &self,
        program: &Path,
        unit: &str,
        autostart: &str,
        user: &str,
    ) -> anyhow::Result<()> {
        let is_itself = fs::canonicalize(&self.program).ok() == fs::canonicalize(program).ok();
        if !is_itself {
            let bytes =
                fs::read(program).with_context(|| format!("cannot read {}", program.display()))?;
            write(&self.program, &bytes, 0o755)?;
        }
        write(&self.unit, unit.as_bytes(), 0o644)?;
        write(&self.autostart, autostart.as_bytes(), 0o644)?;
        write(&self.user, user.as_bytes(), 0o644)
    }

    /// Takes what the agent knows to where the service keeps it, unless it is there. systemd gives
    /// it to the service's user when it starts.
    pub(super) fn take_state(&self, from: &Path) -> anyhow::Result<()> {
        let is_there = fs::canonicalize(&self.state)
            .is_ok_and(|there| fs::canonicalize(from).is_ok_and(|from| from == there));
        if is_there {
            return Ok(());
        }
        let context = || format!("cannot make {}", self.state.display());
        private_file::create_dir(&self.state).with_context(context)?;
        copy(from, &self.state)
    }

    /// Removes everything but what the agent knows.
    pub(super) fn remove(&self) -> anyhow::Result<()> {
        for path in self.parts() {
            removed(fs::remove_file(path), path)?;
        }
        Ok(())
    }

    /// Removes what the agent knows.
    pub(super) fn purge(&self) -> anyhow::Result<()> {
        removed(fs::remove_dir_all(&self.state), &self.state)?;
        let run = Path::new("/run/netmonitor-agent");
        removed(fs::remove_dir_all(run), run)
    }
}

/// Copies files and folders, for their owner only: that of the folder they are put into.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let context = || format!("cannot copy {}", from.display());
    for entry in fs::read_dir(from).with_context(context)? {
        let path = entry.with_context(context)?.path();
        let Some(target) = path.file_name().map(|name| to.join(name)) else {
            continue;
        };
        if path.is_dir() {
            private_file::create_dir_in(&target).with_context(context)?;
            copy(&path, &target)?;
        } else if path.is_file() {
            let bytes = fs::read(&path).with_context(context)?;
            private_file::write(&target, &bytes).with_context(context)?;
        }
    }
    Ok(())
}

/// What was not there is removed as well.
fn removed(result: io::Result<()>, path: &Path) -> anyhow::Result<()> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Writes a file beside the old one, and puts it in its place: a program that runs goes on.
fn write(path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    let context = || format!("cannot write {}", path.display());
    let folder = path.parent().with_context(context)?;
    fs::create_dir_all(folder).with_context(context)?;
    private_file::write(path, bytes).with_context(context)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).with_context(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(folder: &Path) -> Places {
        Places {
            program: folder.join("bin/netmonitor-agent"),
            unit: folder.join("units/netmonitor-agent.service"),
            autostart: folder.join("autostart/notify.desktop"),
            user: folder.join("users/agent.conf"),
            state: folder.join("state"),
        }
    }

    #[test]
    fn everything_is_put_into_its_place_and_taken_away_again() {
        let folder = tempfile::tempdir().unwrap();
        let places = places(folder.path());
        let from = folder.path().join("from");
        fs::create_dir_all(from.join("spool")).unwrap();
        fs::write(from.join("identity.json"), "{}").unwrap();
        fs::write(from.join("spool/1.block"), "samples").unwrap();
        let program = folder.path().join("download");
        fs::write(&program, "program").unwrap();
        places.take_state(&from).unwrap();
        for _again in 0..2 {
            places.put(&program, "unit", "autostart", "user").unwrap();
        }
        assert!(places.is_there());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&places.program), 0o755);
        assert_eq!(mode(&places.unit), 0o644);
        assert_eq!(mode(&places.state.join("identity.json")), 0o600);
        assert!(
            places.state.join("spool/1.block").exists(),
            "what waits is sent by the service"
        );
        places.remove().unwrap();
        places.remove().unwrap();
        assert!(!places.is_there() && places.state.exists());
    }

    #[test]
    fn a_program_that_is_in_its_place_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let places = places(folder.path());
        fs::create_dir_all(folder.path().join("bin")).unwrap();
        fs::write(&places.program, "program").unwrap();
        places
            .put(&places.program.clone(), "unit", "autostart", "user")
            .unwrap();
        assert_eq!(fs::read_to_string(&places.program).unwrap(), "program");
    }

    #[test]
    fn unit_and_autostart_start_the_program_where_it_is() {
        let program = Places::default().program;
        for text in [super::super::UNIT, super::super::AUTOSTART] {
            assert!(text.contains(&format!("={} ", program.display())), "{text}");
        }
        assert!(super::super::UNIT.contains("RuntimeDirectory=netmonitor-agent\n"));
    }
}
