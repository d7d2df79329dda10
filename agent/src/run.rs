//! The life of an agent: connect, be born, take samples, say goodbye.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::bail;
use netmonitor_protocol::payload::{EndCause, Ended, Metrics, Session, Status};
use netmonitor_protocol::{DeviceId, Message, SessionId, Topic};
use netmonitor_service::mqtt::{self, Event, Events, Options, Outage, Publisher};
use netmonitor_service::{clock, random};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::collect::{FIRST_READING, Sampler};
use crate::inventory::{Inventory, boot_id};
use crate::publish::{InfoSlot, Known, changes};
use crate::{Config, VERSION, joined, services};

/// How long the hub may take to acknowledge the goodbye.
const GOODBYE_WITHIN: Duration = Duration::from_secs(1);

/// How long the connection may take to close after that.
const DISCONNECT_WITHIN: Duration = Duration::from_millis(800);

/// Received messages that may wait. Only this device's own status comes in; if it is full the
/// client stops reading for a moment.
const QUEUE: usize = 16;

/// There is no identity in the state directory.
#[derive(Debug, thiserror::Error)]
#[error(
    "this machine is not joined to a hub yet: run `netmonitor-agent join CODE` with a code from \
     the dashboard or from `netmonitor join-code`"
)]
pub struct NotJoined;

/// Runs until `shutdown`, whether the hub can be reached or not.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let Some(identity) = joined(&config.state_dir)? else {
        bail!(NotJoined);
    };
    let device = identity.device.clone();
    let session = Session {
        session: SessionId(random::bits64()),
        boot_id: boot_id(&config.root),
        since: clock::now(),
        agent_version: VERSION.to_owned(),
        ended: None,
    };
    let (taken, sample) = watch::channel(None);
    let (found, found_services) = watch::channel(None);
    let (claims, claimed) = watch::channel(());
    let inventory = Inventory::new(&config.root, identity.name.clone(), config.interval);
    let known = Known {
        device: device.clone(),
        session: session.clone(),
        sample,
        services: found_services,
        info: Arc::new(InfoSlot::new(inventory)),
    };
    let born = known.clone();
    let (publisher, events, connection) = mqtt::client(Options {
        will: Some(Message::DeviceStatus(
            device.clone(),
            Status::Offline,
            Some(session.session),
        )),
        filters: vec![Topic::DeviceStatus(device.clone()).to_string()],
        birth: Some(Arc::new(move || born.birth())),
        queue: QUEUE,
        ..Options::new(format!("agent-{device}"), identity.dial())
    });

    // The connection outlives the other tasks: it carries the goodbye.
    let disconnect = CancellationToken::new();
    let mut connections = JoinSet::new();
    connections.spawn(connection.run(disconnect.clone()));
    let mut tasks = JoinSet::new();
    let sampler = Sampler::new(&config.root, session.session, Instant::now());
    tasks.spawn(take_samples(sampler, config.interval, taken));
    tasks.spawn(changes(known, publisher.clone(), claimed));
    tasks.spawn(listen(events, device.clone(), claims));
    if config.services {
        tasks.spawn(services::watch(config.root.clone(), found));
    }

    let failed = tokio::select! {
        () = shutdown.cancelled() => None,
        ended = tasks.join_next() => ended,
    };
    tasks.shutdown().await;
    if goodbye(&publisher, device, session).await {
        disconnect.cancel();
    } else {
        // Without DISCONNECT the broker publishes the will: somebody must say `offline`.
        connections.abort_all();
    }
    let closed = async { while connections.join_next().await.is_some() {} };
    if timeout(DISCONNECT_WITHIN, closed).await.is_err() {
        tracing::debug!("the connection was not closed in time");
    }
    match failed {
        None => Ok(()),
        Some(Err(error)) => Err(error.into()),
        Some(Ok(())) => bail!("a part of the agent has ended by itself"),
    }
}

/// Takes a sample each interval. They pile up nowhere: a sample replaces the one before.
async fn take_samples(
    mut sampler: Sampler,
    interval: Duration,
    taken: watch::Sender<Option<Metrics>>,
) {
    sleep(FIRST_READING).await;
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        if let Some(sample) = sampler.sample(Instant::now(), clock::now()) {
            taken.send_replace(Some(sample));
        }
    }
}

/// Follows the connection, and objects when someone says that this device is gone, as a broker
/// does with the will of an older connection.
async fn listen(mut events: Events, device: DeviceId, claims: watch::Sender<()>) {
    let mut outage = Outage::default();
    while let Some(event) = events.next().await {
        match event {
            Event::Connected => {
                outage.over();
                tracing::info!(%device, "connected to the hub");
            }
            Event::Disconnected(error) => {
                if let Some(error) = outage.news(error) {
                    tracing::warn!(%device, error, "not connected to the hub; trying again");
                }
            }
            Event::Message(Message::DeviceStatus(id, Status::Offline, _)) if id == device => {
                tracing::debug!(%device, "someone said offline: saying online");
                claims.send_replace(());
            }
            // What was retained is from before: the birth has just said otherwise.
            Event::Message(_) | Event::Retained(_) => {}
        }
    }
}

/// Says that this is a stop and no crash, then `offline`; each is acknowledged before the next,
/// so that nobody sees them in another order. True once the hub has acknowledged `offline`.
async fn goodbye(publisher: &Publisher, device: DeviceId, session: Session) -> bool {
    let ended = Session {
        ended: Some(Ended {
            cause: EndCause::Stop,
            time: clock::now(),
        }),
        ..session
    };
    let id = ended.session;
    let said = async {
        publisher
            .publish(Message::DeviceSession(device.clone(), ended))
            .await?;
        publisher
            .publish(Message::DeviceStatus(device, Status::Offline, Some(id)))
            .await
    };
    match timeout(GOODBYE_WITHIN, said).await {
        Ok(Ok(())) => {
            tracing::info!("said goodbye to the hub");
            return true;
        }
        Ok(Err(error)) => tracing::info!(%error, "stopped without a goodbye"),
        Err(_) => tracing::info!("stopped without a goodbye: the hub did not answer in time"),
    }
    false
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
