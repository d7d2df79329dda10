//! What our agent costs a machine, beside `node_exporter` and collectd, in one run.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use netmonitor_benches::footprint::{Cost, Peer, Site, Size, measure};
use netmonitor_benches::{command, program};
use netmonitor_testkit::in_repository;

/// Time on the processor of `node_exporter`, of which ours may have a quarter, and with processes
/// half.
const SHARES: [(Peer, f64); 2] = [(Peer::Ours, 0.25), (Peer::OursWatched, 0.5)];

/// The most that ours may use, in milliseconds of the processor for each minute.
const MOST: [(Peer, f64); 2] = [(Peer::Ours, 60.0), (Peer::OursWatched, 120.0)];

/// The most memory that ours may have, in MiB.
const MOST_MIB: f64 = 5.0;

/// Measures agents one after the other, each alone among as many processes, and prints what they
/// cost, and whether the goals are met. The exit code is 2 if one is missed.
#[derive(Debug, Parser)]
#[command(name = "footprint")]
struct Cli {
    /// The program netmonitor; the one beside this program if it is not said
    #[arg(long, value_name = "FILE")]
    netmonitor: Option<PathBuf>,
    /// The program netmonitor-agent, as it is shipped
    #[arg(long, value_name = "FILE")]
    agent: Option<PathBuf>,
    /// Processes on the machine
    #[arg(long, default_value_t = 500)]
    processes: usize,
    /// How long each is measured, in seconds
    #[arg(long, default_value_t = 120)]
    seconds: u64,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // The report says which goal is missed.
    command::main("footprint", ExitCode::from(2), || run(&cli))
}

fn run(cli: &Cli) -> anyhow::Result<bool> {
    let netmonitor = program::netmonitor(cli.netmonitor.as_deref())?;
    let shipped = in_repository("target/agent/netmonitor-agent");
    let agent: &Path = cli.agent.as_deref().unwrap_or(&shipped);
    anyhow::ensure!(
        agent.is_file(),
        "{} is not there: build it with `cargo build --profile agent -p netmonitor-agent`",
        agent.display()
    );
    let scale = Size {
        processes: cli.processes,
        duration: Duration::from_secs(cli.seconds),
    };
    let site = Site::start(&netmonitor)?;
    let costs = command::block_on(measure(&Peer::ALL, &site, agent, scale))?;
    let (verdicts, is_good) = verdicts(&costs);
    let text = if cli.json {
        let costs: serde_json::Map<String, serde_json::Value> = costs
            .iter()
            .map(|(peer, cost)| Ok((peer.name().to_owned(), serde_json::to_value(cost)?)))
            .collect::<anyhow::Result<_>>()?;
        serde_json::to_string_pretty(&costs)? + "\n"
    } else {
        table(&costs, cli.processes) + "\n" + &verdicts
    };
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("cannot write the report")?;
    Ok(is_good)
}

fn of(costs: &[(Peer, Cost)], wanted: Peer) -> Option<Cost> {
    let found = costs.iter().find(|(peer, _)| *peer == wanted);
    found.map(|(_, cost)| *cost)
}

fn table(costs: &[(Peer, Cost)], processes: usize) -> String {
    let exporter = of(costs, Peer::NodeExporter).map_or(f64::NAN, |it| it.cpu_ms_per_min);
    let head = format!(
        "| agent, every 3 s, {processes} processes | CPU ms/min | of node_exporter | RSS MiB | PSS MiB |\n\
         |---|---:|---:|---:|---:|\n"
    );
    let rows = costs.iter().map(|(peer, cost)| {
        format!(
            "| {} | {:.1} | {:.2} | {:.1} | {:.1} |\n",
            peer.name(),
            cost.cpu_ms_per_min,
            cost.cpu_ms_per_min / exporter,
            cost.resident_mib,
            cost.proportional_mib
        )
    });
    head + &rows.collect::<String>()
}

/// A line for each goal, and whether all are met.
fn verdicts(costs: &[(Peer, Cost)]) -> (String, bool) {
    let mut lines = Vec::new();
    let exporter = of(costs, Peer::NodeExporter).map_or(f64::NAN, |it| it.cpu_ms_per_min);
    for ((peer, share), (_, most)) in SHARES.into_iter().zip(MOST) {
        let Some(cost) = of(costs, peer) else {
            continue;
        };
        let (cpu, name) = (cost.cpu_ms_per_min, peer.name());
        lines.push((
            cpu <= most,
            format!("{name}: {cpu:.1} ms/min (at most {most})"),
        ));
        let ratio = cpu / exporter;
        lines.push((
            ratio <= share,
            format!("{name}: {ratio:.2} of node_exporter (at most {share})"),
        ));
    }
    if let Some(cost) = of(costs, Peer::Ours) {
        let mib = cost.resident_mib;
        let goal = format!("netmonitor-agent: {mib:.1} MiB resident (at most {MOST_MIB})");
        lines.push((mib <= MOST_MIB, goal));
    }
    let is_good = lines.iter().all(|(met, _)| *met);
    let text = lines.into_iter().map(|(met, line)| {
        let verdict = if met { "met" } else { "MISSED" };
        format!("{verdict}: {line}\n")
    });
    (text.collect(), is_good)
}
