//! A service that runs, with what stops it.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Each service may take so long to stop before it is left behind.
const GRACE: Duration = Duration::from_secs(5);

/// One service in a task of its own.
pub(crate) struct Running {
    name: &'static str,
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

impl Running {
    /// Starts it; `life` is told when to end.
    pub(crate) fn start<L: Future<Output = ()> + Send + 'static>(
        name: &'static str,
        life: impl FnOnce(CancellationToken) -> L,
    ) -> Self {
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(life(stop.clone()));
        Self { name, tasks, stop }
    }

    /// Tells it to end, and waits for it, but not for ever.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, ended).await.is_err() {
            tracing::warn!(service = self.name, "did not stop in time");
        }
    }
}
