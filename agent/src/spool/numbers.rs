//! Sets of sample numbers, as few ranges.

use std::ops::RangeInclusive;

use rangemap::RangeInclusiveSet;

/// Numbers of samples of one session. A spool in order holds one range, however long it is.
pub type Numbers = RangeInclusiveSet<u64>;

/// How many there are.
pub fn count(numbers: &Numbers) -> u64 {
    numbers.iter().map(length).fold(0, u64::saturating_add)
}

/// Those that are in both.
pub fn common(one: &Numbers, other: &Numbers) -> Numbers {
    one.intersection(other).collect()
}

/// Takes `others` away.
pub fn take_away(numbers: &mut Numbers, others: &Numbers) {
    for range in others.iter() {
        numbers.remove(range.clone());
    }
}

/// The smallest.
pub fn smallest(numbers: &Numbers) -> Option<u64> {
    numbers.first().map(|range| *range.start())
}

/// The largest.
pub fn largest(numbers: &Numbers) -> Option<u64> {
    numbers.last().map(|range| *range.end())
}

fn length(range: &RangeInclusive<u64>) -> u64 {
    (range.end() - range.start()).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_counted_shared_and_taken_away() {
        let mut numbers: Numbers = [1..=10, 20..=29].into_iter().collect();
        let others: Numbers = [5..=22, 40..=50].into_iter().collect();
        assert_eq!(count(&numbers), 20);
        let shared: Vec<_> = common(&numbers, &others).into_iter().collect();
        assert_eq!(shared, [5..=10, 20..=22]);
        take_away(&mut numbers, &others);
        assert_eq!((smallest(&numbers), largest(&numbers)), (Some(1), Some(29)));
        assert_eq!(count(&numbers), 11);
        assert_eq!(count(&[0..=u64::MAX].into_iter().collect()), u64::MAX);
    }
}
