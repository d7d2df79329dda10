//! What every connection shares.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use netmonitor_protocol::acl::Principal;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::counters::Counters;
use crate::exchange::Exchange;
use crate::router::RouteError;
use crate::sessions::Sessions;
use crate::share::Shares;

/// Credentials that are checked at once. A check takes about a millisecond of CPU; two leave
/// the rest of the machine to those who are in.
const LOGINS_AT_ONCE: usize = 2;

/// Says who a client is.
pub trait Authenticate: Send + Sync {
    /// What the client may do, or None if it may not connect. May block: it is called on a
    /// thread of its own, a few at a time.
    fn authenticate(&self, user: &str, password: &[u8], client_id: &str) -> Option<Principal>;
}

/// The broker's state, without its sockets.
pub(crate) struct Edge {
    pub(crate) config: Config,
    pub(crate) exchange: Exchange,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) shares: Arc<Shares>,
    pub(crate) counters: Counters,
    pub(crate) shutdown: CancellationToken,
    authenticator: Arc<dyn Authenticate>,
    logins: Semaphore,
    connections: AtomicU64,
}

impl Edge {
    pub(crate) fn new(
        config: Config,
        authenticator: Arc<dyn Authenticate>,
    ) -> Result<Self, RouteError> {
        Ok(Self {
            exchange: Exchange::start(&config)?,
            sessions: Arc::new(Sessions::new(&config)),
            shares: Arc::new(Shares::new(config.shared_groups_max)),
            config,
            counters: Counters::default(),
            shutdown: CancellationToken::new(),
            authenticator,
            logins: Semaphore::new(LOGINS_AT_ONCE),
            connections: AtomicU64::new(0),
        })
    }

    /// A number for a session, never given again, never [`BROKER`](crate::exchange::BROKER).
    pub(crate) fn next_number(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) async fn authenticate(
        &self,
        user: &str,
        password: &[u8],
        client_id: &str,
    ) -> Option<Principal> {
        let _permit = self.logins.acquire().await.ok()?;
        let authenticator = self.authenticator.clone();
        let (user, client_id) = (user.to_owned(), client_id.to_owned());
        let password = password.to_owned();
        tokio::task::spawn_blocking(move || {
            authenticator.authenticate(&user, &password, &client_id)
        })
        .await
        .unwrap_or_default()
    }
}
