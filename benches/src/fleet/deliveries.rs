//! What was measured, and what of it ingest has acknowledged, by session.

use std::collections::HashMap;

use netmonitor_agent::spool::numbers::{Numbers, count};
use netmonitor_protocol::payload::Ack;
use netmonitor_protocol::{DeviceId, SessionId};

/// The samples of all agents of a fleet.
#[derive(Debug, Default)]
pub(super) struct Deliveries(HashMap<(DeviceId, SessionId), Of>);

/// The samples of one start of an agent.
#[derive(Debug, Default)]
struct Of {
    measured: u64,
    stored: Numbers,
}

impl Deliveries {
    /// An agent has taken a sample: it counts them from 1.
    pub(super) fn measured(&mut self, device: &DeviceId, session: SessionId, seq: u64) {
        let of = self.0.entry((device.clone(), session)).or_default();
        of.measured = of.measured.max(seq);
    }

    /// An agent has heard that these are on disk.
    pub(super) fn stored(&mut self, device: &DeviceId, ack: &Ack) {
        let of = self.0.entry((device.clone(), ack.session)).or_default();
        let runs = ack.ranges.iter().filter(|(first, last)| first <= last);
        of.stored.extend(runs.map(|(first, last)| *first..=*last));
    }

    /// How many were measured.
    pub(super) fn all_measured(&self) -> u64 {
        self.0.values().map(|of| of.measured).sum()
    }

    /// How many are acknowledged.
    pub(super) fn all_stored(&self) -> u64 {
        self.0.values().map(|of| count(&of.stored)).sum()
    }

    /// The sessions of a device: how many samples were measured, and which are acknowledged.
    pub(super) fn of_device(&self, device: &DeviceId) -> Vec<(SessionId, u64, Numbers)> {
        let all = self.0.iter().filter(|((of, _), _)| of == device);
        all.map(|((_, session), of)| (*session, of.measured, of.stored.clone()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_acknowledged_twice_is_stored_once() {
        let mut deliveries = Deliveries::default();
        let device: DeviceId = "ws-14".parse().unwrap();
        let session = SessionId(7);
        for seq in 1..=5 {
            deliveries.measured(&device, session, seq);
        }
        for ranges in [vec![(1, 2)], vec![(2, 3), (5, 5)]] {
            deliveries.stored(&device, &Ack { session, ranges });
        }
        assert_eq!(deliveries.all_measured(), 5);
        assert_eq!(deliveries.all_stored(), 4);
        let acknowledged = [1..=3, 5..=5].into_iter().collect();
        assert_eq!(deliveries.of_device(&device), [(session, 5, acknowledged)]);
    }
}
