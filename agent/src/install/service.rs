//! systemd, as far as it takes to install a service (org.freedesktop.systemd1(5)).

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::Serialize;
use tokio::time::{Instant, sleep};
use zbus::{Connection, DynamicType, OwnedObjectPath, Variant};

use crate::system_bus_linux as system_bus;

/// systemd's name on the bus.
const SYSTEMD: &str = "org.freedesktop.systemd1";

/// Its manager object.
const OBJECT: &str = "/org/freedesktop/systemd1";

/// The interface of that object.
const MANAGER: &str = "org.freedesktop.systemd1.Manager";

/// The first version that makes directories for the state of a service (2017).
const OLDEST: u32 = 235;

/// How long systemd may take for what it is told: it answers `Reload` when every unit of the machine
/// is read anew, which takes seconds on a small one that is busy. What it grants itself.
const ANSWER_WITHIN: Duration = Duration::from_secs(90);

/// How long a service may take to stop.
const STOP_WITHIN: Duration = Duration::from_secs(15);

/// How long a service must run to count as started.
const RUNS_FOR: Duration = Duration::from_secs(2);

/// A connection with systemd.
pub(super) struct Manager(Connection);

impl Manager {
    /// An error where there is none, or one that is too old.
    pub(super) async fn connect() -> anyhow::Result<Self> {
        let connection = system_bus::connect_patiently(ANSWER_WITHIN).await;
        let is_there = match &connection {
            Ok(connection) => system_bus::has(connection, SYSTEMD).await.unwrap_or(false),
            Err(_) => false,
        };
        let (Ok(connection), true) = (connection, is_there) else {
            // sd_booted(3)
            if Path::new("/run/systemd/system").exists() {
                bail!(
                    "systemd cannot be reached over the system bus: install D-Bus (the package \
                     dbus), start it, and try again"
                );
            }
            bail!(
                "there is no systemd on this machine: start `netmonitor-agent run` with it in the \
                 way of its own service manager"
            );
        };
        let manager = Self(connection);
        let version = manager.property(OBJECT, MANAGER, "Version").await?;
        let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
        if digits.parse().is_ok_and(|version: u32| version < OLDEST) {
            bail!("systemd {version} is too old: the service needs {OLDEST} or newer");
        }
        Ok(manager)
    }

    /// Lets it read units anew.
    pub(super) async fn reload(&self) -> anyhow::Result<()> {
        self.call("Reload", &()).await.map(drop)
    }

    /// From now on the service is started with the machine.
    pub(super) async fn enable(&self, unit: &str) -> anyhow::Result<()> {
        let (for_this_boot_only, replace) = (false, true);
        let arguments = (&[unit][..], for_this_boot_only, replace);
        self.call("EnableUnitFiles", &arguments).await.map(drop)
    }

    /// It is not any more.
    pub(super) async fn disable(&self, unit: &str) -> anyhow::Result<()> {
        let for_this_boot_only = false;
        let arguments = (&[unit][..], for_this_boot_only);
        self.call("DisableUnitFiles", &arguments).await.map(drop)
    }

    /// Starts the service, or starts it anew, and waits until it runs.
    pub(super) async fn start_anew(&self, unit: &str) -> anyhow::Result<()> {
        // The job is only queued when systemd answers: the old one would still count as running.
        self.stop(unit).await?;
        self.call("StartUnit", &(unit, "replace")).await?;
        let until = Instant::now() + RUNS_FOR;
        let mut since = None;
        while Instant::now() < until || since.is_none() {
            match self.state(unit).await?.as_str() {
                "active" => since = Some(()),
                "failed" => bail!("the service has failed: see `journalctl -u {unit}`"),
                // It was active, and is being started again by itself.
                _ if since.is_some() => {
                    bail!("the service does not stay up: see `journalctl -u {unit}`")
                }
                _ if Instant::now() > until + STOP_WITHIN => {
                    bail!("the service does not start: see `journalctl -u {unit}`")
                }
                _ => {}
            }
            sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    /// Stops the service, and waits until it has ended.
    pub(super) async fn stop(&self, unit: &str) -> anyhow::Result<()> {
        // One that is not there cannot be told to stop.
        if self.has_ended(unit).await? {
            return Ok(());
        }
        self.call("StopUnit", &(unit, "replace")).await?;
        let until = Instant::now() + STOP_WITHIN;
        while !self.has_ended(unit).await? {
            if Instant::now() > until {
                bail!("the service does not stop");
            }
            sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    async fn has_ended(&self, unit: &str) -> anyhow::Result<bool> {
        let state = self.state(unit).await?;
        Ok(matches!(state.as_str(), "inactive" | "failed"))
    }

    async fn state(&self, unit: &str) -> anyhow::Result<String> {
        let reply = self.call("LoadUnit", &unit).await?;
        let path: OwnedObjectPath = reply.body().deserialize()?;
        self.property(
            path.as_str(),
            "org.freedesktop.systemd1.Unit",
            "ActiveState",
        )
        .await
    }

    /// The text of a property.
    async fn property(&self, path: &str, interface: &str, name: &str) -> anyhow::Result<String> {
        let reply = self
            .0
            .call_method(
                Some(SYSTEMD),
                path,
                Some("org.freedesktop.DBus.Properties"),
                "Get",
                &(interface, name),
            )
            .await
            .with_context(|| format!("systemd does not tell its {name}"))?;
        let body = reply.body();
        match body.deserialize::<Variant<'_>>()? {
            Variant::Str(text) => Ok(text.to_string()),
            _ => bail!("the {name} of systemd is no text"),
        }
    }

    async fn call<B>(&self, method: &'static str, body: &B) -> anyhow::Result<zbus::Message>
    where
        B: Serialize + DynamicType + Sync,
    {
        self.0
            .call_method(Some(SYSTEMD), OBJECT, Some(MANAGER), method, body)
            .await
            .with_context(|| format!("systemd refuses {method}"))
    }
}
