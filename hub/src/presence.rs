//! The hub says that it is there: `hub/status`, with a will, and `hub/info`.

use std::sync::Arc;
use std::time::Duration;

use netmonitor_protocol::payload::{HubInfo, ServiceState, Status};
use netmonitor_protocol::topics::Kind;
use netmonitor_protocol::{Message, ServiceName};
use netmonitor_service::mqtt::{self, Dial, Event, Options};
use netmonitor_service::{DataDir, announced};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long the goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// The services that have said that they run.
pub(crate) type Running = watch::Sender<Vec<ServiceName>>;

/// Keeps saying so until `stop`, and notes which services run.
pub(crate) async fn run(data_dir: DataDir, dial: Dial, running: Running, stop: CancellationToken) {
    let birth = move || {
        let info = HubInfo {
            name: netmonitor_api::addresses::host_name(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            addresses: announced::listeners(&data_dir),
            agent_addresses: Vec::new(),
        };
        vec![Message::HubInfo(info), Message::HubStatus(Status::Online)]
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
    while let Some(Some(event)) = stop.run_until_cancelled(events.next()).await {
        let message = match event {
            Event::Message(message) | Event::Retained(message) => message,
            Event::Connected | Event::Disconnected(_) => continue,
        };
        if let Message::HubService(name, health) = message {
            running.send_modify(|running| {
                running.retain(|other| *other != name);
                if health.state == ServiceState::Running {
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
