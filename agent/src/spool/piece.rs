//! One file of the spool, and which samples are in it.

use std::fs::File;
use std::io::{self, BufReader, Read, Take};
use std::path::{Path, PathBuf};

use flate2::bufread::DeflateDecoder;
use jiff::Timestamp;
use netmonitor_protocol::SessionId;
use serde::{Deserialize, Serialize};

use super::numbers::{Numbers, take_away};
use super::record::{Record, Records, Start};

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Records one behind the other, appended as samples are taken.
    Tail,
    /// An index, then records that are compressed together (RFC 1951).
    Block,
}

/// So many bytes are kept for a file that has one, by most file systems and in memory.
pub(super) const CLUSTER: u64 = 4096;

/// The highest number that has a place in a name.
const LAST_NUMBER: u64 = 999_999_999_999;

/// A file, named by its numbers.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    /// Samples in a higher one are younger.
    pub(super) number: u64,
    /// Only this file has it: of a block one that was not given out before, since the files that
    /// it is made of are there until it is written.
    pub(super) serial: u64,
    pub(super) kind: Kind,
    pub(super) path: PathBuf,
    /// Its length.
    pub(super) bytes: u64,
    /// The length of its records, which are compressed in a block.
    pub(super) plain_bytes: u64,
    /// Whose samples it holds, in this order.
    pub(super) parts: Vec<Part>,
}

/// What is in a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Index {
    pub(super) plain_bytes: u64,
    pub(super) parts: Vec<Part>,
}

/// Samples of one session in one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) start: Start,
    /// Which, acknowledged or not.
    #[serde(with = "as_pairs")]
    pub(super) held: Numbers,
    /// Acknowledged ones, as far as the file says so.
    #[serde(skip)]
    pub(super) acked: Numbers,
    /// When the youngest was taken.
    pub(super) newest: Option<Taken>,
}

/// When a sample was taken, by both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Taken {
    pub(super) time: Timestamp,
    #[serde(default)]
    pub(super) monotonic_ms: u64,
}

impl Part {
    pub(super) fn new(start: Start) -> Self {
        Self {
            start,
            held: Numbers::new(),
            acked: Numbers::new(),
            newest: None,
        }
    }
}

impl Piece {
    /// A file of the tail that is to be written in `folder`.
    pub(super) fn tail(folder: &Path, number: u64) -> Self {
        let path = folder.join(format!("{number:012}.tail"));
        Self::new(Kind::Tail, path, number, number)
    }

    /// A block that is to be written in `folder`.
    pub(super) fn block(folder: &Path, number: u64, serial: u64) -> Self {
        let path = folder.join(format!("{number:012}-{serial:012}.block"));
        Self::new(Kind::Block, path, number, serial)
    }

    fn new(kind: Kind, path: PathBuf, number: u64, serial: u64) -> Self {
        Self {
            number,
            serial,
            kind,
            path,
            bytes: 0,
            plain_bytes: 0,
            parts: Vec::new(),
        }
    }

    /// What the name of a file says; none if it is no file of a spool.
    pub(super) fn named(path: &Path) -> Option<Self> {
        let number = |text: &str| text.parse().ok().filter(|number| *number <= LAST_NUMBER);
        let stem = path.file_stem()?.to_str()?;
        let path = path.to_owned();
        match path.extension()?.to_str()? {
            "tail" => {
                let number = number(stem)?;
                Some(Self::new(Kind::Tail, path, number, number))
            }
            "block" => {
                let (first, serial) = stem.split_once('-')?;
                let (first, serial) = (number(first)?, number(serial)?);
                Some(Self::new(Kind::Block, path, first, serial))
            }
            _ => None,
        }
    }

    /// Reads what is in it. True if something in it cannot be read: behind it there is nothing.
    pub(super) fn scan(&mut self) -> io::Result<bool> {
        self.bytes = self.path.metadata()?.len();
        if self.kind == Kind::Block {
            let index = Records::new(self.open()?).next();
            let Some(Record::Index(index)) = index else {
                return Ok(true);
            };
            self.plain_bytes = index.plain_bytes;
            self.parts = index.parts;
            return Ok(false);
        }
        self.plain_bytes = self.bytes;
        let mut records = self.records()?;
        let mut youngest: Option<Vec<u8>> = None;
        for record in records.by_ref() {
            match (record, self.parts.last_mut()) {
                (Record::Start(start), last) => {
                    note_newest(last, youngest.take());
                    self.parts.push(Part::new(start));
                }
                (Record::Sample { seq, json }, Some(part)) => {
                    part.held.insert(seq..=seq);
                    youngest = Some(json);
                }
                (Record::Acked(ranges), Some(part)) => {
                    part.acked
                        .extend(ranges.into_iter().map(|(first, last)| first..=last));
                }
                (Record::Sample { .. } | Record::Acked(_), None) | (Record::Index(_), _) => {}
            }
        }
        note_newest(self.parts.last_mut(), youngest);
        Ok(records.is_damaged())
    }

    /// What it takes of the disk or the memory.
    pub(super) fn room(&self) -> u64 {
        self.bytes.next_multiple_of(CLUSTER)
    }

    fn open(&self) -> io::Result<BufReader<Take<File>>> {
        Ok(BufReader::new(File::open(&self.path)?.take(self.bytes)))
    }

    /// Its records, as far as it was written when this was made.
    pub(super) fn records(&self) -> io::Result<Records<Box<dyn Read>>> {
        let file = self.open()?;
        match self.kind {
            Kind::Tail => Ok(Records::new(Box::new(file))),
            Kind::Block => {
                let mut index = Records::new(file);
                let _known = index.next();
                let rest = DeflateDecoder::new(index.into_rest());
                Ok(Records::new(Box::new(rest)))
            }
        }
    }

    /// Which samples of a session it holds.
    pub(super) fn held(&self, session: SessionId) -> impl Iterator<Item = &Numbers> {
        let of_session = move |part: &&Part| part.start.session == session;
        self.parts.iter().filter(of_session).map(|part| &part.held)
    }
}

fn note_newest(part: Option<&mut Part>, json: Option<Vec<u8>>) {
    if let (Some(part), Some(json)) = (part, json) {
        part.newest = serde_json::from_slice(&json).ok();
    }
}

/// Samples of one session to be read from files, some of them perhaps on a disk that takes its
/// time.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(super) session: SessionId,
    pub(super) from: Vec<(Piece, Numbers)>,
}

/// What was read.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) session: SessionId,
    /// Number and JSON of each, in order.
    pub(crate) samples: Vec<(u64, Vec<u8>)>,
    /// What should have been in a file and is not.
    pub(super) missing: Vec<(PathBuf, Numbers)>,
}

impl Reading {
    /// Reads the oldest: so many at most, and so many bytes of JSON at most, but for the first.
    pub(crate) fn read(self, samples: usize, bytes: usize) -> Found {
        let mut found = Found {
            session: self.session,
            samples: Vec::new(),
            missing: Vec::new(),
        };
        let mut read = 0;
        'files: for (piece, mut wanted) in self.from {
            let records = match piece.records() {
                Ok(records) => records,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    found.missing.push((piece.path, wanted));
                    continue;
                }
                Err(error) => {
                    tracing::warn!(%error, path = %piece.path.display(), "cannot read samples that wait");
                    continue;
                }
            };
            let mut is_session = false;
            for record in records {
                match record {
                    Record::Start(start) => is_session = start.session == self.session,
                    Record::Sample { seq, json } if is_session && wanted.contains(&seq) => {
                        read += json.len();
                        let is_full = found.samples.len() >= samples || read > bytes;
                        if is_full && !found.samples.is_empty() {
                            break 'files;
                        }
                        wanted.remove(seq..=seq);
                        found.samples.push((seq, json));
                    }
                    _ => {}
                }
                if wanted.is_empty() {
                    break;
                }
            }
            if !wanted.is_empty() {
                found.missing.push((piece.path, wanted));
            }
        }
        found.samples.sort_unstable_by_key(|(seq, _)| *seq);
        found
    }
}

/// Of `wanted`, what is in no file before: of each sample one copy is read.
pub(super) fn from_pieces<'a>(
    pieces: impl Iterator<Item = &'a Piece>,
    session: SessionId,
    wanted: &Numbers,
) -> Reading {
    let mut left = wanted.clone();
    let mut from = Vec::new();
    for piece in pieces {
        let mut here = Numbers::new();
        for held in piece.held(session) {
            here.extend(held.intersection(&left));
        }
        if !here.is_empty() {
            take_away(&mut left, &here);
            from.push((piece.clone(), here));
        }
    }
    Reading { session, from }
}

/// Numbers as pairs of first and last.
mod as_pairs {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::Numbers;

    pub(super) fn serialize<S: Serializer>(
        numbers: &Numbers,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(numbers.iter().map(|range| (range.start(), range.end())))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Numbers, D::Error> {
        let pairs = Vec::<(u64, u64)>::deserialize(deserializer)?;
        let in_order = pairs.into_iter().filter(|(first, last)| first <= last);
        Ok(in_order.map(|(first, last)| first..=last).collect())
    }
}
