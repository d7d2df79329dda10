//! What the programs of this crate have in common: how they begin and how they end.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use netmonitor_service::{logging, open_files, shutdown, tls};

/// Executes a program that may have many sockets. What it returns says whether all was as it must
/// be: if not, the exit code is `not_good`. An error goes to standard error, under the program's
/// name, and the exit code is 1.
pub fn main(
    name: &str,
    not_good: ExitCode,
    execute: impl FnOnce() -> anyhow::Result<bool>,
) -> ExitCode {
    logging::init();
    tls::install_provider();
    let is_good = open_files::allow_many()
        .context("cannot raise the limit of open files")
        .and_then(|()| execute());
    match is_good {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => not_good,
        Err(error) => {
            // Nowhere is left to report to if standard error is closed.
            let _closed = writeln!(std::io::stderr(), "{name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Does the work on this thread. What it has started ends with it, also when the program is told
/// to stop, which is an error.
pub fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the asynchronous runtime")?;
    runtime.block_on(async {
        let stop = shutdown::on_signals()?;
        tokio::select! {
            done = work => done,
            () = stop.cancelled() => bail!("told to stop"),
        }
    })
}
