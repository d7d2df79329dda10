//! The broker as a service of the hub: its credentials, its certificate, and its own report,
//! which it makes as an ordinary client of itself.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use netmonitor_protocol::acl::Principal;
use netmonitor_protocol::topics::{Kind, TOPICS};
use netmonitor_protocol::{Message, ServiceName, Topic};
use netmonitor_service::frame::{self, Frame};
use netmonitor_service::mqtt::{Dial, Event, Events};
use netmonitor_service::{Counters, DataDir, clock, service_secrets};
use netmonitor_store::certificates::Certificates;
use netmonitor_store::credentials::Directory;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::{Authenticate, Broker, Claim, Config, Handle};

/// Only changes of credentials come in.
const QUEUE: usize = 16;
/// The wait before credentials that could not be read are read again.
const READ_AGAIN: Duration = Duration::from_secs(5);

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

    fn claim(&self, user: &str) -> Claim {
        if self.0.is_service(user) {
            Claim::Service
        } else if self.0.is_user(user) {
            Claim::User
        } else {
            Claim::Nobody
        }
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

    /// For those who ask and command while it runs.
    pub fn handle(&self) -> Handle {
        self.broker.handle()
    }

    /// Works until `shutdown`, or until the router is lost ([`RouterLost`](crate::RouterLost)). `dial` is the way to itself.
    pub async fn run(self, dial: Dial, shutdown: CancellationToken) -> anyhow::Result<()> {
        let (handle, revoker) = (self.broker.handle(), self.broker.handle());
        let (frame, events) = Frame::start(frame::Options {
            name: ServiceName::Broker,
            version: env!("CARGO_PKG_VERSION"),
            dial,
            commit_interval: None,
            filters: [Kind::CredentialsChanged, Kind::DeviceRevoke]
                .map(|kind| kind.row().filter())
                .to_vec(),
            queue: QUEUE,
            counters: Counters::with_source(move || handle.counters()),
        });
        // The broker outlives its own client, which says goodbye over it.
        let stop = CancellationToken::new();
        let mut broker = JoinSet::new();
        broker.spawn(self.broker.run(stop.clone()));
        let ended = tokio::select! {
            () = shutdown.cancelled() => None,
            () = follow(events, self.directory, revoker) => None,
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

/// Reads the credentials anew when they have changed, and ends what they no longer allow.
async fn follow(mut events: Events, directory: Arc<Directory>, broker: Handle) {
    let mut is_read = true;
    loop {
        let event = if is_read {
            events.next().await
        } else {
            // What could not be read is tried again; whoever is revoked must not stay.
            timeout(READ_AGAIN, events.next())
                .await
                .unwrap_or(Some(Event::Connected))
        };
        let device = match event {
            // After a time without a connection something may have been missed.
            Some(Event::Connected | Event::Message(Message::CredentialsChanged)) => None,
            Some(Event::Message(Message::DeviceRevoke(device))) => Some(device),
            Some(_) => continue,
            None => return,
        };
        is_read = read(&directory).await;
        for user in directory.take_revoked() {
            let connections = broker.disconnect_user(&user).await;
            tracing::info!(user, connections, "credential taken away or changed");
        }
        if let Some(device) = device {
            let connections = broker.disconnect_user(device.as_str()).await;
            tracing::info!(%device, connections, "device revoked");
        }
        // Credentials that could not be read say of nobody that it is gone.
        if is_read {
            forget_strangers(&directory, &broker);
        }
    }
}

/// False: they could not be read.
async fn read(directory: &Arc<Directory>) -> bool {
    let directory = directory.clone();
    match tokio::task::spawn_blocking(move || directory.reload()).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            let error = format!("{:#}", anyhow::Error::new(error));
            tracing::error!(error, "credentials not read anew; trying again");
            false
        }
        Err(_) => false,
    }
}

/// Clears what is retained of devices that are none any more, also of those that were revoked
/// while nobody listened.
fn forget_strangers(directory: &Directory, broker: &Handle) {
    let is_void = |topic: &str| {
        let topic = topic.parse::<Topic>().ok();
        let device = topic.as_ref().and_then(Topic::device);
        device.is_some_and(|device| !directory.is_device(device))
    };
    let of_devices = TOPICS
        .iter()
        .filter(|row| row.retained.is_kept() && row.pattern.contains("{id}"));
    for row in of_devices {
        broker.clear_retained_where(&row.filter(), is_void);
    }
}
