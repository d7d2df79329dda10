//! What stories are made of.
//!
//! - [`programs`]: where the programs are
//! - [`process`]: one that runs, and what it printed
//! - [`hub`], [`agent`]: the two programs
//! - [`clock`]: a clock that can be moved
//! - [`device`]: a machine whose values the story decides
//! - [`disk`]: a disk that can be full
//! - [`http`], [`live`]: a program and a page that use the hub's API
//! - [`mqtt`]: Debian's MQTT clients
//! - [`mosquitto`]: Debian's broker
//! - [`network`]: machines with networks of their own
//! - [`ports`]: ports that stay free
//! - [`receiver`]: a web server to which messages about alerts go

pub(crate) mod agent;
pub(crate) mod clock;
pub(crate) mod device;
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
pub(crate) mod receiver;

use std::time::Duration;

/// Longest time for anything that has no promise of its own: two busy cores, debug builds.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);
