//! What was taken and is not known to be stored yet: every sample, until ingest has acknowledged
//! it.
//!
//! Each sample is appended to a file of the [tail](Place::tail), which lies in memory, before it
//! is sent: a program that is killed loses nothing, and no card is written. While the hub is away
//! what is in the tail is packed into compressed blocks [on disk](Place::disk) about once a
//! minute, so that a machine that loses power loses that minute at most. A file goes when all its
//! samples are acknowledged. In this program's memory there are only the ranges of numbers.
//!
//! A sample of a small machine takes about 90 bytes in a block, one of a machine with 16 cores, four
//! disks, three interfaces and eight sensors, of which nothing rests, 254: 24 MiB hold 3.4 days of that one
//! at one sample in 3 s, and more than 9 of the small one.
//!
//! - [`numbers`]: ranges of numbers
//! - [`place`]: in which folders
//! - `record`: what the files are made of
//! - `piece`: one file
//! - `opening`: what former starts have left
//! - `kept`: what of a sample is kept
//! - `lock`: whose the files are
//! - `tail`: appending
//! - `packing`: from the tail to the disk
//! - `look`: what waits, as the files say
//! - `lost`: how much was given up
//! - `outgoing`: a sample as it is sent

mod kept;
mod lock;
mod look;
mod lost;
pub mod numbers;
mod opening;
mod outgoing;
mod packing;
mod piece;
mod place;
mod record;
mod tail;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use netmonitor_protocol::SessionId;

pub use look::Waiting;
pub(crate) use look::look;
pub use lost::Lost;
pub(crate) use outgoing::Moment;
pub(crate) use piece::{Found, Reading};
pub use place::Place;

use crate::config::SPOOL_MAX_MB;
use lock::Running;
use numbers::{Numbers, common, count, smallest, take_away};
use piece::{Piece, Taken, from_pieces};
use record::{Record, Start};

/// How much a spool may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the tail. When it is full its oldest file goes.
    pub tail_bytes: u64,
    /// Bytes of one file of the tail.
    pub file_bytes: u64,
    /// Bytes of all blocks on disk. When there are more the oldest goes.
    pub disk_bytes: u64,
    /// Bytes of samples in one block, before compression: much more would compress no better.
    pub block_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            tail_bytes: 4 << 20,
            file_bytes: 64 << 10,
            disk_bytes: SPOOL_MAX_MB << 20,
            block_bytes: 256 << 10,
        }
    }
}

/// Whose spool it is: samples of one device are never sent in the name of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Device and hub.
    pub name: String,
    /// This start of the agent.
    pub session: SessionId,
    /// This boot of the machine, where the system names it.
    pub boot: Option<String>,
}

impl Owner {
    /// What files of this session begin with.
    fn start(&self) -> Start {
        Start {
            owner: self.name.clone(),
            session: self.session,
            boot: self.boot.clone(),
        }
    }
}

/// The samples of one session that are kept.
#[derive(Debug)]
struct Kept {
    session: SessionId,
    boot: Option<String>,
    numbers: Numbers,
}

/// The spool of one agent.
#[derive(Debug)]
pub struct Spool {
    place: Place,
    owner: Owner,
    limits: Limits,
    /// The oldest first; the present one is last.
    sessions: Vec<Kept>,
    /// The oldest first.
    pieces: Vec<Piece>,
    /// The last piece, while it is written.
    open: Option<File>,
    /// The number of the next file: none is given out twice, so that whoever still works with a
    /// former file never meets another one under its name.
    next_number: u64,
    /// When the youngest sample of each boot was taken.
    boots: BTreeMap<String, Taken>,
    lost: Lost,
    /// A fault of the tail that has been logged and is not over.
    is_faulty: bool,
    /// The same of the disk.
    is_disk_faulty: bool,
    /// How many lost samples the disk knows of.
    lost_on_disk: Lost,
    buffer: Vec<u8>,
    /// Another agent with this state directory looks after the disk and the former sessions.
    is_second: bool,
    /// Held as long as the spool.
    lock: Option<File>,
    /// The same for the tail.
    running: Option<Running>,
}

impl Spool {
    /// Deletes a file although samples in it are not acknowledged.
    fn give_up(&mut self, at: usize) {
        let piece = self.pieces.remove(at);
        let before = self.lost.total();
        for part in &piece.parts {
            self.lose(part.start.session, &part.held);
        }
        let samples = self.lost.total() - before;
        tracing::error!(
            samples,
            "no room for samples that wait: the oldest are given up"
        );
        delete(&piece.path);
    }

    /// Of these samples, those that are kept are gone.
    fn lose(&mut self, session: SessionId, numbers: &Numbers) {
        let Some(kept) = self.sessions.iter_mut().find(|it| it.session == session) else {
            return;
        };
        let gone = common(&kept.numbers, numbers);
        take_away(&mut kept.numbers, &gone);
        self.count_lost(session, count(&gone));
    }

    /// The same of samples that should have been in a file.
    fn lose_damaged(&mut self, session: SessionId, numbers: &Numbers, path: &Path) {
        let before = self.lost.total();
        self.lose(session, numbers);
        let samples = self.lost.total() - before;
        if samples > 0 {
            let path = path.display();
            tracing::error!(samples, %path, "a file is damaged or gone: samples in it are lost");
        }
    }

    fn count_lost(&mut self, session: SessionId, samples: u64) {
        if samples == 0 {
            return;
        }
        self.lost.add(session, samples);
        self.keep_lost(&self.place.tail);
    }

    fn keep_lost(&self, folder: &Path) {
        if let Err(error) = self.lost.write(folder) {
            let path = folder.display();
            tracing::debug!(%error, %path, "the number of lost samples is not kept");
        }
    }

    /// These samples are stored: they go.
    pub fn acked(&mut self, session: SessionId, ranges: &[(u64, u64)]) {
        let Some(kept) = self.sessions.iter_mut().find(|it| it.session == session) else {
            return;
        };
        let stored: Numbers = ranges
            .iter()
            .filter(|(first, last)| first <= last)
            .map(|(first, last)| *first..=*last)
            .collect();
        let stored = common(&stored, &kept.numbers);
        if stored.is_empty() {
            return;
        }
        take_away(&mut kept.numbers, &stored);
        self.drop_empty();
        // For the next start, so that it does not send them again.
        if session == self.owner.session && self.open.is_some() {
            let pairs = stored.iter().map(|it| (*it.start(), *it.end())).collect();
            if let Err(error) = self.write(&Record::Acked(pairs)) {
                tracing::debug!(%error, "an acknowledgement is not kept");
                self.open = None;
            }
        }
    }

    /// Deletes files of which nothing is kept, and forgets former sessions without any.
    fn drop_empty(&mut self) {
        let Self {
            pieces, sessions, ..
        } = self;
        let is_kept = |piece: &Piece| {
            piece.parts.iter().any(|part| {
                let of_session = |kept: &&Kept| kept.session == part.start.session;
                let kept = sessions.iter().find(of_session);
                kept.is_some_and(|it| it.numbers.intersection(&part.held).next().is_some())
            })
        };
        let last = pieces.len().checked_sub(1).filter(|_| self.open.is_some());
        let mut at = 0;
        let mut open_is_empty = false;
        pieces.retain(|piece| {
            let stays = is_kept(piece);
            let is_open = Some(at) == last;
            at += 1;
            if stays {
                return true;
            }
            // The file that is written stays while it is small: there is one for each session.
            if is_open && piece.bytes < self.limits.file_bytes / 4 {
                return true;
            }
            open_is_empty |= is_open;
            delete(&piece.path);
            false
        });
        if open_is_empty {
            self.open = None;
        }
        let present = self.owner.session;
        sessions.retain(|it| it.session == present || !it.numbers.is_empty());
    }

    /// What is kept, the oldest session first.
    pub fn kept(&self) -> impl Iterator<Item = (SessionId, &Numbers)> + Clone {
        self.sessions.iter().map(|it| (it.session, &it.numbers))
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.sessions.iter().all(|it| it.numbers.is_empty())
    }

    /// The oldest sample of a session that is kept.
    pub fn oldest(&self, session: SessionId) -> Option<u64> {
        smallest(&self.find(session)?.numbers)
    }

    /// How many were given up.
    pub fn lost(&self) -> &Lost {
        &self.lost
    }

    /// Where samples of a session are to be read.
    pub(crate) fn reading(&self, session: SessionId, wanted: &Numbers) -> Reading {
        from_pieces(self.pieces.iter(), session, wanted)
    }

    /// What a file should have had and has not is lost, unless the file was packed or deleted
    /// meanwhile, or the disk is out of sight.
    pub(crate) fn settle(&mut self, found: &Found) {
        for (path, numbers) in &found.missing {
            let Some(at) = self.pieces.iter().position(|it| it.path == *path) else {
                continue;
            };
            // What is written behind the damage, or into a file without a name, is lost as well.
            if at + 1 == self.pieces.len() {
                self.open = None;
            }
            if path.starts_with(&self.place.disk) && self.is_disk_out_of_sight() {
                tracing::debug!(path = %path.display(), "samples that wait are out of sight");
                continue;
            }
            self.lose_damaged(found.session, numbers, path);
        }
        self.drop_empty();
    }

    fn is_disk_out_of_sight(&self) -> bool {
        let lock = self.lock.as_ref();
        lock.is_some_and(|lock| lock::is_out_of_sight(&self.place.disk, lock))
    }
}

fn delete(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, path = %path.display(), "cannot delete samples that are stored");
    }
}

#[cfg(test)]
pub(crate) mod tests;
