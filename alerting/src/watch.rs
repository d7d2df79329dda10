//! Whether the hub itself ran all the time: one that stood still must not take its own silence
//! for that of its devices.

use std::time::Duration;

use netmonitor_service::clock;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// How often it looks.
const TURN: Duration = Duration::from_secs(1);

/// More than this between two turns is no busy machine any more: the process was stopped, or
/// the machine slept.
const STOOD_STILL: Duration = Duration::from_secs(3);

/// The hub's own pulse.
#[derive(Debug)]
pub(crate) struct Watch {
    pulse: Interval,
    /// The last turn, by the clock that goes on while the machine sleeps.
    turn: Duration,
}

impl Watch {
    pub(crate) fn new() -> Self {
        let mut pulse = interval(TURN);
        pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            pulse,
            turn: clock::since_boot(),
        }
    }

    /// When [`Watch::stood_still`] should be asked, if nothing else asks it before.
    pub(crate) async fn pulse(&mut self) {
        self.pulse.tick().await;
    }

    /// For how long nothing was done, if that is too long. To be asked at each turn.
    pub(crate) fn stood_still(&mut self) -> Option<Duration> {
        let now = clock::since_boot();
        let between = now.saturating_sub(std::mem::replace(&mut self.turn, now));
        (between >= STOOD_STILL).then_some(between)
    }
}
