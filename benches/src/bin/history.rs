//! The history beside other stores, in one run.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Parser, Subcommand, ValueEnum};
use netmonitor_benches::history::recording::Recording;
use netmonitor_benches::history::report::Report;
use netmonitor_benches::history::set::{Set, Shape};
use netmonitor_benches::history::size::Stores;
use netmonitor_benches::history::store::Store;
use netmonitor_benches::history::worker::Task;
use netmonitor_benches::history::{mqtt, queries, wear};
use netmonitor_benches::{command, program};
use netmonitor_protocol::payload::Metrics;

const DAY: Duration = Duration::from_hours(24);

/// Stores the same data in our history, Prometheus, `VictoriaMetrics` and plain SQLite tables, asks
/// all the same questions, and prints what it took and whether the goals are met. The exit code
/// is 2 if one is missed.
#[derive(Debug, Parser)]
#[command(name = "history", args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    action: Option<Action>,
    /// Days of each set of data
    #[arg(long, default_value_t = 30.0)]
    days: f64,
    /// Devices in each
    #[arg(long, default_value_t = 2)]
    devices: usize,
    /// Numbers in a sample
    #[arg(long, default_value_t = 20)]
    metrics: usize,
    /// Days of the one device with five metrics that the year is asked of
    #[arg(long, default_value_t = 365.0)]
    year: f64,
    /// Only these sets of data; may be repeated
    #[arg(long, value_name = "SET")]
    data: Vec<Set>,
    /// Only these stores; may be repeated
    #[arg(long, value_name = "STORE")]
    store: Vec<Store>,
    /// Only this; may be repeated
    #[arg(long, value_name = "PART")]
    only: Vec<Part>,
    /// Questions of each kind
    #[arg(long, default_value_t = 200)]
    questions: usize,
    /// The same seed makes the same data
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The program netmonitor; the one beside this program if it is not said
    #[arg(long, value_name = "FILE")]
    netmonitor: Option<PathBuf>,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Bytes on disk and CPU per sample
    Size,
    /// 24 hours of one metric
    Day,
    /// A year of one metric
    Year,
    /// Bytes written in a day, and syncs
    Wear,
    /// CPU from MQTT to disk
    Mqtt,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Makes a recording of samples on standard input, one in a line, as `mosquitto_sub` prints
    /// what a device publishes
    Record,
    /// Fills one embedded store: this program starts itself so
    #[command(hide = true)]
    Worker(Task),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // The report says which goal is missed.
    command::main("history", ExitCode::from(2), || match &cli.action {
        None => run(&cli),
        Some(Action::Record) => record(),
        Some(Action::Worker(task)) => {
            say(&serde_json::to_string(&task.execute()?)?)?;
            Ok(true)
        }
    })
}

fn run(cli: &Cli) -> anyhow::Result<bool> {
    let mut report = Report::default();
    let wants = |part| cli.only.is_empty() || cli.only.contains(&part);
    let sets = if cli.data.is_empty() {
        vec![Set::Jittered, Set::Aligned, Set::Recorded]
    } else {
        cli.data.clone()
    };
    if wants(Part::Size) || wants(Part::Day) {
        for set in sets {
            sized(cli, set, &mut report)?;
        }
    }
    if wants(Part::Year) {
        year(cli, &mut report)?;
    }
    if wants(Part::Wear) {
        let days = cli.days.min(3.0);
        wear::measure(wear::shape(days, cli.seed), &stores(cli), &mut report)?;
    }
    if wants(Part::Mqtt) {
        let size = if cli.days < 10.0 {
            mqtt::Size {
                messages: 2_000,
                paced: Duration::from_secs(30),
            }
        } else {
            mqtt::Size {
                messages: 10_000,
                paced: Duration::from_mins(3),
            }
        };
        let netmonitor = netmonitor(cli)?;
        let measured = mqtt::measure(&netmonitor, cli.metrics, size, &mut report);
        command::block_on(measured)?;
    }
    let text = if cli.json {
        serde_json::to_string_pretty(&report.json())?
    } else {
        report.table() + "\n" + report.verdicts().trim_end()
    };
    say(&text)?;
    Ok(report.is_good())
}

/// One set in all stores, and the questions for a day of it.
fn sized(cli: &Cli, set: Set, report: &mut Report) -> anyhow::Result<()> {
    let shape = Shape {
        set,
        days: cli.days,
        devices: cli.devices,
        metrics: cli.metrics,
        interval: Duration::from_secs(3),
        seed: cli.seed,
    };
    let filled = Stores::fill(shape, &stores(cli), report)?;
    let asks = cli.only.is_empty() || cli.only.contains(&Part::Day);
    if asks && cli.days > 1.0 {
        let what = format!("{}: 24 hours of one metric", set.name());
        let netmonitor = netmonitor(cli)?;
        queries::measure(&filled, &netmonitor, &what, DAY, cli.questions, report)?;
    }
    Ok(())
}

/// A year of one device with five metrics. Not in a row per sample: that is more than a
/// gigabyte, and its questions take minutes.
fn year(cli: &Cli, report: &mut Report) -> anyhow::Result<()> {
    let shape = Shape {
        set: Set::Jittered,
        days: cli.year,
        devices: 1,
        metrics: 5,
        interval: Duration::from_secs(3),
        seed: cli.seed,
    };
    let mut stores = stores(cli);
    stores.retain(|store| *store != Store::Rows);
    let filled = Stores::fill(shape, &stores, report)?;
    let length = DAY.mul_f64(cli.year * 0.99);
    let what = format!("{:.0} days of one metric", cli.year);
    let number = cli.questions.min(50);
    queries::measure(&filled, &netmonitor(cli)?, &what, length, number, report)
}

fn stores(cli: &Cli) -> Vec<Store> {
    if cli.store.is_empty() {
        Store::ALL.to_vec()
    } else {
        cli.store.clone()
    }
}

fn netmonitor(cli: &Cli) -> anyhow::Result<PathBuf> {
    program::netmonitor(cli.netmonitor.as_deref())
}

fn record() -> anyhow::Result<bool> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let samples: Vec<Metrics> = text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()
        .context("a line is no sample")?;
    let recording = Recording::of(&samples);
    tracing::info!(samples = recording.len(), of = samples.len(), "recorded");
    say(recording.text().trim_end())?;
    Ok(true)
}

fn say(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{text}").context("cannot write the report")
}
