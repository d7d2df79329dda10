//! The services of this machine: read now and then, told on when they change.

#[cfg(target_os = "linux")]
mod processes_linux;
#[cfg(target_os = "linux")]
mod systemd_linux;
#[cfg(target_os = "linux")]
mod watch_linux;

use netmonitor_protocol::payload::Services;
use tokio::sync::watch;

use crate::root::Root;

/// Keeps `latest` at the services as they are now, until dropped. Only a change wakes the
/// receiver; of several changes that nobody looked at it sees the last one.
#[cfg(target_os = "linux")]
pub(crate) async fn watch(root: Root, latest: watch::Sender<Option<Services>>) {
    watch_linux::watch(root, latest).await;
}

/// Nothing is known about services here yet.
#[cfg(not(target_os = "linux"))]
pub(crate) async fn watch(_root: Root, latest: watch::Sender<Option<Services>>) {
    latest.closed().await;
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
    use netmonitor_protocol::payload::{ServiceManager, UnitState, WatchableService};

    use super::*;

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
