//! Samples of one device over a stretch of time, column by column.

use std::collections::BTreeMap;

use super::column::Column;
use super::effort::Effort;
use super::head::{self, ColumnId, Damaged, Form, Head, ORIGINS, TIMES};
use super::origins::{self, Run};

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

impl Chunk {
    /// As bytes.
    pub(super) fn encode(&self, form: Form, effort: Effort) -> Vec<u8> {
        let samples = self.times.len();
        let times = Column::full(self.times.clone()).encode(samples, effort);
        let mut parts = vec![(TIMES, times)];
        if !self.origins.is_empty() {
            parts.push((ORIGINS, origins::encode(&self.origins)));
        }
        let columns = self.columns.iter();
        parts.extend(columns.map(|(id, column)| (*id, column.encode(samples, effort))));
        head::write(samples, &parts, form)
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
        let mut chunk = Self::default();
        for (id, column) in head.columns(bytes)? {
            match id {
                TIMES => chunk.times = head.times(column)?,
                ORIGINS => chunk.origins = head.origins(column)?,
                id if wanted(id) => {
                    let whole = 0..chunk.times.len();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn example(samples: i64) -> Chunk {
        let mut origins = Vec::new();
        for index in 0..samples {
            let seq = u64::try_from(index).unwrap() + u64::from(index > 10);
            origins::push(&mut origins, 7, seq);
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
