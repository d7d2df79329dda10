//! The life of an agent: connect, be born, take samples, say goodbye.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::bail;
use netmonitor_protocol::payload::{EndCause, Metrics, Session, Settings, Status};
use netmonitor_protocol::{DeviceId, Message, SessionId};
use netmonitor_service::mqtt::{self, Birth, Dial, Options, Pace, Publisher};
use netmonitor_service::{clock, random};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{MissedTickBehavior, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::backfill::Patience;
use crate::collect::{FIRST_READING, Facts, Sampler};
use crate::delivery::{Delivery, Keep};
use crate::doings::Doings;
use crate::follow::{Births, Follower};
use crate::goodbye::goodbye;
use crate::home::{Home, NotJoined};
use crate::inventory::{Inventory, boot_id};
use crate::last_keepalive::LastKeepAlive;
use crate::publish::{Known, Prompts, changes};
use crate::rivals::Rivals;
use crate::settings::{Defaults, Wanted};
use crate::spool::{Limits, Owner, Place, Spool};
use crate::{Config, VERSION, joined, power, processes, services};
#[cfg(unix)]
use crate::{
    local,
    notices::{self, Notices},
};

/// How long the connection may take to close after the goodbye.
const DISCONNECT_WITHIN: Duration = Duration::from_millis(800);

/// Received messages that may wait: a few retained ones, and what others say of this device. If
/// it is full the client stops reading for a moment.
const QUEUE: usize = 16;

/// What the machine announces of sleep and wake: if it is full, the next one waits.
const POWER_QUEUE: usize = 4;

/// Runs until `shutdown`, whether the hub can be reached or not.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let home = Home::find(&config)?;
    let mut agent = Agent::start(&config, &home);
    let failed = tokio::select! {
        () = shutdown.cancelled() => None,
        ended = agent.tasks.join_next() => ended,
    };
    agent.stop().await;
    ended(failed)
}

/// An agent at work.
struct Agent {
    device: DeviceId,
    session: Session,
    /// Everything but the connection.
    tasks: JoinSet<()>,
    /// The connection outlives the other tasks: it carries the goodbye.
    connections: JoinSet<()>,
    disconnect: CancellationToken,
    publisher: Publisher,
    delivery: Arc<Delivery>,
    going_down: watch::Receiver<bool>,
}

impl Agent {
    fn start(config: &Config, home: &Home) -> Self {
        let device = home.device().clone();
        let session = session(config);
        let doings = Arc::new(Doings::new());
        let delivery = Arc::new(delivery(home, &session, config));
        let keep_alive = LastKeepAlive::read(&config.state_dir);
        let defaults = Defaults::of(config);
        let wanted = watch::Sender::new(Wanted {
            keep_alive: keep_alive.get(),
            ..Wanted::from(&Settings::default(), &defaults)
        });
        let inventory = Inventory::new(&config.root, home.name(), config.watched_services.clone());
        let (known, found) = Known::new(
            device.clone(),
            session.clone(),
            inventory,
            delivery.clone(),
            wanted.subscribe(),
        );
        let (dial, addresses) = home.dial(&config.state_dir);
        let born = known.clone();
        let birth: Birth = Arc::new(move || born.birth());
        let (publisher, events, connection) = mqtt::client(Options {
            keep_alive: keep_alive.get(),
            ..mqtt_options(&device, dial, session.session, birth)
        });
        let control = connection.control();
        let (claims, claimed) = watch::channel(());
        let (power, powered) = mpsc::channel(POWER_QUEUE);
        let (goes_down, going_down) = watch::channel(false);
        let (looked, looked_at) = watch::channel(None);
        let follower = Follower {
            device: device.clone(),
            session: session.session,
            defaults,
            addresses,
            control: control.clone(),
            claims,
            delivery: delivery.clone(),
            wanted: wanted.clone(),
            keep_alive,
            rivals: Rivals::default(),
            births: Births::default(),
            doings: doings.clone(),
            looked,
        };
        let prompts = Prompts {
            claims: claimed,
            power: powered,
        };
        let told = Told {
            delivery: delivery.clone(),
            sample: found.sample,
            facts: found.facts,
            doings: doings.clone(),
        };
        let disconnect = CancellationToken::new();
        let mut connections = JoinSet::new();
        connections.spawn(connection.run(disconnect.clone()));
        let mut tasks = JoinSet::new();
        let root = &config.root;
        let sampler = Sampler::new(root, &config.collectors, session.session, Instant::now());
        tasks.spawn(take_samples(sampler, wanted.subscribe(), told));
        tasks.spawn(delivery.clone().make_up(publisher.clone()));
        tasks.spawn(delivery.clone().pack());
        tasks.spawn(changes(known, publisher.clone(), control, prompts));
        tasks.spawn(follower.run(events));
        tasks.spawn(power::watch(power, goes_down));
        if config.services {
            let wanted = wanted.subscribe();
            tasks.spawn(services::watch(root.clone(), wanted, found.services));
        }
        let show = config.processes;
        tasks.spawn(processes::watch(
            root.clone(),
            show,
            looked_at,
            found.processes,
        ));
        #[cfg(unix)]
        inform(
            &mut tasks,
            config,
            local::Server {
                device: device.clone(),
                doings,
                delivery: delivery.clone(),
                notices: Arc::new(Notices::new()),
            },
            wanted.subscribe(),
        );
        Self {
            device,
            session,
            tasks,
            connections,
            disconnect,
            publisher,
            delivery,
            going_down,
        }
    }

    /// Says goodbye, and sees to it that nothing is lost that waits.
    async fn stop(mut self) {
        self.tasks.shutdown().await;
        let cause = end_cause(&self.going_down).await;
        if goodbye(&self.publisher, self.device, self.session, cause).await {
            self.disconnect.cancel();
        } else {
            self.connections.abort_all();
        }
        if cause == EndCause::Shutdown {
            self.delivery.pack_before_the_end().await;
        }
        // Who starts the agent anew in this program finds the spool free.
        self.delivery.end_packing().await;
        let closed = async { while self.connections.join_next().await.is_some() {} };
        if timeout(DISCONNECT_WITHIN, closed).await.is_err() {
            tracing::debug!("the connection was not closed in time");
        }
    }
}

/// Tells those who are on this machine.
#[cfg(unix)]
fn inform(
    tasks: &mut JoinSet<()>,
    config: &Config,
    server: local::Server,
    wanted: watch::Receiver<Wanted>,
) {
    let (doings, notices) = (server.doings.clone(), server.notices.clone());
    tasks.spawn(notices::follow(doings, notices, wanted));
    tasks.spawn(local::serve(local::socket(&config.state_dir), server));
}

/// This start of the agent.
fn session(config: &Config) -> Session {
    Session {
        session: SessionId(random::bits64()),
        boot_id: boot_id(&config.root),
        since: clock::now(),
        agent_version: VERSION.to_owned(),
        ended: None,
    }
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
fn delivery(home: &Home, session: &Session, config: &Config) -> Delivery {
    let owner = Owner {
        name: home.owner(),
        session: session.session,
        boot: session.boot_id.clone(),
    };
    let limits = Limits {
        disk_bytes: config.spool_bytes,
        ..Limits::default()
    };
    let spool = Spool::open(Place::of(&config.state_dir), owner, limits);
    let keep = match home {
        Home::Hub(_) => Keep::Always,
        Home::Broker(_) => Keep::OnceIngestIsThere,
    };
    let device = home.device().clone();
    Delivery::new(device, session.session, spool, Patience::default(), keep)
}

/// How an agent appears on the broker: its client id, its will, what it wants to hear.
pub fn mqtt_options(device: &DeviceId, dial: Dial, session: SessionId, birth: Birth) -> Options {
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
        ..Options::new(format!("agent-{device}"), dial)
    }
}

/// Who is told of a sample.
struct Told {
    /// It keeps each.
    delivery: Arc<Delivery>,
    /// For those who want the latest one it replaces the one before.
    sample: watch::Sender<Option<Metrics>>,
    /// What belongs into the inventory.
    facts: watch::Sender<Facts>,
    /// How the collectors are doing.
    doings: Arc<Doings>,
}

/// Takes a sample each interval, and keeps it.
async fn take_samples(mut sampler: Sampler, mut wanted: watch::Receiver<Wanted>, told: Told) {
    sleep(FIRST_READING).await;
    let mut last = None;
    loop {
        let interval = wanted.borrow_and_update().interval;
        // Two readings in a row would be noise: neither a new interval nor one that was missed makes
        // a sample follow the one before at once.
        let next = last.map_or_else(tokio::time::Instant::now, |last| last + interval);
        let mut ticks = tokio::time::interval_at(next, interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while wanted.borrow().interval == interval {
            tokio::select! {
                _ = ticks.tick() => {
                    last = Some(tokio::time::Instant::now());
                    if let Some(apart) = sampler.begin(Instant::now()) {
                        apart.await;
                    }
                    if let Some(sample) = sampler.take(clock::now(), clock::since_boot()) {
                        told.delivery.took(&sample);
                        told.sample.send_replace(Some(sample));
                    }
                    told.doings.collected(sampler.health());
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
