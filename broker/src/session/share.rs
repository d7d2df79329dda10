//! Shared subscriptions (MQTT 5.0, section 4.8.2; clients of 3.1.1 may use them as well): each
//! message goes to one member of a group.
//!
//! A group is known by its name and its filter together, and has one link to the router. It
//! belongs to one user: clients of another with the same name and filter are a group of their own,
//! so that nobody takes messages from others, least of all some that it may not read. Its
//! members take the next message each in turn, when they have room for one; those that are away
//! only while none is connected. What a member could not deliver before its session ended goes
//! back to the others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use futures_util::future::select_all;
use netmonitor_protocol::acl::Principal;
use tokio::sync::{Notify, watch};

use crate::config::Config;
use crate::counters::{Counter, Counters};
use crate::exchange::Exchange;
use crate::message::Envelope;
use crate::origin::Standing;
use crate::packet::Options;
use crate::router::{Delivery, Link, RouteError};
use crate::session::offline::{self, Offline};
use crate::session::sessions::Sessions;
use crate::session::subscriptions::{is_wild, lost_between};

const PREFIX: &str = "$share/";

/// Whether it is a shared subscription, well-formed or not.
pub(crate) fn is_shared(filter: &str) -> bool {
    filter.starts_with(PREFIX)
}

/// The filter below a group's name. None: that is no shared subscription, or not a well-formed
/// one.
pub(crate) fn shared_filter(filter: &str) -> Option<&str> {
    let (group, below) = filter.strip_prefix(PREFIX)?.split_once('/')?;
    let is_well_formed = !group.is_empty() && !group.contains(['+', '#']);
    (is_well_formed && netmonitor_protocol::acl::is_well_formed(below)).then_some(below)
}

/// All groups that have members.
pub(crate) struct Shares {
    groups: Mutex<HashMap<Name, Group>>,
    limits: Limits,
    sessions: Arc<Sessions>,
    counters: Arc<Counters>,
}

/// How many groups there may be, and how much members may give back to one.
struct Limits {
    groups: usize,
    groups_per_user: usize,
    returned: offline::Limits,
}

/// What a group is known by. All members have the same rights.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Name {
    principal: Principal,
    /// The whole filter, with the name that the members have for the group.
    filter: String,
}

struct Group {
    share: Arc<Share>,
    members: usize,
}

impl Shares {
    pub(crate) fn new(config: &Config, sessions: Arc<Sessions>, counters: Arc<Counters>) -> Self {
        Self {
            groups: Mutex::default(),
            limits: Limits {
                groups: config.shared_groups_max,
                groups_per_user: config.shared_groups_per_user_max,
                returned: config.offline(),
            },
            sessions,
            counters,
        }
    }

    /// Makes a connected client a member. `filter` is the whole of it, and well-formed.
    pub(crate) fn join(
        self: &Arc<Self>,
        exchange: &Exchange,
        principal: &Principal,
        filter: &str,
        options: Options,
        identifier: Option<usize>,
    ) -> Result<Member, RouteError> {
        let name = Name {
            principal: principal.clone(),
            filter: filter.to_owned(),
        };
        let mut groups = lock(&self.groups);
        let share = if let Some(group) = groups.get_mut(&name) {
            group.members += 1;
            group.share.clone()
        } else {
            if !self.has_room(&groups, principal) {
                return Err(RouteError::Full);
            }
            let share = Arc::new(self.start(exchange, name.clone())?);
            let group = Group {
                share: share.clone(),
                members: 1,
            };
            groups.insert(name, group);
            share
        };
        drop(groups);
        let mut member = Member {
            shares: self.clone(),
            share,
            connected: false,
            options,
            identifier,
        };
        member.set_connected(true);
        Ok(member)
    }

    /// Whether there may be another group of this user.
    fn has_room(&self, groups: &HashMap<Name, Group>, principal: &Principal) -> bool {
        let standing = Standing::of(principal);
        let names = groups.keys();
        let own = names.filter(|name| name.principal.user == principal.user);
        groups.len() < standing.part_of(self.limits.groups)
            && (standing == Standing::Reserved || own.count() < self.limits.groups_per_user)
    }

    fn start(&self, exchange: &Exchange, name: Name) -> Result<Share, RouteError> {
        let below = shared_filter(&name.filter).unwrap_or_default();
        let begins_after = exchange.sequence();
        let mut link = exchange.link()?;
        link.subscribe(below, 1)?;
        let standing = Standing::of(&name.principal);
        let held = self.sessions.holder(&name.principal.user, standing);
        Ok(Share {
            source: tokio::sync::Mutex::new(Source {
                link,
                is_wild: is_wild(below),
                begins_after,
                last_offset: None,
            }),
            name,
            returned: Mutex::new(Offline::new(held)),
            returned_limits: self.limits.returned,
            has_returned: Notify::new(),
            connected: watch::Sender::new(0),
            counters: self.counters.clone(),
        })
    }

    fn leave(&self, name: &Name) {
        let mut groups = lock(&self.groups);
        let Some(group) = groups.get_mut(name) else {
            return;
        };
        group.members -= 1;
        if group.members == 0 {
            groups.remove(name);
        }
    }
}

/// One group.
pub(crate) struct Share {
    name: Name,
    /// Whoever holds it takes the next message; others wait for it in the order in which they
    /// came.
    source: tokio::sync::Mutex<Source>,
    /// What members could not deliver. When full, the oldest goes, counted.
    returned: Mutex<Offline<Shared>>,
    returned_limits: offline::Limits,
    has_returned: Notify,
    connected: watch::Sender<usize>,
    counters: Arc<Counters>,
}

struct Source {
    link: Link,
    is_wild: bool,
    begins_after: u64,
    last_offset: Option<u64>,
}

/// A message for one member, whoever it will be.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) topic: String,
    pub(crate) envelope: Envelope,
}

impl Share {
    /// The next message. Cancel safe.
    async fn next(&self, counters: &Counters) -> Result<Shared, RouteError> {
        let mut source = self.source.lock().await;
        loop {
            if let Some(shared) = lock(&self.returned).pop() {
                return Ok(shared);
            }
            let delivery = tokio::select! {
                biased;
                () = self.has_returned.notified() => continue,
                delivery = source.link.next() => delivery?,
            };
            if let Some(shared) = source.read(counters, &delivery) {
                return Ok(shared);
            }
        }
    }

    /// The next message that is there already, if nobody else waits for it.
    fn try_next(&self, counters: &Counters) -> Option<Result<Shared, RouteError>> {
        let mut source = self.source.try_lock().ok()?;
        if let Some(shared) = lock(&self.returned).pop() {
            return Some(Ok(shared));
        }
        loop {
            match source.link.try_next()? {
                Err(error) => return Some(Err(error)),
                Ok(delivery) => {
                    if let Some(shared) = source.read(counters, &delivery) {
                        return Some(Ok(shared));
                    }
                }
            }
        }
    }

    /// The next message while no member is connected. Cancel safe.
    async fn next_away(&self, counters: &Counters) -> Result<Shared, RouteError> {
        let mut connected = self.connected.subscribe();
        loop {
            // The sender is in `self`.
            drop(connected.wait_for(|members| *members == 0).await);
            tokio::select! {
                biased;
                _ = connected.wait_for(|members| *members > 0) => {}
                next = self.next(counters) => return next,
            }
        }
    }

    /// Gives a message of so many bytes to the next member.
    pub(crate) fn give_back(&self, shared: Shared, bytes: usize) {
        let dropped = lock(&self.returned).push(shared, bytes, self.returned_limits);
        self.counters.add(Counter::DroppedOfflineQueueFull, dropped);
        self.has_returned.notify_one();
    }
}

impl Source {
    fn read(&mut self, counters: &Counters, delivery: &Delivery) -> Option<Shared> {
        if delivery.subscription == Delivery::RESTARTED {
            // A new member gets nothing that is retained, and so has nothing to make up for.
            return None;
        }
        let lost = lost_between(&mut self.last_offset, delivery.offset);
        counters.add(Counter::DroppedSlowSubscriber, lost);
        let topic = delivery.topic()?;
        let envelope = Envelope::unpack(delivery.packed.clone())?;
        if envelope.sequence <= self.begins_after || self.is_wild && topic.starts_with('$') {
            return None;
        }
        Some(Shared {
            topic: topic.to_owned(),
            envelope,
        })
    }
}

/// One session's place in a group, given up when dropped.
pub(crate) struct Member {
    shares: Arc<Shares>,
    share: Arc<Share>,
    connected: bool,
    pub(crate) options: Options,
    pub(crate) identifier: Option<usize>,
}

impl Member {
    /// The whole filter.
    pub(crate) fn filter(&self) -> &str {
        &self.share.name.filter
    }

    /// The group, without keeping it alive.
    pub(crate) fn share(&self) -> Weak<Share> {
        Arc::downgrade(&self.share)
    }

    /// Whether its client can be given messages.
    pub(crate) fn set_connected(&mut self, connected: bool) {
        if self.connected != connected {
            self.connected = connected;
            self.share.connected.send_modify(|members| {
                if connected {
                    *members += 1;
                } else {
                    *members -= 1;
                }
            });
        }
    }

    /// See [`Share::try_next`].
    pub(crate) fn try_next(&self, counters: &Counters) -> Option<Result<Shared, RouteError>> {
        self.share.try_next(counters)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.set_connected(false);
        self.shares.leave(&self.share.name);
    }
}

/// The next message for any of the groups, with the place of the group among `members`; `turn`
/// says whose turn it is if several have one. Cancel safe.
pub(crate) async fn next_of(
    members: &[Member],
    counters: &Counters,
    turn: usize,
    is_away: bool,
) -> Result<(usize, Shared), RouteError> {
    if members.is_empty() {
        return std::future::pending().await;
    }
    let next = async |index: usize| {
        let share = &members[index].share;
        let shared = if is_away {
            share.next_away(counters).await
        } else {
            share.next(counters).await
        };
        shared.map(|shared| (index, shared))
    };
    let all = (0..members.len()).map(|n| Box::pin(next((turn + n) % members.len())));
    // Boxed: it does not stay with those who are in no group.
    Box::pin(select_all(all)).await.0
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_has_a_name_and_a_filter() {
        for (filter, expected) in [
            ("$share/g/a/+", Some("a/+")),
            ("$share/g//", Some("/")),
            ("$share/g", None),
            ("$share/g/", None),
            ("$share//a", None),
            ("$share/g+/a", None),
            ("$share/#", None),
            ("$share/g/a/#/b", None),
            ("$shared/g/a", None),
            ("a", None),
        ] {
            assert_eq!(shared_filter(filter), expected, "{filter}");
        }
    }
}
