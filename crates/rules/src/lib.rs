//! Rules over samples as pure functions: no I/O, no async, no clock.
//!
//! - [`limits`]: which numbers of a sample are above what an admin allows

pub mod limits;

pub use limits::{Exceeded, Limits, Resource, exceeded};
