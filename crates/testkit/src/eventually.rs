//! Waiting for a condition, with a deadline.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Between two looks: short, so that a test is as quick as what it waits for.
const PAUSE: Duration = Duration::from_millis(20);

/// Waits until the condition holds, and fails with `what` if it does not within `deadline`.
pub fn eventually(what: &str, deadline: Duration, mut condition: impl FnMut() -> bool) {
    eventually_some(what, deadline, || condition().then_some(()));
}

/// Waits until there is a value, and fails with `what` if there is none within `deadline`.
pub fn eventually_some<T>(
    what: &str,
    deadline: Duration,
    mut value: impl FnMut() -> Option<T>,
) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = value() {
            return value;
        }
        assert!(
            start.elapsed() < deadline,
            "after {} s still not: {what}",
            deadline.as_secs()
        );
        sleep(PAUSE);
    }
}
