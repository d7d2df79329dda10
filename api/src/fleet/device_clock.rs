//! Whether a device's clock is off, as far as somebody wants to know it.

use jiff::SignedDuration;
use netmonitor_store::history::CLOCK_OFF;

/// By how much the clock of a device is ahead of the hub's, said anew only when it has changed
/// noticeably: each message takes a little longer or shorter than the one before.
#[derive(Debug, Default)]
pub(super) struct DeviceClock {
    shown: Option<SignedDuration>,
}

/// What is shown changes when the clock differs from it by more than this.
const NOTICEABLE: SignedDuration = SignedDuration::from_secs(1);

impl DeviceClock {
    /// A sample showed the device's clock. Returns whether something else is shown now.
    pub(super) fn seen(&mut self, ahead: SignedDuration) -> bool {
        let is_near = |shown: SignedDuration| (ahead - shown).abs() <= NOTICEABLE;
        if self.shown.is_some_and(is_near) {
            return false;
        }
        let before = self.shown;
        self.shown = (ahead.abs() > CLOCK_OFF).then_some(ahead);
        self.shown != before
    }

    /// How far ahead it is; none if it is right.
    pub(super) fn shown(&self) -> Option<SignedDuration> {
        self.shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_off_is_said_once_until_it_is_set() {
        let mut clock = DeviceClock::default();
        let mut said = Vec::new();
        for ahead in [
            0, 1_900, -1_900, 2_100, 1_900, 2_900, 3_200, 900, -90_000, 0,
        ] {
            if clock.seen(SignedDuration::from_millis(ahead)) {
                said.push(clock.shown().map(|it| it.as_millis()));
            }
        }
        let expected = [Some(2_100), Some(3_200), None, Some(-90_000), None];
        assert_eq!(said, expected);
    }
}
