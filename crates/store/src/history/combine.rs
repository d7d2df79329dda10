//! Several chunks of one device become one.

use std::collections::BTreeSet;

use super::chunk::Chunk;
use super::column::Column;
use super::head::ColumnId;
use super::origins;

/// All samples of the chunks in the order of time, each once.
pub(super) fn combine(mut chunks: Vec<Chunk>) -> Chunk {
    chunks.retain(|chunk| !chunk.times.is_empty());
    chunks.sort_by_key(|chunk| chunk.times.first().copied());
    if chunks.len() < 2 {
        return chunks.pop().unwrap_or_default();
    }
    let are_apart = chunks
        .windows(2)
        .all(|pair| pair[0].times.last() < pair[1].times.first());
    if are_apart {
        return chain(chunks);
    }
    let (places, origins, times) = order(&chunks);
    let ids: BTreeSet<ColumnId> = chunks
        .iter()
        .flat_map(|it| it.columns.keys())
        .copied()
        .collect();
    let columns = ids
        .into_iter()
        .map(|id| (id, column(&chunks, &places, id)))
        .collect();
    let mut combined = Chunk {
        times,
        origins: Vec::new(),
        columns,
    };
    for (session, seq) in origins {
        origins::push(&mut combined.origins, session, seq);
    }
    combined
}

/// Chunks of which each ends before the next begins.
fn chain(chunks: Vec<Chunk>) -> Chunk {
    let mut whole = Chunk::default();
    for chunk in chunks {
        let start = whole.times.len();
        whole.times.extend_from_slice(&chunk.times);
        for run in chunk.origins {
            origins::push_run(&mut whole.origins, run);
        }
        for (id, column) in &chunk.columns {
            whole.columns.entry(*id).or_default().append(start, column);
        }
    }
    whole
}

/// For each sample of each chunk its place in the whole, none where it is there already; with
/// the identities and times of the whole.
type Order = (Vec<Vec<Option<usize>>>, Vec<(i64, u64)>, Vec<i64>);

fn order(chunks: &[Chunk]) -> Order {
    let mut all: Vec<(i64, i64, u64, usize, usize)> = Vec::new();
    for (number, chunk) in chunks.iter().enumerate() {
        let samples = chunk.times.iter().zip(chunk.identities()).enumerate();
        all.extend(samples.map(|(index, (at, (session, seq)))| (*at, session, seq, number, index)));
    }
    if !all.is_sorted() {
        all.sort_unstable();
    }
    let mut places: Vec<Vec<Option<usize>>> =
        chunks.iter().map(|it| vec![None; it.times.len()]).collect();
    let (mut origins, mut times) = (Vec::with_capacity(all.len()), Vec::with_capacity(all.len()));
    for (at, session, seq, number, index) in all {
        if origins.last() == Some(&(session, seq)) {
            continue;
        }
        if let Some(place) = places.get_mut(number).and_then(|it| it.get_mut(index)) {
            *place = Some(times.len());
        }
        origins.push((session, seq));
        times.push(at);
    }
    (places, origins, times)
}

fn column(chunks: &[Chunk], places: &[Vec<Option<usize>>], id: ColumnId) -> Column {
    let mut values: Vec<(usize, i64)> = Vec::new();
    for (chunk, places) in chunks.iter().zip(places) {
        let Some(column) = chunk.columns.get(&id) else {
            continue;
        };
        let moved = column
            .iter()
            .filter_map(|(index, value)| Some(((*places.get(index)?)?, value)));
        values.extend(moved);
    }
    if !values.is_sorted_by_key(|(place, _)| *place) {
        values.sort_unstable_by_key(|(place, _)| *place);
    }
    let mut column = Column::default();
    for (place, value) in values {
        column.push_at(place, value);
    }
    column
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::history::origins::Run;

    fn chunk(first: u64, times: &[i64], id: ColumnId, values: &[i64]) -> Chunk {
        Chunk {
            times: times.to_vec(),
            origins: vec![Run {
                session: 1,
                first,
                count: times.len() as u64,
            }],
            columns: BTreeMap::from([(id, Column::full(values.to_vec()))]),
        }
    }

    #[test]
    fn chunks_that_follow_each_other_are_put_together() {
        let late = chunk(3, &[30, 40], 8, &[3, 4]);
        let early = chunk(1, &[10, 20], 8, &[1, 2]);
        let whole = combine(vec![late, early]);
        assert_eq!(whole, chunk(1, &[10, 20, 30, 40], 8, &[1, 2, 3, 4]));
    }

    #[test]
    fn chunks_that_overlap_are_interleaved_and_a_sample_is_there_once() {
        let one = chunk(1, &[10, 30], 8, &[1, 3]);
        let other = Chunk {
            origins: vec![Run {
                session: 2,
                first: 1,
                count: 2,
            }],
            ..chunk(1, &[20, 40], 12, &[2, 4])
        };
        let whole = combine(vec![one.clone(), other, one]);
        assert_eq!(whole.times, [10, 20, 30, 40]);
        assert_eq!(
            whole.identities().collect::<Vec<_>>(),
            [(1, 1), (2, 1), (1, 2), (2, 2)]
        );
        assert_eq!(
            whole.columns[&8].iter().collect::<Vec<_>>(),
            [(0, 1), (2, 3)]
        );
        assert_eq!(
            whole.columns[&12].iter().collect::<Vec<_>>(),
            [(1, 2), (3, 4)]
        );
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(combine(vec![]), Chunk::default());
        assert_eq!(combine(vec![Chunk::default()]), Chunk::default());
    }
}
