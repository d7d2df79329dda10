//! Where the programs are.

pub(crate) use netmonitor_testkit::{in_repository, program};
