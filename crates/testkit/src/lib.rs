//! What the tests of several crates share.
//!
//! - [`golden`]: a file in the repository must equal what the code produces
//! - [`eventually`]: waiting for a condition, with a deadline, never for a fixed time
//! - [`broken_conversation`]: what a client says that speaks MQTT badly, from a seed
//! - [`program()`]: the programs under test, built if they are not there
//! - [`http`]: a client of the hub's API
//! - [`Machine`]: a machine of a test's own, with systemd

mod conversation;
mod eventually;
mod golden;
pub mod http;
#[cfg(target_os = "linux")]
mod machine;
mod programs;

pub use conversation::broken_conversation;
pub use eventually::{eventually, eventually_some};
pub use golden::golden;
#[cfg(target_os = "linux")]
pub use machine::Machine;
pub use programs::{in_repository, program};
