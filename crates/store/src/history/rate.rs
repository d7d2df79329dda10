//! From a counter to its rate.

/// Walks along a counter. It goes on from one chunk to the next.
#[derive(Debug, Default)]
pub(super) struct Rates {
    before: Option<(i64, i64)>,
}

/// What a counter did from one sample to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// By how much it rose.
    pub(super) increase: i64,
    /// In how many milliseconds.
    pub(super) ms: i64,
}

/// A step is never thought to be a gap below this, in milliseconds: agents are late at times.
const SHORTEST_GAP: i64 = 60_000;

/// From how long a pause on samples are missing: three times their usual distance, as some of
/// them tell.
pub(super) fn gap(times: &[i64]) -> i64 {
    /// All of a day would take as long as reading a counter.
    const ENOUGH: usize = 256;
    let step = times.len() / ENOUGH + 1;
    let pairs = times.windows(2).step_by(step);
    let mut distances: Vec<i64> = pairs.map(|it| it[1] - it[0]).collect();
    let middle = distances.len() / 2;
    if distances.is_empty() {
        return SHORTEST_GAP;
    }
    let (_, median, _) = distances.select_nth_unstable(middle);
    median.saturating_mul(3).max(SHORTEST_GAP)
}

impl Rates {
    /// The step that leads to this sample. None for the first one, and for the first one after a
    /// gap: nobody knows when in it the counter rose. A counter that is lower than before began
    /// anew at 0, as after a boot.
    pub(super) fn step(&mut self, at: i64, value: i64, gap: i64) -> Option<Step> {
        let before = self.before.replace((at, value));
        let (then, was) = before?;
        let ms = at - then;
        if ms <= 0 || ms > gap {
            return None;
        }
        let increase = if value >= was { value - was } else { value };
        (increase >= 0).then_some(Step { increase, ms })
    }
}

impl Step {
    /// Per second.
    pub(super) fn per_second(self) -> f64 {
        self.increase as f64 * 1000.0 / self.ms as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_right_across_a_boot_and_absent_across_a_gap() {
        let mut rates = Rates::default();
        let mut check = |at, value, expected: Option<f64>| {
            let rate = rates.step(at, value, 60_000).map(Step::per_second);
            assert_eq!(rate, expected, "{at}");
        };
        check(0, 1000, None);
        check(2000, 3000, Some(1000.0));
        check(4000, 3000, Some(0.0));
        check(14_000, 500, Some(50.0));
        check(14_000, 700, None);
        check(100_000, 9_000, None);
        check(101_000, 9_100, Some(100.0));
    }

    #[test]
    fn what_a_gap_is_depends_on_how_often_there_is_a_sample() {
        assert_eq!(gap(&[]), 60_000);
        assert_eq!(gap(&[0, 3000, 6000]), 60_000);
        assert_eq!(gap(&[0, 600_000, 1_200_000, 9_000_000]), 1_800_000);
    }
}
