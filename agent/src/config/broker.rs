//! Table `[broker]`: a broker that is not the hub's own.

use std::path::Path;

use anyhow::{Context as _, ensure};
use netmonitor_protocol::DeviceId;
use netmonitor_service::mqtt::{BrokerUrl, Endpoint};
use netmonitor_service::{Secret, tls};
use serde::Deserialize;

use crate::inventory::host_name;
use crate::root::Root;

/// An account at a broker.
#[derive(Debug, Clone)]
pub struct Account {
    /// Where.
    pub endpoint: Endpoint,
    /// Under which id this machine publishes.
    pub device: DeviceId,
    /// The name that people see, if it is not the host name.
    pub name: Option<String>,
    /// MQTT user name.
    pub user: String,
    /// MQTT password.
    pub password: Secret,
}

/// The table as it stands in the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Broker {
    /// `mqtt://`, `mqtts://`, `ws://` or `wss://`, a host, and a port unless it is the usual one.
    #[serde(deserialize_with = "url")]
    url: BrokerUrl,
    /// The id of this machine in topics, else made from its host name.
    #[serde(default)]
    device: Option<DeviceId>,
    /// The name that people see, else the host name.
    #[serde(default)]
    name: Option<String>,
    /// MQTT user name.
    #[serde(default)]
    user: String,
    /// A file with the MQTT password; a relative path counts from the state directory.
    #[serde(default)]
    password_file: Option<String>,
    /// A file with the authorities to trust, in PEM form; else those that the system trusts.
    #[serde(default)]
    ca_file: Option<String>,
}

fn url<'de, D: serde::Deserializer<'de>>(value: D) -> Result<BrokerUrl, D::Error> {
    let text = String::deserialize(value)?;
    text.parse().map_err(serde::de::Error::custom)
}

impl Broker {
    pub(super) fn account(&self, state_dir: &Path) -> anyhow::Result<Account> {
        let tls = match (&self.ca_file, self.url.is_encrypted()) {
            (Some(file), true) => Some(tls::trusting(&state_dir.join(file))?),
            (None, true) => Some(tls::trusting_system()),
            (_, false) => None,
        };
        let password = match &self.password_file {
            Some(file) => password(&state_dir.join(file))?,
            None => Secret::new(""),
        };
        let device = self.device.clone();
        Ok(Account {
            endpoint: self.url.endpoint(tls),
            device: device
                .unwrap_or_else(|| DeviceId::from_host_name(&host_name(&Root::default()))),
            name: self.name.clone(),
            user: self.user.clone(),
            password,
        })
    }
}

/// The first line of a file.
fn password(path: &Path) -> anyhow::Result<Secret> {
    let context = || format!("cannot read broker.password_file {}", path.display());
    let text = std::fs::read_to_string(path).with_context(context)?;
    let line = text.lines().next().unwrap_or_default();
    ensure!(
        !line.is_empty(),
        "there is no password in {}",
        path.display()
    );
    Ok(Secret::new(line))
}
