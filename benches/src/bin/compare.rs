//! The embedded broker side by side with mosquitto, in one run.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
use netmonitor_benches::compare::{Scenario, Size};
use netmonitor_benches::report::Report;
use netmonitor_benches::site::{Kind, Site};
use netmonitor_benches::{command, program};

/// Measures the embedded broker and Debian's mosquitto alternately, each time a fresh one, and
/// prints the medians, and whether the goals are met. The exit code is 2 if one is missed.
#[derive(Debug, Parser)]
#[command(name = "compare")]
struct Cli {
    /// The program netmonitor; the one beside this program if it is not said
    #[arg(long, value_name = "FILE")]
    netmonitor: Option<PathBuf>,
    /// How often each is measured
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Only these: idle, storm, throughput, paced, latency, leftovers, slow
    #[arg(long, value_name = "NAME", value_parser = Scenario::parse_group)]
    only: Vec<&'static str>,
    /// A few messages only: whether it works, not how fast
    #[arg(long)]
    smoke: bool,
    /// Print JSON with every round instead of a table
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // The report says which goal is missed.
    command::main("compare", ExitCode::from(2), || run(&cli))
}

fn run(cli: &Cli) -> anyhow::Result<bool> {
    let netmonitor = program::netmonitor(cli.netmonitor.as_deref())?;
    let scale = if cli.smoke { Size::SMOKE } else { Size::FULL };
    let site = Site::make(scale.idle.max(scale.storm).max(scale.publishers))?;
    let report = command::block_on(measure(cli, &site, &netmonitor, scale))?;
    let text = if cli.json {
        serde_json::to_string_pretty(&report.json())? + "\n"
    } else {
        report.table() + "\n" + &report.verdicts()
    };
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("cannot write the report")?;
    // A few messages say nothing about how fast it is.
    Ok(cli.smoke || report.is_good())
}

async fn measure(cli: &Cli, site: &Site, netmonitor: &Path, scale: Size) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let wanted = |scenario: &Scenario| cli.only.is_empty() || cli.only.contains(&scenario.group());
    for scenario in Scenario::ALL.into_iter().filter(wanted) {
        for round in 0..cli.rounds {
            for kind in Kind::BOTH {
                let measured = scenario.measure(site, kind, netmonitor, scale).await;
                let measured = measured
                    .with_context(|| format!("{scenario:?} with {kind:?}, round {round}"))?;
                report.add(kind, measured);
            }
        }
        tracing::info!(?scenario, rounds = cli.rounds, "measured");
    }
    Ok(report)
}
