//! What was taken and is not known to be stored yet: every sample, until ingest has acknowledged
//! it.
//!
//! Each sample is appended to a file of the [tail](Place::tail), which lies in memory, before it
//! is sent: a program that is killed loses nothing, and no card is written. A file goes when all
//! its samples are acknowledged. In this program's memory there are only the ranges of numbers.
//!
//! - [`numbers`]: ranges of numbers
//! - [`place`]: in which folders
//! - `record`: what the files are made of
//! - `piece`: one file
//! - `lost`: how much was given up
//! - `outgoing`: a sample as it is sent

mod lost;
pub mod numbers;
mod outgoing;
mod piece;
mod place;
mod record;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use netmonitor_protocol::SessionId;
use netmonitor_protocol::payload::Metrics;
use netmonitor_service::private_file;

pub use lost::Lost;
pub(crate) use outgoing::Moment;
pub(crate) use piece::{Found, Reading};
pub use place::Place;

use numbers::{Numbers, common, count, smallest, take_away};
use piece::{Kind, Part, Piece, Taken, from_pieces};
use record::{Record, Start};

/// How much a spool may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the tail. When it is full its oldest file goes.
    pub tail_bytes: u64,
    /// Bytes of one file of the tail.
    pub file_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            tail_bytes: 4 << 20,
            file_bytes: 64 << 10,
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
    /// When the youngest sample of each boot was taken.
    boots: BTreeMap<String, Taken>,
    lost: Lost,
    /// A fault that has been logged and is not over.
    is_faulty: bool,
    buffer: Vec<u8>,
    /// Held as long as the spool: another agent with the same state directory leaves the files
    /// alone.
    _lock: Option<File>,
}

impl Spool {
    /// Opens the spool, with what former starts have left there. What cannot be used is named in
    /// the log and passed over: without a spool an agent is better than no agent.
    pub fn open(place: Place, owner: Owner, limits: Limits) -> Self {
        for folder in [&place.disk, &place.tail] {
            if let Err(error) = private_file::create_dir(folder) {
                tracing::warn!(%error, path = %folder.display(), "no place for samples that wait");
            }
        }
        let (lock, other) = match lock(&place.disk) {
            Ok(lock) => (Some(lock), None),
            Err(error) => (None, Some(error)),
        };
        let mut spool = Self {
            lost: Lost::read([&*place.tail, &*place.disk].into_iter()),
            sessions: Vec::new(),
            pieces: Vec::new(),
            open: None,
            boots: BTreeMap::new(),
            is_faulty: false,
            buffer: Vec::new(),
            _lock: lock,
            place,
            owner,
            limits,
        };
        match other {
            None => spool.scan(),
            Some(error) => tracing::warn!(
                %error,
                "another agent keeps the samples of this state directory that wait: those of \
                 former starts are left to it"
            ),
        }
        let waiting: u64 = spool.kept().map(|(_, numbers)| count(numbers)).sum();
        if waiting > 0 {
            tracing::info!(
                samples = waiting,
                "samples of former starts are not stored yet"
            );
        }
        let session = Kept {
            session: spool.owner.session,
            boot: spool.owner.boot.clone(),
            numbers: Numbers::new(),
        };
        spool.sessions.push(session);
        spool
    }

    fn scan(&mut self) {
        let Place {
            tail,
            former_tails,
            disk,
        } = &self.place;
        let folders = [disk, tail].into_iter().chain(former_tails);
        let mut pieces: Vec<Piece> = folders.flat_map(|it| pieces_in(it)).collect();
        pieces.sort_by_key(|piece| piece.number);
        for mut piece in pieces {
            let path = piece.path.clone();
            match piece.scan() {
                // A file that ends in the middle of a record is what a killed program leaves.
                Ok(true) => tracing::debug!(path = %path.display(), "ends with a torn record"),
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(%error, path = %path.display(), "samples that waited are passed over");
                    continue;
                }
            }
            self.add(piece);
        }
        self.drop_empty();
    }

    /// Takes in a file of a former start.
    fn add(&mut self, mut piece: Piece) {
        let owner = &self.owner.name;
        let (ours, foreign): (Vec<Part>, Vec<Part>) = piece
            .parts
            .into_iter()
            .partition(|part| part.start.owner == *owner);
        for part in foreign {
            tracing::warn!(
                samples = count(&part.held),
                of = part.start.owner,
                "samples that were taken for another hub or under another name are given up"
            );
        }
        piece.parts = ours;
        for part in &piece.parts {
            let kept = self.session(&part.start);
            kept.numbers.extend(part.held.iter().cloned());
            if let (Some(boot), Some(newest)) = (&part.start.boot, part.newest) {
                let known = self.boots.entry(boot.clone()).or_insert(newest);
                if newest.monotonic_ms >= known.monotonic_ms {
                    *known = newest;
                }
            }
        }
        // An acknowledgement may stand in a later file than the sample.
        for part in &piece.parts {
            take_away(&mut self.session(&part.start).numbers, &part.acked);
        }
        self.pieces.push(piece);
    }

    fn session(&mut self, start: &Start) -> &mut Kept {
        let known = self
            .sessions
            .iter()
            .position(|kept| kept.session == start.session);
        let at = known.unwrap_or_else(|| {
            self.sessions.push(Kept {
                session: start.session,
                boot: start.boot.clone(),
                numbers: Numbers::new(),
            });
            self.sessions.len() - 1
        });
        &mut self.sessions[at]
    }

    /// Keeps a sample of this session. If there is no way to it is counted as lost: it may still
    /// reach the hub as the latest one.
    pub fn append(&mut self, sample: &Metrics) {
        let written = self.write_sample(sample);
        match written {
            Ok(()) => {
                if std::mem::take(&mut self.is_faulty) {
                    tracing::info!("samples that wait are kept again");
                }
                let newest = Taken {
                    time: sample.time,
                    monotonic_ms: sample.monotonic_ms.unwrap_or_default(),
                };
                if let Some(kept) = self.sessions.last_mut() {
                    kept.numbers.insert(sample.seq..=sample.seq);
                }
                if let Some(part) = self.pieces.last_mut().and_then(|it| it.parts.last_mut()) {
                    part.newest = Some(newest);
                    part.held.insert(sample.seq..=sample.seq);
                }
            }
            Err(error) => {
                // Whatever was written of it is torn, so nothing may stand behind it.
                self.open = None;
                if !std::mem::replace(&mut self.is_faulty, true) {
                    let path = self.place.tail.display();
                    tracing::error!(%error, %path, "samples cannot be kept until they are stored");
                }
                self.count_lost(self.owner.session, 1);
            }
        }
        if self.last_bytes() >= self.limits.file_bytes {
            self.open = None;
        }
        self.make_room_in_tail();
    }

    fn write_sample(&mut self, sample: &Metrics) -> io::Result<()> {
        let record = Record::Sample {
            seq: sample.seq,
            json: serde_json::to_vec(sample)?,
        };
        self.write(&record)
    }

    fn write(&mut self, record: &Record) -> io::Result<()> {
        if self.open.is_none() {
            self.create()?;
        }
        self.buffer.clear();
        record.write(&mut self.buffer);
        let (Some(file), Some(piece)) = (&mut self.open, self.pieces.last_mut()) else {
            return Ok(());
        };
        file.write_all(&self.buffer)?;
        piece.bytes += self.buffer.len() as u64;
        Ok(())
    }

    /// Begins a file. Another agent with this state directory may have taken a name.
    fn create(&mut self) -> io::Result<()> {
        let mut number = self.pieces.last().map_or(1, |piece| piece.number + 1);
        loop {
            let mut piece = Piece::new(Kind::Tail, &self.place.tail, number);
            match options().open(&piece.path) {
                Ok(mut file) => {
                    let start = Start {
                        owner: self.owner.name.clone(),
                        session: self.owner.session,
                        boot: self.owner.boot.clone(),
                    };
                    let mut buffer = Vec::new();
                    Record::Start(start.clone()).write(&mut buffer);
                    file.write_all(&buffer)?;
                    piece.bytes = buffer.len() as u64;
                    piece.parts.push(Part::new(start));
                    self.pieces.push(piece);
                    self.open = Some(file);
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) if error.kind() == io::ErrorKind::NotFound && number < u64::MAX => {
                    // Somebody tidied up: once more, with a folder.
                    private_file::create_dir(&self.place.tail)?;
                    number = u64::MAX;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn last_bytes(&self) -> u64 {
        let last = self.pieces.last().filter(|_| self.open.is_some());
        last.map_or(0, |piece| piece.bytes)
    }

    fn make_room_in_tail(&mut self) {
        let is_tail = |piece: &&Piece| piece.kind == Kind::Tail;
        loop {
            let bytes: u64 = self.pieces.iter().filter(is_tail).map(|it| it.bytes).sum();
            let closed = self.pieces.len() - usize::from(self.open.is_some());
            let oldest = self.pieces[..closed].iter().position(|it| is_tail(&it));
            match oldest {
                Some(oldest) if bytes > self.limits.tail_bytes => self.give_up(oldest),
                _ => return,
            }
        }
    }

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

    fn count_lost(&mut self, session: SessionId, samples: u64) {
        if samples == 0 {
            return;
        }
        self.lost.add(session, samples);
        if let Err(error) = self.lost.write(&self.place.tail) {
            tracing::debug!(%error, "the number of lost samples is not kept");
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

    /// The oldest sample of a session that is kept.
    pub fn oldest(&self, session: SessionId) -> Option<u64> {
        let kept = self.sessions.iter().find(|it| it.session == session)?;
        smallest(&kept.numbers)
    }

    /// How many were given up.
    pub fn lost(&self) -> &Lost {
        &self.lost
    }

    /// Where samples of a session are to be read.
    pub(crate) fn reading(&self, session: SessionId, wanted: &Numbers) -> Reading {
        from_pieces(self.pieces.iter(), session, wanted)
    }

    /// What a file should have had and has not is lost, unless the file was moved meanwhile.
    pub(crate) fn settle(&mut self, found: &Found) {
        for (number, numbers) in &found.missing {
            let Some(piece) = self.pieces.iter().find(|it| it.number == *number) else {
                continue;
            };
            let path = piece.path.display().to_string();
            let before = self.lost.total();
            self.lose(found.session, numbers);
            let samples = self.lost.total() - before;
            if samples > 0 {
                tracing::error!(samples, path, "a file is damaged: samples in it are lost");
            }
        }
        self.drop_empty();
    }
}

/// The files of a spool in one folder, not opened yet.
fn pieces_in(folder: &Path) -> Vec<Piece> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.filter_map(|path| Piece::named(&path)).collect()
}

fn options() -> fs::OpenOptions {
    let mut options = File::options();
    options.append(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn lock(folder: &Path) -> io::Result<File> {
    let path: PathBuf = folder.join("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)?;
    match file.try_lock() {
        Err(fs::TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
        // On a file system without locks there is nobody to ask.
        Ok(()) | Err(fs::TryLockError::Error(_)) => Ok(file),
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
mod tests;
