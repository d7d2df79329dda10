//! Who has a session, connected or away. A session belongs to (user, client id), so that no
//! user can take over the connection of another by its client id.
//!
//! Each session has a seat, and whoever sits there is one task: a connection, or what is left
//! of one (see [`crate::session::parked`]). A newcomer takes the seat at once, tells the one before it
//! to go, and waits until it has gone: what that one leaves is then the newcomer's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::origin::Standing;
use crate::session::Session;
use crate::session::budget::{Held, Pool};

/// What a session is known by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) user: String,
    pub(crate) client_id: String,
}

/// Why a session has to leave its seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kick {
    /// The same client is back on another socket. `clean`: and wants nothing of what was.
    TakenOver { clean: bool },
    /// The user may no longer be connected.
    Revoked,
    /// Too many sessions wait for their clients, and this one has waited longest.
    Evicted,
}

/// A user was revoked between its login and here: its credential has to be checked again.
#[derive(Debug)]
pub(crate) struct Stale;

pub(crate) struct Sessions {
    inner: Mutex<Inner>,
    parked_max: usize,
    parked_per_user_max: usize,
    /// Bytes of messages in all sessions that outlive their connections.
    held: Pool,
}

#[derive(Default)]
struct Inner {
    seats: HashMap<Key, Entry>,
    revocations: u64,
    parkings: u64,
    parked: usize,
}

struct Entry {
    seat: Arc<Seat>,
    /// When the client went away, as a number that grows. None: it is connected, or the session
    /// is about to end.
    parked: Option<u64>,
}

struct Seat {
    kick: watch::Sender<Option<Kick>>,
    /// What the one that leaves has for the one that comes.
    left: Mutex<Option<Box<Session>>>,
    /// Cancelled once nothing more is done or said from this seat.
    gone: CancellationToken,
}

/// A seat, and what was found there.
pub(crate) struct Taken {
    pub(crate) lease: Lease,
    pub(crate) session: Option<Box<Session>>,
    /// There was a connection, which has been ended.
    pub(crate) from_connection: bool,
}

impl Sessions {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            inner: Mutex::default(),
            parked_max: config.sessions_parked_max,
            parked_per_user_max: config.sessions_parked_per_user_max,
            held: Pool::new(
                config.sessions_total_max_bytes,
                config.sessions_per_user_max_bytes,
            ),
        }
    }

    /// How often a user has been revoked. Note it before checking a credential.
    pub(crate) fn revocations(&self) -> u64 {
        self.inner().revocations
    }

    /// Takes the seat, and waits until whoever sat there has gone. With `clean`, what it had
    /// ends with it. Not to be cancelled, unless everything ends: what was left would be lost.
    pub(crate) async fn take(
        self: &Arc<Self>,
        key: Key,
        revocations: u64,
        clean: bool,
    ) -> Result<Taken, Stale> {
        let seat = Arc::new(Seat {
            kick: watch::Sender::new(None),
            left: Mutex::default(),
            gone: CancellationToken::new(),
        });
        let before = {
            let mut inner = self.inner();
            if inner.revocations != revocations {
                return Err(Stale);
            }
            let entry = Entry {
                seat: seat.clone(),
                parked: None,
            };
            let before = inner.seats.insert(key.clone(), entry);
            inner.parked -= usize::from(before.as_ref().is_some_and(|b| b.parked.is_some()));
            before
        };
        let lease = Lease {
            sessions: self.clone(),
            key,
            seat,
        };
        let Some(before) = before else {
            return Ok(Taken {
                lease,
                session: None,
                from_connection: false,
            });
        };
        before.seat.kick(Kick::TakenOver { clean });
        before.seat.gone.cancelled().await;
        Ok(Taken {
            lease,
            session: lock(&before.seat.left).take(),
            from_connection: before.parked.is_none(),
        })
    }

    /// Ends every session of the user, and returns how many were connected once they are gone.
    pub(crate) async fn revoke(&self, user: &str) -> usize {
        let mut connected = 0;
        let seats: Vec<Arc<Seat>> = {
            let mut inner = self.inner();
            inner.revocations += 1;
            let of_user = inner.seats.iter().filter(|(key, _)| key.user == user);
            of_user
                .map(|(_, entry)| {
                    connected += usize::from(entry.parked.is_none());
                    entry.seat.clone()
                })
                .collect()
        };
        for seat in &seats {
            seat.kick(Kick::Revoked);
        }
        for seat in &seats {
            seat.gone.cancelled().await;
        }
        connected
    }

    /// How many clients are connected.
    pub(crate) fn connected(&self) -> usize {
        let inner = self.inner();
        inner.seats.len() - inner.parked
    }

    /// How many other clients are connected: of all users, and of the same.
    pub(crate) fn connected_beside(&self, key: &Key) -> (usize, usize) {
        let inner = self.inner();
        let connected = inner.seats.iter().filter(|(other, entry)| {
            other.user == key.user && other.client_id != key.client_id && entry.parked.is_none()
        });
        let own = inner.seats.get(key);
        let is_connected = own.is_some_and(|entry| entry.parked.is_none());
        let all = inner.seats.len() - inner.parked - usize::from(is_connected);
        (all, connected.count())
    }

    /// How many sessions wait for their clients.
    pub(crate) fn parked(&self) -> usize {
        self.inner().parked
    }

    /// How many bytes of messages sessions hold that outlive their connections.
    pub(crate) fn held_bytes(&self) -> usize {
        self.held.used()
    }

    /// For what a session of the user, or a group of such, will hold.
    pub(crate) fn holder(&self, user: &str, standing: Standing) -> Held {
        self.held.holder(user, standing)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }
}

impl Inner {
    /// Marks the one that has waited longest as no longer waiting.
    fn evict(&mut self, of: impl Fn(&Key) -> bool) -> Option<Arc<Seat>> {
        let waiting = self.seats.iter_mut().filter(|(key, _)| of(key));
        let waiting = waiting.filter(|(_, entry)| entry.parked.is_some());
        let (_, oldest) = waiting.min_by_key(|(_, entry)| entry.parked)?;
        oldest.parked = None;
        self.parked -= 1;
        Some(oldest.seat.clone())
    }
}

impl Seat {
    fn kick(&self, kick: Kick) {
        self.kick.send_if_modified(|known| {
            // A user that may not be here leaves nothing to anybody.
            let changes = *known != Some(Kick::Revoked);
            if changes {
                *known = Some(kick);
            }
            changes
        });
    }
}

/// A taken seat, given back when dropped.
pub(crate) struct Lease {
    sessions: Arc<Sessions>,
    key: Key,
    seat: Arc<Seat>,
}

impl Lease {
    pub(crate) fn key(&self) -> &Key {
        &self.key
    }

    /// Hears when the session has to leave.
    pub(crate) fn kicks(&self) -> watch::Receiver<Option<Kick>> {
        self.seat.kick.subscribe()
    }

    /// The client is away, and its session waits here. If that is one too many, of this user or
    /// of all, the one that has waited longest has to go; returns how many that were.
    pub(crate) fn park(&self) -> u64 {
        let sessions = &self.sessions;
        let mut inner = sessions.inner();
        inner.parkings += 1;
        let parking = inner.parkings;
        match inner.seats.get_mut(&self.key) {
            Some(entry) if Arc::ptr_eq(&entry.seat, &self.seat) => entry.parked = Some(parking),
            // Somebody else waits for this seat already.
            _ => return 0,
        }
        inner.parked += 1;
        let mut evicted = Vec::new();
        let of_user = |key: &Key| key.user == self.key.user;
        let waiting = inner.seats.iter();
        let waiting = waiting.filter(|(key, entry)| of_user(key) && entry.parked.is_some());
        if waiting.count() > sessions.parked_per_user_max {
            evicted.extend(inner.evict(of_user));
        }
        if inner.parked > sessions.parked_max {
            evicted.extend(inner.evict(|_| true));
        }
        drop(inner);
        for seat in &evicted {
            seat.kick(Kick::Evicted);
        }
        evicted.len() as u64
    }

    /// Leaves the session to whoever takes the seat next.
    pub(crate) fn leave(self, session: Box<Session>) {
        *lock(&self.seat.left) = Some(session);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut inner = self.sessions.inner();
        let ours = inner.seats.get(&self.key);
        if ours.is_some_and(|entry| Arc::ptr_eq(&entry.seat, &self.seat)) {
            let entry = inner.seats.remove(&self.key);
            inner.parked -= usize::from(entry.is_some_and(|entry| entry.parked.is_some()));
        }
        drop(inner);
        self.seat.gone.cancel();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(client_id: &str) -> Key {
        Key {
            user: "u".to_owned(),
            client_id: client_id.to_owned(),
        }
    }

    fn sessions() -> Arc<Sessions> {
        Arc::new(Sessions::new(&Config {
            sessions_parked_max: 3,
            sessions_parked_per_user_max: 2,
            ..Config::default()
        }))
    }

    #[tokio::test]
    async fn a_newcomer_waits_until_the_occupant_is_gone() {
        let sessions = sessions();
        let first = sessions.take(key("c"), 0, false).await.unwrap();
        assert!(!first.from_connection);
        let mut kicks = first.lease.kicks();
        let second = {
            let leave = async {
                let kick = *kicks.wait_for(Option::is_some).await.unwrap();
                assert_eq!(kick, Some(Kick::TakenOver { clean: true }));
                drop(first);
            };
            let (second, ()) = tokio::join!(sessions.take(key("c"), 0, true), leave);
            second.unwrap()
        };
        assert!(second.from_connection);
        assert_eq!(sessions.connected(), 1);
        drop(second);
        assert_eq!(sessions.connected(), 0);
    }

    #[tokio::test]
    async fn a_login_from_before_a_revocation_is_checked_again() {
        let sessions = sessions();
        let before = sessions.revocations();
        assert_eq!(sessions.revoke("u").await, 0);
        assert!(sessions.take(key("c"), before, false).await.is_err());
        let now = sessions.revocations();
        assert!(sessions.take(key("c"), now, false).await.is_ok());
    }

    #[tokio::test]
    async fn nobody_inherits_from_a_user_that_was_revoked() {
        let sessions = sessions();
        let taken = sessions.take(key("c"), 0, false).await.unwrap();
        let revoked = sessions.revoke("u");
        let newcomer = async {
            let now = sessions.revocations();
            sessions.take(key("c"), now, false).await
        };
        let end = async {
            let kick = *taken.lease.kicks().wait_for(Option::is_some).await.unwrap();
            assert_eq!(kick, Some(Kick::Revoked));
            drop(taken);
        };
        let (revoked, newcomer, ()) = tokio::join!(biased; revoked, newcomer, end);
        assert_eq!(revoked, 1);
        assert!(newcomer.unwrap().session.is_none());
    }

    #[tokio::test]
    async fn who_has_waited_longest_makes_room_for_the_next() {
        let sessions = sessions();
        let mut waiting = Vec::new();
        for client_id in ["1", "2", "3"] {
            let taken = sessions.take(key(client_id), 0, false).await.unwrap();
            waiting.push((taken.lease.park(), taken.lease));
        }
        let evicted: Vec<u64> = waiting.iter().map(|(evicted, _)| *evicted).collect();
        assert_eq!(evicted, [0, 0, 1]);
        let kicks = waiting.iter().map(|(_, lease)| *lease.kicks().borrow());
        assert_eq!(kicks.collect::<Vec<_>>(), [Some(Kick::Evicted), None, None]);
        assert_eq!(sessions.parked(), 2);
        drop(waiting);
        assert_eq!((sessions.parked(), sessions.connected()), (0, 0));
    }
}
