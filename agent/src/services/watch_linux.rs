//! Asks systemd where there is one, else lists processes.

use std::time::{Duration, Instant};

use netmonitor_protocol::payload::{ServiceManager, Services, WatchableService};
use netmonitor_service::clock;
use tokio::sync::watch;
use tokio::time::sleep;

use super::systemd_linux::Systemd;
use super::{processes_linux, replace_if_changed, with_watched};
use crate::failures::Failures;
use crate::root::Root;
use crate::settings::Wanted;

/// Longest time between two lists of systemd's: it tells when something changes, and this is
/// for a change that it did not tell.
const SYSTEMD_EVERY: Duration = Duration::from_mins(5);

/// Shortest time between two: a start of a service is several signals, a busy machine starts
/// many.
const SETTLE: Duration = Duration::from_millis(250);

/// Time until systemd is tried again after it did not answer.
const SYSTEMD_AGAIN: Duration = Duration::from_secs(10);

/// Time between two lists of processes: each process costs some 10 us, so that 500 of them
/// every 3 s would cost more than all the rest of the agent.
const PROCESSES_EVERY: Duration = Duration::from_secs(30);

/// Time between two looks whether there is a systemd after all, as when the agent started
/// before the bus.
const LOOK_FOR_SYSTEMD_EVERY: Duration = Duration::from_mins(1);

/// What is known about who manages services here.
enum Manager {
    /// systemd answers, or has answered: it is asked again when it does not.
    Systemd(Option<Systemd>),
    /// There is none, as of the time given.
    None(Instant),
}

pub(super) async fn watch(
    root: Root,
    mut wanted: watch::Receiver<Wanted>,
    latest: watch::Sender<Option<Services>>,
) {
    let mut failures = Failures::default();
    let mut manager = Manager::look().await;
    loop {
        let services = manager.services(&root).await;
        failures.note("services", Instant::now(), services.as_ref());
        if let Ok((source, services)) = services {
            let watched = &wanted.borrow_and_update().watched;
            let services = Services {
                time: clock::now(),
                manager: source,
                services: with_watched(services, watched, source),
            };
            latest.send_if_modified(|known| replace_if_changed(known, services));
        }
        tokio::select! {
            () = manager.pause() => {}
            Ok(()) = wanted.changed() => {}
        }
        manager.look_again().await;
    }
}

/// The names of all services, as they are now.
pub(super) async fn names(root: &Root) -> Vec<String> {
    match Manager::look().await.services(root).await {
        Ok((_, services)) => services.into_iter().map(|it| it.name).collect(),
        Err(error) => {
            tracing::warn!(error = format!("{error:#}"), "services cannot be listed");
            Vec::new()
        }
    }
}

impl Manager {
    async fn look() -> Self {
        match Systemd::connect().await {
            Ok(Some(systemd)) => Self::Systemd(Some(systemd)),
            Ok(None) => {
                tracing::debug!("there is no systemd on the bus: listing processes");
                Self::None(Instant::now())
            }
            Err(error) => {
                let error = format!("{:#}", anyhow::Error::from(error));
                tracing::debug!(error, "systemd cannot be asked: listing processes");
                Self::None(Instant::now())
            }
        }
    }

    async fn look_again(&mut self) {
        if let Self::None(looked) = self
            && looked.elapsed() >= LOOK_FOR_SYSTEMD_EVERY
        {
            *self = Self::look().await;
        }
    }

    /// Waits until it is worth reading the services again.
    async fn pause(&self) {
        match self {
            Self::Systemd(Some(systemd)) => {
                tokio::select! {
                    () = systemd.changed() => {}
                    () = sleep(SYSTEMD_EVERY) => {}
                }
                sleep(SETTLE).await;
            }
            Self::Systemd(None) => sleep(SYSTEMD_AGAIN).await,
            Self::None(_) => sleep(PROCESSES_EVERY).await,
        }
    }

    async fn services(
        &mut self,
        root: &Root,
    ) -> anyhow::Result<(ServiceManager, Vec<WatchableService>)> {
        match self {
            Self::Systemd(systemd) => {
                let services = ask(systemd).await?;
                Ok((ServiceManager::Systemd, services))
            }
            Self::None(_) => {
                let services = processes_linux::list(root)?;
                Ok((ServiceManager::Processes, services))
            }
        }
    }
}

/// Asks over the connection that is there, or a new one. One that failed is not used again: the
/// bus may have been restarted.
async fn ask(systemd: &mut Option<Systemd>) -> anyhow::Result<Vec<WatchableService>> {
    let mut connection = match systemd.take() {
        Some(connection) => connection,
        None => Systemd::connect()
            .await?
            .ok_or_else(|| anyhow::anyhow!("systemd is gone from the bus"))?,
    };
    let services = connection.services().await?;
    *systemd = Some(connection);
    Ok(services)
}
