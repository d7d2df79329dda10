//! A disk that does not answer, of another machine or of a program of this one: a file system in user space that says nothing. Needs root and
//! `/dev/fuse`.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fuser::{
    BackgroundSession, FileAttr, FileType, Filesystem, INodeNo, ReplyAttr, ReplyStatfs, Request,
};
use netmonitor_protocol::payload::{Disk, Metrics};
use nix::mount::{MntFlags, umount2};

use crate::program::{agent, output};

/// Bytes of a block.
const BLOCK: u32 = 4096;

/// The file system of another machine.
#[derive(Clone, Default)]
struct Share(Arc<Mutex<Answers>>);

#[derive(Default)]
struct Answers {
    hangs: bool,
    waiting: Vec<ReplyStatfs>,
}

impl Share {
    fn hang(&self) {
        self.0.lock().unwrap().hangs = true;
    }

    fn come_back(&self) {
        let mut answers = self.0.lock().unwrap();
        answers.hangs = false;
        answers.waiting.drain(..).for_each(answer);
    }
}

/// 1,000 blocks, of which 400 are used.
fn answer(reply: ReplyStatfs) {
    reply.statfs(1000, 600, 600, 0, 0, BLOCK, 255, BLOCK);
}

impl Filesystem for Share {
    fn statfs(&self, _request: &Request, _node: INodeNo, reply: ReplyStatfs) {
        let mut answers = self.0.lock().unwrap();
        if answers.hangs {
            answers.waiting.push(reply);
        } else {
            answer(reply);
        }
    }

    fn getattr(
        &self,
        _request: &Request,
        node: INodeNo,
        _file: Option<fuser::FileHandle>,
        reply: ReplyAttr,
    ) {
        let never = std::time::UNIX_EPOCH;
        let folder = FileAttr {
            ino: node,
            size: 0,
            blocks: 0,
            atime: never,
            mtime: never,
            ctime: never,
            crtime: never,
            kind: FileType::Directory,
            perm: 0o755,
            nlink: 2,
            uid: 0,
            gid: 0,
            rdev: 0,
            blksize: BLOCK,
            flags: 0,
        };
        reply.attr(&Duration::from_mins(1), &folder);
    }
}

/// It is unmounted in the end, whatever has become of it.
struct Mounted<'a> {
    at: &'a Path,
    share: Share,
    session: Option<BackgroundSession>,
}

impl<'a> Mounted<'a> {
    fn mount(share: &Share, device: &str, at: &'a Path) -> Self {
        let mut options = fuser::Config::default();
        options.mount_options = vec![fuser::MountOption::FSName(device.to_owned())];
        let session = fuser::spawn_mount(share.clone(), at, &options)
            .unwrap_or_else(|error| panic!("this test needs root and /dev/fuse: {error}"));
        Self {
            at,
            share: share.clone(),
            session: Some(session),
        }
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        self.share.come_back();
        // It may be gone.
        let _gone = umount2(self.at, MntFlags::MNT_DETACH);
        drop(self.session.take());
    }
}

fn sample() -> Metrics {
    let state = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = output(&mut agent(state.path(), &["sample"]));
    assert_eq!(code, Some(0), "{stderr}");
    serde_json::from_str(&stdout).unwrap()
}

fn disk(sample: &Metrics, at: &Path) -> Option<Disk> {
    let mut disks = sample.disks.iter();
    disks.find(|disk| Path::new(&disk.mount) == at).cloned()
}

#[test]
fn a_remote_disk_that_does_not_answer_is_told_and_holds_up_nothing() {
    told_and_holds_up_nothing("ada@nas:/srv", true);
}

#[test]
fn neither_does_a_drive_that_a_program_of_this_machine_looks_after() {
    told_and_holds_up_nothing("/dev/sdz1", false);
}

fn told_and_holds_up_nothing(device: &str, is_remote: bool) {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("my share");
    std::fs::create_dir(&at).unwrap();
    let share = Share::default();
    let _mounted = Mounted::mount(&share, device, &at);
    let expected = Disk {
        mount: at.to_str().unwrap().to_owned(),
        total_bytes: 4_096_000,
        used_bytes: 1_638_400,
        available_bytes: 2_457_600,
        remote: is_remote,
        ..Disk::default()
    };
    assert_eq!(disk(&sample(), &at), Some(expected));

    // What was told is read while the program cannot end: Linux ends no program that has asked a file
    // system in user space and has no answer.
    share.hang();
    let state = tempfile::tempdir().unwrap();
    let mut command = agent(state.path(), &["sample"]);
    let mut running = command.stdout(Stdio::piped()).spawn().unwrap();
    let told = BufReader::new(running.stdout.take().unwrap());
    let mut text = String::new();
    for line in told.lines().map_while(Result::ok) {
        text.push_str(&line);
        if line == "}" {
            break;
        }
    }
    let held_up: Metrics = serde_json::from_str(&text).unwrap();
    let hung = disk(&held_up, &at).unwrap();
    assert!(hung.unresponsive);
    assert_eq!(hung.remote, is_remote);
    assert!(
        disk(&held_up, Path::new("/")).is_some(),
        "the others are told"
    );
    assert_eq!(held_up.failing, Vec::<String>::new());

    share.come_back();
    assert!(running.wait().unwrap().success());
    assert!(!disk(&sample(), &at).unwrap().unresponsive);
}
