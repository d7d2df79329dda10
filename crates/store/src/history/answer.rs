//! The answer to a question, while it is read.

use std::collections::HashMap;
use std::ops::Range;

use rusqlite::Connection;

use super::Columns;
use super::asked::Asked;
use super::chunk::Chunk;
use super::column::Column;
use super::downsample::{Downsampler, Value};
use super::keys::{self, DAY_MS, Tier};
use super::pieces;
use super::plan::Plan;
use super::question::Query;
use super::rate::{Rates, gap};
use super::rollup::{FIVE_MINUTES_MS, SeriesId, TWO_HOURS_MS, column_of, columns_of, points_of};
use super::series::Kind;
use crate::StoreError;

/// The answer in the making.
#[derive(Debug)]
pub(super) struct Answer {
    from: i64,
    to: i64,
    downsampler: Downsampler,
    rates: HashMap<SeriesId, Rates>,
}

impl Answer {
    /// For a range with so many samples.
    pub(super) fn new(query: &Query, samples: usize) -> Self {
        let (from, to) = (query.from.as_millisecond(), query.to.as_millisecond());
        Self {
            from,
            to,
            downsampler: Downsampler::new(from, to, query.points, samples),
            rates: HashMap::new(),
        }
    }

    /// The points.
    pub(super) fn finish(self) -> Columns {
        self.downsampler.finish()
    }

    /// Adds what the chunks of points say.
    pub(super) fn add_points(
        &mut self,
        connection: &Connection,
        plan: &Plan,
        asked: &mut Asked<'_>,
        damaged: &mut u64,
    ) -> Result<(), StoreError> {
        // Days that finer points have told. Chunks of a tier follow each other, finer ones first.
        let mut told = plan.told.clone();
        for piece in &plan.points {
            let range = Some((self.from, self.to));
            let chunk = pieces::load(connection, piece, asked, range, damaged)?;
            asked.meet(connection, &chunk)?;
            let half = match keys::owner_of_chunk(piece.key) {
                (_, Some(Tier::TwoHours)) => TWO_HOURS_MS / 2,
                _ => FIVE_MINUTES_MS / 2,
            };
            for (id, wanted) in asked.of(&chunk) {
                let columns = columns_of(id).map(|id| chunk.columns.get(&id));
                let [Some(level), Some(min), Some(max), Some(weight)] = columns else {
                    continue;
                };
                let series = self.downsampler.series(&wanted.shown);
                for (at, point) in points_of(&chunk.times, [level, min, max, weight]) {
                    let day = at.div_euclid(DAY_MS);
                    if at < self.from || at > self.to || told.contains(&day) {
                        continue;
                    }
                    let place = self.downsampler.place(at + half);
                    let scaled = |value: f64| value / wanted.scale;
                    let value = Value {
                        mean: scaled(point.mean(wanted.kind)),
                        min: scaled(point.min as f64),
                        max: scaled(point.max as f64),
                        weight: point.weight as f64,
                    };
                    self.downsampler.add(series, place, value);
                }
            }
            let mut days: Vec<i64> = chunk.times.iter().map(|at| at.div_euclid(DAY_MS)).collect();
            days.dedup();
            told.extend(days);
        }
        Ok(())
    }

    /// Adds samples, which follow those that were added before.
    pub(super) fn add_samples(&mut self, chunk: &Chunk, asked: &Asked<'_>) {
        let gap = gap(&chunk.times);
        let begin = chunk.times.partition_point(|at| *at < self.from);
        let end = chunk.times.partition_point(|at| *at <= self.to);
        let times = chunk.times.get(begin..end).unwrap_or_default();
        let places = self.downsampler.places(times);
        let mut stretches = vec![(begin, None)];
        stretches.extend(places.iter().map(|(end, it)| (begin + end, Some(*it))));
        for (id, wanted) in asked.of(chunk) {
            let Some(column) = chunk.columns.get(&column_of(id)) else {
                continue;
            };
            let series = self.downsampler.series(&wanted.shown);
            let rates = self.rates.entry(id).or_default();
            for (samples, values, place) in parts(column, &stretches) {
                let value = match wanted.kind {
                    Kind::Gauge if place.is_none() => continue,
                    Kind::Gauge => of_gauge(values, wanted.scale),
                    // What a counter was before is needed too.
                    Kind::Counter => {
                        let times = chunk.times.get(samples).unwrap_or_default();
                        of_counter(rates, times, values, gap)
                    }
                };
                if let (Some(place), Some(value)) = (place, value) {
                    self.downsampler.add(series, place, value);
                }
            }
        }
    }
}

/// The values of a column, cut where stretches end, which are given by the index of the sample
/// after their last one: samples, values and place of each part.
fn parts<'a>(
    column: &'a Column,
    stretches: &[(usize, Option<usize>)],
) -> impl Iterator<Item = (Range<usize>, &'a [i64], Option<usize>)> {
    let mut stretches = stretches.iter().copied().peekable();
    let mut runs = column.runs();
    let mut run: (usize, &[i64]) = (0, &[]);
    std::iter::from_fn(move || {
        while run.1.is_empty() {
            run = runs.next()?;
        }
        let (first, values) = run;
        while stretches.next_if(|(end, _)| *end <= first).is_some() {}
        let (end, place) = *stretches.peek()?;
        let (part, rest) = values.split_at(values.len().min(end - first));
        run = (first + part.len(), rest);
        Some((first..first + part.len(), part, place))
    })
}

/// None without values.
fn of_gauge(values: &[i64], scale: f64) -> Option<Value> {
    let first = *values.first()?;
    let (mut sum, mut min, mut max) = (0, first, first);
    for value in values {
        sum += i128::from(*value);
        (min, max) = (min.min(*value), max.max(*value));
    }
    let weight = values.len() as f64;
    Some(Value {
        mean: sum as f64 / weight / scale,
        min: min as f64 / scale,
        max: max as f64 / scale,
        weight,
    })
}

/// The rate over the steps that lead to these values. None if there is no step.
fn of_counter(rates: &mut Rates, times: &[i64], values: &[i64], gap: i64) -> Option<Value> {
    let (mut increase, mut ms) = (0.0, 0.0);
    let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
    for (at, value) in times.iter().zip(values) {
        if let Some(step) = rates.step(*at, *value, gap) {
            let rate = step.per_second();
            (min, max) = (min.min(rate), max.max(rate));
            increase += step.increase as f64;
            ms += step.ms as f64;
        }
    }
    (ms > 0.0).then(|| Value {
        mean: increase * 1000.0 / ms,
        min,
        max,
        weight: ms,
    })
}
