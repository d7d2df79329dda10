//! How long it takes from a sample to the alert that it raises.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use netmonitor_benches::alerts::{Measured, Range, measure};
use netmonitor_benches::hub::Hub;
use netmonitor_benches::stats::{millis, percentile};
use netmonitor_benches::{command, fleet, program};

/// Half of all alerts must be seen within this, in milliseconds.
const MOST_MS: f64 = 50.0;

/// Sends samples that are beyond a limit, and measures when a subscriber has the retained alert. The
/// exit code is 2 if half of them take longer than 50 ms.
#[derive(Debug, Parser)]
#[command(name = "alerts")]
struct Cli {
    /// The program netmonitor; the one beside this program if it is not said
    #[arg(long, value_name = "FILE")]
    netmonitor: Option<PathBuf>,
    /// How many samples
    #[arg(long, default_value_t = 500)]
    times: usize,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    command::main("alerts", ExitCode::from(2), || run(&cli))
}

fn run(cli: &Cli) -> anyhow::Result<bool> {
    let netmonitor = program::netmonitor(cli.netmonitor.as_deref())?;
    let hub = Hub::start(&netmonitor, "")?;
    hub.change("/api/v1/rules", r#"{"rules":{"cpu":{"for_secs":0}}}"#)?;
    let code = hub.join_code(1)?;
    let watcher = hub.watcher(&code)?;
    let all = command::block_on(async {
        let identities = fleet::join(&code, 1).await?;
        let identity = identities.first().context("nobody has joined")?;
        let device = identity.device.clone();
        let mut range = Range::open(device, identity.dial(), watcher).await?;
        measure(&mut range, cli.times).await
    })?;
    let alert = times(&all, |it| it.alert);
    let sample = times(&all, |it| it.sample);
    let text = format!(
        "| seen by a subscriber, {} times | median ms | 95 of 100 ms |\n|---|---:|---:|\n{}{}",
        all.len(),
        row("the sample itself", &sample),
        row("the alert that it raises", &alert)
    );
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("cannot write the report")?;
    Ok(ms(&alert, 50) <= MOST_MS)
}

fn times(all: &[Measured], of: impl Fn(&Measured) -> Duration) -> Vec<Duration> {
    let mut times: Vec<Duration> = all.iter().map(of).collect();
    times.sort_unstable();
    times
}

fn ms(sorted: &[Duration], percent: usize) -> f64 {
    percentile(sorted, percent).map_or(f64::NAN, millis)
}

fn row(name: &str, sorted: &[Duration]) -> String {
    format!(
        "| {name} | {:.1} | {:.1} |\n",
        ms(sorted, 50),
        ms(sorted, 95)
    )
}
