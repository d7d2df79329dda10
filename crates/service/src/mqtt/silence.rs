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
}

impl Silence {
    /// Heard just now. The limit is the one that the broker has for us: one and a half
    /// keepalives (MQTT 5.0, section 3.1.2.10).
    pub(super) fn broken(keep_alive: Duration) -> Self {
        Self {
            limit: keep_alive + keep_alive / 2,
            heard: clock::since_boot(),
            heard_at: Instant::now(),
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
}
