//! In how many days something is full, if it goes on like this.

use jiff::Timestamp;

/// Fewer points than this show no trend.
const LEAST_POINTS: usize = 12;

/// A stretch that is shorter shows none either, in days.
const LEAST_DAYS: f64 = 1.0;

/// What grows by less in a day, in percent, is not said to grow: numbers are stored to a tenth.
const LEAST_GROWTH: f64 = 0.1;

const DAY_MS: f64 = 24.0 * 3600.0 * 1000.0;

/// In how many days 100 percent are reached, by the trend of these points (moment, percent). None:
/// not to be seen, or it does not grow.
///
/// The trend is the median of the slopes between any two points (Theil and Sen): a file that was copied
/// once, or removed again, does not bend it. And it must have grown in the last day as well: what was
/// cleaned up since is no trouble any more.
pub fn days_until_full(points: &[(Timestamp, f64)]) -> Option<f64> {
    let (first, last) = (points.first()?, points.last()?);
    let days = |from: &(Timestamp, f64), to: &(Timestamp, f64)| {
        (to.0.as_millisecond() - from.0.as_millisecond()) as f64 / DAY_MS
    };
    if points.len() < LEAST_POINTS || days(first, last) < LEAST_DAYS {
        return None;
    }
    let growth = slope(points, days)?;
    let recent: Vec<(Timestamp, f64)> = points
        .iter()
        .filter(|point| days(point, last) <= LEAST_DAYS)
        .copied()
        .collect();
    if growth < LEAST_GROWTH || slope(&recent, days)? < LEAST_GROWTH / 2.0 {
        return None;
    }
    Some((100.0 - last.1).max(0.0) / growth)
}

/// In percent a day.
fn slope(
    points: &[(Timestamp, f64)],
    days: impl Fn(&(Timestamp, f64), &(Timestamp, f64)) -> f64,
) -> Option<f64> {
    let mut slopes: Vec<f64> = Vec::new();
    for (index, from) in points.iter().enumerate() {
        let later = points[index + 1..].iter();
        let later = later.filter(|to| days(from, to) > 0.0);
        slopes.extend(later.map(|to| (to.1 - from.1) / days(from, to)));
    }
    let middle = slopes.len() / 2;
    if slopes.is_empty() {
        return None;
    }
    let (_, median, _) = slopes.select_nth_unstable_by(middle, f64::total_cmp);
    Some(*median)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A point each two hours, for so many days.
    fn points(days: u32, percent: impl Fn(f64) -> f64) -> Vec<(Timestamp, f64)> {
        (0..=days * 12)
            .map(|number| {
                let at = i64::from(number) * 2 * 3600 * 1000;
                let time = Timestamp::from_millisecond(1_790_000_000_000 + at).unwrap();
                let value = percent(f64::from(number) / 12.0);
                (time, (value * 10.0).round() / 10.0)
            })
            .collect()
    }

    #[test]
    fn what_grows_by_two_percent_a_day_is_full_when_it_says() {
        let left = days_until_full(&points(7, |day| 70.0 + 2.0 * day)).unwrap();
        assert!((left - 8.0).abs() < 0.2, "{left}");
    }

    #[test]
    fn days_and_nights_do_not_hide_a_trend() {
        let wave = |day: f64| 60.0 + 3.0 * day + (day * std::f64::consts::TAU).sin();
        let left = days_until_full(&points(7, wave)).unwrap();
        assert!((left - 19.0 / 3.0).abs() < 1.0, "{left}");
    }

    #[test]
    fn what_stays_trembles_shrinks_or_made_one_step_does_not_fill_up() {
        for percent in [
            (|_| 80.0) as fn(f64) -> f64,
            |day| 80.0 + (day * 50.0).sin(),
            |day| 80.0 - day,
            |day| if day > 3.0 { 85.0 } else { 40.0 },
            // Cleaned up a day ago.
            |day| if day > 6.0 { 50.0 } else { 50.0 + 5.0 * day },
        ] {
            assert_eq!(days_until_full(&points(7, percent)), None);
        }
    }

    #[test]
    fn a_few_hours_show_nothing() {
        assert_eq!(days_until_full(&[]), None);
        let short = points(1, |day| 50.0 + 40.0 * day);
        assert_eq!(days_until_full(&short[..8]), None);
        assert!(days_until_full(&points(2, |day| 10.0 + 40.0 * day)).is_some());
    }
}
