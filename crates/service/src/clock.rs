//! The wall clock, read here and nowhere else, so that everything else takes time as an
//! argument.

use std::time::Duration;

use jiff::{Timestamp, Unit};

/// The time by this machine's clock, in whole milliseconds.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place where the clock is read"
)]
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    now.round(Unit::Millisecond).unwrap_or(now)
}

/// Time since this machine was started, the time that it slept included: what
/// [`std::time::Instant`] and timers do not count on Linux (`clock_gettime(2)`,
/// `CLOCK_BOOTTIME`).
#[cfg(target_os = "linux")]
pub fn since_boot() -> Duration {
    nix::time::clock_gettime(nix::time::ClockId::CLOCK_BOOTTIME)
        .map(Duration::from)
        .unwrap_or_default()
}

/// Time since the first call, by the clock of timers: elsewhere that one goes on while the
/// machine sleeps, or nobody can tell.
#[cfg(not(target_os = "linux"))]
pub fn since_boot() -> Duration {
    use std::sync::LazyLock;
    static START: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);
    START.elapsed()
}

/// What tells this start of the machine from others (`/proc/sys/kernel/random/boot_id`, `random(4)`).
/// None where the system does not tell.
pub fn boot_id() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().to_owned())
}

/// Where this machine has its time from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeSource {
    /// What the clock shows that goes on without power (`rtc(4)`); none where there is none.
    pub rtc: Option<Timestamp>,
    /// Whether the network has told the time since the machine's start, as far as can be seen:
    /// `systemd-timesyncd` says so, others do not.
    pub is_synchronised: bool,
}

/// Looks where this machine has its time from.
#[cfg(target_os = "linux")]
pub fn time_source() -> TimeSource {
    let clocks = std::fs::read_dir("/sys/class/rtc").into_iter().flatten();
    let rtc = clocks.flatten().filter_map(|clock| {
        let text = std::fs::read_to_string(clock.path().join("since_epoch")).ok()?;
        Timestamp::from_second(text.trim().parse().ok()?).ok()
    });
    TimeSource {
        rtc: rtc.max(),
        is_synchronised: std::path::Path::new("/run/systemd/timesync/synchronized").exists(),
    }
}

/// Elsewhere every machine has a clock that goes on without power.
#[cfg(not(target_os = "linux"))]
pub fn time_source() -> TimeSource {
    TimeSource {
        rtc: Some(now()),
        is_synchronised: false,
    }
}
