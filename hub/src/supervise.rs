//! A service that fails is started again, while the others go on.

use std::time::Duration;

use netmonitor_protocol::ServiceName;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The wait before the first new start; it doubles with each failure in a row.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// A service that ran so long has not failed in a row.
const SOUND_RUN: Duration = Duration::from_mins(1);

/// Runs a service until `stop`. `opened` is the service as it was opened at start, if that went
/// well; `open` opens it again after a failure.
pub(crate) async fn supervise<S, O, P, R, L>(
    name: ServiceName,
    opened: Option<S>,
    open: O,
    run: R,
    stop: CancellationToken,
) where
    O: Fn() -> P,
    P: Future<Output = anyhow::Result<S>>,
    R: Fn(S, CancellationToken) -> L,
    L: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let mut next = opened;
    let mut wait = FIRST_WAIT;
    while !stop.is_cancelled() {
        let started = tokio::time::Instant::now();
        let failure = match next.take() {
            Some(service) => isolated(run(service, stop.clone())).await,
            None => match open().await {
                Ok(service) => isolated(run(service, stop.clone())).await,
                Err(error) => Err(error),
            },
        };
        if stop.is_cancelled() {
            if let Err(error) = failure {
                tracing::warn!(service = %name, error = format!("{error:#}"), "did not stop cleanly");
            }
            return;
        }
        let error = failure.err().map(|error| format!("{error:#}"));
        tracing::error!(service = %name, error, "service failed; starting it again");
        if started.elapsed() > SOUND_RUN {
            wait = FIRST_WAIT;
        }
        stop.run_until_cancelled(tokio::time::sleep(wait)).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Runs the service in a task of its own, so that a panic ends that service alone.
async fn isolated(
    life: impl Future<Output = anyhow::Result<()>> + Send + 'static,
) -> anyhow::Result<()> {
    let mut task = JoinSet::new();
    task.spawn(life);
    match task.join_next().await {
        Some(ended) => ended?,
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_service_that_fails_or_panics_is_opened_and_run_again() {
        let stop = CancellationToken::new();
        let (runs, opens) = (Arc::new(AtomicU32::new(0)), AtomicU32::new(0));
        let run = |_service: u32, stop: CancellationToken| {
            let runs = runs.clone();
            async move {
                match runs.fetch_add(1, Ordering::Relaxed) {
                    0 => anyhow::bail!("it failed"),
                    1 => panic!("it panicked"),
                    _ => stop.cancel(),
                }
                Ok(())
            }
        };
        let open = async || match opens.fetch_add(1, Ordering::Relaxed) {
            0 => anyhow::bail!("it cannot be opened yet"),
            number => Ok(number),
        };
        supervise(ServiceName::Ingest, Some(0), open, run, stop).await;
        assert_eq!(runs.load(Ordering::Relaxed), 3);
        assert_eq!(opens.load(Ordering::Relaxed), 3);
    }
}
