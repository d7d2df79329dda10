//! Answering a question about the past: which parts of the history it needs, and what they say.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::answer::{Answer, sample_columns};
use super::chunk::{Chunk, ColumnId};
use super::combine::combine;
use super::keys::{Tier, hour_of};
use super::plan::{Plan, Source, plan};
use super::reader::Query;
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
    let mut known = names::all_series(&snapshot)?;
    let device = names::find_device(&snapshot, &query.device)?;
    let mut damaged = 0;
    let mut memory = match device {
        Some(device) => {
            let asked = sample_columns(&known, &query.series);
            tail::of_device(&snapshot, device, |id| asked.contains(&id), &mut damaged)?
        }
        None => Vec::new(),
    };
    memory.push(unstored(&snapshot, device, &memory, recent, &mut known)?);

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

    let count = if plan.points.is_empty() {
        count(&snapshot, &samples, from, to, query.points, &mut damaged)?
    } else {
        usize::MAX
    };
    let asked = sample_columns(&known, &query.series);
    let mut answer = Answer::new(query, &known, count);
    answer.add_points(&snapshot, &plan, &mut damaged)?;
    for cluster in clusters(samples) {
        let chunk = load(&snapshot, cluster, &asked, &mut damaged)?;
        answer.add_samples(&chunk);
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
    wanted: &BTreeSet<ColumnId>,
    damaged: &mut u64,
) -> Result<Chunk, StoreError> {
    let is_one = cluster.len() == 1;
    let mut chunks = Vec::with_capacity(cluster.len());
    for source in cluster {
        chunks.push(match source {
            Source::Stored(piece) => pieces::load(connection, &piece, wanted, !is_one, damaged)?,
            Source::Memory(mut chunk) => {
                chunk.columns.retain(|id, _| wanted.contains(id));
                chunk
            }
        });
    }
    Ok(combine(chunks))
}
