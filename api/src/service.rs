//! The service as a whole: opened, run, stopped.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use netmonitor_protocol::{DeviceId, ServiceName};
use netmonitor_service::frame::{self, Frame};
use netmonitor_service::listen::{ListenError, listen};
use netmonitor_service::mqtt::Dial;
use netmonitor_service::{Counters, DataDir, clock};
use netmonitor_store::certificates::Certificates;
use netmonitor_store::{HubDb, WriteLock};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::admin::{Admin, CONSOLE, Command, Refusal};
use crate::app::{App, Parts};
use crate::fleet::Fleet;
use crate::server;
use crate::settings::about;
use crate::web_certificate::{self, Pem};
use crate::{Config, addresses, control, follow};

/// Received messages that may wait: all retained topics of a large fleet arrive at once.
const QUEUE: usize = 8192;

/// The service, with its database and its listeners open.
pub struct Api {
    config: Config,
    history: PathBuf,
    hub: Arc<HubDb>,
    admin: Arc<Admin>,
    listeners: Vec<Listener>,
    certificates: Arc<Certificates>,
    data_dir: DataDir,
    pem: Pem,
    control: UnixListener,
    seen: watch::Sender<BTreeSet<DeviceId>>,
    _lock: WriteLock,
}

/// A socket that waits for `run`.
struct Listener {
    flag: &'static str,
    socket: TcpListener,
    local: SocketAddr,
}

impl Api {
    /// Opens the database and every listener. What is wrong with them is a fault at start.
    /// `history` is the file that ingest writes; it may come later.
    pub fn open(config: Config, data_dir: &DataDir, history: PathBuf) -> anyhow::Result<Self> {
        let lock = WriteLock::take(&data_dir.hub_lock())?;
        let hub = Arc::new(HubDb::open(&data_dir.hub_db())?);
        let certificates = Certificates::open_or_create(&data_dir.tls())?;
        let pem = web_certificate::current(&certificates)?;
        let plain = config.http.iter().map(|address| ("http", address));
        let with_tls = config.https.iter().map(|address| ("https", address));
        let listeners = plain
            .chain(with_tls)
            .map(|(flag, address)| {
                let (socket, local) = listen(flag, address)?;
                Ok(Listener {
                    flag,
                    socket,
                    local,
                })
            })
            .collect::<Result<_, ListenError>>()?;
        let admin = Admin::new(hub.clone(), data_dir.clone(), &certificates);
        Ok(Self {
            listeners,
            pem,
            control: control::bind(&data_dir.control_socket())?,
            admin: Arc::new(admin),
            certificates: Arc::new(certificates),
            data_dir: data_dir.clone(),
            config,
            history,
            hub,
            seen: watch::Sender::default(),
            _lock: lock,
        })
    }

    /// Where it listens, with the names of the flags.
    pub fn addresses(&self) -> Vec<(&'static str, SocketAddr)> {
        let named = |listener: &Listener| (listener.flag, listener.local);
        self.listeners.iter().map(named).collect()
    }

    /// The setup link, while the hub has no admin. The addresses must have been written.
    pub fn setup_link(&self) -> anyhow::Result<Option<String>> {
        match self
            .admin
            .execute(Command::SetupLink, CONSOLE, clock::now())
        {
            Ok(outcome) => Ok(Some(outcome.output)),
            Err(Refusal::Fault(error)) => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// For whoever in this process needs a command carried out while the api runs.
    pub fn admin(&self) -> Arc<Admin> {
        self.admin.clone()
    }

    /// SHA-256 of the hub's CA: what agents pin.
    pub fn ca_fingerprint(&self) -> [u8; 32] {
        self.admin.ca_fingerprint()
    }

    /// Whether the device is enrolled.
    pub fn knows(&self, device: &DeviceId) -> anyhow::Result<bool> {
        Ok(self.admin.knows(device)?)
    }

    /// The devices of which the API has shown a sample since it runs.
    pub fn seen(&self) -> watch::Receiver<BTreeSet<DeviceId>> {
        self.seen.subscribe()
    }

    /// Works until `shutdown`.
    pub async fn run(self, dial: Dial, shutdown: CancellationToken) -> anyhow::Result<()> {
        let mut fleet = Fleet::new(addresses::host_name(), &self.hub.devices()?);
        let alerting = self.hub.settings()?;
        for device in self.hub.all_device_settings()? {
            fleet.set(&device.id, &about(&device, &alerting));
        }
        // Connections live on their own: when this run ends, however it ends, they end with it.
        let shutdown = shutdown.child_token();
        let _end = shutdown.clone().drop_guard();
        let (frame, events) = Frame::start(frame::Options {
            name: ServiceName::Api,
            version: env!("CARGO_PKG_VERSION"),
            dial,
            commit_interval: None,
            filters: follow::filters(),
            queue: QUEUE,
            counters: Counters::default(),
        });
        let app = Arc::new(App::new(Parts {
            config: self.config,
            history: self.history,
            hub: self.hub,
            admin: self.admin,
            fleet,
            publisher: frame.publisher().clone(),
            counters: frame.counters().clone(),
            shutdown: shutdown.clone(),
            ca_pem: self.certificates.ca_pem().to_owned(),
            data_dir: self.data_dir,
        }));
        let endpoint = server::endpoint(app.clone());
        let mut tasks = JoinSet::new();
        for listener in self.listeners {
            let tls = (listener.flag == "https").then(|| {
                web_certificate::configurations(self.certificates.clone(), self.pem.clone())
            });
            let endpoint = endpoint.clone();
            tasks.spawn(server::serve(
                listener.socket,
                tls,
                endpoint,
                shutdown.clone(),
            ));
        }
        let control = control::serve(app.clone(), self.control, shutdown.clone());
        tasks.spawn(async move {
            control.await;
            Ok(())
        });
        tasks.spawn(follow::run(app, events, self.seen, shutdown.clone()));
        let outcome = first_failure(&mut tasks, &shutdown).await;
        frame.stop().await;
        outcome
    }
}

/// Waits until every task has ended. One that ends before it should takes the service down.
async fn first_failure(
    tasks: &mut JoinSet<anyhow::Result<()>>,
    shutdown: &CancellationToken,
) -> anyhow::Result<()> {
    while let Some(ended) = tasks.join_next().await {
        let ended = ended.context("a task of the api panicked").flatten();
        if !shutdown.is_cancelled() {
            tasks.abort_all();
            return ended.and_then(|()| anyhow::bail!("a task of the api ended on its own"));
        }
        ended?;
    }
    Ok(())
}
