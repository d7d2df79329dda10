//! What one connection holds of packets on their way in and out. The large ones share a budget,
//! of their user and of all: whoever meets its end waits, unread and with no more written to it,
//! until others have given back. Small packets always get through.

use bytes::BytesMut;

use crate::packet::wire::announced;
use crate::session::budget::Held;

/// What a connection may hold in each direction beside the budget.
const FREE: usize = 4 * 1024;
/// Room for the next read; idle connections hold on to it.
const READ_MIN: usize = 2 * 1024;

/// The parts of one connection. Memory behind them is up to twice as much where a buffer grows.
#[derive(Debug)]
pub(crate) struct Buffers {
    held: Held,
    incoming: usize,
    out: usize,
    is_short: bool,
}

impl Buffers {
    pub(crate) fn new(held: Held) -> Self {
        Self {
            held,
            incoming: 0,
            out: 0,
            is_short: false,
        }
    }

    /// Whether there is room for the rest of the packet of which `incoming` has a part. Taken as
    /// a whole when its length is known, so that nobody waits in the middle of one.
    pub(crate) fn may_read(&mut self, incoming: &mut BytesMut) -> bool {
        let needed = Some(announced(incoming)).filter(|needed| *needed > FREE);
        let needed = needed.unwrap_or(0);
        if needed != self.incoming {
            self.held.give(std::mem::take(&mut self.incoming));
            // Without the room of the one before.
            *incoming = BytesMut::from(&incoming[..]);
            if needed > 0 && !self.held.fits(needed) {
                self.is_short = true;
                return false;
            }
            self.held.take(needed);
            self.incoming = needed;
        }
        true
    }

    /// Whether a packet of so many bytes may be added to `out`.
    pub(crate) fn may_write(&mut self, out: &BytesMut, bytes: usize) -> bool {
        let after = out.len() + bytes;
        let has_room = after <= FREE || self.held.fits(after.saturating_sub(self.out));
        self.is_short |= !has_room;
        has_room
    }

    /// Whether answers that the peer does not read are too much already.
    pub(crate) fn is_clogged(&self, out: &BytesMut) -> bool {
        out.len() > FREE && !self.held.fits(0)
    }

    /// To be called when `out` has grown or become less.
    pub(crate) fn settle(&mut self, out: &mut BytesMut) {
        if out.len() > FREE {
            let more = out.len().saturating_sub(self.out);
            self.held.take(more);
            self.out += more;
        } else if self.out > 0 {
            self.held.give(std::mem::take(&mut self.out));
            // Without the room that it had.
            *out = BytesMut::from(&out[..]);
        }
    }

    /// Whether something had to wait for others since this was asked last.
    pub(crate) fn take_is_short(&mut self) -> bool {
        std::mem::take(&mut self.is_short)
    }
}

/// How much room to make for the next read: of a large packet, for its rest and no more.
pub(crate) fn room_to_read(incoming: &BytesMut) -> usize {
    let needed = announced(incoming);
    if needed > FREE {
        needed.saturating_sub(incoming.len()).max(1)
    } else {
        READ_MIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::budget::Budget;

    const LARGE: usize = 100_000;

    /// The first bytes of a PUBLISH of about that length.
    fn beginning(length: usize) -> BytesMut {
        let mut packet = BytesMut::from(&[0x30][..]);
        crate::packet::wire::put_varint(&mut packet, length);
        packet
    }

    #[test]
    fn large_packets_wait_for_each_other_and_small_ones_for_nobody() {
        let budget = Budget::new(250_000);
        let mut all: Vec<_> = (0..3)
            .map(|_| Buffers::new(Held::new([budget.clone()])))
            .collect();
        let mut incoming: Vec<_> = (0..3).map(|_| beginning(LARGE)).collect();
        let mut may = |n: usize, incoming: &mut BytesMut| all[n].may_read(incoming);
        assert!(may(0, &mut incoming[0]) && may(1, &mut incoming[1]));
        assert!(!may(2, &mut incoming[2]));
        assert!(may(0, &mut incoming[0]), "it goes on");
        assert!(may(2, &mut beginning(1_000)));
        assert!(!may(2, &mut incoming[2]));
        // The first one is dealt with, and gives its memory back as well.
        incoming[0].reserve(LARGE);
        incoming[0].clear();
        assert!(may(0, &mut incoming[0]));
        assert!(incoming[0].capacity() < FREE);
        assert!(may(2, &mut incoming[2]));
        assert!(all[2].take_is_short() && !all[2].take_is_short());
        drop(all);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn what_is_not_read_counts_until_it_is_gone() {
        let budget = Budget::new(LARGE);
        let [mut one, mut two] = [(); 2].map(|()| Buffers::new(Held::new([budget.clone()])));
        let (mut out, small) = (BytesMut::new(), BytesMut::new());
        assert!(one.may_write(&out, LARGE));
        out.resize(LARGE, 0);
        one.settle(&mut out);
        assert!(!two.may_write(&small, LARGE) && two.may_write(&small, FREE));
        assert!(!one.may_write(&out, 1) && !one.is_clogged(&out));
        // Answers that are not asked for.
        out.resize(LARGE + 1, 0);
        one.settle(&mut out);
        assert!(one.is_clogged(&out) && !two.is_clogged(&small));
        let _written = out.split_to(LARGE / 2);
        one.settle(&mut out);
        assert_eq!(budget.used(), LARGE + 1, "the memory is still there");
        out.clear();
        one.settle(&mut out);
        assert!(two.may_write(&small, LARGE));
    }

    #[test]
    fn the_rest_of_a_large_packet_gets_no_more_room_than_it_needs() {
        let incoming = beginning(LARGE);
        assert_eq!(room_to_read(&incoming), LARGE);
        assert_eq!(room_to_read(&beginning(100)), READ_MIN);
        assert_eq!(room_to_read(&BytesMut::new()), READ_MIN);
    }
}
