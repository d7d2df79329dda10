//! The hub: every service in one program, or each in a process of its own.
//!
//! - `cli`: the command line
//! - `config`: the configuration file and what the command line changes of it
//! - `run`: everything together
//! - `alone`: one service in this process
//! - `running`: a service that runs, with what stops it
//! - `supervise`: a service that fails is started again
//! - `listening`: the addresses, printed and written down
//! - `preflight`: what can be known to be wrong before anything is changed
//! - `presence`: the hub says that it is there
//! - `local_agent`: this machine watches itself
//! - `console`: administrative commands
//! - `verify`: is what is on disk sound
//! - `backup`: everything in one file
//! - `restore`: a backup becomes a hub again
//! - `export_mosquitto`: what a mosquitto needs to take the place of the broker

mod alone;
mod backup;
mod cli;
mod config;
mod console;
mod export_mosquitto;
mod listening;
mod local_agent;
mod preflight;
mod presence;
mod restore;
mod run;
mod running;
mod supervise;
mod verify;

use std::process::ExitCode;

/// Gives back what a burst of work has taken, also where some of it lives on: after the abuse of the
/// benchmarks, glibc's allocator kept 60 MB, and mimalloc as much. Tuned in `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    cli::main()
}
