//! The command line of `netmonitor`.
//!
//! - `arguments`: what is more than a word

mod arguments;

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use jiff::SignedDuration;
use netmonitor_api::admin::Command as AdminCommand;
use netmonitor_protocol::ServiceName;
use netmonitor_service::{
    DataDir, clock, huge_pages, logging, open_files, private_file, shutdown, tls,
};
use tokio_util::sync::CancellationToken;

use arguments::{expiry_secs, long_expiry, read_password, uses};

use crate::config::{self, Config, Flags};
use crate::{alone, backup, console, export_mosquitto, restore, run, verify};

/// Tells how every machine of a network is doing, and says so when one is not.
#[derive(Debug, Parser)]
#[command(name = "netmonitor", version)]
struct Cli {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Where the hub keeps everything.
#[derive(Debug, Args)]
struct Place {
    /// Where the hub keeps its data
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The configuration file, instead of netmonitor.toml in the data directory
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run every service and an agent for this machine (the default)
    Run,
    /// Run the broker alone
    Broker,
    /// Run the service alone that writes the history
    Ingest,
    /// Run the service alone that concludes who is there
    Alerting,
    /// Run REST API and dashboard alone
    Api,
    /// Manage the accounts of people
    #[command(subcommand)]
    User(UserCommand),
    /// Manage the tokens of programs that use the REST API
    #[command(subcommand)]
    Token(TokenCommand),
    /// Manage MQTT users, such as Home Assistant
    #[command(subcommand)]
    MqttUser(MqttUserCommand),
    /// See and remove the machines that have joined
    #[command(subcommand)]
    Device(DeviceCommand),
    /// Print a code with which a machine joins this hub
    JoinCode {
        /// How many machines may use it
        #[arg(long, default_value_t = 1, allow_negative_numbers = true, value_parser = uses)]
        uses: u32,
        /// For how long it is good, up to a week
        #[arg(long, default_value = "15m", value_parser = expiry_secs)]
        expires: u32,
    },
    /// Write what a mosquitto needs to take the place of the embedded broker
    ///
    /// passwd and acl for mosquitto.conf, with all devices, MQTT users and services of this hub, and
    /// its certificate. Write them again, and have mosquitto reload, whenever a device or user was
    /// added or removed. mosquitto.conf.example says how they are used.
    ExportMosquitto {
        /// Where to; made if need be
        dir: PathBuf,
        /// Print a code with which machines join over that mosquitto, until the next export
        #[arg(long)]
        join_code: bool,
        /// How many machines may use the code
        #[arg(long, default_value_t = 1, requires = "join_code", allow_negative_numbers = true, value_parser = uses)]
        uses: u32,
        /// For how long the code is good, up to a week
        #[arg(long, default_value = "15m", requires = "join_code", value_parser = expiry_secs)]
        expires: u32,
    },
    /// Print the link with which the first admin is made
    SetupLink,
    /// Look whether the databases are sound, while the hub runs or not
    ///
    /// A line for each fault says what is damaged and what to do; then the exit code is 1.
    Verify,
    /// Write everything that makes this hub what it is to one file, while it runs or not
    ///
    /// Accounts, devices, history, configuration, certificates with their keys, passwords of the
    /// services. The file is a secret.
    Backup {
        /// The file; `-` for standard output
        file: PathBuf,
    },
    /// Make the hub anew from a backup, while no hub runs in the data directory
    ///
    /// The backup is checked before anything is changed. Agents find the hub again: it has its
    /// certificates, and knows their passwords.
    Restore {
        /// The backup; `-` for standard input
        file: PathBuf,
        /// Set aside the hub that is in the data directory; nothing of it is deleted
        #[arg(long)]
        force: bool,
    },
    /// Print the configuration as it is in force
    Config,
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Make an account
    Add {
        /// Its name
        name: String,
        /// admin, operator or viewer
        #[arg(long)]
        role: String,
        /// Read the password from standard input instead of asking for it
        #[arg(long)]
        password_stdin: bool,
    },
    /// List all accounts
    List,
    /// Remove an account, and log it out everywhere
    Remove {
        /// The account
        name: String,
    },
    /// Change a password, and log the account out everywhere
    Passwd {
        /// The account
        name: String,
        /// Read the password from standard input instead of asking for it
        #[arg(long)]
        password_stdin: bool,
    },
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Make a token and print it
    Add {
        /// What it is for
        name: String,
        /// admin, operator or viewer
        #[arg(long)]
        role: String,
        /// For how long it is good, e.g. 90d; for ever without
        #[arg(long, value_parser = long_expiry)]
        expires: Option<SignedDuration>,
    },
    /// List all tokens, but not what they are
    List,
    /// Remove a token: it is worth nothing any more
    Remove {
        /// Its name
        name: String,
    },
}

#[derive(Debug, Subcommand)]
enum DeviceCommand {
    /// List all machines that have joined
    List,
    /// Remove a machine: its connection ends at once, and it does not come back by itself
    ///
    /// Its password is worth nothing from then on, and its retained topics are cleared. What was
    /// stored of it stays in the history. To have it back, join it anew with a new code.
    Remove {
        /// Its id, as `device list` and the address of its page show it
        id: String,
    },
}

#[derive(Debug, Subcommand)]
enum MqttUserCommand {
    /// Make an MQTT user and print its password
    Add {
        /// MQTT user name
        name: String,
        /// reader or operator
        #[arg(long)]
        role: Option<String>,
        /// A filter outside of the hub's own topics that it may publish; may be repeated
        #[arg(long, value_name = "FILTER")]
        publish: Vec<String>,
        /// A filter outside of the hub's own topics that it may read; may be repeated
        #[arg(long, value_name = "FILTER")]
        subscribe: Vec<String>,
    },
    /// List all MQTT users, with what they may do
    List,
    /// Remove an MQTT user, and end its connections
    Remove {
        /// MQTT user name
        name: String,
    },
}

/// Runs the command that the command line names.
pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    private_file::keep_private();
    huge_pages::do_without();
    logging::init();
    tls::install_provider();
    match execute(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nowhere is left to report to if standard error is closed.
            let _closed = writeln!(io::stderr(), "netmonitor: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn execute(cli: Cli) -> anyhow::Result<()> {
    let data_dir = DataDir::choose(cli.place.data_dir)
        .context("there is no home directory: say with --data-dir where to keep the data")?;
    let load = || config::load(cli.place.config.as_deref(), &data_dir, &cli.flags);
    match cli.command.unwrap_or(Command::Run) {
        Command::Run => {
            let config = load()?;
            let with_agent = !cli.flags.no_agent;
            serve(async |stop| run::run(config, data_dir.clone(), with_agent, stop).await)
        }
        Command::Broker => serve_alone(&data_dir, load()?, ServiceName::Broker),
        Command::Ingest => serve_alone(&data_dir, load()?, ServiceName::Ingest),
        Command::Alerting => serve_alone(&data_dir, load()?, ServiceName::Alerting),
        Command::Api => serve_alone(&data_dir, load()?, ServiceName::Api),
        Command::Config => {
            let text = toml::to_string(&load()?).context("cannot write the configuration")?;
            print(text.trim_end())
        }
        Command::Verify => verify::verify(&load()?, &data_dir, &mut io::stdout().lock()),
        Command::Backup { file } => {
            let config_file = config::file(cli.place.config.as_deref(), &data_dir);
            let config = config::load_from(config_file.clone(), &cli.flags)?;
            stoppable(move |stop| {
                let source = backup::Source {
                    data_dir: &data_dir,
                    config: &config,
                    config_file: config_file.as_deref(),
                };
                backup::write(&source, &file, clock::now(), &stop)
            })
        }
        Command::Restore { file, force } => stoppable(move |stop| {
            let wanted = restore::Wanted {
                file: &file,
                data_dir: &data_dir,
                config: cli.place.config.as_deref(),
                flags: &cli.flags,
                force,
            };
            restore::restore(&wanted, clock::now(), &stop)
        }),
        Command::ExportMosquitto {
            dir,
            join_code,
            uses,
            expires,
        } => {
            let code = join_code.then_some(AdminCommand::JoinCodeAdd {
                uses,
                expires_secs: expires,
            });
            export(&data_dir, &dir, code)
        }
        command => administer(command, &data_dir),
    }
}

fn administer(command: Command, data_dir: &DataDir) -> anyhow::Result<()> {
    let command = match command {
        Command::User(command) => command.into_admin()?,
        Command::Token(command) => command.into(),
        Command::MqttUser(command) => command.into(),
        Command::Device(DeviceCommand::List) => AdminCommand::DeviceList,
        Command::Device(DeviceCommand::Remove { id }) => AdminCommand::DeviceRemove { id },
        Command::JoinCode { uses, expires } => AdminCommand::JoinCodeAdd {
            uses,
            expires_secs: expires,
        },
        Command::SetupLink => AdminCommand::SetupLink,
        Command::Run
        | Command::Broker
        | Command::Ingest
        | Command::Alerting
        | Command::Api
        | Command::Config
        | Command::Verify
        | Command::Backup { .. }
        | Command::Restore { .. }
        | Command::ExportMosquitto { .. } => anyhow::bail!("not an administrative command"),
    };
    let is_join_code = matches!(command, AdminCommand::JoinCodeAdd { .. });
    let output = console::execute(command, data_dir)?;
    if output.is_empty() {
        return Ok(());
    }
    print(&output)?;
    if is_join_code && io::stderr().is_terminal() {
        hint_at_install(output, data_dir);
    }
    Ok(())
}

/// Says to people what they can do with a code. Whoever cannot be told has the code all the same.
fn hint_at_install(code: String, data_dir: &DataDir) {
    let line = console::execute(AdminCommand::InstallLine { code }, data_dir);
    if let Ok(line) = line
        && !line.is_empty()
    {
        let _closed = writeln!(
            io::stderr(),
            "\nTo install the agent with it, paste this on a Linux machine with systemd:\n\n{line}"
        );
    }
}

fn export(data_dir: &DataDir, dir: &Path, code: Option<AdminCommand>) -> anyhow::Result<()> {
    let Some(command) = code else {
        return export_mosquitto::export(data_dir, dir, None);
    };
    // Looked at first: a code that cannot be used is not made.
    export_mosquitto::export(data_dir, dir, None)?;
    let told = console::execute(command, data_dir)?;
    let code = told.parse()?;
    export_mosquitto::export(data_dir, dir, Some(&code))?;
    print(&told)
}

impl UserCommand {
    /// Asks for the password, if one is needed.
    fn into_admin(self) -> anyhow::Result<AdminCommand> {
        Ok(match self {
            Self::Add {
                name,
                role,
                password_stdin,
            } => AdminCommand::UserAdd {
                name,
                role,
                password: read_password(password_stdin)?,
            },
            Self::List => AdminCommand::UserList,
            Self::Remove { name } => AdminCommand::UserRemove { name },
            Self::Passwd {
                name,
                password_stdin,
            } => AdminCommand::UserPasswd {
                name,
                password: read_password(password_stdin)?,
                keep_session: None,
            },
        })
    }
}

impl From<TokenCommand> for AdminCommand {
    fn from(command: TokenCommand) -> Self {
        match command {
            TokenCommand::Add {
                name,
                role,
                expires,
            } => Self::TokenAdd {
                name,
                role,
                expires: expires.and_then(|time| clock::now().saturating_add(time).ok()),
            },
            TokenCommand::List => Self::TokenList,
            TokenCommand::Remove { name } => Self::TokenRemove { name },
        }
    }
}

impl From<MqttUserCommand> for AdminCommand {
    fn from(command: MqttUserCommand) -> Self {
        match command {
            MqttUserCommand::Add {
                name,
                role,
                publish,
                subscribe,
            } => Self::MqttUserAdd {
                name,
                role,
                publish,
                subscribe,
            },
            MqttUserCommand::List => Self::MqttUserList,
            MqttUserCommand::Remove { name } => Self::MqttUserRemove { name },
        }
    }
}

/// How long a thread for work that blocks waits for more of it.
const IDLE_THREAD: Duration = Duration::from_secs(1);

/// So long is waited at the end for work that nobody waits for any more, on a disk that hangs.
const LEFT_BEHIND: Duration = Duration::from_secs(5);

fn serve_alone(data_dir: &DataDir, config: Config, service: ServiceName) -> anyhow::Result<()> {
    serve(async |stop| alone::run(service, config, data_dir.clone(), stop).await)
}

/// Runs services until a signal comes.
fn serve(run: impl AsyncFnOnce(CancellationToken) -> anyhow::Result<()>) -> anyhow::Result<()> {
    // A hub that may not have more works, for fewer devices.
    if let Err(error) = open_files::allow_many() {
        tracing::warn!(%error, "the limit of open files cannot be raised");
    }
    // Two threads: the router has its own, and so has each database. Those that a burst of work
    // that blocks has added end soon: work goes to the one that has waited longest, so that with
    // more patience a little of it keeps all of them, with the memory that each has for itself.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_keep_alive(IDLE_THREAD)
        .enable_all()
        .build()
        .context("cannot start the asynchronous runtime")?;
    let done = runtime.block_on(async {
        let shutdown = shutdown::on_signals().context("cannot listen for signals")?;
        run(shutdown).await
    });
    runtime.shutdown_timeout(LEFT_BEHIND);
    done
}

/// Does work that a signal may end: it cleans up then.
fn stoppable(
    work: impl FnOnce(CancellationToken) -> anyhow::Result<()> + Send + 'static,
) -> anyhow::Result<()> {
    serve(async |stop| tokio::task::spawn_blocking(move || work(stop)).await?)
}

fn print(text: &str) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{text}").context("cannot write the answer")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
