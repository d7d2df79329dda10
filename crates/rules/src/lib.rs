//! What the hub concludes, as pure engines: no I/O, no async, no clock.
//!
//! - [`presence`]: who is there, and if not, why
//! - [`limits`]: which numbers of a sample are above what an admin allows

pub mod limits;
pub mod presence;

pub use limits::{Exceeded, Limits, Resource, exceeded};
