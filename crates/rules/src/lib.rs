//! What the hub concludes, as pure engines: no I/O, no async, no clock.
//!
//! - [`presence`]: who is there, and if not, why
//! - [`alert`]: when something is wrong, and who is to be told
//! - [`trend`]: in how many days something is full
//! - [`weekly`]: hours that come back each week
//! - [`preview`]: how often a rule would have fired in the past
//! - [`limits`]: which numbers of a sample are above what an admin allows

pub mod alert;
pub mod limits;
pub mod presence;
pub mod preview;
pub mod trend;
pub mod weekly;

pub use limits::{Exceeded, Limits, Resource, exceeded};
