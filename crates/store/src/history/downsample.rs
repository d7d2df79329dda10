//! From samples to as many points as a chart can show.

use std::collections::BTreeMap;

use super::columns::{Columns, Series};
use super::series::Reading;

/// One sample on its way to a chart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) at: i64,
    pub(super) readings: Vec<Reading>,
}

/// All samples as they are, if they are no more than `points`; else `points` equal stretches of
/// the range with mean, minimum and maximum each. A stretch without samples is empty.
pub(super) fn downsample(rows: &[Row], from: i64, to: i64, points: usize) -> Columns {
    let points = points.max(1);
    if rows.len() <= points {
        return gather(rows.iter().map(|row| row.at).collect(), rows, |index, _| {
            index
        });
    }
    let width = (to - from).max(1);
    let count = i64::try_from(points).unwrap_or(i64::MAX);
    let stretch = |at: i64| -> usize {
        let index = (at - from).clamp(0, width - 1) * count / width;
        usize::try_from(index).unwrap_or(0).min(points - 1)
    };
    let times = (0..count)
        .map(|index| from + width * (2 * index + 1) / (2 * count))
        .collect();
    gather(times, rows, |_, row| stretch(row.at))
}

/// Puts each row into its slot.
fn gather(times: Vec<i64>, rows: &[Row], slot: impl Fn(usize, &Row) -> usize) -> Columns {
    let mut sums: BTreeMap<&str, Vec<Slot>> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        let slot = slot(index, row);
        for reading in &row.readings {
            let slots = sums
                .entry(&reading.series)
                .or_insert_with(|| vec![Slot::default(); times.len()]);
            if let Some(slot) = slots.get_mut(slot) {
                slot.add(reading.value);
            }
        }
    }
    let series = sums
        .into_iter()
        .map(|(name, slots)| {
            let pick = |value: fn(&Slot) -> f64| {
                slots
                    .iter()
                    .map(|slot| (slot.count > 0).then(|| value(slot)))
                    .collect()
            };
            let series = Series {
                mean: pick(|slot| round(slot.sum / f64::from(slot.count))),
                min: pick(|slot| slot.min),
                max: pick(|slot| slot.max),
            };
            (name.to_owned(), series)
        })
        .collect();
    Columns { times, series }
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    count: u32,
    sum: f64,
    min: f64,
    max: f64,
}

impl Slot {
    fn add(&mut self, value: f64) {
        if self.count == 0 {
            (self.min, self.max) = (value, value);
        } else {
            self.min = self.min.min(value);
            self.max = self.max.max(value);
        }
        self.count += 1;
        self.sum += value;
    }
}

/// A mean has no more digits than can be read.
fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(values: &[(i64, f64)]) -> Vec<Row> {
        values
            .iter()
            .map(|(at, value)| Row {
                at: *at,
                readings: vec![Reading {
                    series: "cpu".to_owned(),
                    value: *value,
                }],
            })
            .collect()
    }

    #[test]
    fn few_samples_stay_as_they_are() {
        let columns = downsample(&rows(&[(10, 1.0), (20, 3.0)]), 0, 100, 2);
        assert_eq!(columns.times, [10, 20]);
        assert_eq!(columns.series["cpu"].mean, [Some(1.0), Some(3.0)]);
        assert_eq!(columns.series["cpu"].max, [Some(1.0), Some(3.0)]);
    }

    #[test]
    fn many_samples_become_mean_min_and_max_and_a_gap_stays_a_gap() {
        let samples = [(0, 1.0), (10, 3.0), (20, 2.0), (95, 8.0), (100, 4.0)];
        let columns = downsample(&rows(&samples), 0, 100, 4);
        assert_eq!(columns.times, [12, 37, 62, 87]);
        let cpu = &columns.series["cpu"];
        assert_eq!(cpu.mean, [Some(2.0), None, None, Some(6.0)]);
        assert_eq!(cpu.min, [Some(1.0), None, None, Some(4.0)]);
        assert_eq!(cpu.max, [Some(3.0), None, None, Some(8.0)]);
    }

    #[test]
    fn a_series_that_comes_later_is_empty_before() {
        let mut samples = rows(&[(10, 1.0), (20, 2.0)]);
        samples[1].readings.push(Reading {
            series: "disk:/usb".to_owned(),
            value: 5.0,
        });
        let columns = downsample(&samples, 0, 100, 10);
        assert_eq!(columns.series["disk:/usb"].mean, [None, Some(5.0)]);
    }

    #[test]
    fn odd_ranges_do_not_panic() {
        let samples = rows(&[(5, 1.0), (5, 2.0), (5, 3.0)]);
        assert_eq!(
            downsample(&samples, 5, 5, 1).series["cpu"].mean,
            [Some(2.0)]
        );
        assert_eq!(downsample(&[], 0, 0, 0), Columns::default());
    }
}
