//! Whatever dies or loses its network, and however often: every sample that an agent has measured
//! is in the history, once.
//!
//! - [`books`]: what was measured, as seen from outside, against what is stored
//! - [`site`]: a hub of separate services, and agents on other machines
//! - [`simulated`]: many more agents, and networks that fail
//! - [`faults`]: what happens to them, by a seed
//! - `mayhem`: the stories in which that happens
//! - `away`: the hub is gone for longer than agents keep samples in memory
//! - `restarts`: the hub is stopped and started, as in an update

mod away;
pub(crate) mod books;
pub(crate) mod faults;
mod mayhem;
mod restarts;
mod simulated;
pub(crate) mod site;
