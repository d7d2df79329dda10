//! One series of a chunk as bytes: integers, some of which may be missing.
//!
//! Few values are stored as differences, many by [pco](https://github.com/pcodec/pcodec), which
//! finds their distribution; values that are all the same cost nothing. Gaps are runs of
//! presence beside the values, so that a gap costs bytes where it begins and ends only.

use std::ops::Range;

use integer_encoding::VarInt;
use pco::ChunkConfig;
use pco::standalone::{simple_compress, simple_decompress};

use super::packed;

/// Values of one series, in the order of the chunk's samples.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Column {
    /// Where there are values, ascending, without touching each other.
    present: Vec<Range<usize>>,
    values: Vec<i64>,
}

/// From this number of values on pco is worth its head.
const MANY: usize = 64;

/// Of pco's levels (0 to 12): higher ones gain a few percent and cost several times the time.
const LEVEL: usize = 4;

/// How the values stand in the bytes.
mod codec {
    /// The one value that all have.
    pub(super) const CONSTANT: u8 = 0;
    /// The first value, then differences.
    pub(super) const DELTAS: u8 = 1;
    /// The first value, the first difference, then differences of differences.
    pub(super) const DELTAS_OF_DELTAS: u8 = 2;
    /// pco, standalone format.
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
        match self.present.last_mut() {
            Some(run) if run.end == index => run.end += 1,
            _ => self.present.push(index..index + 1),
        }
        self.values.push(value);
    }

    /// The values with the indices of their samples.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, i64)> {
        let indices = self.present.iter().cloned().flatten();
        indices.zip(self.values.iter().copied())
    }

    /// The values, if every one of `samples` samples has one.
    pub(super) fn as_full(&self, samples: usize) -> Option<&[i64]> {
        (self.values.len() == samples).then_some(&self.values)
    }

    /// As bytes, for a chunk of `samples` samples.
    pub(super) fn encode(&self, samples: usize) -> Vec<u8> {
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
        let (codec, values) = encode_values(&self.values);
        if let Some(first) = bytes.first_mut() {
            *first = kind | codec;
        }
        bytes.extend(values);
        bytes
    }

    /// From bytes. None if they are not what [`Column::encode`] makes of `samples` samples.
    pub(super) fn decode(bytes: &[u8], samples: usize) -> Option<Self> {
        let (&kind, mut rest) = bytes.split_first()?;
        let mut present = Vec::new();
        let mut count = samples;
        if kind & codec::WITH_GAPS != 0 {
            let runs: usize = take(&mut rest)?;
            let mut end = 0_usize;
            count = 0;
            for _ in 0..runs {
                let start = end.checked_add(take(&mut rest)?)?;
                let length: usize = take(&mut rest)?;
                end = start.checked_add(length)?;
                if length == 0 || end > samples {
                    return None;
                }
                count += length;
                present.push(start..end);
            }
        } else if samples > 0 {
            present.push(0..samples);
        }
        let values = decode_values(kind & !codec::WITH_GAPS, rest, count)?;
        Some(Self { present, values })
    }
}

fn encode_values(values: &[i64]) -> (u8, Vec<u8>) {
    let Some(&first) = values.first() else {
        return (codec::CONSTANT, 0_i64.encode_var_vec());
    };
    if values.iter().all(|value| *value == first) {
        return (codec::CONSTANT, first.encode_var_vec());
    }
    if values.len() >= MANY {
        let config = ChunkConfig::default().with_compression_level(LEVEL);
        // It fails for more than 16 million values only, which no chunk has.
        if let Ok(bytes) = simple_compress(values, &config) {
            return (codec::PCO, bytes);
        }
    }
    let deltas = differences(values);
    let once: Vec<u8> = zigzag(&deltas);
    let twice: Vec<u8> = zigzag(&[&deltas[..1], &differences(&deltas[1..])].concat());
    let packed = pack_deltas(&deltas);
    let forms = [
        (codec::DELTAS, once),
        (codec::DELTAS_OF_DELTAS, twice),
        (codec::PACKED_DELTAS, packed),
    ];
    let shortest = forms.into_iter().min_by_key(|(_, bytes)| bytes.len());
    shortest.unwrap_or_default()
}

/// `deltas` begins with the first value.
fn pack_deltas(deltas: &[i64]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let Some((first, rest)) = deltas.split_first() else {
        return bytes;
    };
    let smallest = rest.iter().copied().min().unwrap_or(0);
    let above = rest
        .iter()
        .map(|delta| delta.wrapping_sub(smallest).cast_unsigned());
    let width = packed::width(above.clone());
    put(&mut bytes, *first);
    put(&mut bytes, smallest);
    put(&mut bytes, width);
    packed::pack(&mut bytes, width, above);
    bytes
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

fn decode_values(kind: u8, mut bytes: &[u8], count: usize) -> Option<Vec<i64>> {
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
        codec::PCO => {
            let values: Vec<i64> = simple_decompress(bytes).ok()?;
            (values.len() == count).then_some(values)
        }
        _ => None,
    }
}

/// The first value, then what each adds to the one before.
fn differences(values: &[i64]) -> Vec<i64> {
    let mut before = 0;
    let deltas = values.iter().map(|value| {
        let delta = value.wrapping_sub(before);
        before = *value;
        delta
    });
    deltas.collect()
}

fn sum_up(deltas: &mut [i64]) {
    let mut sum = 0_i64;
    for value in deltas {
        sum = sum.wrapping_add(*value);
        *value = sum;
    }
}

/// LEB128, signed numbers zigzag, as in Protocol Buffers' `sint64`.
fn zigzag(numbers: &[i64]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(numbers.len() * 2);
    for number in numbers {
        let mut buffer = [0; 10];
        let length = number.encode_var(&mut buffer);
        bytes.extend(buffer.iter().take(length));
    }
    bytes
}

/// Writes a variable-length number.
pub(super) fn put<N: VarInt>(bytes: &mut Vec<u8>, number: N) {
    bytes.extend(number.encode_var_vec());
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
        let bytes = column.encode(samples);
        assert_eq!(Column::decode(&bytes, samples).as_ref(), Some(column));
        bytes.len()
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
        assert_eq!(column.as_full(10), None);
    }

    #[test]
    fn damaged_bytes_are_no_reason_to_panic() {
        let mut column = Column::full((0..200).map(|i| i * i % 97).collect());
        column.push_at(300, 5);
        let whole = column.encode(400);
        for length in 0..whole.len() {
            assert_ne!(Column::decode(&whole[..length], 400), Some(column.clone()));
        }
        for index in 0..whole.len() {
            for bit in 0..8 {
                let mut damaged = whole.clone();
                damaged[index] ^= 1 << bit;
                // It may be another column, which the checksum notices; it must end.
                let _any = Column::decode(&damaged, 400);
            }
        }
    }
}
