//! One series of a chunk as bytes: integers, some of which may be missing.
//!
//! Few values are stored as differences, many by pco, which finds their distribution; values that
//! are all the same cost nothing. Gaps are runs of presence beside the values, so that a gap costs
//! bytes where it begins and ends only.

use std::ops::Range;

use integer_encoding::VarInt;

use super::effort::Effort;
use super::packed;
use super::paged::{self, Pages};

/// Values of one series, in the order of the chunk's samples.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Column {
    /// Where there are values, ascending, without touching each other.
    present: Vec<Range<usize>>,
    values: Vec<i64>,
}

/// From this number of values on pco is worth its head.
const MANY: usize = 64;

/// How the values stand in the bytes.
mod codec {
    /// The one value that all have.
    pub(super) const CONSTANT: u8 = 0;
    /// The first value, then differences.
    pub(super) const DELTAS: u8 = 1;
    /// The first value, the first difference, then differences of differences.
    pub(super) const DELTAS_OF_DELTAS: u8 = 2;
    /// pco, in pages.
    pub(super) const PCO: u8 = 3;
    /// The first value, the smallest difference, a number of bits, and in so many each what the
    /// differences are above the smallest.
    pub(super) const PACKED_DELTAS: u8 = 4;
    /// Added where not all samples have a value: the runs of those that have stand before.
    pub(super) const WITH_GAPS: u8 = 0x80;
}

impl Column {
    /// Every sample has a value.
    pub(super) fn full(values: Vec<i64>) -> Self {
        let mut column = Self {
            present: Vec::new(),
            values,
        };
        if !column.values.is_empty() {
            column.present.push(0..column.values.len());
        }
        column
    }

    /// The value of the sample at `index`, which is above all that were set before.
    pub(super) fn push_at(&mut self, index: usize, value: i64) {
        self.values.push(value);
        self.is_present(index..index + 1);
    }

    /// Values of the samples from `start` on, one for each. They are above all that were set
    /// before.
    pub(super) fn extend_at(&mut self, start: usize, values: impl IntoIterator<Item = i64>) {
        let before = self.values.len();
        self.values.extend(values);
        self.is_present(start..start + self.values.len() - before);
    }

    /// The values of samples that follow: of theirs the first is the one at `start`, which is
    /// above all that were set before.
    pub(super) fn append(&mut self, start: usize, other: &Self) {
        self.values.extend_from_slice(&other.values);
        for run in &other.present {
            self.is_present(start + run.start..start + run.end);
        }
    }

    fn is_present(&mut self, samples: Range<usize>) {
        match self.present.last_mut() {
            _ if samples.is_empty() => {}
            Some(run) if run.end == samples.start => run.end = samples.end,
            _ => self.present.push(samples),
        }
    }

    /// The values with the indices of their samples.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, i64)> {
        let indices = self.present.iter().cloned().flatten();
        indices.zip(self.values.iter().copied())
    }

    /// The runs of values, each with the index of its first sample.
    pub(super) fn runs(&self) -> impl Iterator<Item = (usize, &[i64])> {
        let mut rest = self.values.as_slice();
        self.present.iter().map_while(move |run| {
            let (values, after) = rest.split_at_checked(run.len())?;
            rest = after;
            Some((run.start, values))
        })
    }

    /// The values, if every one of `samples` samples has one.
    pub(super) fn into_full(self, samples: usize) -> Option<Vec<i64>> {
        (self.values.len() == samples).then_some(self.values)
    }

    /// As bytes, for a chunk of `samples` samples.
    pub(super) fn encode(&self, samples: usize, effort: Effort) -> Vec<u8> {
        let mut bytes = vec![0];
        let mut kind = 0;
        if self.values.len() < samples {
            kind = codec::WITH_GAPS;
            put(&mut bytes, self.present.len());
            let mut end = 0;
            for run in &self.present {
                put(&mut bytes, run.start - end);
                put(&mut bytes, run.len());
                end = run.end;
            }
        }
        let codec = encode_values(&mut bytes, &self.values, effort);
        if let Some(first) = bytes.first_mut() {
            *first = kind | codec;
        }
        bytes
    }

    /// The values of the samples in `part`, for a chunk of them alone. None if the bytes are not
    /// what [`Column::encode`] makes of `samples` samples.
    pub(super) fn decode(bytes: &[u8], samples: usize, part: Range<usize>) -> Option<Self> {
        let (&kind, mut rest) = bytes.split_first()?;
        if kind & codec::WITH_GAPS == 0 {
            let values = decode_values(kind, rest, samples, part)?;
            return Some(Self::full(values));
        }
        let runs: usize = take(&mut rest)?;
        let (mut end, mut count) = (0_usize, 0);
        let mut present = Vec::new();
        let mut wanted: Option<Range<usize>> = None;
        for _ in 0..runs {
            let start = end.checked_add(take(&mut rest)?)?;
            let length: usize = take(&mut rest)?;
            end = start.checked_add(length)?;
            if length == 0 || end > samples {
                return None;
            }
            let (first, last) = (start.max(part.start), end.min(part.end));
            if first < last {
                present.push(first - part.start..last - part.start);
                let (first, last) = (count + first - start, count + last - start);
                wanted = Some(wanted.map_or(first, |it| it.start)..last);
            }
            count += length;
        }
        let values = decode_values(
            kind & !codec::WITH_GAPS,
            rest,
            count,
            wanted.unwrap_or(0..0),
        )?;
        Some(Self { present, values })
    }
}

/// Of a column of ascending values without gaps those from `from` to `to`, with the last one that
/// is smaller, if there is; perhaps also others around them. With which samples they are.
pub(super) fn decode_between(
    bytes: &[u8],
    samples: usize,
    from: i64,
    to: i64,
) -> Option<(Range<usize>, Vec<i64>)> {
    let (&kind, rest) = bytes.split_first()?;
    if kind == codec::PCO {
        let mut pages = Pages::open(rest, samples)?;
        let between = pages.between(from, to)?;
        return Some((pages.numbers(&between), pages.read(between)?));
    }
    let column = Column::decode(bytes, samples, 0..samples)?;
    Some((0..samples, column.into_full(samples)?))
}

/// Appends the values, and says by which codec.
fn encode_values(bytes: &mut Vec<u8>, values: &[i64], effort: Effort) -> u8 {
    let Some((&first, rest)) = values.split_first() else {
        put(bytes, 0_i64);
        return codec::CONSTANT;
    };
    if rest.iter().all(|value| *value == first) {
        put(bytes, first);
        return codec::CONSTANT;
    }
    if values.len() >= MANY {
        // There are always so few that it can.
        if let Some(compressed) = paged::compress(values, effort) {
            bytes.extend_from_slice(&compressed);
            return codec::PCO;
        }
    }
    encode_few(bytes, values, first)
}

/// In the shortest of the forms that are made of differences.
fn encode_few(bytes: &mut Vec<u8>, values: &[i64], first: i64) -> u8 {
    let deltas = differences(values.iter().copied());
    let of_deltas = differences(deltas.clone());
    // What the first difference adds to none is itself.
    let twice = deltas.clone().take(1).chain(of_deltas);
    let (mut once_length, mut smallest, mut largest) = (0, i64::MAX, i64::MIN);
    for delta in deltas.clone() {
        once_length += delta.required_space();
        smallest = smallest.min(delta);
        largest = largest.max(delta);
    }
    let twice_length: usize = twice.clone().map(VarInt::required_space).sum();
    let above = |delta: i64| delta.wrapping_sub(smallest).cast_unsigned();
    let width = packed::width([above(largest)]);
    let packed_length = smallest.required_space()
        + width.required_space()
        + packed::length(width, values.len() - 1);
    put(bytes, first);
    let lengths = [once_length, twice_length, packed_length];
    let shortest = lengths.into_iter().min();
    if shortest == Some(once_length) {
        deltas.for_each(|delta| put(bytes, delta));
        codec::DELTAS
    } else if shortest == Some(twice_length) {
        twice.for_each(|delta| put(bytes, delta));
        codec::DELTAS_OF_DELTAS
    } else {
        put(bytes, smallest);
        put(bytes, width);
        packed::pack(bytes, width, deltas.map(above));
        codec::PACKED_DELTAS
    }
}

fn unpack_deltas(mut bytes: &[u8], count: usize) -> Option<Vec<i64>> {
    let mut values = vec![take(&mut bytes)?];
    let smallest: i64 = take(&mut bytes)?;
    let width = take(&mut bytes)?;
    let above = packed::unpack(bytes, width, count.checked_sub(1)?)?;
    values.extend(
        above
            .into_iter()
            .map(|it| smallest.wrapping_add(it.cast_signed())),
    );
    sum_up(&mut values);
    Some(values)
}

/// Of `count` values a part.
fn decode_values(kind: u8, bytes: &[u8], count: usize, part: Range<usize>) -> Option<Vec<i64>> {
    let (values, first) = if kind == codec::PCO {
        let mut pages = Pages::open(bytes, count)?;
        let wanted = pages.of(&part);
        let first = pages.numbers(&wanted).start;
        (pages.read(wanted)?, first)
    } else {
        (decode_few(kind, bytes, count)?, 0)
    };
    let part = part.start.checked_sub(first)?..part.end.checked_sub(first)?;
    if part == (0..values.len()) {
        return Some(values);
    }
    values.get(part).map(<[i64]>::to_vec)
}

fn decode_few(kind: u8, mut bytes: &[u8], count: usize) -> Option<Vec<i64>> {
    match kind {
        codec::CONSTANT => {
            let value = take(&mut bytes)?;
            bytes.is_empty().then(|| vec![value; count])
        }
        codec::DELTAS | codec::DELTAS_OF_DELTAS => {
            let mut numbers = Vec::with_capacity(count.min(bytes.len()));
            for _ in 0..count {
                numbers.push(take(&mut bytes)?);
            }
            if kind == codec::DELTAS_OF_DELTAS {
                sum_up(numbers.get_mut(1..)?);
            }
            sum_up(&mut numbers);
            bytes.is_empty().then_some(numbers)
        }
        codec::PACKED_DELTAS => unpack_deltas(bytes, count),
        _ => None,
    }
}

/// What each value adds to the one before.
fn differences(values: impl Iterator<Item = i64> + Clone) -> impl Iterator<Item = i64> + Clone {
    let before = values.clone();
    let pairs = before.zip(values.skip(1));
    pairs.map(|(before, value)| value.wrapping_sub(before))
}

fn sum_up(deltas: &mut [i64]) {
    let mut sum = 0_i64;
    for value in deltas {
        sum = sum.wrapping_add(*value);
        *value = sum;
    }
}

/// Writes a variable-length number: LEB128, signed ones zigzag, as in Protocol Buffers' `sint64`.
pub(super) fn put<N: VarInt>(bytes: &mut Vec<u8>, number: N) {
    let mut buffer = [0; 10];
    let length = number.encode_var(&mut buffer);
    bytes.extend_from_slice(buffer.get(..length).unwrap_or_default());
}

/// Reads a variable-length number off the front.
pub(super) fn take<N: VarInt>(bytes: &mut &[u8]) -> Option<N> {
    let (number, length) = N::decode_var(bytes)?;
    *bytes = bytes.get(length..)?;
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(column: &Column, samples: usize) -> usize {
        let lengths = [Effort::Passing, Effort::Lasting].map(|effort| {
            let bytes = column.encode(samples, effort);
            assert_eq!(
                Column::decode(&bytes, samples, 0..samples).as_ref(),
                Some(column)
            );
            bytes.len()
        });
        lengths.into_iter().max().unwrap()
    }

    #[test]
    fn values_are_read_back_as_written() {
        let steady = |count: i64| Column::full((0..count).map(|i| 500 + i % 3).collect());
        for count in [0, 1, 2, 3, 20, 63, 64, 1200] {
            check(&steady(count), usize::try_from(count).unwrap());
        }
        let extremes = Column::full(vec![0, i64::MAX, i64::MIN, -1, 1]);
        check(&extremes, 5);
        check(&Column::full([i64::MAX, i64::MIN].repeat(100)), 200);
    }

    #[test]
    fn what_is_alike_costs_next_to_nothing() {
        assert_eq!(check(&Column::full(vec![1234; 5000]), 5000), 3);
        let regular = Column::full((0..20).map(|i| 1_800_000_000_000 + i * 3000).collect());
        assert!(check(&regular, 20) < 30);
    }

    #[test]
    fn what_is_missing_is_missing() {
        let mut column = Column::default();
        for index in [3, 4, 5, 9] {
            column.push_at(index, 7);
        }
        check(&column, 10);
        check(&Column::default(), 10);
        let values: Vec<_> = column.iter().collect();
        assert_eq!(values, [(3, 7), (4, 7), (5, 7), (9, 7)]);
        assert_eq!(column.into_full(10), None);
    }

    #[test]
    fn a_part_is_what_the_whole_has_there() {
        let mut gappy = Column::default();
        for index in (0..9000_i64).filter(|i| i % 1000 > 20) {
            gappy.push_at(usize::try_from(index).unwrap(), index * 7 % 501);
        }
        let mut few = Column::default();
        few.push_at(5, 1);
        few.push_at(20, 2);
        for column in [
            Column::full((0..9000).map(|i| i % 77).collect()),
            gappy,
            few,
        ] {
            let bytes = column.encode(9000, Effort::Lasting);
            for part in [
                0..0,
                0..1,
                5..21,
                4000..4000,
                2990..3030,
                4500..9000,
                0..9000,
            ] {
                let decoded = Column::decode(&bytes, 9000, part.clone()).unwrap();
                let expected: Vec<_> = column
                    .iter()
                    .filter(|(index, _)| part.contains(index))
                    .map(|(index, value)| (index - part.start, value))
                    .collect();
                assert_eq!(decoded.iter().collect::<Vec<_>>(), expected, "{part:?}");
            }
        }
    }

    #[test]
    fn damaged_bytes_are_no_reason_to_panic() {
        let mut column = Column::full((0..200).map(|i| i * i % 97).collect());
        column.push_at(300, 5);
        let whole = column.encode(400, Effort::Lasting);
        for length in 0..whole.len() {
            assert_ne!(
                Column::decode(&whole[..length], 400, 0..400),
                Some(column.clone())
            );
        }
        for index in 0..whole.len() {
            for bit in 0..8 {
                let mut damaged = whole.clone();
                damaged[index] ^= 1 << bit;
                // It may be another column, which the checksum notices; it must end.
                let _any = Column::decode(&damaged, 400, 0..400);
            }
        }
    }
}
