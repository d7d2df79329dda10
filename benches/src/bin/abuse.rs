//! A hub that everybody abuses, while others are to be served.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use netmonitor_agent::interval;
use netmonitor_benches::abuse::{self, Config, Report};
use netmonitor_benches::hub::Hub;
use netmonitor_benches::{command, program};

/// Abuses a hub of its own in a random mix: garbage, silence, floods, slow readers, connection
/// storms, many topics, many filters and sessions left behind, by one without a credential, a
/// reader, a device and a user with filters of its own.
///
/// Meanwhile agents, their watcher and newcomers must be served, and in the end the hub must be as
/// it was. The exit code is 2 if that is not so.
#[derive(Debug, Parser)]
#[command(name = "abuse")]
struct Cli {
    /// How long, as 10m or 1h
    #[arg(long, default_value = "3m", value_parser = interval::parse)]
    duration: Duration,
    /// The same seed tries the same
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Agents that are to be served meanwhile
    #[arg(long, default_value_t = 20)]
    agents: usize,
    /// The program netmonitor; the one beside this program if it is not said
    #[arg(long, value_name = "FILE")]
    netmonitor: Option<PathBuf>,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    command::main("abuse", ExitCode::from(2), || execute(&cli))
}

fn execute(cli: &Cli) -> anyhow::Result<bool> {
    let netmonitor = program::netmonitor(cli.netmonitor.as_deref())?;
    let report = command::block_on(run(cli, &netmonitor))?;
    write!(std::io::stdout(), "{report}").context("cannot write the report")?;
    Ok(report.is_good())
}

async fn run(cli: &Cli, netmonitor: &std::path::Path) -> anyhow::Result<Report> {
    // As it is installed: nothing is allowed to anybody that is not by default.
    let hub = Hub::start(netmonitor, "")?;
    let config = Config {
        duration: cli.duration,
        seed: cli.seed,
        agents: cli.agents,
    };
    abuse::run(&hub, config, &mut std::io::stdout()).await
}
