//! What is known about this machine's hub, and whether it can be reached.

use std::io::{self, Write};

use anyhow::Context as _;
use netmonitor_service::mqtt::{ConnectionError, Dial, Endpoint, Options};
use netmonitor_service::random;

use crate::Config;
use crate::attempt::{self, AttemptError};
use crate::config::StateDir;
use crate::home::Home;
#[cfg(unix)]
use crate::local::{self, Report};
use crate::spool::{Place, Waiting, look};

/// Writes what is known to `out`. Asks the agent that runs; if none does, tries each address until
/// one works. Returns whether the hub is reached.
pub(crate) async fn status(state_dir: &StateDir, out: &mut impl Write) -> anyhow::Result<bool> {
    #[cfg(unix)]
    if let Some(report) = local::ask_status(&local::sockets(state_dir)).await {
        return running(&report, out).context("cannot write the answer");
    }
    let config = Config::load(&state_dir.path, None)?;
    let mut home = Home::known(&config)?;
    let written = "cannot write the answer";
    writeln!(out, "device   {}", home.device()).context(written)?;
    if let Some(name) = home.name() {
        writeln!(out, "name     {name}").context(written)?;
    }
    if let Err(error) = home.check_machine(&config) {
        writeln!(out, "machine  {error}").context(written)?;
    }
    writeln!(out, "agent    does not run, or is another user's").context(written)?;
    let waiting = look(&Place::seen(&state_dir.path), &home.owner());
    writeln!(out, "samples  {}", describe(&waiting)).context(written)?;
    let endpoints = home.endpoints();
    let addresses: Vec<String> = endpoints.iter().map(ToString::to_string).collect();
    writeln!(out, "hub      {}", addresses.join(", ")).context(written)?;
    if endpoints.is_empty() {
        writeln!(
            out,
            "connect  no address can be used; join again with --force"
        )
        .context(written)?;
    }
    for endpoint in endpoints {
        let address = endpoint.to_string();
        let outcome = try_once(&home, endpoint).await;
        report(out, &address, outcome.as_ref().err()).context(written)?;
        if outcome.is_ok() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Connects with what the device is known by, and says goodbye.
async fn try_once(home: &Home, endpoint: Endpoint) -> Result<(), AttemptError> {
    let (user, password) = home.credentials();
    let dial = Dial::Fixed {
        endpoints: vec![endpoint],
        user,
        password,
    };
    // A client id of its own: with the agent's it would throw the running agent out.
    let client_id = format!("status-{}-{:016x}", home.device(), random::bits64());
    let attempt = attempt::connect(Options::new(client_id, dial)).await?;
    attempt.end().await;
    Ok(())
}

/// Whether the hub answers, and does not know the device any more.
#[cfg(target_os = "linux")]
pub(crate) async fn is_forgotten(home: &Home) -> bool {
    for endpoint in home.endpoints() {
        match try_once(home, endpoint).await {
            Ok(()) => return false,
            Err(AttemptError::Connection(ConnectionError::Credential { .. })) => return true,
            Err(_) => {}
        }
    }
    false
}

/// What a running agent tells of itself.
#[cfg(unix)]
fn running(report: &Report, out: &mut impl Write) -> io::Result<bool> {
    writeln!(out, "device   {}", report.device)?;
    writeln!(out, "agent    runs, version {}", report.version)?;
    match &report.connected {
        Some(address) => writeln!(
            out,
            "hub      connected to {address} since {}",
            report.since
        )?,
        None => writeln!(out, "hub      not connected since {}", report.since)?,
    }
    if let Some(error) = &report.error {
        writeln!(out, "         {error}")?;
    }
    writeln!(
        out,
        "samples  {}",
        match report.waiting {
            0 => "none waits to be stored".to_owned(),
            1 => "1 waits to be stored".to_owned(),
            samples => format!("{samples} wait to be stored"),
        }
    )?;
    for it in &report.failing {
        let (name, failures) = (&it.name, it.failures);
        match &it.error {
            Some(error) => writeln!(out, "failing  {name}: {error} (failed {failures} times)")?,
            None => writeln!(out, "failed   {name}: {failures} times, and works again")?,
        }
    }
    Ok(report.connected.is_some())
}

/// What waits for the hub, and what was given up.
fn describe(waiting: &Waiting) -> String {
    let waits = match (waiting.samples, waiting.since) {
        (0, _) => "none waits to be stored".to_owned(),
        (1, Some(since)) => format!("1 waits to be stored, since {since}"),
        (samples, Some(since)) => format!("{samples} wait to be stored, the oldest since {since}"),
        (samples, None) => format!("{samples} wait to be stored"),
    };
    let lost = match waiting.lost.total() {
        0 => String::new(),
        lost => {
            format!(
                "; {lost} were given up: there was no room for them, or a file was damaged or gone"
            )
        }
    };
    let blocks = match waiting.lost.blocks() {
        0 => String::new(),
        blocks => format!("; of {blocks} damaged files nothing could be read"),
    };
    waits + &lost + &blocks
}

fn report(out: &mut impl Write, address: &str, error: Option<&AttemptError>) -> io::Result<()> {
    match error {
        None => writeln!(out, "connect  {address}: works"),
        Some(AttemptError::Connection(ConnectionError::Credential { .. })) => writeln!(
            out,
            "connect  {address}: the hub does not know this device any more; join again"
        ),
        Some(AttemptError::Connection(ConnectionError::Certificate { .. })) => writeln!(
            out,
            "connect  {address}: answers, but it is not the hub that this machine joined"
        ),
        Some(error) => writeln!(out, "connect  {address}: {}", error.cause()),
    }
}
