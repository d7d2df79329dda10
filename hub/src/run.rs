//! Everything together: broker, ingest, api and an agent for this machine.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use netmonitor_api::Api;
use netmonitor_broker::BrokerService;
use netmonitor_ingest::Ingest;
use netmonitor_protocol::{DeviceId, ServiceName};
use netmonitor_service::{DataDir, service_secrets};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::listening::{OF_API, OF_BROKER};
use crate::local_agent::LocalAgent;
use crate::supervise::supervise;
use crate::{listening, preflight, presence};

/// Each service may take so long to stop before it is left behind.
const GRACE: Duration = Duration::from_secs(5);

/// One service with the token that stops it.
struct Running {
    name: &'static str,
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

impl Running {
    fn start<L: Future<Output = ()> + Send + 'static>(
        name: &'static str,
        life: impl FnOnce(CancellationToken) -> L,
    ) -> Self {
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(life(stop.clone()));
        Self { name, tasks, stop }
    }

    async fn stop(mut self) {
        self.stop.cancel();
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, ended).await.is_err() {
            tracing::warn!(service = self.name, "did not stop in time");
        }
    }
}

/// Runs until `shutdown`. What can be known to be wrong is found before anything is changed.
pub(crate) async fn run(
    mut config: Config,
    data_dir: DataDir,
    with_agent: bool,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let external = config.mqtt.external()?;
    let ours = if external.is_none() {
        [&OF_API[..], &OF_BROKER].concat()
    } else {
        OF_API.to_vec()
    };
    preflight::listeners(&config, &ours)?;
    preflight::data_dir(&data_dir)?;
    preflight::databases(&config, &data_dir)?;
    let history = config.history.path(&data_dir)?;
    let api = Api::open(config.api.clone(), &data_dir, history.clone())?;
    let ingest = open_ingest(&config, &history)?;
    let broker = if external.is_none() {
        Some(BrokerService::open(config.broker.clone(), &data_dir).await?)
    } else {
        service_secrets::ensure(&data_dir).context("cannot keep the services' passwords")?;
        None
    };
    let mut listeners = api.addresses();
    listeners.extend(broker.iter().flat_map(BrokerService::addresses));
    listening::announce(&data_dir, &ours, &listeners)?;
    keep_addresses(&mut config, &listeners);
    if let Some(link) = api.setup_link()? {
        say(&format!("set up this hub at {link}"))?;
    }
    let agent = if with_agent && broker.is_some() {
        LocalAgent::prepare(&data_dir, &api, &listeners)?
    } else {
        None
    };

    let dial = |service| config.mqtt.dial(&data_dir, service);
    let seen = api.seen();
    let (running, is_running) = watch::channel(Vec::new());
    let (device, is_joined) = watch::channel(None);
    // In the order in which they stop: whoever uses another stops before it.
    let mut services = Vec::new();
    let expects_agent = agent.is_some();
    if let Some(agent) = agent {
        services.push(Running::start("agent", |stop| agent.run(device, stop)));
    }
    services.push({
        let dial = dial(ServiceName::Api)?;
        let (config, data_dir) = (config.api.clone(), data_dir.clone());
        let history = history.clone();
        Running::start("api", |stop| async move {
            let open = || {
                let opened = Api::open(config.clone(), &data_dir, history.clone());
                std::future::ready(opened)
            };
            let run = |api: Api, stop| api.run(dial.clone(), stop);
            supervise(ServiceName::Api, Some(api), open, run, stop).await;
        })
    });
    services.push({
        let dial = dial(ServiceName::Ingest)?;
        let config = config.ingest.clone();
        Running::start("ingest", |stop| async move {
            let open = || {
                let opened = Ingest::open(config.clone(), &history);
                std::future::ready(opened.map_err(anyhow::Error::from))
            };
            let run = |ingest: Ingest, stop| ingest.run(dial.clone(), stop);
            supervise(ServiceName::Ingest, ingest, open, run, stop).await;
        })
    });
    services.push({
        let dial = dial(ServiceName::Hub)?;
        let data_dir = data_dir.clone();
        Running::start("presence", |stop| {
            presence::run(data_dir, dial, running, stop)
        })
    });
    let has_broker = broker.is_some();
    if let Some(broker) = broker {
        let dial = dial(ServiceName::Broker)?;
        let (config, data_dir) = (config.broker.clone(), data_dir.clone());
        services.push(Running::start("broker", |stop| async move {
            let open = || {
                let (config, data_dir) = (config.clone(), data_dir.clone());
                async move { BrokerService::open(config, &data_dir).await }
            };
            let run = |broker: BrokerService, stop| broker.run(dial.clone(), stop);
            supervise(ServiceName::Broker, Some(broker), open, run, stop).await;
        }));
    }

    let ready = async {
        all_running(is_running, has_broker).await;
        if expects_agent {
            first_sample(is_joined, seen).await;
        }
        say("ready")?;
        shutdown.cancelled().await;
        anyhow::Ok(())
    };
    let outcome = shutdown.run_until_cancelled(ready).await.unwrap_or(Ok(()));
    for service in services {
        service.stop().await;
    }
    outcome
}

/// A service that is opened again listens where it did before, also on ports that the system
/// has chosen: they were announced.
fn keep_addresses(config: &mut Config, listeners: &[(&'static str, SocketAddr)]) {
    let bound = |name: &str| {
        let of_name = listeners.iter().filter(|(other, _)| *other == name);
        of_name.map(|(_, address)| address.to_string()).collect()
    };
    config.api.http = bound("http");
    config.api.https = bound("https");
    config.broker.mqtt = bound("mqtt");
    config.broker.mqtts = bound("mqtts");
    config.broker.mqtt_ws = bound("mqtt-ws");
}

/// A history that cannot be written now may be later; one that is not ours never is.
fn open_ingest(config: &Config, history: &Path) -> anyhow::Result<Option<Ingest>> {
    match Ingest::open(config.ingest.clone(), history) {
        Ok(ingest) => Ok(Some(ingest)),
        Err(error) if !error.may_pass() => Err(error.into()),
        Err(error) => {
            let error = format!("{:#}", anyhow::Error::new(error));
            tracing::error!(error, "the history cannot be written; trying again");
            Ok(None)
        }
    }
}

async fn all_running(mut running: watch::Receiver<Vec<ServiceName>>, has_broker: bool) {
    let needed = [ServiceName::Api, ServiceName::Ingest, ServiceName::Broker];
    let needed = &needed[..if has_broker { 3 } else { 2 }];
    // The sender lives as long as the hub does.
    let _gone = running
        .wait_for(|running| needed.iter().all(|name| running.contains(name)))
        .await;
}

async fn first_sample(
    mut joined: watch::Receiver<Option<DeviceId>>,
    mut seen: watch::Receiver<std::collections::BTreeSet<DeviceId>>,
) {
    let device = match joined.wait_for(Option::is_some).await {
        Ok(device) => device.clone(),
        Err(_) => return,
    };
    if let Some(device) = device {
        // An api that is started again has a channel of its own; then this one just ends.
        let _gone = seen.wait_for(|seen| seen.contains(&device)).await;
    }
}

fn say(line: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .context("cannot write to standard output")
}
