//! Space on mounted disks. A file system of another machine, or one that a program of this machine
//! looks after, may not answer for hours: each of those is asked on a thread of its own, and reported as unresponsive while that hangs.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use netmonitor_protocol::payload::{Disk, DiskInfo, Inodes};
use nix::errno::Errno;
use nix::sys::statvfs::{Statvfs, statvfs};

use super::super::{Collector, Part};
use super::mounts::{Mount, real};
use crate::root::Root;

/// How long a remote file system may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_millis(500);

/// Stack of a thread that asks, in bytes.
const STACK: usize = 64 * 1024;

struct DiskSpace {
    root: Root,
    /// What is known of remote file systems, by mount point.
    remote: BTreeMap<String, Remote>,
}

/// A remote file system.
#[derive(Default)]
struct Remote {
    /// Its last answer.
    known: Option<Space>,
    /// The one that is waited for.
    asked: Option<Receiver<Result<Space, Errno>>>,
}

/// What a file system tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Space {
    total_bytes: u64,
    used_bytes: u64,
    available_bytes: u64,
    inodes: Option<Inodes>,
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every collector opens in the same way"
)]
pub(super) fn open(root: &Root) -> anyhow::Result<Box<dyn Collector>> {
    Ok(Box::new(DiskSpace {
        root: root.clone(),
        remote: BTreeMap::new(),
    }))
}

impl Collector for DiskSpace {
    fn read(&mut self, _now: Instant) -> anyhow::Result<Part> {
        let mounts = real(&self.root.text("proc/self/mountinfo")?);
        let is_mounted = |point: &String| mounts.iter().any(|it| it.may_hang && it.point == *point);
        // A thread that hangs ends when its file system is unmounted, or answers.
        self.remote.retain(|point, _| is_mounted(point));
        for mount in mounts.iter().filter(|mount| mount.may_hang) {
            self.remote
                .entry(mount.point.clone())
                .or_default()
                .ask(&self.root, mount);
        }
        let until = Instant::now() + ANSWER_WITHIN;
        let (mut disks, mut infos) = (Vec::new(), Vec::new());
        for mount in mounts {
            let Some((space, is_unresponsive)) = self.space(&mount, until) else {
                continue;
            };
            disks.push(disk(&mount, &space, is_unresponsive));
            infos.push(DiskInfo {
                mount: mount.point,
                device: mount.device,
                file_system: mount.file_system,
                total_bytes: space.total_bytes,
            });
        }
        Ok(Part::Disks(disks, infos))
    }
}

impl DiskSpace {
    /// The space, and whether it is an old one because nobody answers. None if there is nothing
    /// to tell: another user's file system, or one without size, or a file that is mounted over
    /// another one, as container runtimes do with `/etc/hosts`.
    fn space(&mut self, mount: &Mount, until: Instant) -> Option<(Space, bool)> {
        if mount.may_hang {
            let remote = self.remote.entry(mount.point.clone()).or_default();
            return remote.space(until);
        }
        let path = self.root.path(mount.point.trim_start_matches('/'));
        let found = match ask(&path) {
            Ok(space) => space,
            Err(Errno::EACCES | Errno::EPERM | Errno::ENOENT) => return None,
            // A drive that is broken, or has gone without being unmounted.
            Err(_) => return Some((Space::default(), true)),
        };
        let is_one = found.total_bytes > 0 && path.is_dir();
        is_one.then_some((found, false))
    }
}

impl Remote {
    fn ask(&mut self, root: &Root, mount: &Mount) {
        if self.asked.is_some() {
            return;
        }
        let path = root.path(mount.point.trim_start_matches('/'));
        let (answer, asked) = mpsc::sync_channel(1);
        let started = thread::Builder::new()
            .name("disk".to_owned())
            .stack_size(STACK)
            .spawn(move || {
                // Nobody waits any more if it was unmounted meanwhile.
                let _nobody_waits = answer.send(self::ask(&path));
            });
        match started {
            Ok(_runs_until_answered) => self.asked = Some(asked),
            Err(error) => tracing::warn!(%error, "cannot start a thread for a remote disk"),
        }
    }

    /// The answer, if there is one by then.
    fn space(&mut self, until: Instant) -> Option<(Space, bool)> {
        let asked = self.asked.as_ref()?;
        let wait = until.saturating_duration_since(Instant::now());
        let answer = match asked.recv_timeout(wait) {
            Ok(answer) => Some(answer),
            Err(_) => match asked.try_recv() {
                Ok(answer) => Some(answer),
                Err(TryRecvError::Empty) => None,
                Err(TryRecvError::Disconnected) => Some(Err(Errno::EIO)),
            },
        };
        match answer {
            Some(Ok(space)) => {
                self.asked = None;
                self.known = Some(space);
                (space.total_bytes > 0).then_some((space, false))
            }
            // Another user's: it says nothing to us.
            Some(Err(Errno::EACCES | Errno::EPERM)) => {
                self.asked = None;
                None
            }
            Some(Err(_)) => {
                self.asked = None;
                Some((self.known.unwrap_or_default(), true))
            }
            None => Some((self.known.unwrap_or_default(), true)),
        }
    }
}

fn ask(path: &std::path::Path) -> Result<Space, Errno> {
    statvfs(path).map(|stat| space(&stat))
}

/// As `df` counts: what is kept back for root is not used, and not available either.
#[allow(
    clippy::useless_conversion,
    reason = "these numbers are narrower on 32-bit machines"
)]
fn space(stat: &Statvfs) -> Space {
    let unit = u64::from(stat.fragment_size());
    let [total, free, available] = [
        u64::from(stat.blocks()),
        u64::from(stat.blocks_free()),
        u64::from(stat.blocks_available()),
    ];
    let (files, free_files) = (u64::from(stat.files()), u64::from(stat.files_free()));
    Space {
        total_bytes: total.saturating_mul(unit),
        used_bytes: total.saturating_sub(free).saturating_mul(unit),
        available_bytes: available.saturating_mul(unit),
        inodes: (files > 0).then(|| Inodes {
            total: files,
            used: files.saturating_sub(free_files),
        }),
    }
}

fn disk(mount: &Mount, space: &Space, is_unresponsive: bool) -> Disk {
    Disk {
        mount: mount.point.clone(),
        total_bytes: space.total_bytes,
        used_bytes: space.used_bytes,
        available_bytes: space.available_bytes,
        // Network file systems make numbers up.
        inodes: space.inodes.filter(|_| !mount.is_remote),
        read_only: mount.is_read_only,
        remote: mount.is_remote,
        unresponsive: is_unresponsive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remote_disk_that_does_not_answer_keeps_its_numbers_and_is_asked_once() {
        let space = Space {
            total_bytes: 100,
            used_bytes: 40,
            available_bytes: 60,
            inodes: None,
        };
        let (answer, asked) = mpsc::sync_channel(1);
        let mut remote = Remote {
            known: None,
            asked: Some(asked),
        };
        let now = Instant::now();
        assert_eq!(remote.space(now), Some((Space::default(), true)));
        answer.send(Ok(space)).unwrap();
        assert_eq!(remote.space(now), Some((space, false)));
        assert!(remote.asked.is_none());

        let (answer, asked) = mpsc::sync_channel(1);
        remote.asked = Some(asked);
        assert_eq!(remote.space(now), Some((space, true)));
        assert!(remote.asked.is_some(), "nobody asks a second time");
        answer.send(Err(Errno::ESTALE)).unwrap();
        assert_eq!(remote.space(now), Some((space, true)));
        assert!(remote.asked.is_none());
    }
}
