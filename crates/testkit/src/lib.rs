//! What the tests of several crates share.
//!
//! - [`golden`]: a file in the repository must equal what the code produces
//! - [`eventually`]: waiting for a condition, with a deadline, never for a fixed time

mod eventually;
mod golden;

pub use eventually::{eventually, eventually_some};
pub use golden::golden;
