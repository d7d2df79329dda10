//! The bytes of a chunk.
//!
//! They begin with a head that says where each column is, so that a query reads those columns only
//! that it needs. Checksums are per column: damage costs one column, and is noticed. A small chunk
//! has one checksum for all.

use std::ops::Range;

use super::column::{Column, decode_between, put, take};
use super::origins::{self, Run};

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

/// How much is protected by one checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Each column on its own: it can be read alone.
    Columns,
    /// Everything together: fewer bytes, for what is small and read as a whole.
    Small,
}

/// The bytes are not what was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Damaged;

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

/// The bytes of a chunk of so many samples, from those of its columns in ascending order.
pub(super) fn write(samples: usize, columns: &[(ColumnId, Vec<u8>)], form: Form) -> Vec<u8> {
    let mut bytes = vec![match form {
        Form::Columns => FORMAT,
        Form::Small => FORMAT_SMALL,
    }];
    put(&mut bytes, samples);
    put(&mut bytes, columns.len());
    let mut before = 0;
    for (id, column) in columns {
        put(&mut bytes, id - before);
        before = *id;
        put(&mut bytes, column.len());
        if form == Form::Columns {
            bytes.extend(crc32fast::hash(column).to_le_bytes());
        }
    }
    if form == Form::Columns {
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    }
    for (_, column) in columns {
        bytes.extend_from_slice(column);
    }
    if form == Form::Small {
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    }
    bytes
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

    /// The columns and their bytes, of all bytes of a chunk.
    pub(super) fn columns<'a>(
        &self,
        bytes: &'a [u8],
    ) -> Result<Vec<(ColumnId, &'a [u8])>, Damaged> {
        self.check_whole(bytes)?;
        let columns = self.entries.iter().map(|entry| {
            let column = bytes.get(entry.bytes.clone()).ok_or(Damaged)?;
            Ok((entry.column, column))
        });
        columns.collect()
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
        let origins = origins::decode(bytes).ok_or(Damaged)?;
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
