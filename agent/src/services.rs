//! The services of this machine: read now and then, told on when they change.

#[cfg(target_os = "linux")]
mod processes_linux;
#[cfg(target_os = "linux")]
mod systemd_linux;
#[cfg(target_os = "linux")]
mod watch_linux;

#[cfg(target_os = "linux")]
use std::collections::BTreeSet;

use netmonitor_protocol::payload::Services;
#[cfg(target_os = "linux")]
use netmonitor_protocol::payload::{ServiceManager, UnitState, WatchableService};
use tokio::sync::watch;

use crate::root::Root;
use crate::settings::Wanted;

/// Keeps `latest` at the services as they are now, with those that are watched, until dropped. Only
/// a change wakes the receiver; of several changes that nobody looked at it sees the last one.
#[cfg(target_os = "linux")]
pub(crate) async fn watch(
    root: Root,
    wanted: watch::Receiver<Wanted>,
    latest: watch::Sender<Option<Services>>,
) {
    watch_linux::watch(root, wanted, latest).await;
}

/// Nothing is known about services here yet.
#[cfg(not(target_os = "linux"))]
pub(crate) async fn watch(
    _root: Root,
    _wanted: watch::Receiver<Wanted>,
    latest: watch::Sender<Option<Services>>,
) {
    latest.closed().await;
}

/// The names of all services, as they are now; none where nobody tells.
#[cfg(target_os = "linux")]
pub(crate) async fn names(root: &Root) -> Vec<String> {
    watch_linux::names(root).await
}

/// Nothing is known about services here yet.
#[cfg(all(unix, not(target_os = "linux")))]
pub(crate) async fn names(_root: &Root) -> Vec<String> {
    Vec::new()
}

/// Says of each service whether it is watched. One that is watched and not there is listed as
/// well, so that somebody sees it, and can take it off the list. Of processes there is no other
/// sign that one does not run.
#[cfg(target_os = "linux")]
fn with_watched(
    mut services: Vec<WatchableService>,
    watched: &BTreeSet<String>,
    manager: ServiceManager,
) -> Vec<WatchableService> {
    for service in &mut services {
        service.watched = watched.contains(&service.name);
    }
    let gone = match manager {
        ServiceManager::Processes => UnitState::Stopped,
        _ => UnitState::Missing,
    };
    let is_there = |name: &&String| services.iter().any(|it| it.name == **name);
    let missing: Vec<WatchableService> = watched
        .iter()
        .filter(|name| !is_there(name))
        .map(|name| WatchableService {
            watched: true,
            ..WatchableService::new(name.clone(), gone)
        })
        .collect();
    services.extend(missing);
    services.sort_by(|a, b| a.name.cmp(&b.name));
    services
}

/// Puts `new` in place of what is known if it says something else; the time alone is no change.
#[cfg(target_os = "linux")]
fn replace_if_changed(known: &mut Option<Services>, new: Services) -> bool {
    let same = known
        .as_ref()
        .is_some_and(|it| it.manager == new.manager && it.services == new.services);
    if !same {
        *known = Some(new);
    }
    !same
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_watched_service_is_listed_once_whether_it_is_there_or_not() {
        let services = ["cron", "ssh"].map(|name| WatchableService::new(name, UnitState::Running));
        let watched: BTreeSet<String> = ["ssh", "gone"].map(str::to_owned).into();
        let check = |manager, expected| {
            let found: Vec<_> = with_watched(services.to_vec(), &watched, manager)
                .into_iter()
                .map(|it| (it.name, it.state, it.watched))
                .collect();
            let cron = ("cron".to_owned(), UnitState::Running, false);
            let gone = ("gone".to_owned(), expected, true);
            let ssh = ("ssh".to_owned(), UnitState::Running, true);
            assert_eq!(found, [cron, gone, ssh]);
        };
        check(ServiceManager::Systemd, UnitState::Missing);
        check(ServiceManager::Processes, UnitState::Stopped);
    }

    #[test]
    fn the_same_services_at_another_time_are_no_change() {
        let at = |second, state| Services {
            time: jiff::Timestamp::from_second(second).unwrap(),
            manager: ServiceManager::Systemd,
            services: vec![WatchableService::new("ssh", state)],
        };
        let mut known = None;
        assert!(replace_if_changed(&mut known, at(1, UnitState::Running)));
        assert!(!replace_if_changed(&mut known, at(2, UnitState::Running)));
        assert!(replace_if_changed(&mut known, at(3, UnitState::Failed)));
        assert_eq!(known, Some(at(3, UnitState::Failed)));
    }
}
