//! What is known about this machine's hub, and whether it can be reached.

use std::io::{self, Write};
use std::path::Path;

use anyhow::Context as _;
use netmonitor_service::mqtt::{ConnectionError, Dial, Options};
use netmonitor_service::random;

use crate::attempt::{self, AttemptError};
use crate::root::Root;
use crate::run::identity_or_hint;

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
