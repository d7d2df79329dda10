//! The broker as its owner sees it: open, run, ask, stop.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use netmonitor_store::StoreError;
use tokio::net::TcpListener;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::connection::{Transport, serve};
use crate::counters::Counter;
use crate::counters::sys;
use crate::edge::{Authenticate, Edge};
use crate::listen::{StartError, tune};
use crate::message::Message;
use crate::origin::Origin;
use crate::packet::QoS;
use crate::retained::journal::Journal;
use netmonitor_service::listen::listen;

/// How long clients may take to hear that the broker stops.
const GRACE: Duration = Duration::from_secs(2);
/// How often the router is looked after.
const LOOK_AFTER: Duration = Duration::from_secs(1);
/// How often retained messages that have expired are forgotten.
const PURGE: Duration = Duration::from_mins(1);
/// How often to look for refusals that the log has not said.
const SUM_UP: Duration = Duration::from_secs(5);
/// How long to wait when the system has no file descriptors left.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// The routers of the broker keep dying, and there will be no new one.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "the broker's router has died three times within a minute, which no client should be able to \
     bring about: please report it, with the log of that minute; a new start is safe"
)]
pub struct RouterLost;

/// A broker whose listeners are open. Connections are taken once it runs.
pub struct Broker {
    edge: Arc<Edge>,
    listeners: Vec<Listener>,
    addresses: Vec<(&'static str, SocketAddr)>,
    journal: Option<Journal>,
}

struct Listener {
    socket: TcpListener,
    transport: Transport,
}

impl Broker {
    /// Opens every listener.
    #[expect(
        clippy::unused_async,
        reason = "a listener needs the runtime that will run it"
    )]
    pub async fn bind(
        config: Config,
        authenticator: Arc<dyn Authenticate>,
        tls: Arc<rustls::ServerConfig>,
    ) -> Result<Self, StartError> {
        let tls = Transport::Tls(TlsAcceptor::from(tls));
        let all = [
            ("mqtt", &config.mqtt, Transport::Plain),
            ("mqtts", &config.mqtts, tls),
            ("mqtt-ws", &config.mqtt_ws, Transport::WebSocket),
        ];
        let (mut listeners, mut addresses) = (Vec::new(), Vec::new());
        for (flag, wanted, transport) in all {
            for address in wanted {
                let (socket, local) = listen(flag, address)?;
                addresses.push((flag, local));
                listeners.push(Listener {
                    socket,
                    transport: transport.clone(),
                });
            }
        }
        let edge = Edge::new(config, authenticator).map_err(|_| StartError::Router)?;
        Ok(Self {
            edge: Arc::new(edge),
            listeners,
            addresses,
            journal: None,
        })
    }

    /// Keeps retained messages in this file as well, and starts with those that it has. A damaged
    /// file is put aside. Blocks while it is read, about 10 microseconds per message.
    pub fn with_retained(mut self, file: &Path) -> Result<Self, StoreError> {
        self.journal = Some(Journal::open(file, &self.edge.exchange)?);
        Ok(self)
    }

    /// Where it listens: `mqtt`, `mqtts` or `mqtt-ws`, and the address with the port that was chosen.
    pub fn addresses(&self) -> Vec<(&'static str, SocketAddr)> {
        self.addresses.clone()
    }

    /// For those who ask and command while it runs.
    pub fn handle(&self) -> Handle {
        Handle {
            edge: self.edge.clone(),
        }
    }

    /// Serves until `shutdown`. Then MQTT 5 clients are told, and no will is published: it is
    /// not the clients that go.
    pub async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let edge = self.edge;
        let mut tasks = JoinSet::new();
        for listener in self.listeners {
            tasks.spawn(accept(edge.clone(), listener));
        }
        let stop_writing = CancellationToken::new();
        let mut writer = JoinSet::new();
        if let Some(journal) = self.journal {
            writer.spawn(journal.run(edge.clone(), stop_writing.clone()));
        }
        let sys_interval = Duration::from_secs(edge.config.sys_interval_secs);
        let mut reports = JoinSet::new();
        if !sys_interval.is_zero() {
            reports.spawn(sys::run(edge.clone(), sys_interval));
        }
        let mut flusher = JoinSet::new();
        flusher.spawn({
            let edge = edge.clone();
            async move { edge.exchange.keep_flushing().await }
        });
        let mut look_after = interval(LOOK_AFTER);
        // After a time in which the process stood still, one look is enough.
        look_after.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut purge = interval(PURGE);
        let mut sum_up = interval(SUM_UP);
        let outcome = loop {
            tokio::select! {
                () = shutdown.cancelled() => break Ok(()),
                () = edge.exchange.dead() => {
                    break Err(RouterLost.into());
                }
                _ = look_after.tick() => {
                    let edge = edge.clone();
                    // A thread of its own: a replacement takes some time.
                    drop(spawn_blocking(move || edge.exchange.look_after()).await);
                }
                _ = purge.tick() => edge.exchange.purge(),
                _ = sum_up.tick() => edge.counters.sum_up(),
                Some(ended) = tasks.join_next() => {
                    break Err(anyhow::anyhow!("a listener has ended: {ended:?}"));
                }
            }
        };
        edge.shutdown.cancel();
        // Whoever is not gone by then is cut off.
        drop(timeout(GRACE, async { while tasks.join_next().await.is_some() {} }).await);
        drop((tasks, reports));
        stop_writing.cancel();
        while writer.join_next().await.is_some() {}
        outcome
    }
}

/// Takes connections until the shutdown, and waits for them to end.
async fn accept(edge: Arc<Edge>, listener: Listener) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = edge.shutdown.cancelled() => break,
            accepted = listener.socket.accept() => accepted,
            Some(ended) = connections.join_next() => {
                if let Err(err) = ended {
                    tracing::error!(error = %err, "a connection has ended in a bug");
                }
                continue;
            }
        };
        let (socket, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(err) => {
                // Out of file descriptors, or a peer that was gone before we looked.
                edge.counters.one(Counter::ConnectionsFailed);
                tracing::debug!(error = %err, "cannot accept a connection");
                sleep(ACCEPT_AGAIN).await;
                continue;
            }
        };
        // An IPv4 peer of a listener for both families is shown as what it is.
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let ticket = match edge.doors.open(peer.ip(), &edge.shutdown) {
            Ok(ticket) => ticket,
            Err(counter) => {
                edge.counters.turn_away(counter, peer);
                continue;
            }
        };
        edge.counters.one(Counter::ConnectionsAccepted);
        if let Err(err) = tune(&socket) {
            tracing::debug!(%peer, error = %err, "cannot set socket options");
        }
        let transport = listener.transport.clone();
        connections.spawn(serve(edge.clone(), socket, transport, peer, ticket));
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// A way to a broker that runs elsewhere in the process.
#[derive(Clone)]
pub struct Handle {
    edge: Arc<Edge>,
}

impl Handle {
    /// What has been counted since the start, and what there is now.
    pub fn counters(&self) -> BTreeMap<String, u64> {
        let (messages, bytes) = self.edge.exchange.retained_size();
        let health = self.edge.exchange.health();
        let mut all = self.edge.counters.all();
        for (name, value) in [
            ("clients", self.edge.sessions.connected()),
            ("sessions_parked", self.edge.sessions.parked()),
            ("sessions_bytes", self.edge.sessions.held_bytes()),
            ("retained_messages", messages),
            ("retained_bytes", bytes),
            ("router_filters", health.known_filters),
            ("router_topics", health.known_topics),
            ("router_bytes", health.held_bytes),
        ] {
            all.insert(name.to_owned(), value as u64);
        }
        all.insert("router_replacements".to_owned(), health.replacements);
        all.insert("router_renewals".to_owned(), health.renewals);
        all
    }

    /// Breaks the router, to see what becomes of its clients. For tests.
    #[doc(hidden)]
    pub fn break_router(&self, how: crate::router::Break) {
        self.edge.exchange.break_router(how);
    }

    /// Ends every connection of the user, wills included, and returns how many there were. What
    /// is kept for clients of the user that are away goes as well.
    /// Take its credential away first: one that is being checked is checked again.
    pub async fn disconnect_user(&self, user: &str) -> usize {
        self.edge.sessions.revoke(user).await
    }

    /// Forgets the retained messages that the filter matches, as if each had been cleared by a
    /// publish. Returns how many there were.
    pub fn clear_retained(&self, filter: &str) -> usize {
        self.clear_retained_where(filter, |_| true)
    }

    /// The same for those of the topics for which `is_void` holds.
    pub fn clear_retained_where(&self, filter: &str, is_void: impl Fn(&str) -> bool) -> usize {
        let exchange = &self.edge.exchange;
        let mut walk = exchange.snapshot(filter);
        let mut cleared = 0;
        while !walk.is_done() {
            exchange.turn_page(&mut walk);
            while let Some(kept) = walk.take() {
                if !is_void(&kept.topic) {
                    continue;
                }
                let nothing = Message {
                    topic: kept.topic.to_string(),
                    payload: Bytes::new(),
                    qos: QoS::AtLeastOnce,
                    retain: true,
                    properties: Bytes::new(),
                    expiry_secs: None,
                };
                if exchange.publish(Origin::BROKER, &nothing).is_ok() {
                    cleared += 1;
                }
            }
        }
        cleared
    }
}
