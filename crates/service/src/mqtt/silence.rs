//! Whether the broker is still to be heard.

use std::time::Duration;

use tokio::time::Instant;

use crate::clock;

/// When the broker was last heard. We ping once per keepalive, so a broker that is there is
/// heard as often.
#[derive(Debug, Clone, Copy)]
pub(super) struct Silence {
    limit: Duration,
    /// By the clock that goes on while the machine sleeps: timers do not.
    heard: Duration,
    /// By the clock of timers.
    heard_at: Instant,
    /// When we last had a turn ourselves, by the clock that goes on.
    turn: Duration,
}

impl Silence {
    /// Heard just now. The limit is the one that the broker has for us: one and a half
    /// keepalives (MQTT 5.0, section 3.1.2.10).
    pub(super) fn broken(keep_alive: Duration) -> Self {
        let now = clock::since_boot();
        Self {
            limit: keep_alive + keep_alive / 2,
            heard: now,
            heard_at: Instant::now(),
            turn: now,
        }
    }

    /// When a timer should look.
    pub(super) fn deadline(&self) -> Instant {
        self.heard_at + self.limit
    }

    /// For how long nothing was heard, if that is too long.
    pub(super) fn too_long(&self) -> Option<Duration> {
        let silence = clock::since_boot().saturating_sub(self.heard);
        (silence >= self.limit).then_some(silence)
    }

    /// For how long we did nothing ourselves, if that is too long: the process was frozen, or
    /// the machine slept. The broker has given us up, whatever of its words is still on the way.
    pub(super) fn absence(&mut self) -> Option<Duration> {
        let now = clock::since_boot();
        let absence = now.saturating_sub(std::mem::replace(&mut self.turn, now));
        (absence >= self.limit).then_some(absence)
    }
}
