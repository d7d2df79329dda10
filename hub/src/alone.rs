//! One service in this process; the others are processes of their own.

use std::io::{self, Write as _};

use anyhow::Context as _;
use netmonitor_api::Api;
use netmonitor_broker::BrokerService;
use netmonitor_ingest::Ingest;
use netmonitor_protocol::ServiceName;
use netmonitor_service::DataDir;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::listening::{OF_API, OF_BROKER};
use crate::{listening, preflight, presence};

/// Runs the service until `shutdown`. Its faults end the process: whoever started it (systemd)
/// starts it again.
pub(crate) async fn run(
    service: ServiceName,
    config: Config,
    data_dir: DataDir,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let dial = config.mqtt.dial(&data_dir, service)?;
    preflight::listeners(&config, listening::of(service))?;
    preflight::data_dir(&data_dir)?;
    match service {
        ServiceName::Broker => {
            let broker = BrokerService::open(config.broker.clone(), &data_dir).await?;
            let public = &config.hub.public_addresses;
            listening::announce(&data_dir, &OF_BROKER, &broker.addresses(), public)?;
            // Where the broker is, the hub is.
            let hub = config.mqtt.dial(&data_dir, ServiceName::Hub)?;
            let mut tasks = JoinSet::new();
            let stop = CancellationToken::new();
            tasks.spawn(broker.run(dial, stop.clone()));
            let (running, _nobody_asks) = watch::channel(Vec::new());
            let presence = presence::run(data_dir, hub, running, shutdown.clone());
            tokio::select! {
                () = presence => {}
                Some(ended) = tasks.join_next() => return ended?,
            }
            stop.cancel();
            while let Some(ended) = tasks.join_next().await {
                ended??;
            }
            Ok(())
        }
        ServiceName::Ingest => {
            let ingest = Ingest::open(config.ingest, &config.history.path(&data_dir)?)?;
            ingest.run(dial, shutdown).await
        }
        ServiceName::Api => {
            let api = Api::open(config.api, &data_dir, config.history.path(&data_dir)?)?;
            let public = &config.hub.public_addresses;
            listening::announce(&data_dir, &OF_API, &api.addresses(), public)?;
            if let Some(link) = api.setup_link()? {
                let mut out = io::stdout().lock();
                writeln!(out, "set up this hub at {link}")
                    .and_then(|()| out.flush())
                    .context("cannot write to standard output")?;
            }
            api.run(dial, shutdown).await
        }
        ServiceName::Alerting => {
            let history = config.history.path(&data_dir)?;
            netmonitor_alerting::run(config.alerting, data_dir, history, dial, shutdown).await
        }
        ServiceName::Hub => {
            anyhow::bail!("the frame around the services is no service to run")
        }
    }
}
