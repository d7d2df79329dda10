//! A process that stands still: what it would do waits, and its sockets stay open.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// Stops and resumes everything that runs under it.
#[derive(Debug, Clone, Default)]
pub(super) struct Freezer(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    frozen: bool,
    waiting: Vec<Waker>,
}

impl Freezer {
    pub(super) fn freeze(&self) {
        self.lock().frozen = true;
    }

    pub(super) fn thaw(&self) {
        let mut state = self.lock();
        state.frozen = false;
        for waker in state.waiting.drain(..) {
            waker.wake();
        }
    }

    pub(super) fn is_frozen(&self) -> bool {
        self.lock().frozen
    }

    /// Runs this, but for the time in which it is frozen.
    pub(super) async fn run<T>(self, future: impl Future<Output = T>) -> T {
        let mut future = std::pin::pin!(future);
        std::future::poll_fn(move |context| self.poll(future.as_mut(), context)).await
    }

    fn poll<T>(
        &self,
        future: Pin<&mut impl Future<Output = T>>,
        context: &mut Context<'_>,
    ) -> Poll<T> {
        {
            let mut state = self.lock();
            if state.frozen {
                state.waiting.push(context.waker().clone());
                return Poll::Pending;
            }
        }
        future.poll(context)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::{sleep, timeout};

    #[tokio::test(start_paused = true)]
    async fn what_is_frozen_does_nothing_and_goes_on_afterwards() {
        let freezer = Freezer::default();
        let second = Duration::from_secs(1);
        let mut running = Box::pin(freezer.clone().run(sleep(second)));
        freezer.freeze();
        assert!(timeout(second * 10, &mut running).await.is_err());
        freezer.thaw();
        assert!(timeout(second, running).await.is_ok());
    }
}
