//! When a sample was taken, by the hub's clock.
//!
//! The device's wall clock is only a claim: it may be off, and be moved. What it counts since its
//! boot is not, so a sample is placed by that: the hub looks for the smallest difference between
//! its own count and that of the device at the moment of sending, which is the offset between both
//! plus the quickest way here. A message that was held up on its way, by a hub or a network that
//! stood still, shows a larger difference, and is placed by the smallest one all the same.
//!
//! All reckoning is done in time since boot, and turned into wall time last, by the hub's wall
//! clock as it is at the receipt: a hub whose clock is set shifts no sample against another.

use std::collections::HashMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use netmonitor_protocol::payload::Metrics;
use netmonitor_protocol::{DeviceId, SessionId};

/// For how long the smallest difference holds at least, and at most for twice as long. A stall may
/// last so long and shifts nothing; a virtual machine that was paused, whose count has stood still
/// meanwhile, is placed right again after that time.
const WINDOW_US: i64 = 10 * 60 * 1_000_000;

/// How much faster than the device's the hub's count may go: quartzes are good for 20 to 50 ppm
/// each. By so much the smallest difference may grow with time. A device that goes the other way
/// needs no allowance: its difference shrinks.
const DRIFT_PPM: i64 = 100;

/// How far the count at sending may go back before it must be another boot: `QoS` 1 repeats, and
/// two topics may overtake each other.
const REORDERED_US: i64 = 60 * 1_000_000;

/// From this difference on, another start of the agent may as well be another boot.
const MAYBE_ANOTHER_BOOT_US: i64 = 2 * 1_000_000;

/// No sample is older: agents have no room for so many.
const AGE_MAX: SignedDuration = SignedDuration::from_hours(400 * 24);

/// No machine has run for longer.
const UPTIME_MAX_MS: u64 = 100 * 366 * 24 * 3600 * 1000;

/// Devices of which something is remembered. Those beyond are placed by the age that they say.
const DEVICES_MAX: usize = 10_000;

/// A device's clock that is further off than this is worth a word to its admin.
pub const CLOCK_OFF: SignedDuration = SignedDuration::from_secs(2);

/// The hub's two clocks at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The one that shows the time of day.
    pub wall: Timestamp,
    /// Since the hub's boot, sleep included: nobody sets it.
    pub since_boot: Duration,
}

/// How a sample came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Just taken, by the start of the agent that sends it.
    Live,
    /// Sent again, maybe by a later start than took it.
    Backfill,
}

/// A sample has its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// When it was taken, by the hub's clock; never later than the receipt.
    pub at: Timestamp,
    /// How much later than that the device's own clock said it was. Beyond [`CLOCK_OFF`] the
    /// device's clock is off, if the hub's is right.
    pub ahead: SignedDuration,
    /// Whether the device said something about the age that cannot be: the sample stands where it
    /// was received, for want of better.
    pub is_doubtful: bool,
}

impl Placed {
    /// Whether the device's clock was off when the sample was taken.
    pub fn is_clock_off(&self) -> bool {
        self.ahead.abs() > CLOCK_OFF
    }
}

/// What is known of the clocks of all devices. Starts empty: with the first sample of each device
/// the difference is what that sample shows.
#[derive(Debug, Default)]
pub struct Placing {
    devices: HashMap<DeviceId, Known>,
}

/// What is known of one device's clocks, in microseconds.
#[derive(Debug)]
struct Known {
    /// The start of the agent that sends.
    session: SessionId,
    /// The largest count at sending.
    sent: i64,
    /// The hub's count when it was last heard.
    heard: i64,
    /// The smallest difference in this window and in the one before.
    smallest: [i64; 2],
    /// The hub's count when this window began.
    began: i64,
    /// How far the device's own clock was ahead.
    ahead: SignedDuration,
}

impl Placing {
    /// Places a sample that was received at `receipt`.
    pub fn place(
        &mut self,
        device: &DeviceId,
        metrics: &Metrics,
        way: Way,
        receipt: Moment,
    ) -> Placed {
        let now = micros(receipt.since_boot);
        let since = self.since_taken(device, metrics, way, receipt, now);
        let is_doubtful = since.is_none();
        let since = since.unwrap_or_default().max(SignedDuration::ZERO);
        let at = receipt.wall.checked_sub(since).unwrap_or(receipt.wall);
        let ahead = metrics.time.duration_since(at);
        if way == Way::Live
            && let Some(known) = self.devices.get_mut(device)
        {
            known.ahead = ahead;
        }
        Placed {
            at,
            ahead,
            is_doubtful,
        }
    }

    /// How long before the receipt it was taken; none if that cannot be.
    fn since_taken(
        &mut self,
        device: &DeviceId,
        metrics: &Metrics,
        way: Way,
        receipt: Moment,
        now: i64,
    ) -> Option<SignedDuration> {
        let age = i64::try_from(metrics.age_ms).ok()?;
        let age = SignedDuration::from_millis(age);
        if age > AGE_MAX {
            return None;
        }
        let Some(taken) = metrics.monotonic_ms else {
            return Some(age);
        };
        if taken > UPTIME_MAX_MS {
            return None;
        }
        let taken = i64::try_from(taken).ok()? * 1000;
        let sent = taken + i64::try_from(age.as_micros()).ok()?;
        let difference = self.difference(device, metrics, way, receipt, [sent, now]);
        let since = SignedDuration::from_micros(now - (taken + difference));
        (since <= AGE_MAX).then_some(since)
    }

    /// The hub's count minus the device's.
    fn difference(
        &mut self,
        device: &DeviceId,
        metrics: &Metrics,
        way: Way,
        receipt: Moment,
        [sent, now]: [i64; 2],
    ) -> i64 {
        let seen = now - sent;
        if !self.devices.contains_key(device) && self.devices.len() >= DEVICES_MAX {
            self.devices
                .retain(|_, known| now - known.heard < 2 * WINDOW_US);
            if self.devices.len() >= DEVICES_MAX {
                return seen;
            }
        }
        let new = || Known {
            session: metrics.session,
            sent,
            heard: now,
            smallest: [seen; 2],
            began: now,
            ahead: SignedDuration::ZERO,
        };
        let known = self.devices.entry(device.clone()).or_insert_with(new);
        known.grow_older(now, seen);
        let is_other_start = way == Way::Live && metrics.session != known.session;
        if sent < known.sent - REORDERED_US
            || (is_other_start && !known.is_same_boot(metrics, receipt, seen))
        {
            *known = new();
        }
        if way == Way::Live {
            known.session = metrics.session;
        }
        known.sent = known.sent.max(sent);
        known.smallest[0] = known.smallest[0].min(seen);
        known.smallest()
    }
}

impl Known {
    fn smallest(&self) -> i64 {
        self.smallest[0].min(self.smallest[1])
    }

    /// What was known holds a little less, or no more.
    fn grow_older(&mut self, now: i64, seen: i64) {
        let silence = now - self.heard;
        let drift = silence.max(0) / 1_000_000 * DRIFT_PPM
            + silence.max(0) % 1_000_000 * DRIFT_PPM / 1_000_000;
        self.smallest = self.smallest.map(|difference| difference + drift);
        self.heard = now;
        let windows = (now - self.began) / WINDOW_US;
        // A count that goes back is that of a hub which was started anew.
        if windows >= 2 || now < self.began {
            self.smallest = [seen; 2];
            self.began = now;
        } else if windows == 1 {
            self.smallest = [seen, self.smallest[0]];
            self.began = now;
        }
    }

    /// Another start of the agent: was the machine started anew as well? A sample that seems to
    /// have been on its way for long may be one that was held up, or the first of another boot.
    /// The device's own clock knows, if it goes on as before: placed as one that was held up, the
    /// sample is as far from it as the samples before.
    fn is_same_boot(&self, metrics: &Metrics, receipt: Moment, seen: i64) -> bool {
        let late = seen - self.smallest();
        if late < MAYBE_ANOTHER_BOOT_US {
            return true;
        }
        let age = SignedDuration::from_micros(late)
            + SignedDuration::from_millis(i64::try_from(metrics.age_ms).unwrap_or_default());
        let Ok(at) = receipt.wall.checked_sub(age) else {
            return false;
        };
        let ahead = metrics.time.duration_since(at);
        (ahead - self.ahead).abs() < CLOCK_OFF
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests;
