//! `install` and `uninstall`: the agent as a service of systemd, with the least rights that its
//! collectors need, and its voice on the desktops of this machine.
//!
//! Everything is done over D-Bus and by writing files, but for the user, who is made by
//! systemd-sysusers(8).

mod places;
mod service;

use std::io::Write;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::config::is_root;
use crate::{Config, joined};
use places::Places;
use service::Manager;

/// The unit.
const UNIT: &str = include_str!("install/netmonitor-agent.service");

/// What starts `netmonitor-agent notify` at each login (Desktop Application Autostart
/// Specification).
const AUTOSTART: &str = include_str!("install/netmonitor-agent-notify.desktop");

/// The user of the service (sysusers.d(5)).
const USER: &str = "u netmonitor-agent - \"NetMonitor agent\"\n";

/// The unit's name.
const UNIT_NAME: &str = "netmonitor-agent.service";

/// An error if this machine, or this user, cannot have the agent as a service.
pub(crate) async fn check() -> anyhow::Result<()> {
    ensure!(
        is_root(),
        "a service is for the whole machine: run this command as root, as with sudo"
    );
    Manager::connect().await.map(drop)
}

/// Puts program, unit and autostart in their places, and starts the service. The machine has
/// joined, or has a broker in its configuration.
pub(crate) async fn install(state_dir: &Path, out: &mut impl Write) -> anyhow::Result<()> {
    check().await?;
    let manager = Manager::connect().await?;
    let places = Places::default();
    ensure!(
        joined(state_dir)?.is_some() || Config::load(state_dir, None)?.broker.is_some(),
        "this machine is not joined to a hub yet: give a code, as in `netmonitor-agent install CODE`"
    );
    places.take_state(state_dir)?;
    let program = std::env::current_exe().context("cannot find this program itself")?;
    places.put(&program, UNIT, AUTOSTART, USER)?;
    make_user(&places.user)?;
    manager.reload().await?;
    manager.enable(UNIT_NAME).await?;
    manager.start_anew(UNIT_NAME).await?;
    writeln!(
        out,
        "the agent runs as {UNIT_NAME}, and is started with this machine"
    )
    .context("cannot write the answer")
}

/// Makes the user, unless there is one. A user whom systemd makes while the service runs
/// (`DynamicUser=`) would not do: the system bus may not know such a one, and nobody else could reach
/// the agent's socket.
fn make_user(file: &Path) -> anyhow::Result<()> {
    let made = Command::new("systemd-sysusers").arg(file).output();
    let error = match made {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => error.to_string(),
    };
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    ensure!(
        users
            .lines()
            .any(|line| line.starts_with("netmonitor-agent:")),
        "cannot make the user netmonitor-agent ({error}): make it with `useradd --system \
         netmonitor-agent`, then install again"
    );
    Ok(())
}

/// Takes all of it away again. What the agent knows stays, unless `purge`.
pub(crate) async fn uninstall(purge: bool, out: &mut impl Write) -> anyhow::Result<()> {
    check().await?;
    let manager = Manager::connect().await?;
    let places = Places::default();
    // What stopped half way, or left what it knew, is gone on with.
    ensure!(
        places.is_there() || (purge && places.state.exists()),
        "the agent is not installed as a service here"
    );
    manager.stop(UNIT_NAME).await?;
    if places.has_unit() {
        manager.disable(UNIT_NAME).await?;
    }
    places.remove()?;
    let told = if purge {
        places.purge()?;
        "the agent and what it knew are removed; the hub still knows this device".to_owned()
    } else {
        let state = places.state.display();
        format!("the agent is removed; what it knows stays in {state}")
    };
    manager.reload().await?;
    writeln!(out, "{told}").context("cannot write the answer")
}
