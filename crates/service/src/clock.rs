//! The wall clock, read here and nowhere else, so that everything else takes time as an
//! argument.

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
