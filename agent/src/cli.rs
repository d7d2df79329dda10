//! The command line of `netmonitor-agent`.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::{Parser, Subcommand};
use netmonitor_protocol::SessionId;
use netmonitor_protocol::join_code::JoinCode;
use netmonitor_service::{clock, logging, random, shutdown};
use tokio::runtime::{self, Runtime};

use crate::collect::{FIRST_READING, Sampler};
#[cfg(target_os = "linux")]
use crate::home::Home;
#[cfg(target_os = "linux")]
use crate::install;
use crate::root::Root;
use crate::{Config, config, interval, join, joined, run, status};
#[cfg(unix)]
use crate::{local, notify, setup};

/// How long the program waits at its end for disk accesses that nobody waits for any more.
const LEFT_BEHIND: Duration = Duration::from_secs(1);

/// Watches this machine for a `NetMonitor` hub.
#[derive(Debug, Parser)]
#[command(name = "netmonitor-agent", version, arg_required_else_help = true)]
struct Cli {
    /// Where the identity and agent.toml are kept
    #[arg(long, global = true, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Join a hub, with a code from its dashboard or from `netmonitor join-code`
    Join {
        /// The code, as one line
        #[arg(required_unless_present = "keep_identity")]
        code: Option<String>,
        /// The name that people see, instead of the host name
        #[arg(long)]
        name: Option<String>,
        /// Join although this machine belongs to a hub already
        #[arg(long)]
        force: bool,
        /// No code: keep the identity that came here with the disk, or out of a backup, of a
        /// machine that is gone
        #[arg(long, conflicts_with_all = ["code", "name", "force"])]
        keep_identity: bool,
    },
    /// Publish samples until told to stop
    Run {
        /// Time between two samples, from 1s to 1h, instead of the one in agent.toml or 3s
        #[arg(long, value_parser = interval::parse)]
        interval: Option<Duration>,
    },
    /// Print one sample as JSON
    Sample,
    /// Print how the agent is doing, which hub this machine belongs to, and whether it is reached
    Status,
    /// Ask for everything that the agent needs to know, on this terminal
    #[cfg(unix)]
    Setup,
    /// Run the agent as a service of this machine, from now on and after each start
    #[cfg(target_os = "linux")]
    Install {
        /// Join a hub first, with a code from its dashboard or from `netmonitor join-code`
        code: Option<String>,
        /// The name that people see, instead of the host name
        #[arg(long, requires = "code")]
        name: Option<String>,
        /// Join although this machine belongs to a hub already
        #[arg(long, requires = "code")]
        force: bool,
    },
    /// Remove the service
    #[cfg(target_os = "linux")]
    Uninstall {
        /// Remove its identity, its configuration and what waits as well
        #[arg(long)]
        purge: bool,
    },
    /// Show on this desktop what the agent, which runs as a service, tells whoever is logged in
    #[cfg(unix)]
    Notify,
}

/// Runs the command that the command line names.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    logging::init();
    match execute(cli) {
        Ok(code) => code,
        Err(error) => {
            // Nowhere is left to report to if standard error is closed.
            let _closed = writeln!(io::stderr(), "netmonitor-agent: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn execute(cli: Cli) -> anyhow::Result<ExitCode> {
    let state_dir = config::state_dir(cli.state_dir)?;
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the asynchronous runtime")?;
    complete(runtime, async {
        let path = &state_dir.path;
        match cli.command {
            Command::Join {
                code: Some(code),
                name,
                force,
                ..
            } => enrol(&code, name, force, path).await?,
            Command::Join { code: None, .. } => keep(path)?,
            Command::Run { interval } => {
                let config = Config::load(path, interval)?;
                let stop = shutdown::on_signals().context("cannot listen for signals")?;
                run(config, stop).await?;
            }
            Command::Status => {
                if !status::status(&state_dir, &mut io::stdout()).await? {
                    return Ok(ExitCode::FAILURE);
                }
            }
            Command::Sample => print_sample(path).await?,
            #[cfg(unix)]
            Command::Setup => {
                let next = setup::setup(path).await?;
                #[cfg(target_os = "linux")]
                if next == setup::Next::Install {
                    install::install(path, &mut io::stdout()).await?;
                }
            }
            #[cfg(target_os = "linux")]
            Command::Install { code, name, force } => {
                install::check().await?;
                let service = state_dir.for_service();
                if let Some(code) = code {
                    enrol_once(&code, name, force, &service).await?;
                }
                install::install(&service, &mut io::stdout()).await?;
            }
            #[cfg(target_os = "linux")]
            Command::Uninstall { purge } => {
                install::uninstall(purge, &mut io::stdout()).await?;
            }
            #[cfg(unix)]
            Command::Notify => {
                let stop = shutdown::on_signals().context("cannot listen for signals")?;
                notify::notify(&local::sockets(&state_dir), stop).await;
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Does the work, and does not wait for a disk that hangs when it is done.
fn complete<T>(runtime: Runtime, work: impl Future<Output = T>) -> T {
    let done = runtime.block_on(work);
    runtime.shutdown_timeout(LEFT_BEHIND);
    done
}

async fn enrol(
    code: &str,
    name: Option<String>,
    force: bool,
    state_dir: &Path,
) -> anyhow::Result<()> {
    let code: JoinCode = code.parse()?;
    if !force && let Some(identity) = joined(state_dir)? {
        bail!(
            "this machine belongs to the hub at {} already, as {}: use --force to join anew",
            identity.addresses.join(", "),
            identity.device
        );
    }
    let device = join(&code, name, state_dir).await?;
    writeln!(io::stdout(), "joined as {device}").context("cannot write the answer")
}

/// The same, but a machine that belongs to the hub of the code stays what it is there: the line of
/// the dashboard, pasted again, brings a newer program. If the hub has forgotten it, or this is a
/// copy of its disk, it joins anew.
#[cfg(target_os = "linux")]
async fn enrol_once(
    code: &str,
    name: Option<String>,
    force: bool,
    state_dir: &Path,
) -> anyhow::Result<()> {
    if force {
        return enrol(code, name, force, state_dir).await;
    }
    let hub = code.parse::<JoinCode>()?.ca_fingerprint;
    let known = joined(state_dir)?.filter(|it| it.ca_fingerprint == hub);
    let Some(mut identity) = known else {
        return enrol(code, name, force, state_dir).await;
    };
    let device = identity.device.clone();
    let is_copy = identity.check_machine(&Root::default(), state_dir).is_err();
    if is_copy || status::is_forgotten(&Home::Hub(identity)).await {
        return enrol(code, name, true, state_dir).await;
    }
    writeln!(
        io::stdout(),
        "this machine is {device} on that hub already, and stays so"
    )
    .context("cannot write the answer")
}

fn keep(state_dir: &Path) -> anyhow::Result<()> {
    let mut identity = run::identity_or_hint(state_dir)?;
    identity.keep_here(&Root::default());
    identity.store(state_dir)?;
    writeln!(
        io::stdout(),
        "this machine is {} from now on",
        identity.device
    )
    .context("cannot write the answer")
}

/// How long the slowest collector may take before it is left out.
const COLLECT_WITHIN: Duration = Duration::from_secs(3);

async fn print_sample(state_dir: &Path) -> anyhow::Result<()> {
    let config = Config::load(state_dir, None)?;
    let session = SessionId(random::bits64());
    let begun = Instant::now();
    let mut sampler = Sampler::new(&config.root, &config.collectors, session, begun);
    tokio::time::sleep(FIRST_READING).await;
    loop {
        if let Some(apart) = sampler.begin(Instant::now()) {
            apart.await;
        }
        if sampler.is_complete() || begun.elapsed() >= COLLECT_WITHIN {
            break;
        }
        // What is read with each sample is read again, and too soon it would be noise.
        tokio::time::sleep(FIRST_READING).await;
    }
    let sample = sampler
        .take(clock::now(), clock::since_boot())
        .context("this machine cannot be read: see the lines above")?;
    let json = serde_json::to_string_pretty(&sample).context("cannot write the sample")?;
    writeln!(io::stdout(), "{json}").context("cannot write the sample")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;
    use std::sync::mpsc;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_disk_that_hangs_does_not_hold_up_the_end() {
        let (hangs_until, hanging) = mpsc::channel::<()>();
        let (done, is_done) = mpsc::channel();
        std::thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().build().unwrap();
            let code = complete(runtime, async {
                drop(tokio::task::spawn_blocking(move || hanging.recv()));
                7
            });
            done.send(code).unwrap();
        });
        assert_eq!(is_done.recv_timeout(Duration::from_mins(1)), Ok(7));
        drop(hangs_until);
    }

    #[test]
    fn the_state_directory_may_stand_before_or_after_the_command() {
        for line in [
            ["netmonitor-agent", "--state-dir", "d", "sample"],
            ["netmonitor-agent", "sample", "--state-dir", "d"],
        ] {
            let cli = Cli::try_parse_from(line).unwrap();
            assert_eq!(cli.state_dir, Some(PathBuf::from("d")));
        }
    }

    #[test]
    fn an_interval_outside_the_limits_is_refused_with_the_limits() {
        let line = ["netmonitor-agent", "run", "--interval", "100ms"];
        let error = Cli::try_parse_from(line).unwrap_err().to_string();
        assert!(error.contains("from 1s to 1h"), "{error}");
    }
}
