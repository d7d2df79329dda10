//! Points that sum up many samples: what long ranges are drawn from.

use std::collections::BTreeMap;
use std::mem::take;

use super::chunk::Chunk;
use super::column::Column;
use super::head::ColumnId;
use super::rate::Rates;
use super::series::Kind;

/// Milliseconds of the finer points.
pub(super) const FIVE_MINUTES_MS: i64 = 300_000;
/// Milliseconds of the coarser points.
pub(super) const TWO_HOURS_MS: i64 = 7_200_000;

/// The number of a series in the database.
pub(super) type SeriesId = u32;

/// Columns of one series in a chunk: of samples the first only.
const COLUMNS: u32 = 4;

/// A mean has one digit more than the values.
const MEAN_DIGIT: i64 = 10;

/// A series over a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Summary {
    /// Of a gauge ten times the mean; of a counter the sum of its increases.
    pub(super) level: i64,
    /// The smallest value; of a counter the smallest rate per second.
    pub(super) min: i64,
    /// The largest value; of a counter the largest rate per second.
    pub(super) max: i64,
    /// Of a gauge the number of values; of a counter the milliseconds that the increases took.
    pub(super) weight: i64,
}

/// Summaries of each series by the begin of their stretch.
pub(super) type Points = BTreeMap<SeriesId, BTreeMap<i64, Summary>>;

/// The column of a series in a chunk of samples.
pub(super) fn column_of(series: SeriesId) -> ColumnId {
    series * COLUMNS
}

/// The columns of a series in a chunk of points: level, min, max, weight.
pub(super) fn columns_of(series: SeriesId) -> [ColumnId; 4] {
    [0, 1, 2, 3].map(|part| column_of(series) + part)
}

/// To which series a column belongs.
pub(super) fn series_of(column: ColumnId) -> SeriesId {
    column / COLUMNS
}

impl Summary {
    /// The mean, in the unit of the stored values; of a counter the rate per second.
    pub(super) fn mean(&self, kind: Kind) -> f64 {
        match kind {
            Kind::Gauge => self.level as f64 / MEAN_DIGIT as f64,
            Kind::Counter => self.level as f64 * 1000.0 / self.weight.max(1) as f64,
        }
    }

    /// Adds what sums up other values of the same while.
    pub(super) fn join(&mut self, other: &Self, kind: Kind) {
        self.level = match kind {
            Kind::Counter => self.level.saturating_add(other.level),
            Kind::Gauge => {
                let weigh = |it: &Self| i128::from(it.level) * i128::from(it.weight);
                let weight = i128::from(self.weight) + i128::from(other.weight);
                divide(weigh(self) + weigh(other), weight)
            }
        };
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.weight = self.weight.saturating_add(other.weight);
    }
}

/// A series of samples in stretches of `period` milliseconds. Counters are not followed across
/// pauses longer than `gap`.
pub(super) fn summarise(
    times: &[i64],
    column: &Column,
    kind: Kind,
    period: i64,
    gap: i64,
) -> BTreeMap<i64, Summary> {
    let mut points = BTreeMap::new();
    let mut rates = Rates::default();
    let mut sum = Sum::default();
    let mut stretch = 0..0;
    for (index, value) in column.iter() {
        let Some(&at) = times.get(index) else { break };
        if !stretch.contains(&at) {
            if !sum.is_empty() {
                points.insert(stretch.start, take(&mut sum).finish(kind));
            }
            let begin = at.div_euclid(period) * period;
            stretch = begin..begin + period;
        }
        match kind {
            Kind::Gauge => sum.add(value, value, 1),
            Kind::Counter => {
                if let Some(step) = rates.step(at, value, gap) {
                    let rate = step.increase.saturating_mul(1000) / step.ms;
                    sum.add(step.increase, rate, step.ms);
                }
            }
        }
    }
    if !sum.is_empty() {
        points.insert(stretch.start, sum.finish(kind));
    }
    points
}

/// The same points in longer stretches.
pub(super) fn coarsen(
    points: &BTreeMap<i64, Summary>,
    kind: Kind,
    period: i64,
) -> BTreeMap<i64, Summary> {
    let mut coarse: BTreeMap<i64, Summary> = BTreeMap::new();
    for (begin, point) in points {
        let begin = begin.div_euclid(period) * period;
        coarse
            .entry(begin)
            .and_modify(|all| all.join(point, kind))
            .or_insert(*point);
    }
    coarse
}

/// Points as they are stored.
pub(super) fn to_chunk(points: &Points) -> Chunk {
    let mut times: Vec<i64> = points.values().flat_map(BTreeMap::keys).copied().collect();
    times.sort_unstable();
    times.dedup();
    let mut columns = BTreeMap::new();
    for (series, points) in points {
        let mut parts: [Column; 4] = Default::default();
        for (begin, point) in points {
            let Ok(index) = times.binary_search(begin) else {
                continue;
            };
            let values = [point.level, point.min, point.max, point.weight];
            for (part, value) in parts.iter_mut().zip(values) {
                part.push_at(index, value);
            }
        }
        columns.extend(columns_of(*series).into_iter().zip(parts));
    }
    Chunk {
        times,
        origins: Vec::new(),
        columns,
    }
}

/// One series of stored points, by the begin of their stretch.
pub(super) fn points_of(
    times: &[i64],
    columns: [&Column; 4],
) -> impl Iterator<Item = (i64, Summary)> {
    let [level, min, max, weight] = columns;
    let values = level
        .iter()
        .zip(min.iter())
        .zip(max.iter())
        .zip(weight.iter());
    values.filter_map(|((((index, level), (_, min)), (_, max)), (_, weight))| {
        let summary = Summary {
            level,
            min,
            max,
            weight,
        };
        Some((*times.get(index)?, summary))
    })
}

/// Stored points.
pub(super) fn from_chunk(chunk: &Chunk) -> Points {
    let mut points = Points::new();
    for series in chunk.columns.keys().map(|id| series_of(*id)) {
        let columns = columns_of(series).map(|id| chunk.columns.get(&id));
        if let [Some(level), Some(min), Some(max), Some(weight)] = columns {
            let of_series = points_of(&chunk.times, [level, min, max, weight]);
            points.insert(series, of_series.collect());
        }
    }
    points
}

/// What is gathered of one stretch.
#[derive(Debug, Default)]
struct Sum {
    total: i128,
    range: Option<(i64, i64)>,
    weight: i64,
}

impl Sum {
    fn is_empty(&self) -> bool {
        self.range.is_none()
    }

    fn add(&mut self, amount: i64, value: i64, weight: i64) {
        self.total += i128::from(amount);
        let (min, max) = self.range.unwrap_or((value, value));
        self.range = Some((min.min(value), max.max(value)));
        self.weight += weight;
    }

    fn finish(self, kind: Kind) -> Summary {
        let (min, max) = self.range.unwrap_or_default();
        let level = match kind {
            Kind::Counter => i64::try_from(self.total).unwrap_or(i64::MAX),
            Kind::Gauge => divide(self.total * i128::from(MEAN_DIGIT), i128::from(self.weight)),
        };
        Summary {
            level,
            min,
            max,
            weight: self.weight,
        }
    }
}

/// Rounded to the nearest.
fn divide(sum: i128, count: i128) -> i64 {
    let count = count.max(1);
    let half = if sum < 0 { -count / 2 } else { count / 2 };
    i64::try_from((sum + half) / count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAP: i64 = 300_000;
    const TIMES: [i64; 5] = [0, 100_000, 200_000, 300_000, 400_000];

    #[test]
    fn a_gauge_becomes_mean_min_max_and_number() {
        let column = Column::full(vec![10, 20, 31, 5, -5]);
        let points = summarise(&TIMES, &column, Kind::Gauge, FIVE_MINUTES_MS, GAP);
        let expected = |level, min, max, weight| Summary {
            level,
            min,
            max,
            weight,
        };
        assert_eq!(points[&0], expected(203, 10, 31, 3));
        assert_eq!(points[&300_000], expected(0, -5, 5, 2));
        let coarse = coarsen(&points, Kind::Gauge, TWO_HOURS_MS);
        assert_eq!(coarse[&0], expected(122, -5, 31, 5));
        assert!((coarse[&0].mean(Kind::Gauge) - 12.2).abs() < 1e-9);
    }

    #[test]
    fn a_counter_becomes_its_increase_and_its_rates_across_a_boot() {
        let column = Column::full(vec![1000, 2000, 2000, 500, 700]);
        let points = summarise(&TIMES, &column, Kind::Counter, TWO_HOURS_MS, GAP);
        let point = points[&0];
        assert_eq!((point.level, point.weight), (1700, 400_000));
        assert_eq!((point.min, point.max), (0, 10));
        assert!((point.mean(Kind::Counter) - 4.25).abs() < 1e-9);
    }

    #[test]
    fn points_are_read_back_as_stored_and_what_is_missing_stays_missing() {
        let mut sparse = Column::default();
        sparse.push_at(4, 7);
        let full = Column::full(vec![1, 2, 3, 4, 5]);
        let points = Points::from([
            (
                3,
                summarise(&TIMES, &full, Kind::Gauge, FIVE_MINUTES_MS, GAP),
            ),
            (
                4,
                summarise(&TIMES, &sparse, Kind::Gauge, FIVE_MINUTES_MS, GAP),
            ),
        ]);
        assert_eq!(points[&4].len(), 1);
        let chunk = to_chunk(&points);
        assert_eq!(chunk.times, [0, 300_000]);
        assert_eq!(from_chunk(&chunk), points);
    }
}
