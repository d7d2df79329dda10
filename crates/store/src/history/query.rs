//! Answering a question about the past: which parts of the history it needs, and what they say.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use netmonitor_protocol::SessionId;
use rusqlite::Connection;

use super::chunk::{Chunk, ColumnId, push_origin};
use super::column::Column;
use super::combine::combine;
use super::downsample::{Downsampler, Value};
use super::keys::{self, DAY_HOURS, DAY_MS, Tier, hour_of};
use super::pieces::{self, Piece};
use super::rate::{Rates, gap};
use super::reader::Query;
use super::received::{self, Numbers};
use super::rollup::{FIVE_MINUTES_MS, SeriesId, TWO_HOURS_MS, column_of, columns_of, points_of};
use super::series::{self, Kind};
use super::upkeep::first_hour_of_month;
use super::{Columns, NewSample, names, tail};
use crate::StoreError;

/// A series that is asked for.
#[derive(Debug)]
struct Wanted {
    id: SeriesId,
    kind: Kind,
    scale: f64,
    /// As the downsampler counts it.
    shown: String,
}

/// Samples, in the database or in memory.
#[derive(Debug)]
enum Source {
    Stored(Piece),
    Memory(Chunk),
}

impl Source {
    fn span(&self) -> (i64, i64) {
        match self {
            Self::Stored(piece) => (piece.first, piece.last),
            Self::Memory(chunk) => (
                chunk.times.first().copied().unwrap_or_default(),
                chunk.times.last().copied().unwrap_or_default(),
            ),
        }
    }
}

/// The answer, from what is stored and from `recent` samples that may be stored or not.
pub(super) fn columns(
    connection: &Connection,
    query: &Query,
    recent: &[NewSample],
) -> Result<Columns, StoreError> {
    // What is read is of one moment: a merge may come between two looks.
    let snapshot = connection.unchecked_transaction()?;
    let (from, to) = (query.from.as_millisecond(), query.to.as_millisecond());
    let mut known = names::all_series(&snapshot)?;
    let device = names::find_device(&snapshot, &query.device)?;
    let mut memory = match device {
        Some(device) => tail::of_device(&snapshot, device)?.0,
        None => Vec::new(),
    };
    memory.push(unstored(&snapshot, device, &memory, recent, &mut known)?);
    let wanted = wanted(&known, &query.series);

    let mut samples = Vec::new();
    if let Some(device) = device {
        let hours = hour_of(from)..=hour_of(to);
        let hourly = pieces::find(&snapshot, device, Tier::Hour, hours)?;
        samples.extend(hourly.into_iter().map(Source::Stored));
    }
    let memory = combine(memory);
    if !memory.times.is_empty() {
        samples.push(Source::Memory(memory));
    }
    let plan = match device {
        Some(device) => plan(&snapshot, device, query, &samples)?,
        None => Plan::default(),
    };
    samples.extend(plan.days.iter().copied().map(Source::Stored));
    samples.retain(|source| {
        let (first, last) = source.span();
        first <= to && last >= from
    });

    let mut damaged = 0;
    let count = if plan.points.is_empty() {
        count(&snapshot, &samples, from, to, query.points, &mut damaged)?
    } else {
        usize::MAX
    };
    let mut answer = Answer {
        from,
        to,
        downsampler: Downsampler::new(from, to, query.points, count),
        rates: HashMap::new(),
        wanted,
    };
    answer.add_points(&snapshot, &plan, &mut damaged)?;
    for cluster in clusters(samples) {
        let chunk = load(&snapshot, cluster, &answer.wanted, &mut damaged)?;
        answer.add_samples(&chunk);
    }
    if damaged > 0 {
        tracing::warn!(
            device = %query.device,
            damaged,
            "parts of the history are damaged and were left out: see `netmonitor verify`"
        );
    }
    Ok(answer.downsampler.finish())
}

/// Which series are asked for: all, if no name is given.
fn wanted(known: &HashMap<SeriesId, String>, asked: &[String]) -> Vec<Wanted> {
    let mut wanted: Vec<Wanted> = known
        .iter()
        .map(|(id, name)| Wanted {
            id: *id,
            kind: series::kind(name),
            scale: series::scale(name),
            shown: series::shown(name).into_owned(),
        })
        .filter(|it| asked.is_empty() || asked.contains(&it.shown))
        .collect();
    wanted.sort_unstable_by_key(|it| it.id);
    wanted
}

/// Those of the recent samples that are not stored, as a chunk. Series that the database does not
/// know yet get a number for this answer.
fn unstored(
    connection: &Connection,
    device: Option<i64>,
    tail: &[Chunk],
    recent: &[NewSample],
    known: &mut HashMap<SeriesId, String>,
) -> Result<Chunk, StoreError> {
    if recent.is_empty() {
        return Ok(Chunk::default());
    }
    let mut ids: HashMap<String, SeriesId> = HashMap::new();
    for (id, name) in &*known {
        ids.insert(name.clone(), *id);
    }
    let mut next = known.keys().max().copied().unwrap_or_default();
    let sessions: BTreeSet<SessionId> = recent.iter().map(|it| it.session).collect();
    let stored = match device {
        Some(device) => stored(connection, device, tail, |session| {
            sessions.contains(&session)
        })?,
        None => BTreeMap::new(),
    };
    let mut samples: Vec<&NewSample> = recent
        .iter()
        .filter(|it| {
            let numbers = stored.get(&it.session);
            !numbers.is_some_and(|numbers| numbers.contains(&it.seq))
        })
        .collect();
    samples.sort_by_key(|it| (it.at, it.session, it.seq));
    samples.dedup_by_key(|it| (it.session, it.seq));
    let mut chunk = Chunk::default();
    let mut columns: BTreeMap<SeriesId, Column> = BTreeMap::new();
    for (index, sample) in samples.iter().enumerate() {
        chunk.times.push(sample.at.as_millisecond());
        // A number of its own below those of the database.
        let place = sessions.range(..sample.session).count();
        let session = -1 - i64::try_from(place).unwrap_or_default();
        push_origin(&mut chunk.origins, session, sample.seq);
        for (name, value) in sample.layout.names().iter().zip(&sample.values) {
            let id = *ids.entry(name.clone()).or_insert_with(|| {
                next += 1;
                known.insert(next, name.clone());
                next
            });
            columns.entry(id).or_default().push_at(index, *value);
        }
    }
    chunk.columns = columns
        .into_iter()
        .map(|(id, it)| (column_of(id), it))
        .collect();
    Ok(chunk)
}

/// Which samples of a device are stored, of those sessions that are `asked` for. `tail` is what
/// the tail has of the device.
pub(super) fn stored(
    connection: &Connection,
    device: i64,
    tail: &[Chunk],
    asked: impl Fn(SessionId) -> bool,
) -> Result<BTreeMap<SessionId, Numbers>, StoreError> {
    let mut stored: BTreeMap<SessionId, Numbers> = BTreeMap::new();
    let mut names: HashMap<i64, SessionId> = HashMap::new();
    let sql = "SELECT id, session FROM session WHERE device = ?";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([device])?;
    while let Some(row) = rows.next()? {
        let (id, name): (i64, String) = (row.get(0)?, row.get(1)?);
        let damaged = StoreError::Damaged { what: "a session" };
        let session: SessionId = name.parse().map_err(|_| damaged)?;
        if asked(session) {
            stored.insert(session, received::read(connection, id)?);
            names.insert(id, session);
        }
    }
    for run in tail.iter().flat_map(|chunk| &chunk.origins) {
        let numbers = names.get(&run.session).and_then(|it| stored.get_mut(it));
        if let (Some(numbers), Some(count)) = (numbers, run.count.checked_sub(1)) {
            numbers.insert(run.first..=run.first.saturating_add(count));
        }
    }
    Ok(stored)
}

/// What is read beside the samples that are not merged yet.
#[derive(Debug, Default)]
struct Plan {
    /// Days of samples.
    days: Vec<Piece>,
    /// Chunks of points, and the days (since 1970) that are told by others.
    points: Vec<Piece>,
    told: BTreeSet<i64>,
}

/// Chooses the coarsest data that is fine enough: a point of the answer stands for at least one
/// of what is read. Where that is gone, the next coarser.
fn plan(
    connection: &Connection,
    device: i64,
    query: &Query,
    unmerged: &[Source],
) -> Result<Plan, StoreError> {
    let (from, to) = (query.from.as_millisecond(), query.to.as_millisecond());
    let (first, last) = (from.div_euclid(DAY_MS), to.div_euclid(DAY_MS));
    let hours = first * DAY_HOURS..=last * DAY_HOURS;
    let step = (to - from) / i64::try_from(query.points.max(1)).unwrap_or(i64::MAX);
    let mut plan = Plan::default();
    let day_of = |piece: &Piece| piece.first.div_euclid(DAY_MS);
    if step < FIVE_MINUTES_MS || is_little(connection, device, query, unmerged)? {
        plan.days = pieces::find(connection, device, Tier::Day, hours.clone())?;
        plan.told.extend(plan.days.iter().map(day_of));
    }
    if step < TWO_HOURS_MS {
        let fine = pieces::find(connection, device, Tier::FiveMinutes, hours)?;
        let fine = fine
            .into_iter()
            .filter(|it| !plan.told.contains(&day_of(it)));
        plan.points = fine.collect();
    }
    let told_otherwise = plan.told.len() + plan.points.len();
    let days = usize::try_from(last - first + 1).unwrap_or(usize::MAX);
    if told_otherwise < days {
        let months = first_hour_of_month(first)..=last * DAY_HOURS;
        let coarse = pieces::find(connection, device, Tier::TwoHours, months)?;
        let fine: BTreeSet<i64> = plan.points.iter().map(day_of).collect();
        let has_more = |piece: &Piece| {
            let days =
                piece.first.div_euclid(DAY_MS).max(first)..=piece.last.div_euclid(DAY_MS).min(last);
            days.into_iter()
                .any(|day| !plan.told.contains(&day) && !fine.contains(&day))
        };
        let coarse: Vec<Piece> = coarse.into_iter().filter(has_more).collect();
        plan.points.extend(coarse);
    }
    Ok(plan)
}

/// Whether all samples of the range are so few that they can be the answer as they are.
fn is_little(
    connection: &Connection,
    device: i64,
    query: &Query,
    unmerged: &[Source],
) -> Result<bool, StoreError> {
    /// With more days than this there are more samples than points, or hardly any.
    const DAYS: usize = 40;
    let (from, to) = (query.from.as_millisecond(), query.to.as_millisecond());
    let first = first_merged(connection, device, from)?;
    let Some(first) = first.filter(|first| *first <= to) else {
        return Ok(true);
    };
    let oldest_points = oldest_points(connection, device, from)?;
    if oldest_points.is_some_and(|oldest| oldest < first.div_euclid(DAY_MS) * DAY_MS) {
        return Ok(false);
    }
    let hours = hour_of(first)..=hour_of(first) + i64::try_from(DAYS).unwrap_or(0) * DAY_HOURS;
    if hour_of(to) > *hours.end() {
        return Ok(false);
    }
    let mut samples: usize = unmerged
        .iter()
        .map(|source| match source {
            Source::Stored(piece) => piece.samples,
            Source::Memory(chunk) => chunk.times.len(),
        })
        .sum();
    for day in pieces::find(connection, device, Tier::Day, hours)? {
        samples += day.samples;
        if samples > query.points {
            return Ok(false);
        }
    }
    Ok(true)
}

/// When the first merged day from a moment on begins.
fn first_merged(connection: &Connection, device: i64, from: i64) -> rusqlite::Result<Option<i64>> {
    first_of(connection, device, Tier::Day, from)
}

/// When the first day of points from a moment on begins.
fn oldest_points(connection: &Connection, device: i64, from: i64) -> rusqlite::Result<Option<i64>> {
    first_of(connection, device, Tier::FiveMinutes, from)
}

fn first_of(
    connection: &Connection,
    device: i64,
    tier: Tier,
    from: i64,
) -> rusqlite::Result<Option<i64>> {
    let day = from.div_euclid(DAY_MS) * DAY_HOURS;
    let keys = keys::chunks(device, tier, day..=i64::MAX);
    let sql = "SELECT first FROM chunk WHERE id BETWEEN ? AND ? ORDER BY id LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([keys.start(), keys.end()])?;
    rows.next()?.map(|row| row.get(0)).transpose()
}

/// How many samples there are in the range, as far as it matters: with more than `enough` the
/// answer is not made of single samples.
fn count(
    connection: &Connection,
    sources: &[Source],
    from: i64,
    to: i64,
    enough: usize,
    damaged: &mut u64,
) -> Result<usize, StoreError> {
    let within = |times: &[i64]| {
        times.partition_point(|at| *at <= to) - times.partition_point(|at| *at < from)
    };
    let mut count = 0;
    for source in sources {
        count += match source {
            Source::Memory(chunk) => within(&chunk.times),
            Source::Stored(piece) if piece.first >= from && piece.last <= to => piece.samples,
            Source::Stored(piece) => {
                let none = BTreeSet::new();
                let chunk = pieces::load(connection, piece, &none, false, damaged)?;
                within(&chunk.times)
            }
        };
        if count > enough {
            break;
        }
    }
    Ok(count)
}

/// Sources in the order of time; those that overlap are together.
fn clusters(mut sources: Vec<Source>) -> Vec<Vec<Source>> {
    sources.sort_by_key(Source::span);
    let mut clusters: Vec<Vec<Source>> = Vec::new();
    let mut end = i64::MIN;
    for source in sources {
        let (first, last) = source.span();
        match clusters.last_mut() {
            Some(cluster) if first <= end => cluster.push(source),
            _ => clusters.push(vec![source]),
        }
        end = end.max(last);
    }
    clusters
}

fn load(
    connection: &Connection,
    cluster: Vec<Source>,
    wanted: &[Wanted],
    damaged: &mut u64,
) -> Result<Chunk, StoreError> {
    let ids: BTreeSet<ColumnId> = wanted.iter().map(|it| column_of(it.id)).collect();
    let is_one = cluster.len() == 1;
    let mut chunks = Vec::with_capacity(cluster.len());
    for source in cluster {
        chunks.push(match source {
            Source::Stored(piece) => pieces::load(connection, &piece, &ids, !is_one, damaged)?,
            Source::Memory(mut chunk) => {
                chunk.columns.retain(|id, _| ids.contains(id));
                chunk
            }
        });
    }
    Ok(combine(chunks))
}

/// The answer in the making.
#[derive(Debug)]
struct Answer {
    from: i64,
    to: i64,
    downsampler: Downsampler,
    rates: HashMap<SeriesId, Rates>,
    wanted: Vec<Wanted>,
}

impl Answer {
    fn add_points(
        &mut self,
        connection: &Connection,
        plan: &Plan,
        damaged: &mut u64,
    ) -> Result<(), StoreError> {
        let ids: BTreeSet<ColumnId> = self
            .wanted
            .iter()
            .flat_map(|it| columns_of(it.id))
            .collect();
        // Days that finer points have told. Chunks of a tier follow each other, finer ones first.
        let mut told = plan.told.clone();
        for piece in &plan.points {
            let chunk = pieces::load(connection, piece, &ids, false, damaged)?;
            let half = match keys::owner_of_chunk(piece.key) {
                (_, Some(Tier::TwoHours)) => TWO_HOURS_MS / 2,
                _ => FIVE_MINUTES_MS / 2,
            };
            for wanted in &self.wanted {
                let columns = columns_of(wanted.id).map(|id| chunk.columns.get(&id));
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
            told.extend(chunk.times.iter().map(|at| at.div_euclid(DAY_MS)));
        }
        Ok(())
    }

    fn add_samples(&mut self, chunk: &Chunk) {
        let gap = gap(&chunk.times);
        let begin = chunk.times.partition_point(|at| *at < self.from);
        let end = chunk.times.partition_point(|at| *at <= self.to);
        let places: Vec<usize> = chunk
            .times
            .iter()
            .take(end)
            .skip(begin)
            .map(|at| self.downsampler.place(*at))
            .collect();
        for wanted in &self.wanted {
            let Some(column) = chunk.columns.get(&column_of(wanted.id)) else {
                continue;
            };
            let series = self.downsampler.series(&wanted.shown);
            let rates = self.rates.entry(wanted.id).or_default();
            for (index, value) in column.iter() {
                let Some(&at) = chunk.times.get(index) else {
                    break;
                };
                let value = match wanted.kind {
                    Kind::Gauge => Some(Value::one(value as f64 / wanted.scale, 1.0)),
                    Kind::Counter => rates
                        .step(at, value, gap)
                        .map(|step| Value::one(step.per_second(), step.ms as f64)),
                };
                let place = index.checked_sub(begin).and_then(|index| places.get(index));
                if let (Some(place), Some(value)) = (place, value) {
                    self.downsampler.add(series, *place, value);
                }
            }
        }
    }
}
