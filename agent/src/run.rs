//! The life of an agent: connect, be born, take samples, say goodbye.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::bail;
use netmonitor_protocol::payload::{EndCause, Metrics, Session, Settings, Status};
use netmonitor_protocol::{Message, SessionId};
use netmonitor_service::mqtt::{self, Birth, Options, Pace};
use netmonitor_service::{clock, random};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{MissedTickBehavior, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::addresses::Addresses;
use crate::backfill::Patience;
use crate::collect::{FIRST_READING, Facts, Sampler};
use crate::delivery::Delivery;
use crate::follow::{Births, Follower};
use crate::goodbye::goodbye;
use crate::inventory::{Inventory, boot_id};
use crate::last_keepalive::LastKeepAlive;
use crate::publish::{InfoSlot, Known, Prompts, changes};
use crate::rivals::Rivals;
use crate::settings::Wanted;
use crate::spool::{Limits, Owner, Place, Spool};
use crate::{Config, Identity, VERSION, joined, power, services};

/// How long the connection may take to close after the goodbye.
const DISCONNECT_WITHIN: Duration = Duration::from_millis(800);

/// Received messages that may wait: a few retained ones, and what others say of this device. If
/// it is full the client stops reading for a moment.
const QUEUE: usize = 16;

/// What the machine announces of sleep and wake: if it is full, the next one waits.
const POWER_QUEUE: usize = 4;

/// There is no identity in the state directory.
#[derive(Debug, thiserror::Error)]
#[error(
    "this machine is not joined to a hub yet: run `netmonitor-agent join CODE` with a code from \
     the dashboard or from `netmonitor join-code`"
)]
pub struct NotJoined;

/// Runs until `shutdown`, whether the hub can be reached or not.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let Some(mut identity) = joined(&config.state_dir)? else {
        bail!(NotJoined);
    };
    identity.check_machine(&config.root, &config.state_dir)?;
    let device = identity.device.clone();
    let session = Session {
        session: SessionId(random::bits64()),
        boot_id: boot_id(&config.root),
        since: clock::now(),
        agent_version: VERSION.to_owned(),
        ended: None,
    };
    let (taken, sample) = watch::channel(None);
    let (read, facts) = watch::channel(Facts::default());
    let (found, found_services) = watch::channel(None);
    let (claims, claimed) = watch::channel(());
    let delivery = Arc::new(delivery(&identity, &session, &config));
    let keep_alive = LastKeepAlive::read(&config.state_dir);
    let wanted = watch::Sender::new(Wanted {
        keep_alive: keep_alive.get(),
        ..Wanted::from(&Settings::default(), config.interval)
    });
    let (power, powered) = mpsc::channel(POWER_QUEUE);
    let (goes_down, going_down) = watch::channel(false);
    let known = Known {
        device: device.clone(),
        session: session.clone(),
        sample,
        delivery: delivery.clone(),
        services: found_services,
        wanted: wanted.subscribe(),
        info: Arc::new(InfoSlot::new(Inventory::new(
            &config.root,
            identity.name.clone(),
            config.watched_services.clone(),
        ))),
        facts,
    };
    let born = known.clone();
    let birth: Birth = Arc::new(move || born.birth());
    let appearance = mqtt_options(&identity, session.session, birth);
    let addresses = Addresses::new(identity, config.state_dir.clone());
    let (publisher, events, connection) = mqtt::client(Options {
        dial: addresses.dial(),
        keep_alive: keep_alive.get(),
        ..appearance
    });
    let control = connection.control();
    let follower = Follower {
        device: device.clone(),
        session: session.session,
        interval: config.interval,
        addresses,
        control: control.clone(),
        claims,
        delivery: delivery.clone(),
        wanted: wanted.clone(),
        keep_alive,
        rivals: Rivals::default(),
        births: Births::default(),
    };
    // The connection outlives the other tasks: it carries the goodbye.
    let disconnect = CancellationToken::new();
    let mut connections = JoinSet::new();
    connections.spawn(connection.run(disconnect.clone()));
    let mut tasks = JoinSet::new();
    let now = Instant::now();
    let sampler = Sampler::new(&config.root, &config.collectors, session.session, now);
    let interval = wanted.subscribe();
    let told = Told {
        delivery: delivery.clone(),
        taken,
        facts: read,
    };
    tasks.spawn(take_samples(sampler, interval, told));
    tasks.spawn(delivery.clone().make_up(publisher.clone()));
    tasks.spawn(delivery.clone().pack());
    let prompts = Prompts {
        claims: claimed,
        power: powered,
    };
    tasks.spawn(changes(known, publisher.clone(), control, prompts));
    tasks.spawn(follower.run(events));
    tasks.spawn(power::watch(power, goes_down));
    if config.services {
        tasks.spawn(services::watch(config.root.clone(), found));
    }

    let failed = tokio::select! {
        () = shutdown.cancelled() => None,
        ended = tasks.join_next() => ended,
    };
    tasks.shutdown().await;
    let cause = end_cause(&going_down).await;
    if goodbye(&publisher, device, session, cause).await {
        disconnect.cancel();
    } else {
        connections.abort_all();
    }
    if cause == EndCause::Shutdown {
        delivery.pack_before_the_end().await;
    }
    // Who starts the agent anew in this program finds the spool free.
    delivery.end_packing().await;
    let closed = async { while connections.join_next().await.is_some() {} };
    if timeout(DISCONNECT_WITHIN, closed).await.is_err() {
        tracing::debug!("the connection was not closed in time");
    }
    ended(failed)
}

async fn end_cause(going_down: &watch::Receiver<bool>) -> EndCause {
    if power::goes_down(going_down).await {
        EndCause::Shutdown
    } else {
        EndCause::Stop
    }
}

/// What the end of a task means for the agent.
fn ended(failed: Option<Result<(), JoinError>>) -> anyhow::Result<()> {
    match failed {
        None => Ok(()),
        Some(Err(error)) => Err(error.into()),
        Some(Ok(())) => bail!("a part of the agent has ended by itself"),
    }
}

/// What is kept until the hub has stored it.
fn delivery(identity: &Identity, session: &Session, config: &Config) -> Delivery {
    let owner = Owner {
        name: identity.owner(),
        session: session.session,
        boot: session.boot_id.clone(),
    };
    let limits = Limits {
        disk_bytes: config.spool_bytes,
        ..Limits::default()
    };
    let spool = Spool::open(Place::of(&config.state_dir), owner, limits);
    let patience = Patience::default();
    Delivery::new(identity.device.clone(), session.session, spool, patience)
}

/// How an agent appears on the broker: its client id, its will, what it wants to hear.
pub fn mqtt_options(identity: &Identity, session: SessionId, birth: Birth) -> Options {
    let device = &identity.device;
    Options {
        will: Some(Message::DeviceStatus(
            device.clone(),
            Status::Offline,
            Some(session),
        )),
        filters: Follower::filters(device),
        birth: Some(birth),
        queue: QUEUE,
        pace: Pace::Agent,
        ..Options::new(format!("agent-{device}"), identity.dial())
    }
}

/// Who is told of a sample.
struct Told {
    /// It keeps each.
    delivery: Arc<Delivery>,
    /// For those who want the latest one it replaces the one before.
    taken: watch::Sender<Option<Metrics>>,
    /// What belongs into the inventory.
    facts: watch::Sender<Facts>,
}

/// Takes a sample each interval, and keeps it.
async fn take_samples(mut sampler: Sampler, mut wanted: watch::Receiver<Wanted>, told: Told) {
    sleep(FIRST_READING).await;
    loop {
        let interval = wanted.borrow_and_update().interval;
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        while wanted.borrow().interval == interval {
            tokio::select! {
                _ = ticks.tick() => {
                    if let Some(apart) = sampler.begin(Instant::now()) {
                        apart.await;
                    }
                    if let Some(sample) = sampler.take(clock::now(), clock::since_boot()) {
                        told.delivery.took(&sample);
                        told.taken.send_replace(Some(sample));
                    }
                    let facts = sampler.facts();
                    told.facts.send_if_modified(|known| {
                        let differs = *known != facts;
                        *known = facts;
                        differs
                    });
                }
                Ok(()) = wanted.changed() => {}
            }
        }
    }
}

/// Whether this machine has joined a hub, as an error that says what to do.
pub(crate) fn identity_or_hint(state_dir: &Path) -> anyhow::Result<crate::Identity> {
    joined(state_dir)?.ok_or_else(|| NotJoined.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_can_run_inside_another_program() {
        fn may_move_between_threads<T: Send>(_task: &T) {}
        let folder = tempfile::tempdir().unwrap();
        let config = Config::load(folder.path(), None).unwrap();
        may_move_between_threads(&run(config, CancellationToken::new()));
    }
}
