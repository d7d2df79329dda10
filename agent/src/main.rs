//! The agent on each machine.

use std::process::ExitCode;

fn main() -> ExitCode {
    netmonitor_agent::cli::main()
}
