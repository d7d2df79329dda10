//! The file system, as the kernel asks for it. Locks and memory maps are the kernel's own affair.

use std::ffi::OsStr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use fuser::{
    BsdFileFlags, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation,
    INodeNo, LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory,
    ReplyEmpty, ReplyEntry, ReplyStatfs, ReplyWrite, Request, TimeOrNow, WriteFlags,
};

use super::State;
use super::disk::{Disk, Kind, Node, Number};

/// Nobody but the kernel changes anything, so what it knows stays true.
const TTL: Duration = Duration::from_hours(1);

/// Room of the drive, of which nothing is ever used up, in blocks.
const BLOCKS: u64 = 1 << 20;

/// Bytes of a block.
const BLOCK: u32 = 4096;

/// What the kernel talks to.
#[derive(Debug)]
pub(super) struct Server(pub(super) Arc<Mutex<State>>);

impl Server {
    /// Reads. An error if there is no power.
    fn look<T>(&self, look: impl FnOnce(&Disk) -> Result<T, Errno>) -> Result<T, Errno> {
        let state = self.0.lock().unwrap();
        if !state.is_on {
            return Err(Errno::EIO);
        }
        look(&state.disk)
    }

    /// Changes something. If the power fails in the middle of it, it has reached the cache and
    /// nobody is told.
    fn change<T>(&self, change: impl FnOnce(&mut Disk) -> Result<T, Errno>) -> Result<T, Errno> {
        let mut state = self.0.lock().unwrap();
        let survives = state.spend().ok_or(Errno::EIO)?;
        let changed = change(&mut state.disk);
        if survives { changed } else { Err(Errno::EIO) }
    }

    /// Makes something safe. If the power fails in the middle of it, it is not.
    fn sync(&self, sync: impl FnOnce(&mut Disk)) -> Result<(), Errno> {
        let mut state = self.0.lock().unwrap();
        if state.spend() == Some(true) {
            sync(&mut state.disk);
            return Ok(());
        }
        Err(Errno::EIO)
    }

    fn make(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        kind: Kind,
        mode: u32,
    ) -> Result<FileAttr, Errno> {
        let owner = (request.uid(), request.gid());
        self.change(|disk| {
            if disk.find(parent.0, name).is_some() {
                return Err(Errno::EEXIST);
            }
            let mode = u16::try_from(mode & 0o7777).unwrap_or_default();
            let number = disk.create(parent.0, name, kind, mode, owner);
            Ok(attributes(disk, number))
        })
    }

    fn remove(&self, parent: INodeNo, name: &OsStr) -> Result<(), Errno> {
        self.change(|disk| {
            let number = disk.find(parent.0, name).ok_or(Errno::ENOENT)?;
            if disk.list(number).next().is_some() {
                return Err(Errno::ENOTEMPTY);
            }
            disk.remove(parent.0, name);
            Ok(())
        })
    }
}

fn attributes(disk: &Disk, number: Number) -> FileAttr {
    let Node {
        kind,
        mode,
        owner,
        ref data,
        ..
    } = *disk.node(number);
    let size = data.len() as u64;
    let time = SystemTime::UNIX_EPOCH;
    FileAttr {
        ino: INodeNo(number),
        size,
        blocks: size.div_ceil(512),
        atime: time,
        mtime: time,
        ctime: time,
        crtime: time,
        kind: file_type(kind),
        perm: mode,
        nlink: disk.links(number),
        uid: owner.0,
        gid: owner.1,
        rdev: 0,
        blksize: BLOCK,
        flags: 0,
    }
}

fn file_type(kind: Kind) -> FileType {
    match kind {
        Kind::File => FileType::RegularFile,
        Kind::Directory => FileType::Directory,
        Kind::Socket => FileType::Socket,
    }
}

fn position(offset: u64) -> usize {
    usize::try_from(offset).expect("files are small")
}

fn answer_entry(reply: ReplyEntry, result: Result<FileAttr, Errno>) {
    match result {
        Ok(attributes) => reply.entry(&TTL, &attributes, Generation(0)),
        Err(error) => reply.error(error),
    }
}

fn answer_attributes(reply: ReplyAttr, result: Result<FileAttr, Errno>) {
    match result {
        Ok(attributes) => reply.attr(&TTL, &attributes),
        Err(error) => reply.error(error),
    }
}

fn answer_empty(reply: ReplyEmpty, result: Result<(), Errno>) {
    match result {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(error),
    }
}

impl Filesystem for Server {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let found = self.look(|disk| {
            let number = disk.find(parent.0, name).ok_or(Errno::ENOENT)?;
            Ok(attributes(disk, number))
        });
        answer_entry(reply, found);
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        answer_attributes(reply, self.look(|disk| Ok(attributes(disk, ino.0))));
    }

    fn setattr(
        &self,
        _: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
        size: Option<u64>,
        _atime: Option<TimeOrNow>,
        _mtime: Option<TimeOrNow>,
        _ctime: Option<SystemTime>,
        _: Option<FileHandle>,
        _crtime: Option<SystemTime>,
        _chgtime: Option<SystemTime>,
        _bkuptime: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let changed = self.change(|disk| {
            let node = disk.node_mut(ino.0);
            if let Some(mode) = mode {
                node.mode = u16::try_from(mode & 0o7777).unwrap_or_default();
            }
            node.owner.0 = uid.unwrap_or(node.owner.0);
            node.owner.1 = gid.unwrap_or(node.owner.1);
            if let Some(size) = size {
                disk.resize(ino.0, position(size));
            }
            Ok(attributes(disk, ino.0))
        });
        answer_attributes(reply, changed);
    }

    fn mknod(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _rdev: u32,
        reply: ReplyEntry,
    ) {
        let kind = match mode & 0o170_000 {
            0o100_000 => Kind::File,
            0o140_000 => Kind::Socket,
            _ => return reply.error(Errno::EPERM),
        };
        answer_entry(reply, self.make(request, parent, name, kind, mode & !umask));
    }

    fn mkdir(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        reply: ReplyEntry,
    ) {
        let entry = self.make(request, parent, name, Kind::Directory, mode & !umask);
        answer_entry(reply, entry);
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        answer_empty(reply, self.remove(parent, name));
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        answer_empty(reply, self.remove(parent, name));
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let renamed = self.change(|disk| {
            disk.find(parent.0, name).ok_or(Errno::ENOENT)?;
            let is_taken = disk.find(new_parent.0, new_name).is_some();
            if flags.contains(RenameFlags::RENAME_EXCHANGE) {
                return Err(Errno::EINVAL);
            }
            if is_taken && flags.contains(RenameFlags::RENAME_NOREPLACE) {
                return Err(Errno::EEXIST);
            }
            disk.rename((parent.0, name), (new_parent.0, new_name));
            Ok(())
        });
        answer_empty(reply, renamed);
    }

    fn link(
        &self,
        _: &Request,
        ino: INodeNo,
        new_parent: INodeNo,
        new_name: &OsStr,
        reply: ReplyEntry,
    ) {
        let linked = self.change(|disk| {
            if disk.find(new_parent.0, new_name).is_some() {
                return Err(Errno::EEXIST);
            }
            disk.link(new_parent.0, new_name, ino.0);
            Ok(attributes(disk, ino.0))
        });
        answer_entry(reply, linked);
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let read = self.look(|disk| {
            let data = &disk.node(ino.0).data;
            let begin = position(offset).min(data.len());
            let end = (begin + size as usize).min(data.len());
            Ok(data[begin..end].to_vec())
        });
        match read {
            Ok(bytes) => reply.data(&bytes),
            Err(error) => reply.error(error),
        }
    }

    fn write(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let written = self.change(|disk| {
            disk.write(ino.0, position(offset), data);
            u32::try_from(data.len()).map_err(|_| Errno::EINVAL)
        });
        match written {
            Ok(size) => reply.written(size),
            Err(error) => reply.error(error),
        }
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        answer_empty(reply, self.sync(|disk| disk.sync(ino.0)));
    }

    fn fsyncdir(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        answer_empty(reply, self.sync(Disk::sync_names));
    }

    fn readdir(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let listed = self.look(|disk| {
            let own = [".", ".."].map(|name| (OsStr::new(name), ino.0));
            let all = own.into_iter().chain(disk.list(ino.0));
            for (next, (name, number)) in (1..).zip(all).skip(position(offset)) {
                let kind = file_type(disk.node(number).kind);
                if reply.add(INodeNo(number), next, kind, name) {
                    break;
                }
            }
            Ok(())
        });
        match listed {
            Ok(()) => reply.ok(),
            Err(error) => reply.error(error),
        }
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        reply.statfs(BLOCKS, BLOCKS, BLOCKS, BLOCKS, BLOCKS, BLOCK, 255, BLOCK);
    }

    fn create(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _flags: i32,
        reply: ReplyCreate,
    ) {
        match self.make(request, parent, name, Kind::File, mode & !umask) {
            Ok(attributes) => reply.created(
                &TTL,
                &attributes,
                Generation(0),
                FileHandle(0),
                FopenFlags::empty(),
            ),
            Err(error) => reply.error(error),
        }
    }
}
