//! The keepalive that the hub wanted last, in a file: it is told at CONNECT, before the hub can say
//! anything, and another one costs a second connection.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use netmonitor_protocol::payload::{OFFLINE_TIMEOUT_SECS, keepalive_secs};
use netmonitor_service::private_file;

/// What is kept, and whether it still holds.
#[derive(Debug)]
pub(crate) struct LastKeepAlive {
    path: PathBuf,
    known: Duration,
    in_doubt: bool,
}

impl LastKeepAlive {
    /// Reads the file. What cannot be read is the default: the hub says soon what it wants.
    pub(crate) fn read(state_dir: &Path) -> Self {
        let path = state_dir.join("keepalive");
        let known = match std::fs::read_to_string(&path) {
            Ok(text) => parse(&text).unwrap_or_else(|error| {
                let error = format!("{error:#}");
                tracing::warn!(error, path = %path.display(), "passed over");
                default()
            }),
            Err(_) => default(),
        };
        Self {
            path,
            known,
            in_doubt: known != default(),
        }
    }

    /// The last one, or the default.
    pub(crate) fn get(&self) -> Duration {
        self.known
    }

    /// Whether it is from before and the hub has not said anything since: it may have been taken
    /// back meanwhile, and then nothing is retained that would say so.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.in_doubt
    }

    /// The hub wants this one. The file is written when it is another.
    pub(crate) fn keep(&mut self, keep_alive: Duration) {
        self.in_doubt = false;
        if keep_alive == self.known {
            return;
        }
        self.known = keep_alive;
        let text = format!("{}\n", keep_alive.as_secs());
        if let Err(error) = private_file::write(&self.path, text.as_bytes()) {
            tracing::warn!(%error, "the keepalive is not kept beyond this run");
        }
    }
}

fn default() -> Duration {
    secs(keepalive_secs(OFFLINE_TIMEOUT_SECS))
}

fn secs(secs: u16) -> Duration {
    Duration::from_secs(secs.into())
}

fn parse(text: &str) -> anyhow::Result<Duration> {
    let found: u16 = text.trim().parse().context("not a number of seconds")?;
    let allowed = keepalive_secs(0)..=keepalive_secs(u32::MAX);
    ensure!(allowed.contains(&found), "{found} s is outside the limits");
    Ok(secs(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_is_kept_and_in_doubt_until_the_hub_says_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = LastKeepAlive::read(folder.path());
        assert_eq!((first.get(), first.is_in_doubt()), (secs(6), false));
        first.keep(secs(6));
        assert!(!first.path.exists(), "nothing to remember");
        first.keep(secs(20));
        let mut second = LastKeepAlive::read(folder.path());
        assert_eq!((second.get(), second.is_in_doubt()), (secs(20), true));
        second.keep(secs(20));
        assert!(!second.is_in_doubt());
        second.keep(secs(6));
        let third = LastKeepAlive::read(folder.path());
        assert_eq!((third.get(), third.is_in_doubt()), (secs(6), false));
    }

    #[test]
    fn what_cannot_be_used_is_the_default() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["", "x", "-1", "4", "61", "99999999", "\u{fffd}"] {
            std::fs::write(folder.path().join("keepalive"), text).unwrap();
            let read = LastKeepAlive::read(folder.path());
            assert_eq!((read.get(), read.is_in_doubt()), (secs(6), false), "{text}");
        }
    }
}
