//! What every connection shares.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use netmonitor_protocol::acl::Principal;
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::counters::{Counter, Counters, Who};
use crate::doors::Doors;
use crate::doors::logins::{self, Check, Logins, Place};
use crate::exchange::Exchange;
use crate::origin::network_of;
use crate::router::RouteError;
use crate::session::budget::Pool;
use crate::session::sessions::Sessions;
use crate::session::share::Shares;
use crate::session::tally::Subscriptions;

/// Credentials that are checked at once. A check takes about a millisecond of CPU; two leave
/// the rest of the machine to those who are in.
const CHECKS_AT_ONCE: usize = 2;

/// Packets for which the router is asked at once. It takes one after the other; the second keeps
/// it busy. Each occupies a thread meanwhile.
const ASKS_AT_ONCE: usize = 2;

/// What large packets on their way in and out may take, of all connections and of those of one
/// user. There is always room for some of the largest.
const BUFFERS_MAX: usize = 32 * 1024 * 1024;
const BUFFERS_PER_USER_MAX: usize = 8 * 1024 * 1024;
const BUFFERS_PACKETS_MIN: usize = 4;

/// Says who a client is.
pub trait Authenticate: Send + Sync {
    /// What the client may do, or None if it may not connect. May block: it is called on a
    /// thread of its own, a few at a time.
    fn authenticate(&self, user: &str, password: &[u8], client_id: &str) -> Option<Principal>;

    /// Whether there is somebody of that name. Does not block.
    fn claim(&self, user: &str) -> Claim;
}

/// What a user name says of who shows it, before the password is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Nobody has that name. Wrong passwords of all these are limited together.
    Nobody,
    /// Somebody has it; wrong passwords are limited, since each costs work.
    User,
    /// A service of the hub: its password costs nothing to check, and nobody holds it up.
    Service,
}

/// Why somebody is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    /// The user name or the password is wrong.
    Wrong,
    /// Too many of that name from the same address have been wrong: it was not looked at.
    TooMany,
}

/// The broker's state, without its sockets.
pub(crate) struct Edge {
    pub(crate) config: Config,
    pub(crate) exchange: Exchange,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) shares: Arc<Shares>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) doors: Arc<Doors>,
    authenticator: Arc<dyn Authenticate>,
    logins: Arc<Logins>,
    checks: Semaphore,
    /// For packets for which the router is asked.
    pub(crate) asks: Semaphore,
    connections: AtomicU64,
    pub(crate) subscriptions: Arc<Subscriptions>,
    /// For packets on their way in and out.
    pub(crate) buffers: Pool,
}

impl Edge {
    pub(crate) fn new(
        config: Config,
        authenticator: Arc<dyn Authenticate>,
    ) -> Result<Self, RouteError> {
        let counters = Arc::<Counters>::default();
        let buffers_min = BUFFERS_PACKETS_MIN.saturating_mul(config.packet_max_bytes);
        let per_user = BUFFERS_PER_USER_MAX.max(buffers_min);
        let buffers = Pool::new(BUFFERS_MAX.max(2 * per_user), per_user);
        let sessions = Arc::new(Sessions::new(&config));
        let shares = Shares::new(&config, sessions.clone(), counters.clone());
        Ok(Self {
            exchange: Exchange::start(&config)?,
            sessions,
            shares: Arc::new(shares),
            counters,
            shutdown: CancellationToken::new(),
            authenticator,
            logins: Arc::new(Logins::new(config.login_failures_per_minute)),
            doors: Arc::new(Doors::new(&config)),
            checks: Semaphore::new(CHECKS_AT_ONCE),
            asks: Semaphore::new(ASKS_AT_ONCE),
            connections: AtomicU64::new(0),
            subscriptions: Arc::default(),
            buffers,
            config,
        })
    }

    /// A number for a session, never given again, never [`BROKER`](crate::origin::BROKER).
    pub(crate) fn next_number(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// What the client may do. Slower for a name with many wrong passwords from that address.
    pub(crate) async fn authenticate(
        &self,
        who: &Who<'_>,
        password: &[u8],
    ) -> Result<Principal, Denied> {
        let claim = self.authenticator.claim(who.user);
        if claim == Claim::Service {
            let known = self.check(who.user, password, who.client_id).await;
            return known.ok_or(Denied::Wrong);
        }
        let is_user = claim == Claim::User;
        let place = Place::new(network_of(who.peer.ip()), who.user, is_user);
        match self.logins.ask(Instant::now(), &place) {
            Check::Now => {}
            Check::Later(_turn) => {
                let what = "many wrong passwords of this user";
                self.counters.refuse(Counter::LoginsSlowed, who, what);
                sleep(logins::WAIT).await;
            }
            Check::Never => return Err(Denied::TooMany),
        }
        let known = self.check(who.user, password, who.client_id).await;
        match &known {
            // It may have been made a moment ago, and not have had a place of its own yet.
            Some(_) if is_user => self.logins.succeeded(place),
            Some(_) => {}
            None => self.logins.failed(Instant::now(), &place),
        }
        known.ok_or(Denied::Wrong)
    }

    async fn check(&self, user: &str, password: &[u8], client_id: &str) -> Option<Principal> {
        let _permit = self.checks.acquire().await.ok()?;
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
