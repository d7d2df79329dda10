//! Ingest: subscribes to samples and events, commits them to the history, many in one
//! transaction, and acknowledges what is on disk. The only writer of the history; it never stops
//! reading because the database does: what it has no room for is not acknowledged and comes again.
//!
//! - [`service`]: the loop
//! - [`intake`]: what messages become
//! - [`batch`]: what waits for the next commit, bounded
//! - [`schedule`]: when to commit
//! - [`writing`]: the thread that writes
//! - [`outbox`]: what is said after a commit
//! - [`clock_trust`]: whether the hub knows what time it is
//! - [`config`]: what can be set

pub mod batch;
pub mod clock_trust;
pub mod config;
pub mod intake;
pub mod outbox;
pub mod schedule;
pub mod service;
pub mod writing;

pub use config::Config;
pub use service::Ingest;
