//! Opening a spool: what former starts of the agent have left there.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use netmonitor_protocol::SessionId;
use netmonitor_service::private_file;

use super::lost::Lost;
use super::numbers::{Numbers, common, count, take_away};
use super::piece::{Kind, Part, Piece};
use super::record::Start;
use super::{Kept, Limits, Owner, Place, Spool, delete, lock};

impl Spool {
    /// Opens the spool, with what former starts have left there. What cannot be used is named in
    /// the log and passed over: without a spool an agent is better than no agent.
    pub fn open(place: Place, owner: Owner, limits: Limits) -> Self {
        let made = [
            (&place.disk, private_file::create_dir(&place.disk)),
            (&place.tail, place.make_tail()),
        ];
        for (folder, made) in made {
            if let Err(error) = made {
                tracing::warn!(%error, path = %folder.display(), "no place for samples that wait");
            }
        }
        let lock = lock::disk(&place.disk);
        let is_second = matches!(&lock, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        let mut spool = Self {
            lost: Lost::read([&*place.tail, &*place.disk].into_iter()),
            sessions: Vec::new(),
            pieces: Vec::new(),
            open: None,
            next_number: 1,
            boots: BTreeMap::new(),
            is_faulty: false,
            is_disk_faulty: false,
            lost_on_disk: Lost::default(),
            buffer: Vec::new(),
            is_second,
            lock: lock.ok(),
            running: None,
            place,
            owner,
            limits,
        };
        spool.say_it_runs();
        if spool.is_second {
            tracing::warn!(
                "another agent uses this state directory: samples of former starts are left to it"
            );
        } else {
            spool.scan();
        }
        let waiting: u64 = spool.kept().map(|(_, numbers)| count(numbers)).sum();
        if waiting > 0 {
            tracing::info!(
                samples = waiting,
                "samples of former starts are not stored yet"
            );
        }
        let present = spool.owner.start();
        // The last one, also if there was one of this number.
        spool.session(&present);
        spool
            .sessions
            .sort_by_key(|kept| kept.session == present.session);
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
        let numbers = pieces.iter().flat_map(|it| [it.number, it.serial]);
        self.next_number = numbers.max().map_or(1, |last| last + 1);
        // After the files were listed: whoever has begun one by then has said that it runs.
        let folders = [tail].into_iter().chain(former_tails);
        let running: BTreeMap<PathBuf, Vec<SessionId>> = folders
            .map(|folder| (folder.clone(), self.others_in(folder)))
            .collect();
        let before = self.lost.clone();
        for mut piece in pieces {
            let path = piece.path.display().to_string();
            match piece.scan() {
                // A tail that ends in the middle of a record is what a killed program leaves.
                Ok(true) if piece.kind == Kind::Tail => {
                    tracing::debug!(path, "ends with a torn record");
                }
                Ok(true) => {
                    tracing::error!(path, "a file is damaged: samples in it are lost");
                    self.lost.damaged_block();
                }
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(%error, path, "samples that waited are passed over");
                    continue;
                }
            }
            let folder = piece.path.parent();
            let running = folder.and_then(|it| running.get(it));
            if running.is_some_and(|running| is_of(&piece, running)) {
                tracing::info!(
                    path,
                    "samples of another agent are left to it while it runs"
                );
                continue;
            }
            self.add(piece);
        }
        self.drop_empty();
        if self.lost != before {
            // The damaged files are gone: nobody will count them again.
            self.keep_lost(&self.place.tail);
            self.keep_lost(&self.place.disk);
        }
    }

    /// Other agents that run and have their tail in this folder.
    fn others_in(&self, folder: &Path) -> Vec<SessionId> {
        let mut running = lock::running_in(folder);
        running.retain(|session| *session != self.owner.session);
        running
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
        // It was packed into a block, and the program was killed before it could delete it.
        let is_elsewhere = piece.parts.iter().all(|part| {
            let before = self.pieces.iter();
            let held = before.flat_map(|piece| piece.held(part.start.session));
            let kept = self.find(part.start.session);
            let mut left = kept.map_or_else(Numbers::new, |it| common(&part.held, &it.numbers));
            held.for_each(|held| take_away(&mut left, held));
            left.is_empty()
        });
        if is_elsewhere {
            delete(&piece.path);
        } else {
            self.pieces.push(piece);
        }
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
}

/// The files of a spool in one folder, not opened yet. What is no file is passed over: to open a
/// pipe may take for ever.
pub(super) fn pieces_in(folder: &Path) -> Vec<Piece> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let files = entries.filter_map(|entry| {
        let entry = entry.ok()?;
        entry.file_type().ok()?.is_file().then(|| entry.path())
    });
    files.filter_map(|path| Piece::named(&path)).collect()
}

/// Whether one of these sessions writes it. If it has only just been begun it does not say whose
/// it is.
fn is_of(piece: &Piece, running: &[SessionId]) -> bool {
    let mut sessions = piece.parts.iter().map(|part| part.start.session);
    sessions.any(|it| running.contains(&it)) || (piece.parts.is_empty() && !running.is_empty())
}
