//! Which stretches of the past were filled, for the browsers to read them anew. Samples that are
//! made up for come in many small batches; a device is named once a second at most, with all that
//! was filled since. Pure.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;
use netmonitor_protocol::DeviceId;

/// Devices that are named at once: when a whole fleet comes back, each browser is told a little at
/// a time, and the live samples among it.
const NAMED_AT_ONCE: usize = 100;

/// From the first moment to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

/// What was filled and not told yet: one stretch for each device, which covers all of it.
#[derive(Debug, Default)]
pub(crate) struct Filled {
    waiting: VecDeque<DeviceId>,
    stretches: HashMap<DeviceId, Stretch>,
}

impl Filled {
    /// A sample of the past has come.
    pub(crate) fn add(&mut self, device: &DeviceId, at: Timestamp) {
        if let Some(stretch) = self.stretches.get_mut(device) {
            stretch.from = stretch.from.min(at);
            stretch.to = stretch.to.max(at);
        } else {
            self.waiting.push_back(device.clone());
            let stretch = Stretch { from: at, to: at };
            self.stretches.insert(device.clone(), stretch);
        }
    }

    /// What is to be told now: those that have waited longest. Called once a second.
    pub(crate) fn take(&mut self) -> Vec<(DeviceId, Stretch)> {
        let now = self.waiting.len().min(NAMED_AT_ONCE);
        let devices = self.waiting.drain(..now);
        let stretches = &mut self.stretches;
        devices
            .filter_map(|device| stretches.remove_entry(&device))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn id(name: &str) -> DeviceId {
        name.parse().unwrap()
    }

    #[test]
    fn all_that_was_filled_of_a_device_is_told_at_once_and_once() {
        let mut filled = Filled::default();
        for second in [50, 20, 30] {
            filled.add(&id("ws"), at(second));
        }
        filled.add(&id("nas"), at(7));
        let stretch = |from, to| Stretch {
            from: at(from),
            to: at(to),
        };
        let told = [(id("ws"), stretch(20, 50)), (id("nas"), stretch(7, 7))];
        assert_eq!(filled.take(), told);
        assert_eq!(filled.take(), []);
        filled.add(&id("ws"), at(60));
        assert_eq!(filled.take(), [(id("ws"), stretch(60, 60))]);
    }

    #[test]
    fn a_fleet_that_comes_back_at_once_is_told_of_in_turn() {
        let mut filled = Filled::default();
        for second in 0..3 {
            for number in 0..=NAMED_AT_ONCE {
                filled.add(&id(&format!("ws-{number}")), at(second));
            }
        }
        assert_eq!(filled.take().len(), NAMED_AT_ONCE);
        filled.add(&id("ws-0"), at(9));
        let rest = filled.take();
        let names: Vec<_> = rest.iter().map(|(device, _)| device.as_str()).collect();
        assert_eq!(names, [&format!("ws-{NAMED_AT_ONCE}"), "ws-0"]);
        assert_eq!(rest[0].1.to, at(2));
    }
}
