//! From samples to as many points as a chart can show, while they are read: what a query needs
//! of memory does not depend on how much it reads.

use std::collections::HashMap;

use super::columns::{Columns, Series};

/// Takes samples in the order of time, one after another.
#[derive(Debug)]
pub(super) struct Downsampler {
    from: i64,
    width: i64,
    /// Equal stretches of the range; none: each sample is a point of its own.
    stretches: Option<i64>,
    times: Vec<i64>,
    numbers: HashMap<String, usize>,
    series: Vec<Vec<Slot>>,
}

impl Downsampler {
    /// For `samples` samples between `from` and `to`. All of them as they are, if they are no
    /// more than `points`; else `points` equal stretches of the range with mean, minimum and
    /// maximum each. A stretch without samples is empty.
    pub(super) fn new(from: i64, to: i64, points: usize, samples: usize) -> Self {
        let points = points.max(1);
        let width = (to - from).max(1);
        let stretches = (samples > points).then(|| i64::try_from(points).unwrap_or(i64::MAX));
        let times = stretches.map_or_else(Vec::new, |count| {
            (0..count)
                .map(|index| from + width * (2 * index + 1) / (2 * count))
                .collect()
        });
        Self {
            from,
            width,
            stretches,
            times,
            numbers: HashMap::new(),
            series: Vec::new(),
        }
    }

    /// The number of a series, for [`Self::add`].
    pub(super) fn series(&mut self, name: &str) -> usize {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        self.series.push(Vec::new());
        let number = self.series.len() - 1;
        self.numbers.insert(name.to_owned(), number);
        number
    }

    /// The places of ascending moments, for [`Self::add`]: of each place how many moments there
    /// are up to and with its last one. Of two samples at the same time each has its own, if
    /// samples stay as they are.
    pub(super) fn places(&mut self, times: &[i64]) -> Vec<(usize, usize)> {
        let Some(count) = self.stretches else {
            let before = self.times.len();
            self.times.extend(times);
            return (0..times.len()).map(|at| (at + 1, before + at)).collect();
        };
        let mut places = Vec::new();
        let mut end = 0;
        while let Some(at) = times.get(end) {
            let place = self.stretch_of(*at, count);
            let stretch_end = self.end_of(place, count);
            let rest = times.get(end..).unwrap_or_default();
            // Quicker than to look for the end in all that is left.
            let inside = rest.iter().take_while(|at| **at < stretch_end).count();
            // The first is in it, whatever the arithmetic says of odd ranges.
            end += inside.max(1);
            places.push((end, place));
        }
        places
    }

    /// The place of one moment, which follows those before.
    pub(super) fn place(&mut self, at: i64) -> usize {
        let Some(count) = self.stretches else {
            self.times.push(at);
            return self.times.len() - 1;
        };
        self.stretch_of(at, count)
    }

    /// Which of so many stretches a moment is in.
    fn stretch_of(&self, at: i64, count: i64) -> usize {
        let offset = i128::from((at - self.from).clamp(0, self.width - 1));
        let place = offset * i128::from(count) / i128::from(self.width);
        usize::try_from(place).unwrap_or(0)
    }

    /// When one of so many stretches ends: the first moment of the next one, rounded up as the
    /// place of a moment is rounded down.
    fn end_of(&self, place: usize, count: i64) -> i64 {
        let (width, count) = (i128::from(self.width), i128::from(count));
        let end = ((place as i128 + 1) * width + count - 1) / count + i128::from(self.from);
        i64::try_from(end).unwrap_or(i64::MAX)
    }

    /// Adds what is known of a series at a place.
    pub(super) fn add(&mut self, series: usize, place: usize, value: Value) {
        let Some(slots) = self.series.get_mut(series) else {
            return;
        };
        if slots.len() <= place {
            slots.resize(place + 1, Slot::default());
        }
        if let Some(slot) = slots.get_mut(place) {
            slot.add(&value);
        }
    }

    /// The points.
    pub(super) fn finish(mut self) -> Columns {
        let count = self.times.len();
        let series = self.numbers.into_iter().map(|(name, number)| {
            let slots = self.series.get_mut(number);
            let mut slots = slots.map(std::mem::take).unwrap_or_default();
            slots.resize(count, Slot::default());
            let pick = |value: fn(&Slot) -> f64| {
                let values = slots.iter().map(|it| (it.weight > 0.0).then(|| value(it)));
                values.collect()
            };
            let series = Series {
                mean: pick(|slot| round(slot.sum / slot.weight)),
                min: pick(|slot| round(slot.min)),
                max: pick(|slot| round(slot.max)),
            };
            (name, series)
        });
        Columns {
            series: series.collect(),
            times: self.times,
        }
    }
}

/// What sums up some values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value {
    pub(super) mean: f64,
    pub(super) min: f64,
    pub(super) max: f64,
    /// How much it counts in a mean: a number of values, or for how long.
    pub(super) weight: f64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    weight: f64,
    sum: f64,
    min: f64,
    max: f64,
}

impl Slot {
    fn add(&mut self, value: &Value) {
        if self.weight <= 0.0 {
            (self.min, self.max) = (value.min, value.max);
        } else {
            self.min = self.min.min(value.min);
            self.max = self.max.max(value.max);
        }
        self.weight += value.weight;
        self.sum += value.mean * value.weight;
    }
}

/// No more digits than can be read.
fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn downsample(samples: &[(i64, f64)], from: i64, to: i64, points: usize) -> Columns {
        let mut downsampler = Downsampler::new(from, to, points, samples.len());
        for (at, value) in samples {
            let cpu = downsampler.series("cpu");
            let place = downsampler.place(*at);
            downsampler.add(cpu, place, one(*value));
        }
        downsampler.finish()
    }

    fn one(value: f64) -> Value {
        Value {
            mean: value,
            min: value,
            max: value,
            weight: 1.0,
        }
    }

    #[test]
    fn few_samples_stay_as_they_are() {
        let columns = downsample(&[(10, 1.0), (20, 3.0)], 0, 100, 2);
        assert_eq!(columns.times, [10, 20]);
        assert_eq!(columns.series["cpu"].mean, [Some(1.0), Some(3.0)]);
        assert_eq!(columns.series["cpu"].max, [Some(1.0), Some(3.0)]);
    }

    #[test]
    fn many_samples_become_mean_min_and_max_and_a_gap_stays_a_gap() {
        let samples = [(0, 1.0), (10, 3.0), (20, 2.0), (95, 8.0), (100, 4.0)];
        let columns = downsample(&samples, 0, 100, 4);
        assert_eq!(columns.times, [12, 37, 62, 87]);
        let cpu = &columns.series["cpu"];
        assert_eq!(cpu.mean, [Some(2.0), None, None, Some(6.0)]);
        assert_eq!(cpu.min, [Some(1.0), None, None, Some(4.0)]);
        assert_eq!(cpu.max, [Some(3.0), None, None, Some(8.0)]);
    }

    #[test]
    fn a_series_that_comes_later_or_goes_is_empty_there() {
        let mut downsampler = Downsampler::new(0, 100, 10, 2);
        let cpu = downsampler.series("cpu");
        let at_10 = downsampler.place(10);
        downsampler.add(cpu, at_10, one(1.0));
        let usb = downsampler.series("disk:/usb");
        let at_20 = downsampler.place(20);
        downsampler.add(usb, at_20, one(5.0));
        let columns = downsampler.finish();
        assert_eq!(columns.series["cpu"].mean, [Some(1.0), None]);
        assert_eq!(columns.series["disk:/usb"].mean, [None, Some(5.0)]);
    }

    #[test]
    fn a_moment_has_the_same_place_whatever_came_before_it() {
        for (from, to, points) in [
            (0, 100, 7),
            (-50, 1_000, 33),
            (5, 9, 4),
            (0, 86_400_000, 500),
        ] {
            let step = usize::try_from((to - from) / 1_000).unwrap().max(1);
            let times: Vec<i64> = (from..=to).step_by(step).collect();
            let mut downsampler = Downsampler::new(from, to, points, usize::MAX);
            let mut begin = 0;
            for (end, among_others) in downsampler.places(&times) {
                for at in &times[begin..end] {
                    let alone = downsampler.place(*at);
                    assert_eq!(among_others, alone, "{at} of {from}..{to}");
                }
                begin = end;
            }
            assert_eq!(begin, times.len());
        }
    }

    #[test]
    fn odd_ranges_do_not_panic() {
        let samples = [(5, 1.0), (5, 2.0), (5, 3.0)];
        assert_eq!(
            downsample(&samples, 5, 5, 1).series["cpu"].mean,
            [Some(2.0)]
        );
        assert_eq!(downsample(&[], 0, 0, 0), Columns::default());
    }
}
