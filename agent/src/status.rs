//! What is known about this machine's hub, and whether it can be reached.

use std::io::{self, Write};
use std::path::Path;

use anyhow::Context as _;
use netmonitor_service::mqtt::{ConnectionError, Dial, Options};
use netmonitor_service::random;

use crate::attempt::{self, AttemptError};
use crate::root::Root;
use crate::run::identity_or_hint;
use crate::spool::{Place, Waiting, look};

/// Writes what is known to `out` and tries each address until one works. Returns whether one
/// did.
pub(crate) async fn status(state_dir: &Path, out: &mut impl Write) -> anyhow::Result<bool> {
    let identity = identity_or_hint(state_dir)?;
    let written = "cannot write the answer";
    writeln!(out, "device   {}", identity.device).context(written)?;
    if let Some(name) = &identity.name {
        writeln!(out, "name     {name}").context(written)?;
    }
    if let Err(error) = identity.clone().check_machine(&Root::default(), state_dir) {
        writeln!(out, "machine  {error}").context(written)?;
    }
    writeln!(out, "hub      {}", identity.addresses.join(", ")).context(written)?;
    let waiting = look(&Place::seen(state_dir), &identity.owner());
    writeln!(out, "samples  {}", describe(&waiting)).context(written)?;
    let Dial::Fixed {
        endpoints,
        user,
        password,
    } = identity.dial()
    else {
        return Ok(false);
    };
    if endpoints.is_empty() {
        writeln!(
            out,
            "connect  no address can be used; join again with --force"
        )
        .context(written)?;
    }
    for endpoint in endpoints {
        let address = endpoint.to_string();
        let dial = Dial::Fixed {
            endpoints: vec![endpoint],
            user: user.clone(),
            password: password.clone(),
        };
        // A client id of its own: with the agent's it would throw the running agent out.
        let client_id = format!("status-{}-{:016x}", identity.device, random::bits64());
        let outcome = attempt::connect(Options::new(client_id, dial)).await;
        report(out, &address, outcome.as_ref().err()).context(written)?;
        if let Ok(attempt) = outcome {
            attempt.end().await;
            return Ok(true);
        }
    }
    Ok(false)
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
