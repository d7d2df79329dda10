//! Who is there, and if not, why: never a false offline, never a missed death.
//!
//! A pure engine: messages and time in, conclusions out. What makes it hard, and where it is
//! dealt with:
//!
//! - Each topic comes in order, but two topics may overtake each other: `births` knows which
//!   start of an agent is the newest from each topic's own order.
//! - The death of a session that is no longer the current one says nothing: `device`.
//! - A hub that was blind, or stood still, must not judge before everybody could have come
//!   back: `engine` knows when it began to see, `device` waits.
//! - What is concluded, published and logged, and what is no news: `conclusion`, `log`.
//! - Clocks jump: durations are monotonic, the wall clock is only ever shown.

mod births;
mod conclusion;
mod context;
mod device;
mod engine;
mod log;
mod timing;

#[cfg(test)]
mod tests;

pub use engine::{Engine, MAX_DEVICES};
pub use timing::Timing;

use std::time::Instant;

use jiff::Timestamp;
use netmonitor_protocol::payload::{Event, Presence};
use netmonitor_protocol::{DeviceId, Message};

/// Now, by both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// For durations.
    pub monotonic: Instant,
    /// For what people see.
    pub wall: Timestamp,
}

/// What the engine hears.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Input<'a> {
    /// The connection to the broker stands, and retained messages come.
    Connected,
    /// The connection is gone: the hub is blind.
    Lost,
    /// A message, just published.
    Message(&'a Message),
    /// A retained message: what was said before this connection.
    Retained(&'a Message),
    /// Time has passed: see [`Engine::deadline`].
    Elapsed,
    /// The hub itself did not run for a while: what was said meanwhile is on its way, and those
    /// who got no answer have left and come back.
    StoodStill,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Publish the conclusion: it has changed.
    Publish(DeviceId, Presence),
    /// The device is no longer one: clear its presence.
    Clear(DeviceId),
    /// Add a line to the log.
    Log(Event),
}
