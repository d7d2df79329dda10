//! How many files and sockets the process may have open. Systems give 1,024 at first (the soft
//! limit) and more to whoever asks (the hard one): a hub with a thousand devices needs more.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Asks for as many as it may have. A hub that may not have more works, for fewer devices.
pub(crate) fn allow_many() {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return;
    };
    if soft < hard && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_err() {
        tracing::warn!(soft, hard, "the limit of open files cannot be raised");
    }
}
