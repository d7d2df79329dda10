//! Answering a question about the past: which parts of the history it needs, and what they say.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use rusqlite::Connection;

use super::answer::{Answer, sample_columns};
use super::chunk::Chunk;
use super::combine::combine;
use super::head::ColumnId;
use super::keys::{Tier, hour_of};
use super::plan::{Plan, Source, plan};
use super::reader::Query;
use super::rollup::SeriesId;
use super::unstored::unstored;
use super::{Columns, NewSample, names, pieces, tail};
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
    let mut known = names::series_shown_as(&snapshot, &query.series)?;
    let device = names::find_device(&snapshot, &query.device)?;
    let mut damaged = 0;
    let memory = in_memory(&snapshot, device, query, recent, &mut known, &mut damaged)?;

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

    let asked = sample_columns(&known, &query.series);
    let mut clusters = clusters(samples).into_iter();
    let load = |cluster, damaged: &mut u64| load(&snapshot, cluster, &asked, (from, to), damaged);
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
        let chunk = load(cluster, &mut damaged)?;
        count += chunk.count_between(from, to);
        first.push(chunk);
    }
    let mut answer = Answer::new(query, &known, count);
    answer.add_points(&snapshot, &plan, &mut damaged)?;
    for chunk in first {
        answer.add_samples(&chunk);
    }
    for cluster in clusters {
        answer.add_samples(&load(cluster, &mut damaged)?);
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
    known: &mut HashMap<SeriesId, String>,
    damaged: &mut u64,
) -> Result<Chunk, StoreError> {
    let mut chunks = Vec::new();
    if let Some(device) = device {
        let asked = sample_columns(known, &query.series);
        // Also an hour before and after: the api may have placed a sample a little otherwise.
        let hour = |at: Timestamp| hour_of(at.as_millisecond());
        let hours = hour(query.from) - 1..=hour(query.to) + 1;
        let wanted = |id| asked.contains(&id);
        chunks = tail::of_device(connection, device, &hours, wanted, damaged)?;
    }
    chunks.push(unstored(connection, device, &chunks, recent, known)?);
    Ok(combine(chunks))
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
    wanted: &BTreeSet<ColumnId>,
    range: (i64, i64),
    damaged: &mut u64,
) -> Result<Chunk, StoreError> {
    if let [Source::Stored(piece)] = cluster.as_slice() {
        return Ok(pieces::load(
            connection,
            piece,
            wanted,
            Some(range),
            damaged,
        )?);
    }
    let mut chunks = Vec::with_capacity(cluster.len());
    for source in cluster {
        chunks.push(match source {
            Source::Stored(piece) => pieces::load(connection, &piece, wanted, None, damaged)?,
            Source::Memory(mut chunk) => {
                chunk.columns.retain(|id, _| wanted.contains(id));
                chunk
            }
        });
    }
    Ok(combine(chunks))
}
