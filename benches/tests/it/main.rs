//! Whether what measures works: real programs, a few messages, no figures.

#![expect(
    clippy::unwrap_used,
    reason = "tests may unwrap, and so may what they call"
)]

mod abuse;
mod fleet;
mod history;
mod restart;
mod rounds;
mod with_mosquitto;

use std::time::Duration;

/// Longer than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_mins(1);
