//! The hub says that it is there: `hub/status`, with a will, and `hub/info`, anew when an address
//! has changed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use netmonitor_protocol::payload::{HubInfo, ServiceState, Status};
use netmonitor_protocol::topics::Kind;
use netmonitor_protocol::{Message, ServiceName};
use netmonitor_service::mqtt::{self, Dial, Event, Options, Publisher};
use netmonitor_service::{DataDir, announced};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// How often the machine's addresses are looked at: a router that restarts may give another.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

/// How long the goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// The services that have said that they run.
pub(crate) type Running = watch::Sender<Vec<ServiceName>>;

/// Keeps saying so until `stop`, and notes which services run.
pub(crate) async fn run(data_dir: DataDir, dial: Dial, running: Running, stop: CancellationToken) {
    let said = Arc::new(Mutex::new(None));
    let birth = {
        let (data_dir, said) = (data_dir.clone(), said.clone());
        move || {
            let info = info(&data_dir);
            *lock(&said) = Some(info.clone());
            vec![Message::HubInfo(info), Message::HubStatus(Status::Online)]
        }
    };
    let (publisher, mut events, connection) = mqtt::client(Options {
        will: Some(Message::HubStatus(Status::Offline)),
        birth: Some(Arc::new(birth)),
        filters: vec![Kind::HubService.row().filter()],
        ..Options::new("netmonitor-hub", dial)
    });
    let disconnect = CancellationToken::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(connection.run(disconnect.clone()));
    let mut look = tokio::time::interval(LOOK_AGAIN);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let event = tokio::select! {
            () = stop.cancelled() => break,
            event = events.next() => event,
            _ = look.tick() => {
                say_anew(&publisher, &data_dir, &said).await;
                continue;
            }
        };
        let message = match event {
            None => break,
            Some(Event::Message(message) | Event::Retained(message)) => message,
            Some(Event::Connected | Event::Disconnected(_)) => continue,
        };
        if let Message::HubService(name, health) = message {
            running.send_modify(|running| {
                running.retain(|other| *other != name);
                // One that waits for the clock or a disk is there all the same.
                if matches!(health.state, ServiceState::Running | ServiceState::Degraded) {
                    running.push(name);
                }
            });
        }
    }
    let goodbye = publisher.publish(Message::HubStatus(Status::Offline));
    if !matches!(tokio::time::timeout(GOODBYE, goodbye).await, Ok(Ok(()))) {
        tracing::debug!("the hub stopped without a goodbye");
    }
    disconnect.cancel();
    while tasks.join_next().await.is_some() {}
}

fn info(data_dir: &DataDir) -> HubInfo {
    HubInfo {
        name: netmonitor_api::addresses::host_name(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        addresses: announced::listeners(data_dir),
        agent_addresses: netmonitor_api::reach::agents(data_dir),
    }
}

/// Publishes `hub/info` if it is no longer what was said. Without a connection the next birth
/// says it.
async fn say_anew(publisher: &Publisher, data_dir: &DataDir, said: &Mutex<Option<HubInfo>>) {
    let now = info(data_dir);
    let is_said = |said: &HubInfo| *said == now;
    if lock(said).as_ref().is_none_or(is_said) {
        return;
    }
    let sent = publisher.publish(Message::HubInfo(now.clone()));
    if let Ok(Ok(())) = tokio::time::timeout(GOODBYE, sent).await {
        tracing::info!(addresses = ?now.agent_addresses, "the hub has other addresses now");
        *lock(said) = Some(now);
    }
}

fn lock(said: &Mutex<Option<HubInfo>>) -> MutexGuard<'_, Option<HubInfo>> {
    said.lock().unwrap_or_else(PoisonError::into_inner)
}
