//! Who is connected. A session belongs to (user, client id), so that no user can take over
//! the connection of another by its client id.
//!
//! Sessions end with their connections for now; one that outlives it would be kept here, with
//! its link, its subscriptions and what is unacknowledged.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What a session is known by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) user: String,
    pub(crate) client_id: String,
}

/// Why a connection is ended from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kick {
    /// The same client is back on another socket.
    TakenOver,
    /// The user may no longer be connected.
    Revoked,
}

/// A user was revoked between its login and here: its credential has to be checked again.
#[derive(Debug)]
pub(crate) struct Stale;

#[derive(Debug, Default)]
pub(crate) struct Sessions {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    seats: HashMap<Key, Arc<Seat>>,
    revocations: u64,
}

#[derive(Debug)]
struct Seat {
    kick: watch::Sender<Option<Kick>>,
    /// Cancelled once the will is published and the router's link has ended.
    gone: CancellationToken,
}

impl Sessions {
    /// How often a user has been revoked. Note it before checking a credential.
    pub(crate) fn revocations(&self) -> u64 {
        self.inner().revocations
    }

    /// Takes the seat, after having ended whoever sits on it. True if there was somebody.
    pub(crate) async fn take(
        self: &Arc<Self>,
        key: Key,
        revocations: u64,
    ) -> Result<(Lease, bool), Stale> {
        let mut taken_over = false;
        loop {
            let occupant = {
                let mut inner = self.inner();
                if inner.revocations != revocations {
                    return Err(Stale);
                }
                let Some(occupant) = inner.seats.get(&key) else {
                    let seat = Arc::new(Seat {
                        kick: watch::Sender::new(None),
                        gone: CancellationToken::new(),
                    });
                    inner.seats.insert(key.clone(), seat.clone());
                    let sessions = self.clone();
                    return Ok((
                        Lease {
                            sessions,
                            key,
                            seat,
                        },
                        taken_over,
                    ));
                };
                occupant.clone()
            };
            taken_over = true;
            occupant.kick.send_replace(Some(Kick::TakenOver));
            occupant.gone.cancelled().await;
        }
    }

    /// Ends every connection of the user, and returns how many there were once they are gone.
    pub(crate) async fn revoke(&self, user: &str) -> usize {
        let seats: Vec<Arc<Seat>> = {
            let mut inner = self.inner();
            inner.revocations += 1;
            let of_user = inner.seats.iter().filter(|(key, _)| key.user == user);
            of_user.map(|(_, seat)| seat.clone()).collect()
        };
        for seat in &seats {
            seat.kick.send_replace(Some(Kick::Revoked));
        }
        for seat in &seats {
            seat.gone.cancelled().await;
        }
        seats.len()
    }

    pub(crate) fn len(&self) -> usize {
        self.inner().seats.len()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A taken seat, given back when dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    sessions: Arc<Sessions>,
    key: Key,
    seat: Arc<Seat>,
}

impl Lease {
    pub(crate) fn key(&self) -> &Key {
        &self.key
    }

    /// Hears when the connection has to end.
    pub(crate) fn kicks(&self) -> watch::Receiver<Option<Kick>> {
        self.seat.kick.subscribe()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.sessions.inner().seats.remove(&self.key);
        self.seat.gone.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key {
            user: "u".to_owned(),
            client_id: "c".to_owned(),
        }
    }

    #[tokio::test]
    async fn a_newcomer_waits_until_the_occupant_is_gone() {
        let sessions = Arc::new(Sessions::default());
        let (first, took_over) = sessions.take(key(), 0).await.unwrap();
        assert!(!took_over);
        let mut kicks = first.kicks();
        let (second, took_over) = {
            let leave = async {
                kicks.wait_for(Option::is_some).await.unwrap();
                drop(first);
            };
            let (second, ()) = tokio::join!(sessions.take(key(), 0), leave);
            second.unwrap()
        };
        assert!(took_over);
        assert_eq!(sessions.len(), 1);
        drop(second);
        assert_eq!(sessions.len(), 0);
    }

    #[tokio::test]
    async fn a_login_from_before_a_revocation_is_checked_again() {
        let sessions = Arc::new(Sessions::default());
        let before = sessions.revocations();
        assert_eq!(sessions.revoke("u").await, 0);
        assert!(sessions.take(key(), before).await.is_err());
        assert!(sessions.take(key(), sessions.revocations()).await.is_ok());
    }
}
