//! What stories are made of.
//!
//! - [`programs`]: where the programs are
//! - [`process`]: one that runs, and what it printed
//! - [`hub`], [`agent`]: the two programs
//! - [`clock`]: a clock that can be moved
//! - [`disk`]: a disk that can be full
//! - [`http`], [`live`]: a program and a page that use the hub's API
//! - [`mqtt`]: Debian's MQTT clients
//! - [`mosquitto`]: Debian's broker
//! - [`network`]: machines with networks of their own
//! - [`ports`]: ports that stay free

pub(crate) mod agent;
pub(crate) mod clock;
pub(crate) mod disk;
pub(crate) mod http;
pub(crate) mod hub;
pub(crate) mod live;
pub(crate) mod mosquitto;
pub(crate) mod mqtt;
pub(crate) mod network;
pub(crate) mod ports;
pub(crate) mod process;
pub(crate) mod programs;

use std::time::Duration;

/// Longest time for anything that has no promise of its own: two busy cores, debug builds.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);
