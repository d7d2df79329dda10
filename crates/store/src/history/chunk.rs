//! Samples of one device over a stretch of time, column by column: in memory, and as the bytes
//! that are stored.
//!
//! The bytes begin with a head that says where each column is, so that a query reads those
//! columns only that it needs. Checksums are per column: damage costs one column, and is
//! noticed. A small chunk has one checksum for all.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};

use super::column::{Column, decode_between, put, take};
use super::effort::Effort;

/// Which column.
pub(super) type ColumnId = u32;

/// The times of the samples, in milliseconds since 1970.
pub(super) const TIMES: ColumnId = 0;
/// Which samples they are: sessions and numbers.
pub(super) const ORIGINS: ColumnId = 1;

/// Format of the bytes, in the first one.
const FORMAT: u8 = 0xc1;
/// The same with one checksum for all.
const FORMAT_SMALL: u8 = 0xc2;

/// Samples of one device in the order of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Chunk {
    /// In milliseconds since 1970, ascending.
    pub(super) times: Vec<i64>,
    /// Which samples they are, in their order. Empty for points that sum up samples.
    pub(super) origins: Vec<Run>,
    /// The series.
    pub(super) columns: BTreeMap<ColumnId, Column>,
}

/// Samples of one session whose numbers follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    /// The session's number in the database.
    pub(super) session: i64,
    /// The first sample's number.
    pub(super) first: u64,
    /// How many.
    pub(super) count: u64,
}

impl Run {
    /// The samples' numbers. None if there are none.
    pub(super) fn numbers(&self) -> Option<RangeInclusive<u64>> {
        let more = self.count.checked_sub(1)?;
        Some(self.first..=self.first.saturating_add(more))
    }
}

/// How much is protected by one checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Each column on its own: it can be read alone.
    Columns,
    /// Everything together: fewer bytes, for what is small and read as a whole.
    Small,
}

/// Where everything is in the bytes of a chunk.
#[derive(Debug)]
pub(super) struct Head {
    samples: usize,
    entries: Vec<Entry>,
    /// Bytes before the first column.
    length: usize,
    form: Form,
}

#[derive(Debug)]
struct Entry {
    column: ColumnId,
    bytes: Range<usize>,
    checksum: u32,
}

/// The bytes are not what was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Damaged;

impl Chunk {
    /// As bytes.
    pub(super) fn encode(&self, form: Form, effort: Effort) -> Vec<u8> {
        let samples = self.times.len();
        let times = Column::full(self.times.clone()).encode(samples, effort);
        let mut parts = vec![(TIMES, times)];
        if !self.origins.is_empty() {
            parts.push((ORIGINS, encode_origins(&self.origins)));
        }
        let columns = self.columns.iter();
        parts.extend(columns.map(|(id, column)| (*id, column.encode(samples, effort))));
        let mut bytes = vec![match form {
            Form::Columns => FORMAT,
            Form::Small => FORMAT_SMALL,
        }];
        put(&mut bytes, samples);
        put(&mut bytes, parts.len());
        let mut before = 0;
        for (id, part) in &parts {
            put(&mut bytes, id - before);
            before = *id;
            put(&mut bytes, part.len());
            if form == Form::Columns {
                bytes.extend(crc32fast::hash(part).to_le_bytes());
            }
        }
        if form == Form::Columns {
            bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        }
        for (_, part) in &parts {
            bytes.extend_from_slice(part);
        }
        if form == Form::Small {
            bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        }
        bytes
    }

    /// The whole chunk.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Damaged> {
        Self::decode_some(bytes, |_| true)
    }

    /// Times, origins, and those series that are wanted.
    pub(super) fn decode_some(
        bytes: &[u8],
        wanted: impl Fn(ColumnId) -> bool,
    ) -> Result<Self, Damaged> {
        let head = Head::parse(bytes)?.ok_or(Damaged)?;
        head.check_whole(bytes)?;
        let mut chunk = Self::default();
        for entry in &head.entries {
            let column = bytes.get(entry.bytes.clone()).ok_or(Damaged)?;
            match entry.column {
                TIMES => chunk.times = head.times(column)?,
                ORIGINS => chunk.origins = head.origins(column)?,
                id if wanted(id) => {
                    let whole = 0..head.samples;
                    chunk.columns.insert(id, head.column(id, column, whole)?);
                }
                _ => {}
            }
        }
        Ok(chunk)
    }

    /// How many samples are of these times, both included.
    pub(super) fn count_between(&self, from: i64, to: i64) -> usize {
        let before = self.times.partition_point(|at| *at < from);
        let until = self.times.partition_point(|at| *at <= to);
        until.saturating_sub(before)
    }

    /// The samples' numbers, each with its session, in their order.
    pub(super) fn identities(&self) -> impl Iterator<Item = (i64, u64)> {
        self.origins.iter().flat_map(|run| {
            (run.first..run.first.saturating_add(run.count)).map(|seq| (run.session, seq))
        })
    }
}

/// Adds a sample's number to the runs.
pub(super) fn push_origin(origins: &mut Vec<Run>, session: i64, seq: u64) {
    match origins.last_mut() {
        Some(run) if run.session == session && run.first.checked_add(run.count) == Some(seq) => {
            run.count += 1;
        }
        _ => origins.push(Run {
            session,
            first: seq,
            count: 1,
        }),
    }
}

impl Head {
    /// Reads the head off the front of the bytes. None if there are too few of them.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<Self>, Damaged> {
        let Some((format, mut rest)) = bytes.split_first() else {
            return Ok(None);
        };
        let form = match *format {
            FORMAT => Form::Columns,
            FORMAT_SMALL => Form::Small,
            _ => return Err(Damaged),
        };
        let parsed = parse_entries(&mut rest, form);
        let Some((samples, mut entries, checksum)) = parsed else {
            return Ok(None);
        };
        let length = bytes.len() - rest.len();
        if let Some(checksum) = checksum {
            let before = bytes.get(..length - size_of::<u32>()).ok_or(Damaged)?;
            if crc32fast::hash(before) != checksum {
                return Err(Damaged);
            }
        }
        for entry in &mut entries {
            entry.bytes = entry.bytes.start + length..entry.bytes.end + length;
        }
        Ok(Some(Self {
            samples,
            entries,
            length,
            form,
        }))
    }

    /// Whether the columns cannot be read one by one.
    pub(super) fn is_small(&self) -> bool {
        self.form == Form::Small
    }

    /// Where a column is; none if the chunk has none of it.
    pub(super) fn find(&self, column: ColumnId) -> Option<Range<usize>> {
        let entry = self.entries.iter().find(|entry| entry.column == column)?;
        Some(entry.bytes.clone())
    }

    /// All series, without times and origins.
    pub(super) fn series(&self) -> impl Iterator<Item = ColumnId> {
        let ids = self.entries.iter().map(|entry| entry.column);
        ids.filter(|id| *id > ORIGINS)
    }

    /// The times, from their bytes.
    pub(super) fn times(&self, bytes: &[u8]) -> Result<Vec<i64>, Damaged> {
        let (_, times) = self.times_between(bytes, i64::MIN, i64::MAX)?;
        Ok(times)
    }

    /// The times from `from` to `to` and the last one before, perhaps also others around them;
    /// with which samples they are.
    pub(super) fn times_between(
        &self,
        bytes: &[u8],
        from: i64,
        to: i64,
    ) -> Result<(Range<usize>, Vec<i64>), Damaged> {
        self.check(TIMES, bytes)?;
        let found = decode_between(bytes, self.samples, from, to);
        found.filter(|(_, times)| times.is_sorted()).ok_or(Damaged)
    }

    /// A part of a series, from the bytes of the whole.
    pub(super) fn column(
        &self,
        id: ColumnId,
        bytes: &[u8],
        part: Range<usize>,
    ) -> Result<Column, Damaged> {
        self.check(id, bytes)?;
        Column::decode(bytes, self.samples, part).ok_or(Damaged)
    }

    /// Which samples they are, from the bytes.
    pub(super) fn origins(&self, bytes: &[u8]) -> Result<Vec<Run>, Damaged> {
        self.check(ORIGINS, bytes)?;
        let origins = decode_origins(bytes).ok_or(Damaged)?;
        let count: u64 = origins.iter().map(|run| run.count).sum();
        if usize::try_from(count) != Ok(self.samples) {
            return Err(Damaged);
        }
        Ok(origins)
    }

    fn check(&self, id: ColumnId, bytes: &[u8]) -> Result<(), Damaged> {
        let entry = self.entries.iter().find(|entry| entry.column == id);
        let entry = entry.ok_or(Damaged)?;
        if self.form == Form::Columns && crc32fast::hash(bytes) != entry.checksum {
            return Err(Damaged);
        }
        Ok(())
    }

    /// That the bytes are neither too few nor too many, and those of a small chunk as stored.
    fn check_whole(&self, bytes: &[u8]) -> Result<(), Damaged> {
        let end = self.entries.last().map_or(self.length, |it| it.bytes.end);
        let rest = bytes.get(end..).ok_or(Damaged)?;
        match self.form {
            Form::Columns if rest.is_empty() => Ok(()),
            Form::Small if rest == crc32fast::hash(&bytes[..end]).to_le_bytes() => Ok(()),
            _ => Err(Damaged),
        }
    }
}

/// Number of samples, entries with ranges that begin at 0, and the checksum of the head.
fn parse_entries(rest: &mut &[u8], form: Form) -> Option<(usize, Vec<Entry>, Option<u32>)> {
    let samples = take(rest)?;
    let count: usize = take(rest)?;
    let mut entries = Vec::new();
    let (mut column, mut end) = (0, 0_usize);
    for _ in 0..count {
        column = u32::checked_add(column, take(rest)?)?;
        let start = end;
        end = start.checked_add(take(rest)?)?;
        let checksum = match form {
            Form::Columns => take_checksum(rest)?,
            Form::Small => 0,
        };
        entries.push(Entry {
            column,
            bytes: start..end,
            checksum,
        });
    }
    let checksum = match form {
        Form::Columns => Some(take_checksum(rest)?),
        Form::Small => None,
    };
    Some((samples, entries, checksum))
}

fn take_checksum(bytes: &mut &[u8]) -> Option<u32> {
    let (checksum, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u32::from_le_bytes(*checksum))
}

fn encode_origins(origins: &[Run]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for run in origins {
        put(&mut bytes, run.session);
        put(&mut bytes, run.first);
        put(&mut bytes, run.count);
    }
    bytes
}

fn decode_origins(mut bytes: &[u8]) -> Option<Vec<Run>> {
    let mut origins = Vec::new();
    while !bytes.is_empty() {
        origins.push(Run {
            session: take(&mut bytes)?,
            first: take(&mut bytes)?,
            count: take(&mut bytes)?,
        });
    }
    Some(origins)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(samples: i64) -> Chunk {
        let mut origins = Vec::new();
        for index in 0..samples {
            let seq = u64::try_from(index).unwrap() + u64::from(index > 10);
            push_origin(&mut origins, 7, seq);
        }
        let mut sparse = Column::default();
        sparse.push_at(2, 5);
        Chunk {
            times: (0..samples)
                .map(|i| 1_800_000_000_000 + i * 3000 + i % 5)
                .collect(),
            origins,
            columns: BTreeMap::from([
                (
                    16,
                    Column::full((0..samples).map(|i| i * i % 1000).collect()),
                ),
                (17, sparse),
                (
                    900,
                    Column::full((0..samples).map(|i| i * 100_000).collect()),
                ),
            ]),
        }
    }

    #[test]
    fn a_chunk_is_read_back_as_written_in_both_forms() {
        for form in [Form::Columns, Form::Small] {
            for samples in [5, 20, 1200] {
                let chunk = example(samples);
                assert_eq!(
                    Chunk::decode(&chunk.encode(form, Effort::Passing)),
                    Ok(chunk.clone())
                );
            }
        }
        assert_eq!(example(20).origins.len(), 2);
        assert_eq!(example(20).identities().nth(11), Some((7, 12)));
    }

    #[test]
    fn one_column_is_found_without_the_others() {
        let chunk = example(500);
        let bytes = chunk.encode(Form::Columns, Effort::Passing);
        let head = Head::parse(&bytes[..100]).unwrap().unwrap();
        assert_eq!(head.series().collect::<Vec<_>>(), [16, 17, 900]);
        let range = head.find(900).unwrap();
        let column = head.column(900, &bytes[range], 0..500).unwrap();
        assert_eq!(column, chunk.columns[&900]);
        assert!(Head::parse(&bytes[..10]).unwrap().is_none());
        assert_eq!(head.find(901), None);
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        for form in [Form::Columns, Form::Small] {
            let bytes = example(30).encode(form, Effort::Passing);
            for index in 0..bytes.len() {
                let mut damaged = bytes.clone();
                damaged[index] ^= 1 << (index % 8);
                assert_eq!(Chunk::decode(&damaged), Err(Damaged), "{form:?} {index}");
                assert_eq!(Chunk::decode(&bytes[..index]), Err(Damaged));
            }
        }
    }

    #[test]
    fn damage_of_one_column_is_not_damage_of_another() {
        let chunk = example(500);
        let mut bytes = chunk.encode(Form::Columns, Effort::Passing);
        let head = Head::parse(&bytes).unwrap().unwrap();
        let (good, bad) = (head.find(900).unwrap(), head.find(16).unwrap());
        bytes[bad.start + 3] ^= 4;
        assert!(head.column(16, &bytes[bad], 0..500).is_err());
        assert!(head.column(900, &bytes[good], 0..500).is_ok());
    }
}
