//! Everything together: broker, ingest, alerting, api and an agent for this machine.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use netmonitor_api::Api;
use netmonitor_broker::{BrokerService, RouterLost};
use netmonitor_ingest::Ingest;
use netmonitor_protocol::{DeviceId, ServiceName};
use netmonitor_service::mqtt::Dial;
use netmonitor_service::{DataDir, service_secrets};
use netmonitor_store::StoreError;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::listening::{OF_API, OF_BROKER};
use crate::local_agent::LocalAgent;
use crate::running::Running;
use crate::supervise::supervise;
use crate::{listening, preflight, presence};

/// Everything as it was opened at start, and what is needed to open it again.
struct Opened {
    config: Config,
    data_dir: DataDir,
    history: PathBuf,
    api: Api,
    ingest: Option<Ingest>,
    /// None: an external broker takes its place.
    broker: Option<BrokerService>,
    listeners: Vec<(&'static str, SocketAddr)>,
}

/// Runs until `shutdown`. What can be known to be wrong is found before anything is changed.
pub(crate) async fn run(
    config: Config,
    data_dir: DataDir,
    with_agent: bool,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let opened = open(config, data_dir).await?;
    run_opened(opened, with_agent, shutdown).await
}

async fn run_opened(
    opened: Opened,
    with_agent: bool,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    if let Some(link) = opened.api.setup_link()? {
        say(&format!("set up this hub at {link}"))?;
    }
    let agent = if with_agent && opened.broker.is_some() {
        LocalAgent::prepare(&opened.data_dir, &opened.api, &opened.listeners)?
    } else {
        None
    };
    let has_broker = opened.broker.is_some();
    let seen = opened.api.seen();
    let (running, is_running) = watch::channel(Vec::new());
    let (device, is_joined) = watch::channel(None);
    let expects_agent = agent.is_some();
    let agent = agent.map(|agent| Running::start("agent", |stop| agent.run(device, stop)));
    let (lost, mut router_lost) = mpsc::channel(1);
    // In the order in which they stop: whoever uses another stops before it.
    let services = agent.into_iter().chain(start(opened, running, lost)?);
    let services: Vec<Running> = services.collect();

    let ready = async {
        all_running(is_running, has_broker).await;
        if expects_agent {
            first_sample(is_joined, seen).await;
        }
        say("ready")?;
        shutdown.cancelled().await;
        anyhow::Ok(())
    };
    let outcome = tokio::select! {
        outcome = shutdown.run_until_cancelled(ready) => outcome.unwrap_or(Ok(())),
        // Others may help here: whoever started the process, and sees it end.
        Some(lost) = router_lost.recv() => Err(lost.into()),
    };
    for service in services {
        service.stop().await;
    }
    outcome
}

/// Opens every database and every listener, and announces the addresses.
async fn open(mut config: Config, data_dir: DataDir) -> anyhow::Result<Opened> {
    let is_embedded = config.mqtt.external(&data_dir)?.is_none();
    let ours = if is_embedded {
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
    let broker = if is_embedded {
        Some(BrokerService::open(config.broker.clone(), &data_dir).await?)
    } else {
        service_secrets::ensure(&data_dir).context("cannot keep the services' passwords")?;
        None
    };
    let mut listeners = api.addresses();
    listeners.extend(broker.iter().flat_map(BrokerService::addresses));
    // Where the embedded broker listened before, it does not while an external one is used.
    let all = [&OF_API[..], &OF_BROKER].concat();
    listening::announce(&data_dir, &all, &listeners, &config.hub.public_addresses)?;
    keep_addresses(&mut config, &listeners);
    Ok(Opened {
        config,
        data_dir,
        history,
        api,
        ingest,
        broker,
        listeners,
    })
}

/// Starts every service, each supervised, in the order in which they stop.
fn start(
    opened: Opened,
    running: presence::Running,
    lost: mpsc::Sender<RouterLost>,
) -> anyhow::Result<Vec<Running>> {
    let Opened {
        config,
        data_dir,
        history,
        api,
        ingest,
        broker,
        listeners: _,
    } = opened;
    let dial = |service| config.mqtt.dial(&data_dir, service);
    let mut services = vec![
        start_api(
            api,
            config.api.clone(),
            data_dir.clone(),
            history.clone(),
            dial(ServiceName::Api)?,
        ),
        start_ingest(
            ingest,
            config.ingest.clone(),
            history.clone(),
            dial(ServiceName::Ingest)?,
        ),
        start_alerting(
            config.alerting.clone(),
            data_dir.clone(),
            history.clone(),
            dial(ServiceName::Alerting)?,
        ),
        {
            let (data_dir, dial) = (data_dir.clone(), dial(ServiceName::Hub)?);
            Running::start("presence", |stop| {
                presence::run(data_dir, dial, running, stop)
            })
        },
    ];
    if let Some(broker) = broker {
        let dial = dial(ServiceName::Broker)?;
        let config = config.broker.clone();
        services.push(start_broker(broker, config, data_dir, dial, lost));
    }
    Ok(services)
}

fn start_api(
    api: Api,
    config: netmonitor_api::Config,
    data_dir: DataDir,
    history: PathBuf,
    dial: Dial,
) -> Running {
    Running::start("api", |stop| async move {
        let open = || std::future::ready(Api::open(config.clone(), &data_dir, history.clone()));
        let run = |api: Api, stop| api.run(dial.clone(), stop);
        supervise(ServiceName::Api, Some(api), open, run, stop).await;
    })
}

fn start_ingest(
    ingest: Option<Ingest>,
    config: netmonitor_ingest::Config,
    history: PathBuf,
    dial: Dial,
) -> Running {
    Running::start("ingest", |stop| async move {
        let open = || {
            let opened = Ingest::open(config.clone(), &history);
            std::future::ready(opened.map_err(anyhow::Error::from))
        };
        let run = |ingest: Ingest, stop| ingest.run(dial.clone(), stop);
        supervise(ServiceName::Ingest, ingest, open, run, stop).await;
    })
}

fn start_alerting(
    config: netmonitor_alerting::Config,
    data_dir: DataDir,
    history: PathBuf,
    dial: Dial,
) -> Running {
    Running::start("alerting", |stop| async move {
        let open = || std::future::ready(Ok(config.clone()));
        let run = |config, stop| {
            let (data_dir, history) = (data_dir.clone(), history.clone());
            netmonitor_alerting::run(config, data_dir, history, dial.clone(), stop)
        };
        supervise(ServiceName::Alerting, None, open, run, stop).await;
    })
}

fn start_broker(
    broker: BrokerService,
    config: netmonitor_broker::Config,
    data_dir: DataDir,
    dial: Dial,
    lost: mpsc::Sender<RouterLost>,
) -> Running {
    Running::start("broker", |stop| async move {
        let open = || {
            let (config, data_dir) = (config.clone(), data_dir.clone());
            async move { BrokerService::open(config, &data_dir).await }
        };
        let run = |broker: BrokerService, stop| {
            let (running, lost) = (broker.run(dial.clone(), stop), lost.clone());
            async move {
                let ended = running.await;
                if let Err(error) = &ended
                    && let Some(router) = error.downcast_ref::<RouterLost>()
                {
                    // Once is enough.
                    drop(lost.try_send(router.clone()));
                }
                ended
            }
        };
        supervise(ServiceName::Broker, Some(broker), open, run, stop).await;
    })
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

/// A history that cannot be written now may be later; one that is not ours never is. The rest goes
/// on beside one that is ours and damaged.
fn open_ingest(config: &Config, history: &Path) -> anyhow::Result<Option<Ingest>> {
    match Ingest::open(config.ingest.clone(), history) {
        Ok(ingest) => Ok(Some(ingest)),
        Err(error) if !error.may_pass() && !matches!(error, StoreError::Sql(_)) => {
            Err(error.into())
        }
        Err(error) => {
            let error = format!("{:#}", anyhow::Error::new(error));
            tracing::error!(error, "the history cannot be written; trying again");
            Ok(None)
        }
    }
}

async fn all_running(mut running: watch::Receiver<Vec<ServiceName>>, has_broker: bool) {
    let needed = [
        ServiceName::Api,
        ServiceName::Ingest,
        ServiceName::Alerting,
        ServiceName::Broker,
    ];
    let needed = &needed[..if has_broker { 4 } else { 3 }];
    // The sender lives as long as the hub does.
    let _gone = running
        .wait_for(|running| needed.iter().all(|name| running.contains(name)))
        .await;
}

async fn first_sample(
    mut joined: watch::Receiver<Option<DeviceId>>,
    mut seen: watch::Receiver<BTreeSet<DeviceId>>,
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use netmonitor_broker::Break;
    use netmonitor_service::tls;
    use tokio::task::JoinSet;
    use tokio::time::{sleep, timeout};

    use super::*;

    /// Far more than it takes.
    const DEADLINE: Duration = Duration::from_mins(1);

    /// `main` makes of the error what it makes of any: a line on standard error, and failure.
    #[tokio::test(flavor = "multi_thread")]
    async fn the_third_loss_of_the_router_in_a_minute_ends_the_hub_with_an_error() {
        tls::install_provider();
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        for listeners in [
            &mut config.api.http,
            &mut config.api.https,
            &mut config.broker.mqtt,
            &mut config.broker.mqtts,
        ] {
            *listeners = vec!["127.0.0.1:0".to_owned()];
        }
        let opened = open(config, folder.path().to_owned().into()).await.unwrap();
        let broker = opened.broker.as_ref().unwrap().handle();
        let mut hub = JoinSet::new();
        hub.spawn(run_opened(opened, false, CancellationToken::new()));
        // A router that has nothing to match does not die of what breaks it.
        let subscribed = async {
            while broker.counters()["router_filters"] == 0 {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(DEADLINE, subscribed).await.unwrap();
        let mut ended = None;
        for _ in 0..3 {
            let replacements = || broker.counters()["router_replacements"];
            let before = replacements();
            broker.break_router(Break::Panic);
            let replaced = async {
                while replacements() == before {
                    sleep(Duration::from_millis(10)).await;
                }
            };
            ended = tokio::select! {
                ended = hub.join_next() => ended,
                replaced = timeout(DEADLINE, replaced) => {
                    replaced.unwrap();
                    None
                }
            };
        }
        let error = ended.expect("the hub goes on").unwrap().unwrap_err();
        let said = format!("{error:#}");
        assert!(said.contains("died three times within a minute"), "{said}");
    }
}
