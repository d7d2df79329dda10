//! What stories are made of.
//!
//! - [`programs`]: where the programs are
//! - [`process`]: one that runs, and what it printed
//! - [`hub`], [`agent`]: the two programs
//! - [`clock`]: a clock that can be moved
//! - [`desktop`]: what somebody sees who is logged in
//! - [`device`]: a machine whose values the story decides
//! - [`disk`]: a disk that can be full
//! - [`fleet`]: many simulated agents
//! - [`http`], [`live`]: a program and a page that use the hub's API
//! - [`mail`]: a mail server
//! - [`mqtt`]: Debian's MQTT clients
//! - [`mosquitto`]: Debian's broker
//! - [`network`]: machines with networks of their own
//! - [`ports`]: ports that stay free
//! - [`receiver`]: a web server to which messages about alerts go

pub(crate) mod agent;
pub(crate) mod clock;
pub(crate) mod desktop;
pub(crate) mod device;
pub(crate) mod disk;
pub(crate) mod fleet;
pub(crate) mod hub;
pub(crate) mod live;
pub(crate) mod mail;
pub(crate) mod mosquitto;
pub(crate) mod mqtt;
pub(crate) mod network;
pub(crate) mod ports;
pub(crate) mod process;
pub(crate) mod programs;
pub(crate) mod receiver;

use std::time::Duration;

/// Longest time for anything that has no promise of its own: two busy cores, debug builds.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);
