//! A drive with a write cache, mounted as a file system in user space, whose power can be cut.
//!
//! - [`disk`]: what it holds, and what is left of it
//! - [`server`]: the file system, as the kernel asks for it

pub(crate) mod disk;
mod server;
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use fuser::BackgroundSession;
use netmonitor_testkit::eventually;
use nix::mount::{MntFlags, umount, umount2};

use crate::support::DEADLINE;
pub(crate) use disk::{Cut, Disk};
use server::Server;

/// The drive and its supply.
#[derive(Debug)]
struct State {
    disk: Disk,
    is_on: bool,
    /// The power fails with that change from now on.
    fuse: Option<u32>,
}

/// A drive that is in use.
#[derive(Debug)]
pub(crate) struct Drive {
    at: PathBuf,
    state: Arc<Mutex<State>>,
    session: Option<BackgroundSession>,
}

impl Drive {
    /// Mounts it on an empty folder.
    pub(crate) fn mount(disk: Disk, at: &Path) -> Self {
        let state = Arc::new(Mutex::new(State {
            disk,
            is_on: true,
            fuse: None,
        }));
        let mut options = fuser::Config::default();
        options.mount_options = vec![
            fuser::MountOption::FSName("drive".to_owned()),
            fuser::MountOption::NoDev,
        ];
        let session = fuser::spawn_mount(Server(state.clone()), at, &options)
            .unwrap_or_else(|error| panic!("this story needs root and /dev/fuse: {error}"));
        Self {
            at: at.to_owned(),
            state,
            session: Some(session),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Whatever was written until now is safe.
    pub(crate) fn settle(&self) {
        self.state().disk.sync_all();
    }

    /// The power fails in the middle of this change from now on, counted from 1: a write, a new
    /// name, a sync.
    pub(crate) fn cut_at(&self, change: u32) {
        self.state().fuse = Some(change);
    }

    /// The power fails now. From then on everything fails.
    pub(crate) fn cut(&self) {
        self.state().is_on = false;
    }

    /// Whether it still has power.
    pub(crate) fn is_on(&self) -> bool {
        self.state().is_on
    }

    /// Takes it away from under the programs, which have ended, and tells what is left.
    pub(crate) fn take_out(mut self, how: Cut) -> Disk {
        self.cut();
        self.unmount();
        self.state().disk.cut(how)
    }

    fn unmount(&mut self) {
        if let Some(session) = self.session.take() {
            // A program that was killed a moment ago may not have let go yet.
            eventually("the drive is unmounted", DEADLINE, || {
                umount(&self.at).is_ok()
            });
            // The kernel may call its end an aborted connection.
            let _ended = session.join();
        }
    }
}

impl Drop for Drive {
    fn drop(&mut self) {
        if self.session.is_some() {
            // The story has failed: whoever still holds it does not matter.
            let _gone = umount2(&self.at, MntFlags::MNT_DETACH);
        }
    }
}

impl State {
    /// Counts a change. None if there is no power; false if it fails while the change is made.
    fn spend(&mut self) -> Option<bool> {
        if !self.is_on {
            return None;
        }
        if let Some(left) = &mut self.fuse {
            *left = left.saturating_sub(1);
            self.is_on = *left > 0;
        }
        Some(self.is_on)
    }
}
