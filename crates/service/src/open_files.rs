//! How many files and sockets the process may have open. Systems give 1,024 at first (the soft
//! limit) and more to whoever asks (the hard one): a hub with a thousand devices needs more.

/// Asks for as many as the process may have; those that it starts have them as well.
#[cfg(unix)]
pub fn allow_many() -> std::io::Result<()> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?)
}

/// There is no such limit here.
#[cfg(not(unix))]
pub fn allow_many() -> std::io::Result<()> {
    Ok(())
}
