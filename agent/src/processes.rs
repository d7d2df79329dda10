//! The processes that need most, while someone wants to see them.

use std::time::{Duration, Instant};

use netmonitor_protocol::payload::{Processes, Watch};
use tokio::sync::watch;

use crate::config::ShowProcesses;
use crate::root::Root;

/// The longest time for which a wish to see them holds.
const WATCH_AT_MOST: Duration = Duration::from_mins(5);

/// Time between two lists while someone looks. Each process costs some 10 us.
#[cfg(target_os = "linux")]
const LIST_EVERY: Duration = Duration::from_secs(5);

/// The same where they are published all the time.
#[cfg(target_os = "linux")]
const ALWAYS_EVERY: Duration = Duration::from_secs(30);

/// Until when a wish holds that was heard now.
pub(crate) fn until(watch: Watch, now: Instant) -> Instant {
    now + WATCH_AT_MOST.min(Duration::from_secs(watch.for_secs.into()))
}

/// Lists processes while someone looks, until dropped. `looked`: until when someone does.
#[cfg(target_os = "linux")]
pub(crate) async fn watch(
    root: Root,
    show: ShowProcesses,
    mut looked: watch::Receiver<Option<Instant>>,
    latest: watch::Sender<Option<Processes>>,
) {
    use netmonitor_service::clock;
    use tokio::time::sleep;

    use crate::collect::processes::Lister;
    use crate::failures::Failures;
    use crate::inventory::cores;

    if show == ShowProcesses::Never {
        return latest.closed().await;
    }
    let mut failures = Failures::default();
    let mut idle = Some(Lister::new(&root, cores(&root)));
    loop {
        let now = Instant::now();
        let is_looked_at = looked.borrow_and_update().is_some_and(|until| now < until);
        if !is_looked_at && show == ShowProcesses::Watched {
            if let Some(lister) = &mut idle {
                // What was used before is too long ago.
                lister.forget();
            }
            if looked.changed().await.is_err() {
                return;
            }
            continue;
        }
        // Thousands of processes take long.
        let mut working = idle
            .take()
            .unwrap_or_else(|| Lister::new(&root, cores(&root)));
        let listed = tokio::task::spawn_blocking(move || {
            let listed = working.list(Instant::now(), clock::now());
            (working, listed)
        });
        if let Ok((back, listed)) = listed.await {
            idle = Some(back);
            failures.note("processes", Instant::now(), listed.as_ref());
            if let Ok(processes) = listed {
                latest.send_replace(Some(processes));
            }
        }
        let pause = if is_looked_at {
            LIST_EVERY
        } else {
            ALWAYS_EVERY
        };
        tokio::select! {
            () = sleep(pause) => {}
            // Someone begins to look.
            Ok(()) = looked.changed(), if !is_looked_at => {}
        }
    }
}

/// Nothing is known about processes here yet.
#[cfg(not(target_os = "linux"))]
pub(crate) async fn watch(
    _root: Root,
    _show: ShowProcesses,
    _looked: watch::Receiver<Option<Instant>>,
    latest: watch::Sender<Option<Processes>>,
) {
    latest.closed().await;
}
