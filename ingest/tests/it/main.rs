//! Ingest as agents meet it: over a real broker (Debian's mosquitto), with a real history.

#![expect(
    clippy::unwrap_used,
    reason = "tests may unwrap, and so may what they call"
)]

mod support;
mod with_mosquitto;
