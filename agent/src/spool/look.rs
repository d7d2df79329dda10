//! What waits, as the files say, while an agent may be writing them.

use jiff::Timestamp;
use netmonitor_protocol::SessionId;

use super::numbers::{Numbers, count, take_away};
use super::opening::pieces_in;
use super::piece::{Piece, Taken, from_pieces};
use super::{Lost, Place};

/// What is in a spool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Samples that are not known to be stored.
    pub samples: u64,
    /// When the oldest of them was taken.
    pub since: Option<Timestamp>,
    /// What was given up.
    pub lost: Lost,
}

/// Reads what is in a spool, of this owner, and changes nothing. A file that vanishes meanwhile
/// is stored.
pub(crate) fn look(place: &Place, owner: &str) -> Waiting {
    let folders = || {
        [&place.disk, &place.tail]
            .into_iter()
            .chain(&place.former_tails)
    };
    let mut pieces: Vec<Piece> = folders().flat_map(|it| pieces_in(it)).collect();
    pieces.sort_by_key(|piece| piece.number);
    pieces.retain_mut(|piece| piece.scan().is_ok());
    let mut sessions: Vec<(SessionId, Numbers)> = Vec::new();
    let parts = pieces.iter().flat_map(|piece| &piece.parts);
    for part in parts.filter(|part| part.start.owner == owner) {
        let session = part.start.session;
        let at = sessions.iter().position(|(it, _)| *it == session);
        let at = at.unwrap_or_else(|| {
            sessions.push((session, Numbers::new()));
            sessions.len() - 1
        });
        let numbers = &mut sessions[at].1;
        numbers.extend(part.held.iter().cloned());
        take_away(numbers, &part.acked);
    }
    let oldest = sessions.iter().find(|(_, numbers)| !numbers.is_empty());
    let since = oldest.and_then(|(session, numbers)| {
        let found = from_pieces(pieces.iter(), *session, numbers).read(1, usize::MAX);
        let (_, json) = found.samples.first()?;
        serde_json::from_slice::<Taken>(json).ok()
    });
    Waiting {
        samples: sessions.iter().map(|(_, numbers)| count(numbers)).sum(),
        since: since.map(|taken| taken.time),
        lost: Lost::read(folders().map(|it| &**it)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{fill, folder};
    use super::*;

    #[test]
    fn a_look_counts_what_waits_and_leaves_the_agent_alone() {
        let folder = folder();
        let mut former = folder.open(1);
        fill(&mut former, 1..=30);
        let packing = former.packing().unwrap();
        assert!(former.packed(packing.run()));
        drop(former);
        let mut spool = folder.open(2);
        fill(&mut spool, 1..=10);
        spool.acked(SessionId(2), &[(1, 4)]);
        let waiting = look(&folder.place, "ws-14@hub");
        assert_eq!((waiting.samples, waiting.lost.total()), (36, 0));
        assert_eq!(waiting.since, Some(Timestamp::UNIX_EPOCH));
        assert_eq!(look(&folder.place, "ws-15@hub").samples, 0);
        fill(&mut spool, 11..=11);
        assert_eq!(look(&folder.place, "ws-14@hub").samples, 37);
    }
}
