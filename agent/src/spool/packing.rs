//! From the tail to the disk: many samples in one compressed block.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use netmonitor_protocol::SessionId;
use netmonitor_service::private_file;

use super::lost::Lost;
use super::numbers::{Numbers, common, take_away};
use super::piece::{Index, Kind, Part, Piece, Taken};
use super::record::Record;
use super::{Spool, delete};

/// So many small blocks are packed into one, even if they hold little.
const SMALL_BLOCKS: usize = 16;

/// Files that become one block. The work needs nothing of the spool: it may take as long as a
/// card wants.
#[derive(Debug)]
pub(crate) struct Packing {
    from: Vec<Source>,
    /// What they become.
    block: Piece,
    folder: PathBuf,
    /// To be written as well, since the disk does not know it yet.
    lost: Option<Lost>,
}

/// A file, and which of its samples are still wanted.
#[derive(Debug)]
struct Source {
    piece: Piece,
    wanted: Vec<(SessionId, Numbers)>,
}

/// What has come of it.
#[derive(Debug)]
pub(crate) struct Packed {
    from: Vec<Source>,
    lost: Option<Lost>,
    block: io::Result<Piece>,
}

impl Spool {
    /// What is in the tail and not acknowledged is to go to the disk; none if there is nothing,
    /// or no room is meant for it. Small blocks from before are packed together with it once that
    /// makes a large one.
    pub(crate) fn packing(&mut self) -> Option<Packing> {
        if self.limits.disk_bytes == 0 || self.is_second {
            return None;
        }
        if self.is_disk_out_of_sight() {
            // What would be written now would be out of sight when the disk is back.
            let error = io::Error::new(io::ErrorKind::NotFound, "the disk is out of sight");
            self.disk_is_faulty(&error);
            return None;
        }
        // What is taken from now on goes into another file.
        self.open = None;
        self.drop_empty();
        let mut chosen: Vec<&Piece> = Vec::new();
        let mut bytes = 0;
        for piece in self.pieces.iter().filter(|it| it.kind == Kind::Tail) {
            if bytes > 0 && bytes + piece.plain_bytes > self.limits.block_bytes {
                break;
            }
            bytes += piece.plain_bytes;
            chosen.push(piece);
        }
        let (first, last) = (chosen.first()?.number, chosen.last()?.number);
        let small = self.small_blocks_before(first);
        let of_small: u64 = small.iter().map(|it| it.plain_bytes).sum();
        if small.len() >= SMALL_BLOCKS || of_small + bytes >= self.limits.block_bytes {
            chosen.splice(..0, small);
        }
        let from = chosen.into_iter().map(|piece| self.source(piece)).collect();
        let block = Piece::block(&self.place.disk, last, self.next_number);
        self.next_number += 1;
        Some(Packing {
            from,
            block,
            folder: self.place.disk.clone(),
            lost: (self.lost != self.lost_on_disk).then(|| self.lost.clone()),
        })
    }

    /// The youngest blocks, as long as they are small.
    fn small_blocks_before(&self, number: u64) -> Vec<&Piece> {
        let before = self.pieces.iter().rev().filter(|it| it.number < number);
        let mut small: Vec<&Piece> = before
            .take_while(|it| it.kind == Kind::Block && it.plain_bytes < self.limits.block_bytes / 2)
            .collect();
        small.reverse();
        small
    }

    fn source(&self, piece: &Piece) -> Source {
        let wanted = piece.parts.iter().filter_map(|part| {
            let session = part.start.session;
            Some((session, common(&self.find(session)?.numbers, &part.held)))
        });
        Source {
            wanted: wanted.collect(),
            piece: piece.clone(),
        }
    }

    /// Takes the block in, in place of the files that it was made of. False if it could not be
    /// written: they stay.
    pub(crate) fn packed(&mut self, packed: Packed) -> bool {
        let block = match packed.block {
            Ok(block) => block,
            Err(error) => {
                self.disk_is_faulty(&error);
                return false;
            }
        };
        if std::mem::take(&mut self.is_disk_faulty) {
            tracing::info!("samples that wait are written to disk again");
        }
        if let Some(lost) = packed.lost {
            self.lost_on_disk = lost;
        }
        for source in packed.from {
            let old = &source.piece;
            let at = self.pieces.iter().position(|it| it.path == old.path);
            // It was deleted meanwhile, since its samples are acknowledged or had to give way.
            let Some(at) = at else { continue };
            self.pieces.remove(at);
            delete(&old.path);
            for (session, mut missing) in source.wanted {
                block
                    .held(session)
                    .for_each(|held| take_away(&mut missing, held));
                self.lose_damaged(session, &missing, &old.path);
            }
        }
        let at = self
            .pieces
            .partition_point(|piece| piece.number < block.number);
        self.pieces.insert(at, block);
        self.drop_empty();
        self.make_room_on_disk();
        true
    }

    fn disk_is_faulty(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.is_disk_faulty, true) {
            let path = self.place.disk.display();
            tracing::warn!(
                %error,
                %path,
                "samples that wait cannot be written to disk: they are kept in memory"
            );
        }
    }

    fn make_room_on_disk(&mut self) {
        let is_block = |piece: &&Piece| piece.kind == Kind::Block;
        loop {
            let bytes: u64 = self.pieces.iter().filter(is_block).map(Piece::room).sum();
            let oldest = self.pieces.iter().position(|it| is_block(&it));
            match oldest {
                Some(oldest) if bytes > self.limits.disk_bytes => self.give_up(oldest),
                _ => return,
            }
        }
    }
}

impl Packing {
    /// Does the work: reads, compresses, writes.
    pub(crate) fn run(self) -> Packed {
        let block = pack(&self.from, self.block, &self.folder);
        let lost = self.lost.filter(|lost| match lost.write(&self.folder) {
            Ok(()) => true,
            Err(error) => {
                tracing::debug!(%error, "the number of lost samples is not kept on disk");
                false
            }
        });
        Packed {
            from: self.from,
            lost,
            block,
        }
    }
}

fn pack(from: &[Source], mut block: Piece, folder: &Path) -> io::Result<Piece> {
    let mut body = DeflateEncoder::new(Vec::new(), Compression::default());
    let mut buffer = Vec::new();
    for source in from {
        let records = match source.piece.records() {
            Ok(records) => records,
            // Its samples are acknowledged by now, or lost.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for record in records {
            match record {
                Record::Start(start) => {
                    let last = block.parts.last();
                    if last.is_none_or(|part| part.start != start) {
                        Record::Start(start.clone()).write(&mut buffer);
                        block.parts.push(Part::new(start));
                    }
                }
                Record::Sample { seq, json } => {
                    let Some(part) = block.parts.last_mut() else {
                        continue;
                    };
                    let session = part.start.session;
                    let is_wanted = |(it, numbers): &(SessionId, Numbers)| {
                        *it == session && numbers.contains(&seq)
                    };
                    if part.held.contains(&seq) || !source.wanted.iter().any(is_wanted) {
                        continue;
                    }
                    part.held.insert(seq..=seq);
                    if let Ok(taken) = serde_json::from_slice::<Taken>(&json) {
                        part.newest = Some(taken);
                    }
                    Record::Sample { seq, json }.write(&mut buffer);
                }
                Record::Acked(_) | Record::Index(_) => {}
            }
            block.plain_bytes += buffer.len() as u64;
            body.write_all(&buffer)?;
            buffer.clear();
        }
    }
    let index = Index {
        plain_bytes: block.plain_bytes,
        parts: block.parts.clone(),
    };
    Record::Index(index).write(&mut buffer);
    buffer.extend(body.finish()?);
    block.bytes = buffer.len() as u64;
    private_file::create_dir(folder)?;
    let written = private_file::write(&block.path, &buffer);
    if let Err(error) = written {
        // It may be there, whole, and not be safe: what it is made of is, and the next attempt
        // has another name.
        drop(fs::remove_file(&block.path));
        return Err(error);
    }
    Ok(block)
}

#[cfg(test)]
mod tests;
