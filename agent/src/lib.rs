//! The agent on each machine: reads how the machine is doing and publishes it over MQTT.
//!
//! It never links the store or an HTTP server, its collectors never run a command, and one of
//! them going wrong never stops another. It runs on one thread, by itself or inside the hub; what
//! may be slow to read has threads of its own.
//! Reading order:
//!
//! - [`config`], [`identity`], `home`, [`machine`], [`interval`], [`root`]: what it is told, who and
//!   what it is, where it belongs, where it reads
//! - `collect`: one sample, from the list of collectors
//! - `inventory`, `services`, `processes`: what seldom changes, what changes now and then, and what
//!   is only read while someone looks
//! - [`join()`]: how a machine becomes a device
//! - [`run()`]: birth, samples, [`goodbye()`]
//! - [`spool`], [`backfill`], [`delivery`]: no sample is forgotten before the hub has stored it
//! - `follow`, `addresses`, `settings`, `last_keepalive`, `rivals`: what it makes of what it hears
//! - `power`: sleep and shutdown of the machine
//! - `doings`, `local`, `status`: how it is doing, for those who ask on this machine
//! - `notices`, `notify`: what whoever is logged in there is told, and how it is shown
//! - `setup`, `install`: questions on a terminal, and the agent as a service
//! - [`cli`]: the command line

mod addresses;
mod attempt;
pub mod backfill;
pub mod cli;
mod collect;
pub mod config;
pub mod delivery;
mod doings;
mod failures;
mod follow;
pub mod goodbye;
mod home;
pub mod identity;
#[cfg(target_os = "linux")]
mod install;
pub mod interval;
mod inventory;
pub mod join;
#[cfg(unix)]
mod last_keepalive;
#[cfg(unix)]
mod local;
pub mod machine;
#[cfg(unix)]
mod notices;
#[cfg(unix)]
mod notify;
mod power;
mod processes;
mod publish;
mod rivals;
pub mod root;
pub mod run;
mod services;
mod settings;
#[cfg(unix)]
mod setup;
pub mod spool;
mod status;
#[cfg(target_os = "linux")]
mod system_bus_linux;

pub use config::Config;
pub use goodbye::goodbye;
pub use identity::{Identity, joined};
pub use join::join;
pub use run::run;

/// The version of this agent.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
