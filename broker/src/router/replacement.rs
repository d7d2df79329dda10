//! One router in place of another, without any client noticing.
//!
//! Locks are taken in this order: the exchange's, `core`, `table`, `publishing`. Whoever changes
//! what a link has subscribed holds `core` for reading; the replacement holds it for writing,
//! so that it sees all links as they are. Publishing goes on meanwhile.

use std::collections::HashMap;
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak,
};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::sleep;

use super::core::Core;
use super::ending::Fate;
use super::history::History;
use super::known::{Filters, Topics};
use super::link::Link;
use super::logs::Logs;
use super::place::Place;
use super::publisher::Publisher;
use super::seat::{Leave, Move, Retired, Seat};
use super::{Break, Health, RouteError, lock, spelling};
use crate::config::Config;
use crate::origin::{Origin, Standing};
use bytes::Bytes;

/// The router that is used now, and what all links share.
pub(super) struct Inner {
    config: Config,
    core: RwLock<Arc<Core>>,
    table: Mutex<Table>,
    publishing: Mutex<Publishing>,
    history: Mutex<History>,
    /// The router before, as long as links still read from it.
    retired: Mutex<Weak<Retired>>,
    /// Messages wait until the router may be told of them.
    unflushed: Notify,
}

struct Table {
    seats: HashMap<u64, Arc<Seat>>,
    /// Names that can be used again: a router remembers each for ever.
    free_names: Vec<u64>,
    names_made: u64,
    filters: Filters,
}

impl Table {
    fn take_name(&mut self) -> u64 {
        self.free_names.pop().unwrap_or_else(|| {
            self.names_made += 1;
            self.names_made
        })
    }
}

struct Publishing {
    generation: u64,
    publisher: Publisher,
    topics: Topics,
    logs: Logs,
}

/// Why a router is replaced.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    Dead,
    /// Or its logs hold too much.
    KnowsTooMuch,
}

impl Inner {
    pub(super) fn start(config: &Config) -> Result<Self, RouteError> {
        let core = Arc::new(Core::start(config, 0));
        let publisher = Publisher::new(&core)?;
        Ok(Self {
            table: Mutex::new(Table {
                seats: HashMap::new(),
                free_names: Vec::new(),
                names_made: 0,
                filters: Filters::new(config.router_filters_max, config.new_filters()),
            }),
            publishing: Mutex::new(Publishing {
                generation: 0,
                publisher,
                topics: Topics::new(config.router_topics_max, config.topics_per_user_max),
                logs: Logs::default(),
            }),
            config: config.clone(),
            core: RwLock::new(core),
            history: Mutex::default(),
            retired: Mutex::default(),
            unflushed: Notify::new(),
        })
    }

    /// The router that is used now. As long as this is held, it is not replaced.
    pub(super) fn core(&self) -> RwLockReadGuard<'_, Arc<Core>> {
        self.core.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        lock(&self.table)
    }

    pub(super) fn subscribed(&self, filter: &Arc<str>) {
        let is_new = self.table().filters.add(filter);
        if is_new {
            lock(&self.publishing).logs.add(filter);
        }
    }

    pub(super) fn unsubscribed(&self, filter: &str) {
        self.table().filters.remove(filter);
    }

    /// See [`Router::link`](super::Router::link).
    pub(super) fn link(self: &Arc<Self>) -> Result<Link, RouteError> {
        loop {
            let core = self.core();
            let name = self.table().take_name();
            let generation = core.generation;
            if let Ok(ends) = core.connect_in_time(link_name(name)) {
                let seat = Arc::new(Seat::default());
                self.table().seats.insert(name, seat.clone());
                let place = Place::new(ends);
                return Ok(Link::new(self.clone(), seat, name, place, generation));
            }
            self.table().free_names.push(name);
            drop(core);
            self.replace_dead(generation)?;
        }
    }

    /// A link ends. The caller holds `core`.
    pub(super) fn leave(&self, name: u64, seat: &Seat) {
        let mut table = self.table();
        for filter in seat.state().subscriptions.values() {
            table.filters.remove(filter);
        }
        table.seats.remove(&name);
        // Whoever gets the name next comes behind the end in the router's queue.
        table.free_names.push(name);
    }

    /// See [`Router::admit_filter`](super::Router::admit_filter). Takes a spelled filter.
    pub(super) fn admit_filter(
        self: &Arc<Self>,
        filter: &str,
        from: Origin<'_>,
    ) -> Result<(), RouteError> {
        let admit = || self.table().filters.admit(filter, from, Instant::now());
        let admitted = admit();
        if admitted.is_err() && self.renew_if_due() {
            return admit();
        }
        admitted
    }

    /// See [`Router::admit_topic`](super::Router::admit_topic).
    pub(super) fn admit_topic(
        self: &Arc<Self>,
        topic: &str,
        from: Origin<'_>,
    ) -> Result<(), RouteError> {
        let admitted = self.try_topic(topic, from);
        if admitted.is_err() && self.renew_if_due() {
            return self.try_topic(topic, from);
        }
        admitted
    }

    fn try_topic(&self, topic: &str, from: Origin<'_>) -> Result<(), RouteError> {
        // What devices and services publish follows from the table of topics: few logs have it.
        if from.standing == Standing::Common && self.is_congested() {
            return Err(RouteError::Full);
        }
        lock(&self.publishing).topics.admit(topic, from)
    }

    /// Whether the logs hold all that they may for users that leave room for others.
    fn is_congested(&self) -> bool {
        self.held() >= Standing::Common.part_of(self.config.backlog_total_bytes)
    }

    /// What the messages in the logs take.
    fn held(&self) -> usize {
        let retired = lock(&self.retired).upgrade();
        let before = retired.map_or(0, |retired| retired.held());
        before + lock(&self.publishing).publisher.held()
    }

    /// See [`Router::publish`](super::Router::publish).
    pub(super) fn publish(
        self: &Arc<Self>,
        sequence: u64,
        topic: &str,
        packed: &Bytes,
    ) -> Result<(), RouteError> {
        loop {
            let topic = spelling::topic(topic);
            let generation = {
                let publishing = &mut *lock(&self.publishing);
                let logs = publishing.logs.append(&topic);
                let publisher = &mut publishing.publisher;
                let told = publisher.publish(sequence, topic, packed.clone(), logs);
                if let Ok(flush) = told {
                    if flush {
                        self.unflushed.notify_one();
                    }
                    return Ok(());
                }
                publishing.generation
            };
            self.replace_dead(generation)?;
        }
    }

    /// See [`Router::keep_flushing`](super::Router::keep_flushing).
    pub(super) async fn keep_flushing(self: &Arc<Self>) -> RouteError {
        loop {
            self.unflushed.notified().await;
            loop {
                match self.flush() {
                    Ok(None) => break,
                    Ok(Some(pause)) => sleep(pause).await,
                    Err(error) => return error,
                }
            }
        }
    }

    fn flush(self: &Arc<Self>) -> Result<Option<Duration>, RouteError> {
        let generation = {
            let mut publishing = lock(&self.publishing);
            if let Ok(pause) = publishing.publisher.flush() {
                return Ok(pause);
            }
            publishing.generation
        };
        self.replace_dead(generation)?;
        Ok(Some(Duration::ZERO))
    }

    pub(super) fn backlog(&self) -> usize {
        lock(&self.publishing).publisher.backlog()
    }

    /// See [`Router::look_after`](super::Router::look_after).
    pub(super) fn look_after(self: &Arc<Self>) -> Result<(), RouteError> {
        let (generation, alive) = {
            let mut publishing = lock(&self.publishing);
            (publishing.generation, publishing.publisher.probe())
        };
        if alive.is_err() {
            self.replace_dead(generation)?;
        }
        let retired = lock(&self.retired).upgrade();
        if let Some(retired) = retired {
            retired.nudge();
        }
        self.renew_if_due();
        Ok(())
    }

    /// A link has ended that should not have: gives it, or every link, a new place.
    pub(super) fn recover(
        self: &Arc<Self>,
        generation: u64,
        name: u64,
        seat: &Seat,
    ) -> Result<(), RouteError> {
        let (is_dead, sequence) = {
            let mut publishing = lock(&self.publishing);
            let publisher = &mut publishing.publisher;
            let (is_dead, sequence) = (publisher.hear().is_err(), publisher.sequence());
            (is_dead && publishing.generation == generation, sequence)
        };
        if is_dead {
            return self.replace_dead(generation);
        }
        let core = self.core();
        if core.generation != generation {
            return Ok(());
        }
        tracing::error!("the router has ended a link, which is made again");
        let mut to = Place::new(core.connect_in_time(link_name(name))?);
        to.subscribe_all(&seat.state().subscriptions)?;
        seat.send(Move {
            to,
            generation,
            sequence,
            leave: Leave::Dead,
        });
        Ok(())
    }

    pub(super) fn health(&self) -> Health {
        let known_filters = self.table().filters.len();
        let known_topics = lock(&self.publishing).topics.len();
        let held_bytes = self.held();
        let history = lock(&self.history);
        Health {
            known_filters,
            known_topics,
            held_bytes,
            replacements: history.replacements,
            renewals: history.renewals,
        }
    }

    /// For tests. Returns when the router has taken it, or is dead already.
    pub(super) fn break_down(&self, how: Break) {
        let publisher = &mut lock(&self.publishing).publisher;
        match how {
            Break::Panic => publisher.poison(),
            Break::Hang => publisher.send_fate(Fate::Hang),
        }
        while publisher.backlog() > 0 && publisher.hear().is_ok() {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Puts a new router in the place of one that is dead or hangs. What was in it and has not
    /// been read is lost.
    pub(super) fn replace_dead(self: &Arc<Self>, generation: u64) -> Result<(), RouteError> {
        let core = self.core.write().unwrap_or_else(PoisonError::into_inner);
        if core.generation != generation {
            // Somebody else was faster.
            return Ok(());
        }
        if !lock(&self.history).died(Instant::now()) {
            return Err(RouteError::Dead);
        }
        let unconfirmed = lock(&self.publishing).publisher.unconfirmed();
        tracing::error!(
            clients = self.table().seats.len(),
            messages_at_risk = unconfirmed,
            "the router has died and is replaced; clients stay connected"
        );
        self.replace(core, Why::Dead)
    }

    /// Puts a new router in the place of one that knows or holds too much, if it may. True: done.
    fn renew_if_due(self: &Arc<Self>) -> bool {
        let now = Instant::now();
        let is_congested = self.is_congested();
        let generation = self.core().generation;
        let (percent, held_part, is_user_due) = {
            let history = lock(&self.history);
            if !history.is_rested(now) {
                return false;
            }
            if let Some(retired) = lock(&self.retired).upgrade() {
                if !history.is_drain_over(now, is_congested) {
                    return false;
                }
                retired.end();
            }
            (
                history.topics_percent(now),
                history.held_part(now),
                history.is_user_due(now),
            )
        };
        let (has_too_much, is_answering) = {
            let Publishing {
                topics, publisher, ..
            } = &*lock(&self.publishing);
            let is_due = topics.used_percent() >= percent
                || topics.has_full_user() && is_user_due
                || publisher.held() >= self.config.backlog_total_bytes / held_part;
            (is_due, publisher.is_answering())
        };
        let knows_too_much = has_too_much || self.table().filters.is_stale();
        // Nothing can be drained out of one that hangs: it will be replaced as dead.
        if !knows_too_much || !is_answering {
            return false;
        }
        let core = self.core.write().unwrap_or_else(PoisonError::into_inner);
        if core.generation != generation {
            // Somebody else was faster.
            return true;
        }
        let done = self.replace(core, Why::KnowsTooMuch).is_ok();
        let took = now.elapsed();
        lock(&self.history).renewed(now, took, done);
        if done {
            tracing::info!(
                took_ms = took.as_millis(),
                "a new router has replaced one that knew too many topics or filters, or held too much"
            );
        }
        done
    }

    fn replace(
        &self,
        mut core: RwLockWriteGuard<'_, Arc<Core>>,
        why: Why,
    ) -> Result<(), RouteError> {
        let new = Arc::new(Core::start(&self.config, core.generation + 1));
        let mut publisher = Publisher::new(&new)?;
        let mut table = self.table();
        let mut places = Vec::with_capacity(table.seats.len());
        for (name, seat) in &table.seats {
            let mut place = Place::new(new.connect(&link_name(*name))?);
            let subscriptions = seat.state().subscriptions.clone();
            place.subscribe_all(&subscriptions)?;
            places.push((seat.clone(), place, subscriptions));
        }
        table.filters.forget_dead(Instant::now());
        let (old, logs) = {
            let mut publishing = lock(&self.publishing);
            let publishing = &mut *publishing;
            if why == Why::Dead {
                publisher.inherit(&mut publishing.publisher)?;
            }
            publishing.topics.forget();
            publishing.generation = new.generation;
            let logs = std::mem::replace(&mut publishing.logs, Logs::of(table.filters.live()));
            let old = std::mem::replace(&mut publishing.publisher, publisher);
            (old, logs)
        };
        let sequence = old.sequence();
        let retired = Arc::new(Retired::new(old, logs.ends()));
        for (seat, to, mut marks) in places {
            let leave = match why {
                Why::Dead => Leave::Dead,
                Why::KnowsTooMuch => {
                    marks.retain(|_, filter| !retired.is_unused(filter));
                    Leave::Drained {
                        marks,
                        router: retired.clone(),
                    }
                }
            };
            seat.send(Move {
                to,
                generation: new.generation,
                sequence,
                leave,
            });
        }
        if why == Why::KnowsTooMuch {
            let live = table.filters.live();
            retired.mark(live.filter(|filter| !retired.is_unused(filter)));
            *lock(&self.retired) = Arc::downgrade(&retired);
        }
        *core = new;
        Ok(())
    }
}

fn link_name(name: u64) -> String {
    format!("s{name}")
}
