//! Signals: the first one asks nicely, the second one leaves at once.

use tokio_util::sync::CancellationToken;

/// Exit code of a program that was told twice to stop.
const EXIT_FORCED: i32 = 130;

/// A token that the first SIGINT or SIGTERM cancels. The second one ends the process.
///
/// The task that waits for signals lives as long as the process: it owns nothing and has
/// nothing to clean up.
pub fn on_signals() -> std::io::Result<CancellationToken> {
    let shutdown = CancellationToken::new();
    let mut signals = Signals::new()?;
    let token = shutdown.clone();
    #[expect(
        clippy::disallowed_methods,
        reason = "it waits for signals as long as the process lives"
    )]
    tokio::spawn(async move {
        signals.next().await;
        tracing::info!("stopping; once more to stop at once");
        token.cancel();
        signals.next().await;
        std::process::exit(EXIT_FORCED);
    });
    Ok(shutdown)
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) {
        let _closed = self.0.recv().await;
    }
}
