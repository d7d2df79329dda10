//! The broker as a service of the hub: its credentials, its certificate, and its own report,
//! which it makes as an ordinary client of itself.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use netmonitor_protocol::acl::Principal;
use netmonitor_protocol::topics::Kind;
use netmonitor_protocol::{Message, ServiceName};
use netmonitor_service::frame::{self, Frame};
use netmonitor_service::mqtt::{Dial, Event, Events};
use netmonitor_service::{Counters, DataDir, clock, service_secrets};
use netmonitor_store::certificates::Certificates;
use netmonitor_store::credentials::Directory;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{Authenticate, Broker, Config};

/// Only changes of credentials come in.
const QUEUE: usize = 16;

/// The service, with its listeners open.
pub struct BrokerService {
    broker: Broker,
    directory: Arc<Directory>,
}

/// The hub's table of credentials, at this moment.
struct HubDirectory(Arc<Directory>);

impl Authenticate for HubDirectory {
    fn authenticate(&self, user: &str, password: &[u8], client_id: &str) -> Option<Principal> {
        self.0.authenticate(user, password, client_id, clock::now())
    }
}

impl BrokerService {
    /// Reads credentials and certificate, making them where they are missing, and opens every
    /// listener. What is wrong with them is a fault at start.
    pub async fn open(config: Config, data_dir: &DataDir) -> anyhow::Result<Self> {
        let secrets = service_secrets::ensure(data_dir).with_context(|| {
            format!("cannot keep passwords in {}", data_dir.secrets().display())
        })?;
        let directory = Arc::new(Directory::open(&data_dir.hub_db(), secrets)?);
        let tls = Certificates::open_or_create(&data_dir.tls())?.mqtt_server()?;
        let authenticator = Arc::new(HubDirectory(directory.clone()));
        let broker = Broker::bind(config, authenticator, tls)
            .await?
            .with_retained(&data_dir.retained_db())?;
        Ok(Self { broker, directory })
    }

    /// Where it listens, with the names of the flags.
    pub fn addresses(&self) -> Vec<(&'static str, SocketAddr)> {
        self.broker.addresses()
    }

    /// Works until `shutdown`. `dial` is the way to itself.
    pub async fn run(self, dial: Dial, shutdown: CancellationToken) -> anyhow::Result<()> {
        let handle = self.broker.handle();
        let (frame, events) = Frame::start(frame::Options {
            name: ServiceName::Broker,
            version: env!("CARGO_PKG_VERSION"),
            dial,
            filters: vec![Kind::CredentialsChanged.row().filter()],
            queue: QUEUE,
            counters: Counters::with_source(move || handle.counters()),
        });
        // The broker outlives its own client, which says goodbye over it.
        let stop = CancellationToken::new();
        let mut broker = JoinSet::new();
        broker.spawn(self.broker.run(stop.clone()));
        let ended = tokio::select! {
            () = shutdown.cancelled() => None,
            () = follow(events, self.directory) => None,
            ended = broker.join_next() => ended,
        };
        frame.stop().await;
        stop.cancel();
        let ended = match ended {
            None => broker.join_next().await,
            ended => ended,
        };
        ended.context("the broker has no task")??
    }
}

/// Reads the credentials anew when they have changed.
async fn follow(mut events: Events, directory: Arc<Directory>) {
    while let Some(event) = events.next().await {
        // After a time without a connection something may have been missed.
        let is_news = matches!(
            event,
            Event::Connected | Event::Message(Message::CredentialsChanged)
        );
        if !is_news {
            continue;
        }
        let directory = directory.clone();
        let read = tokio::task::spawn_blocking(move || directory.reload()).await;
        if let Ok(Err(error)) = read {
            let error = format!("{:#}", anyhow::Error::new(error));
            tracing::error!(error, "credentials not read anew");
        }
    }
}
