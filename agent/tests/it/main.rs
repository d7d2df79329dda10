//! The agent as its users meet it: the program itself, a real broker, a real bus.
//!
//! Stories in modules named `with_...` need that program installed and fail without it; the
//! others need nothing.

#![expect(
    clippy::unwrap_used,
    reason = "tests may unwrap, and so may what they call"
)]

mod command_line;
mod program;
mod sample;
mod setup;
mod with_fuse;
mod with_logind;
mod with_mosquitto;
mod with_systemd;
