//! Many simulated agents on one hub.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Parser;
use netmonitor_agent::interval;
use netmonitor_benches::dashboard::{Api, Dashboard};
use netmonitor_benches::faults::{Faults, Rate};
use netmonitor_benches::fleet::{self, Config, Fleet, Machine};
use netmonitor_benches::hub::{self, Hub};
use netmonitor_benches::load_report::{Limits, LoadReport, Memory};
use netmonitor_benches::plan::Plan;
use netmonitor_benches::stats::millis;
use netmonitor_benches::stored::Stored;
use netmonitor_benches::{command, program};
use netmonitor_protocol::join_code::JoinCode;
use netmonitor_service::{DataDir, Secret, clock};
use tokio::time::{MissedTickBehavior, sleep};

/// Between two looks at what may fail.
const STEP: Duration = Duration::from_millis(100);

/// Between two looks at the hub's memory.
const MEMORY: Duration = Duration::from_secs(10);

/// What is not on disk after so long is lost: ingest commits at least once a minute, an agent
/// sends again after two, and once more.
const STORED_WITHIN: Duration = Duration::from_mins(6);

/// Simulates agents, each joined for real, and reports what was measured, sent, seen and stored.
///
/// Without --code it starts a hub of its own in a temporary directory, and reads its history in
/// the end: every sample must be there once.
#[derive(Debug, Parser)]
#[command(name = "load")]
struct Cli {
    /// How many agents
    #[arg(long, default_value_t = 100)]
    agents: usize,
    /// How long, as 30s or 5m, once all are connected
    #[arg(long, default_value = "30s", value_parser = duration)]
    duration: Duration,
    /// Time between two samples of an agent
    #[arg(long, default_value = "3s", value_parser = duration)]
    interval: Duration,
    /// Numbers in a sample that the history keeps
    #[arg(long, default_value_t = Machine::METRICS_USUAL, value_parser = metrics)]
    metrics: usize,
    /// MQTT keepalive of the agents
    #[arg(long, default_value = "6s", value_parser = duration)]
    keepalive: Duration,
    /// Time from the start of the first agent to that of the last
    #[arg(long, default_value = "5s", value_parser = duration)]
    ramp_up: Duration,
    /// The same seed makes the same values and the same faults
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// KIND=RATE: for each agent, so often in a minute; kill, stop, restart, freeze, cut,
    /// takeover or slow; may be repeated
    #[arg(long, value_name = "KIND=RATE")]
    fault: Vec<Rate>,
    /// How long a fault lasts, in the mean
    #[arg(long, default_value = "10s", value_parser = duration)]
    fault_lasts: Duration,
    /// In the middle of the duration the hub is killed and started again after so long: everybody
    /// comes back at once, with all that was measured meanwhile
    #[arg(long, value_name = "TIME", value_parser = duration, conflicts_with_all = ["code", "queries"])]
    hub_away: Option<Duration>,
    /// The join code of a hub that runs, good for as many machines
    #[arg(long, requires = "watcher")]
    code: Option<JoinCode>,
    /// An MQTT user of that hub with the role reader
    #[arg(long, value_name = "USER", requires = "watcher_password_file")]
    watcher: Option<String>,
    /// The file with its password
    #[arg(long, value_name = "FILE")]
    watcher_password_file: Option<PathBuf>,
    /// The program netmonitor for a hub of its own; the one beside this program if not said
    #[arg(long, value_name = "FILE")]
    netmonitor: Option<PathBuf>,
    /// Questions that a dashboard asks meanwhile
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    queries: usize,
    /// Where that hub's API is, as <http://192.0.2.1:8080>
    #[arg(long, value_name = "URL", requires = "api_token_file")]
    api: Option<String>,
    /// The file with a token for it
    #[arg(long, value_name = "FILE")]
    api_token_file: Option<PathBuf>,
    /// Say as well what such a hub costs: processor, memory, writes in a day, disk in a year
    #[arg(long, conflicts_with = "code")]
    plan: bool,
    /// The hub's memory must stay below this
    #[arg(long, value_name = "MB")]
    max_memory_mb: Option<f64>,
    /// 95 of 100 questions must be answered within this
    #[arg(long, value_name = "MS")]
    max_query_ms: Option<f64>,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    if matches!(text, "0" | "0s") {
        return Ok(Duration::ZERO);
    }
    interval::parse(text).map_err(|error| error.to_string())
}

fn metrics(text: &str) -> Result<usize, String> {
    let number: usize = text.parse().map_err(|_| "it is not a number")?;
    if number < Machine::METRICS_MIN {
        return Err(format!("a sample has at least {}", Machine::METRICS_MIN));
    }
    Ok(number)
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // 2: something was lost, or the last word about some agent is wrong. The report says what.
    command::main("load", ExitCode::from(2), || execute(&cli))
}

fn execute(cli: &Cli) -> anyhow::Result<bool> {
    let report = command::block_on(run(cli))?;
    let text = if cli.json {
        serde_json::to_string_pretty(&report)? + "\n"
    } else {
        report.to_string()
    };
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("cannot write the report")?;
    Ok(report.is_good())
}

async fn run(cli: &Cli) -> anyhow::Result<LoadReport> {
    let mut own_hub = match cli.code {
        Some(_) => None,
        None => Some(start_hub(cli)?),
    };
    let (code, watch) = match (&cli.code, &own_hub) {
        (Some(code), _) => (code.clone(), stranger(cli, code)?),
        (None, Some(hub)) => {
            let code = hub.join_code(cli.agents)?;
            let watch = hub.watcher(&code)?;
            (code, watch)
        }
        (None, None) => bail!("there is no hub"),
    };
    let identities = fleet::join(&code, cli.agents).await?;
    tracing::info!(agents = identities.len(), "joined");
    let config = Config {
        seed: cli.seed,
        metrics: cli.metrics,
        interval: cli.interval,
        keep_alive: cli.keepalive,
        ramp_up: cli.ramp_up,
        relays: !cli.fault.is_empty(),
    };
    let mut fleet = Fleet::start(identities, watch, config).await?;
    fleet.settled(hub::PATIENCE).await?;
    tracing::info!("connected");
    fleet.ledger().time_from_now();
    let began = clock::now();
    let dashboard = dashboard(cli, own_hub.as_ref(), &fleet)?;
    let mut faults = Faults::new(cli.fault.clone(), cli.seed, cli.fault_lasts, cli.agents);
    let mut meanwhile = Meanwhile::default();
    match (cli.hub_away, &mut own_hub) {
        (Some(away), Some(hub)) => {
            let half = cli.duration / 2;
            meanwhile
                .pass(half, &mut fleet, &mut faults, Some(hub))
                .await?;
            hub.program.kill()?;
            tracing::info!("the hub is away");
            meanwhile.pass(away, &mut fleet, &mut faults, None).await?;
            hub.start_again()?;
            tracing::info!("the hub is back");
            meanwhile
                .pass(half, &mut fleet, &mut faults, Some(hub))
                .await?;
        }
        (_, hub) => {
            meanwhile
                .pass(cli.duration, &mut fleet, &mut faults, hub.as_ref())
                .await?;
        }
    }
    let questions = dashboard.map(Dashboard::finish).transpose()?;
    let hub_memory = Memory::of(&meanwhile.memory, meanwhile.memory_peak);
    faults.end(&mut fleet, 3);
    // Whatever has to be noticed is noticed within this, and what is under way arrives.
    let settle = cli.keepalive * 3 / 2 + Duration::from_secs(12);
    let settled = fleet.settled(settle).await;
    // A hub that concludes nothing has nothing to wait for.
    let concluded = if fleet.agents.iter().any(|it| it.presence().is_some()) {
        fleet.concluded(settle).await
    } else {
        Ok(())
    };
    for error in [settled, concluded].into_iter().filter_map(Result::err) {
        tracing::warn!(%error, "the fleet has not settled");
    }
    let mut report = LoadReport::new(&fleet, cli.seed, cli.duration, faults.made());
    report.began = began;
    report.stalled_ms = millis(meanwhile.stalled);
    report.hub_away_secs = cli.hub_away.map(|away| away.as_secs());
    report.hub_cpu_secs = meanwhile.hub_cpu.map(|cpu| cpu.as_secs_f64());
    report.hub_memory = hub_memory;
    report.questions = questions;
    report.limits = Limits {
        memory_mb: cli.max_memory_mb,
        question_ms: cli.max_query_ms,
    };
    // The last word is known; now everybody comes back once more, to say what is left.
    if !fleet.delivered(STORED_WITHIN).await {
        tracing::warn!("not every sample was acknowledged by ingest");
    }
    report.stored = match &own_hub {
        Some(hub) => {
            let data = DataDir::from(hub.data_dir().to_owned());
            Some(Stored::read(&data.history_db(), &fleet, began)?)
        }
        None => None,
    };
    if let (true, Some(cpu), Some(memory)) = (cli.plan, report.hub_cpu_secs, hub_memory) {
        let share = cpu / cli.duration.as_secs_f64().max(1.0);
        let peak = memory.peak;
        let plan = Plan::new(cli.agents, cli.metrics, cli.interval, share, peak)?;
        report.plan = Some(plan);
    }
    Ok(report)
}

fn dashboard(cli: &Cli, own: Option<&Hub>, fleet: &Fleet) -> anyhow::Result<Option<Dashboard>> {
    if cli.queries == 0 {
        return Ok(None);
    }
    let api = match (own, &cli.api, &cli.api_token_file) {
        (Some(hub), _, _) => hub.api("dashboard")?,
        (None, Some(url), Some(file)) => Api::new(url, password(file)?),
        _ => bail!("--queries needs --api and --api-token-file, to ask a hub that runs"),
    };
    let devices = fleet.agents.iter().map(|it| it.device().clone()).collect();
    let dashboard = Dashboard::start(api, devices, cli.queries, cli.duration, cli.seed);
    Ok(Some(dashboard))
}

/// What is seen while faults are made.
#[derive(Default)]
struct Meanwhile {
    /// For how long this program itself did nothing, at most.
    stalled: Duration,
    /// Of our own hub.
    hub_cpu: Option<Duration>,
    /// Its memory, in bytes.
    memory: Vec<u64>,
    memory_peak: u64,
}

impl Meanwhile {
    /// Lets this time pass.
    async fn pass(
        &mut self,
        time: Duration,
        fleet: &mut Fleet,
        faults: &mut Faults,
        hub: Option<&Hub>,
    ) -> anyhow::Result<()> {
        let before = hub.map(|hub| hub.program.cpu()).transpose()?;
        let stalled = tokio::select! {
            stalled = make_faults(fleet, faults, time) => stalled,
            never = watch_memory(hub, &mut self.memory) => never,
        };
        self.stalled = self.stalled.max(stalled);
        if let (Some(hub), Some(before)) = (hub, before) {
            let cpu = hub.program.cpu()?.saturating_sub(before);
            *self.hub_cpu.get_or_insert_default() += cpu;
            self.memory_peak = self.memory_peak.max(hub.program.resident_peak_bytes()?);
        }
        Ok(())
    }
}

/// Until dropped.
async fn watch_memory(hub: Option<&Hub>, seen: &mut Vec<u64>) -> Duration {
    let mut looks = tokio::time::interval(MEMORY);
    loop {
        looks.tick().await;
        match hub.map(|hub| hub.program.resident_bytes()) {
            Some(Ok(bytes)) => seen.push(bytes),
            Some(Err(error)) => tracing::warn!(%error, "the hub's memory cannot be seen"),
            None => std::future::pending().await,
        }
    }
}

/// Returns for how long this program itself did nothing, at most.
async fn make_faults(fleet: &mut Fleet, faults: &mut Faults, duration: Duration) -> Duration {
    let end = sleep(duration);
    tokio::pin!(end);
    let mut steps = tokio::time::interval(STEP);
    steps.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut stalled = Duration::ZERO;
    loop {
        tokio::select! {
            () = &mut end => return stalled,
            due = steps.tick() => {
                stalled = stalled.max(due.elapsed());
                faults.step(fleet, STEP).await;
            }
        }
    }
}

fn start_hub(cli: &Cli) -> anyhow::Result<Hub> {
    let netmonitor = program::netmonitor(cli.netmonitor.as_deref())?;
    // Each agent may leave half-open connections behind.
    let connections = 1_000 + 4 * cli.agents;
    let config = format!("[broker]\nconnections_max = {connections}\n");
    Hub::start(&netmonitor, &config)
}

fn stranger(cli: &Cli, code: &JoinCode) -> anyhow::Result<netmonitor_service::mqtt::Dial> {
    let user = cli.watcher.clone().context("--watcher is missing")?;
    let path = cli.watcher_password_file.as_ref();
    let path = path.context("--watcher-password-file is missing")?;
    hub::watcher(code, user, password(path)?)
}

fn password(path: &Path) -> anyhow::Result<Secret> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Secret::new(text.trim()))
}
