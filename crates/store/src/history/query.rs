//! Answering a question about the past: which parts of the history it needs, and what they say.

use jiff::Timestamp;
use rusqlite::Connection;

use super::answer::Answer;
use super::asked::Asked;
use super::chunk::Chunk;
use super::combine::combine;
use super::keys::{Tier, hour_of};
use super::plan::{Plan, Source, plan};
use super::question::Query;
use super::tail::{self, OfDevice};
use super::unstored::unstored;
use super::{Columns, NewSample, names, pieces};
use crate::StoreError;

/// The answer, from what is stored and from `recent` samples that may be stored or not.
pub(super) fn columns(
    connection: &Connection,
    query: &Query,
    recent: &[NewSample],
) -> Result<Columns, StoreError> {
    // What is read is of one moment: a merge may come between two looks.
    let snapshot = connection.unchecked_transaction()?;
    let (from, to) = (query.from.as_millisecond(), query.to.as_millisecond());
    let mut asked = Asked::find(&snapshot, &query.series)?;
    let device = names::find_device(&snapshot, &query.device)?;
    let mut damaged = 0;
    let memory = in_memory(&snapshot, device, query, recent, &mut asked, &mut damaged)?;

    let mut samples = Vec::new();
    if let Some(device) = device {
        let hours = hour_of(from)..=hour_of(to);
        let hourly = pieces::find(&snapshot, device, Tier::Hour, hours)?;
        samples.extend(hourly.into_iter().map(Source::Stored));
    }
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

    let mut clusters = clusters(samples).into_iter();
    // With more samples than points the answer is not made of single ones; nor beside points that
    // were made earlier.
    let mut first = Vec::new();
    let mut count = if plan.points.is_empty() {
        0
    } else {
        usize::MAX
    };
    while count <= query.points
        && let Some(cluster) = clusters.next()
    {
        let chunk = load(&snapshot, cluster, &mut asked, (from, to), &mut damaged)?;
        count += chunk.count_between(from, to);
        first.push(chunk);
    }
    let mut answer = Answer::new(query, count);
    answer.add_points(&snapshot, &plan, &mut asked, &mut damaged)?;
    for chunk in first {
        answer.add_samples(&chunk, &asked);
    }
    for cluster in clusters {
        let chunk = load(&snapshot, cluster, &mut asked, (from, to), &mut damaged)?;
        answer.add_samples(&chunk, &asked);
    }
    if damaged > 0 {
        tracing::warn!(
            device = %query.device,
            damaged,
            "parts of the history are damaged and were left out: see `netmonitor verify`"
        );
    }
    Ok(answer.finish())
}

/// Samples that are in no chunk yet: those of the tail, and recent ones that are not stored.
fn in_memory(
    connection: &Connection,
    device: Option<i64>,
    query: &Query,
    recent: &[NewSample],
    asked: &mut Asked<'_>,
    damaged: &mut u64,
) -> Result<Chunk, StoreError> {
    let mut tail = OfDevice::default();
    if let Some(device) = device {
        // Also an hour before and after, of which a rate is made.
        let hour = |at: Timestamp| hour_of(at.as_millisecond());
        let hours = hour(query.from) - 1..=hour(query.to) + 1;
        let wanted = |id| asked.has_column(id);
        // Recent samples may be among them, whatever their time.
        let origins = !recent.is_empty();
        tail = tail::of_device(connection, device, &hours, origins, wanted, damaged)?;
    }
    // Of any hour: the api may have placed a sample otherwise than ingest.
    let unstored = unstored(connection, device, &tail.origins, recent, asked)?;
    tail.chunks.push(unstored);
    Ok(combine(tail.chunks))
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

/// One chunk of a cluster, whose series are known then.
fn load(
    connection: &Connection,
    cluster: Vec<Source>,
    asked: &mut Asked<'_>,
    range: (i64, i64),
    damaged: &mut u64,
) -> Result<Chunk, StoreError> {
    // Alone, what is outside of the range need not be read.
    let range = (cluster.len() == 1).then_some(range);
    let mut chunks = Vec::with_capacity(cluster.len());
    for source in cluster {
        chunks.push(match source {
            Source::Stored(piece) => pieces::load(connection, &piece, asked, range, damaged)?,
            Source::Memory(chunk) => chunk,
        });
    }
    let chunk = combine(chunks);
    asked.meet(connection, &chunk)?;
    Ok(chunk)
}
