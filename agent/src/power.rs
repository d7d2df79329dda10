//! Sleep and shutdown of the machine, as the system announces them. Where nobody announces
//! anything, nothing is known, and nothing fails.

#[cfg(target_os = "linux")]
mod logind_linux;
#[cfg(target_os = "linux")]
mod shutdown_linux;

use netmonitor_protocol::payload::EndCause;
use tokio::sync::{mpsc, watch};

/// What the machine is about to do, or has done.
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "nobody tells"))]
pub(crate) enum Power {
    /// It goes to sleep or is shut down, at the latest once the delay is dropped.
    Goes(EndCause, Delay),
    /// It has woken, or did not go after all.
    Back,
}

/// Holds sleep and shutdown up while it is kept, as far as the system allows it: five seconds on Linux
/// (logind.conf(5), `InhibitDelayMaxSec`).
pub(crate) struct Delay {
    #[cfg(target_os = "linux")]
    _lock: Option<zbus::OwnedFd>,
}

/// Tells of sleep and shutdown, until dropped. When nobody takes what it tells, it waits.
#[cfg(target_os = "linux")]
pub(crate) async fn watch(power: mpsc::Sender<Power>, goes_down: watch::Sender<bool>) {
    logind_linux::watch(power, goes_down).await;
}

/// Nothing is known here yet.
#[cfg(not(target_os = "linux"))]
pub(crate) async fn watch(power: mpsc::Sender<Power>, _goes_down: watch::Sender<bool>) {
    power.closed().await;
}

/// Whether the machine is being shut down right now.
pub(crate) async fn goes_down(announced: &watch::Receiver<bool>) -> bool {
    if *announced.borrow() {
        return true;
    }
    #[cfg(target_os = "linux")]
    let asked = shutdown_linux::systemd_is_stopping().await;
    #[cfg(not(target_os = "linux"))]
    let asked = false;
    asked
}
