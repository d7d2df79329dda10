//! Keys of tail and chunks: integers, in whose order the rows lie in the file.

use std::ops::RangeInclusive;

/// How coarse a chunk is, and how long a stretch it covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tier {
    /// Samples of an hour, or a part of them.
    Hour,
    /// Samples of a day (UTC).
    Day,
    /// Points of five minutes of a day.
    FiveMinutes,
    /// Points of two hours of a month.
    TwoHours,
}

/// Milliseconds of an hour.
pub(super) const HOUR_MS: i64 = 3_600_000;
/// Milliseconds of a day.
pub(super) const DAY_MS: i64 = 24 * HOUR_MS;
/// Hours of a day.
pub(super) const DAY_HOURS: i64 = 24;

/// Bits of a part of an hour: so many late pieces of one hour can wait until they are merged.
const PART_BITS: u32 = 12;
/// Bits of an hour since 1970: until the year 3883.
const HOUR_BITS: u32 = 24;
const TIER_BITS: u32 = 3;
/// Bits of a device's number, in the tail as in the chunks.
const DEVICE_BITS: u32 = 20;
/// Bits of which hour of a commit.
const SLICE_BITS: u32 = 8;

/// The largest number of a part.
const LAST_PART: i64 = (1 << PART_BITS) - 1;
/// The largest number of an hour's slice in one commit.
pub(super) const LAST_SLICE: i64 = (1 << SLICE_BITS) - 1;

/// The hour since 1970 that a moment belongs to.
pub(super) fn hour_of(ms: i64) -> i64 {
    ms.div_euclid(HOUR_MS)
}

/// Key of a chunk.
pub(super) fn chunk(device: i64, tier: Tier, hour: i64, part: i64) -> i64 {
    let tier = tier as i64;
    (((device << TIER_BITS | tier) << HOUR_BITS | hour.clamp(0, (1 << HOUR_BITS) - 1)) << PART_BITS)
        | part
}

/// The first hour of a chunk.
pub(super) fn hour_of_chunk(key: i64) -> i64 {
    (key >> PART_BITS) & ((1 << HOUR_BITS) - 1)
}

/// The device of a chunk, and its tier.
pub(super) fn owner_of_chunk(key: i64) -> (i64, Option<Tier>) {
    let rest = key >> (PART_BITS + HOUR_BITS);
    let tier = match rest & ((1 << TIER_BITS) - 1) {
        0 => Some(Tier::Hour),
        1 => Some(Tier::Day),
        2 => Some(Tier::FiveMinutes),
        3 => Some(Tier::TwoHours),
        _ => None,
    };
    (rest >> TIER_BITS, tier)
}

/// Keys of a device's chunks of a tier that begin in these hours, the last one included.
pub(super) fn chunks(device: i64, tier: Tier, hours: RangeInclusive<i64>) -> RangeInclusive<i64> {
    chunk(device, tier, *hours.start(), 0)..=chunk(device, tier, *hours.end(), LAST_PART)
}

/// Key of a row of the tail.
pub(super) fn tail(commit: i64, device: i64, slice: i64) -> i64 {
    ((commit << DEVICE_BITS | device) << SLICE_BITS) | slice
}

/// Keys of what a commit has of a device.
pub(super) fn tail_of(commit: i64, device: i64) -> RangeInclusive<i64> {
    tail(commit, device, 0)..=tail(commit, device, LAST_SLICE)
}

/// The commit of a row of the tail.
pub(super) fn commit_of_tail(key: i64) -> i64 {
    key >> (DEVICE_BITS + SLICE_BITS)
}

/// The device of a row of the tail.
pub(super) fn device_of_tail(key: i64) -> i64 {
    (key >> SLICE_BITS) & ((1 << DEVICE_BITS) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_taken_apart_as_they_were_made() {
        let key = chunk(1_000_000, Tier::FiveMinutes, 500_000, 17);
        assert!(key > 0);
        assert_eq!(owner_of_chunk(key), (1_000_000, Some(Tier::FiveMinutes)));
        assert_eq!(hour_of_chunk(key), 500_000);
        assert!(chunks(1_000_000, Tier::FiveMinutes, 499_999..=500_000).contains(&key));
        assert!(!chunks(1_000_000, Tier::FiveMinutes, 500_001..=500_002).contains(&key));
        assert!(!chunks(1_000_000, Tier::Day, 0..=900_000).contains(&key));

        let key = tail(3_000_000_000, 1_000_000, 255);
        assert!(key > 0);
        assert_eq!(
            (commit_of_tail(key), device_of_tail(key)),
            (3_000_000_000, 1_000_000)
        );
        assert!(tail_of(3_000_000_000, 1_000_000).contains(&key));
    }

    #[test]
    fn hours_before_1970_are_below_zero() {
        assert_eq!(hour_of(-1), -1);
        assert_eq!(hour_of(HOUR_MS), 1);
    }
}
