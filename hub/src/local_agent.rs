//! This machine watches itself: an ordinary agent in the process of the hub, joined for real.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use netmonitor_agent::root::Root;
use netmonitor_agent::{Config, Identity};
use netmonitor_api::Api;
use netmonitor_api::admin::{Admin, CONSOLE, Command};
use netmonitor_protocol::DeviceId;
use netmonitor_protocol::join_code::JoinCode;
use netmonitor_service::{DataDir, clock};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The wait before the next attempt to join or to run.
const AGAIN: Duration = Duration::from_secs(5);

/// The local agent, before it runs.
pub(crate) struct LocalAgent {
    data_dir: DataDir,
    /// Where the broker is, as seen from this machine.
    address: String,
    /// Makes a join code if this machine has not joined yet.
    admin: Option<Arc<Admin>>,
}

impl LocalAgent {
    /// Prepares the agent: a machine that this hub does not know gets a join code. None if the
    /// broker has no TLS listener, since agents speak nothing else.
    pub(crate) fn prepare(
        data_dir: &DataDir,
        api: &Api,
        listeners: &[(&'static str, SocketAddr)],
    ) -> anyhow::Result<Option<Self>> {
        let Some((_, mqtts)) = listeners.iter().find(|(name, _)| *name == "mqtts") else {
            tracing::warn!("this machine is not watched: there is no MQTT listener with TLS");
            return Ok(None);
        };
        let host = if mqtts.ip().is_unspecified() {
            "127.0.0.1".to_owned()
        } else {
            netmonitor_api::addresses::in_url(mqtts.ip())
        };
        let address = format!("{host}:{}", mqtts.port());
        // A damaged identity is replaced like a missing one.
        let identity = netmonitor_agent::joined(&data_dir.agent()).unwrap_or_default();
        let is_ours = |identity: &Identity| -> anyhow::Result<bool> {
            let same_ca = identity.ca_fingerprint == api.ca_fingerprint();
            Ok(same_ca && api.knows(&identity.device)?)
        };
        let admin = match identity {
            Some(mut identity) if is_ours(&identity)? => {
                identity.addresses = vec![address.clone()];
                // The hub's data may have moved to another machine: the agent goes with it.
                identity.keep_here(&Root::default());
                identity.store(&data_dir.agent())?;
                None
            }
            _ => Some(api.admin()),
        };
        Ok(Some(Self {
            data_dir: data_dir.clone(),
            address,
            admin,
        }))
    }

    /// Joins if need be, tells the device's id, and runs until `stop`.
    pub(crate) async fn run(
        self,
        device: watch::Sender<Option<DeviceId>>,
        stop: CancellationToken,
    ) {
        let state_dir = self.data_dir.agent();
        while !stop.is_cancelled() {
            match self.attempt(&device, &stop).await {
                Ok(()) => return,
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::error!(
                        error,
                        address = self.address,
                        "the local agent does not run; trying again"
                    );
                }
            }
            stop.run_until_cancelled(tokio::time::sleep(AGAIN)).await;
        }
        tracing::debug!(state_dir = %state_dir.display(), "the local agent has stopped");
    }

    async fn attempt(
        &self,
        device: &watch::Sender<Option<DeviceId>>,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        let state_dir = self.data_dir.agent();
        let joined = device.borrow().is_some();
        if !joined {
            let id = match &self.admin {
                Some(admin) => {
                    let code = self.join_code(admin)?;
                    let join = netmonitor_agent::join(&code, None, &state_dir);
                    match stop.run_until_cancelled(join).await {
                        Some(id) => id?,
                        None => return Ok(()),
                    }
                }
                None => {
                    netmonitor_agent::joined(&state_dir)?
                        .context("the identity of the local agent is gone")?
                        .device
                }
            };
            device.send_replace(Some(id));
        }
        let config = Config::load(&state_dir, None)?;
        netmonitor_agent::run(config, stop.clone()).await
    }

    /// A new one for each attempt: a code that was lost on the way is used up.
    fn join_code(&self, admin: &Admin) -> anyhow::Result<JoinCode> {
        let command = Command::JoinCodeAdd {
            uses: 1,
            expires_secs: 300,
        };
        let outcome = admin.execute(command, CONSOLE, clock::now())?;
        let mut code: JoinCode = outcome.output.parse()?;
        code.addresses = vec![self.address.clone()];
        Ok(code)
    }
}
