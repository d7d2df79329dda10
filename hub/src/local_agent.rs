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

/// How often to look whether this machine is still a device of the hub.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// The local agent, before it runs.
pub(crate) struct LocalAgent {
    data_dir: DataDir,
    /// Where the broker is, as seen from this machine.
    address: String,
    /// Makes a join code, and knows which machines are devices.
    admin: Arc<Admin>,
    /// Whether this machine has an identity already.
    is_joined: bool,
}

impl LocalAgent {
    /// Prepares the agent: a machine that has never joined this hub gets a join code. None if the
    /// broker has no TLS listener, since agents speak nothing else, or if somebody has removed
    /// this machine: it does not come back by itself.
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
        let is_ours = |identity: &Identity| identity.ca_fingerprint == api.ca_fingerprint();
        let is_joined = match identity {
            Some(mut identity) if is_ours(&identity) => {
                if !api.knows(&identity.device)? {
                    say_removed(data_dir, &identity.device);
                    return Ok(None);
                }
                identity.addresses = vec![address.clone()];
                // The hub's data may have moved to another machine: the agent goes with it.
                identity.keep_here(&Root::default());
                identity.store(&data_dir.agent())?;
                true
            }
            _ => false,
        };
        Ok(Some(Self {
            data_dir: data_dir.clone(),
            address,
            admin: api.admin(),
            is_joined,
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
            let id = if self.is_joined {
                netmonitor_agent::joined(&state_dir)?
                    .context("the identity of the local agent is gone")?
                    .device
            } else {
                let code = self.join_code()?;
                let join = netmonitor_agent::join(&code, None, &state_dir);
                match stop.run_until_cancelled(join).await {
                    Some(id) => id?,
                    None => return Ok(()),
                }
            };
            device.send_replace(Some(id));
        }
        let Some(id) = device.borrow().clone() else {
            return Ok(());
        };
        let config = Config::load(&state_dir, None)?;
        tokio::select! {
            ended = netmonitor_agent::run(config, stop.clone()) => ended,
            () = self.removed(&id) => Ok(()),
        }
    }

    /// Waits until somebody has removed this machine from the hub.
    async fn removed(&self, id: &DeviceId) {
        loop {
            tokio::time::sleep(LOOK_AGAIN).await;
            let (admin, device) = (self.admin.clone(), id.clone());
            let known = tokio::task::spawn_blocking(move || admin.knows(&device)).await;
            // A database that cannot be read says nothing.
            if let Ok(Ok(false)) = known {
                say_removed(&self.data_dir, id);
                return;
            }
        }
    }

    /// A new one for each attempt: a code that was lost on the way is used up.
    fn join_code(&self) -> anyhow::Result<JoinCode> {
        let command = Command::JoinCodeAdd {
            uses: 1,
            expires_secs: 300,
        };
        let outcome = self.admin.execute(command, CONSOLE, clock::now())?;
        let mut code: JoinCode = outcome.output.parse()?;
        code.addresses = vec![self.address.clone()];
        Ok(code)
    }
}

fn say_removed(data_dir: &DataDir, device: &DeviceId) {
    let identity = data_dir.agent().join("identity.json");
    tracing::warn!(
        %device,
        "this machine was removed from the hub and is not watched any more; to watch it again, \
         delete {} and start the hub anew",
        identity.display()
    );
}
