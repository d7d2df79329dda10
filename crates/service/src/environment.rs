//! The environment variables that count, read here and nowhere else.

use std::path::PathBuf;

fn path(name: &str) -> Option<PathBuf> {
    text(name).map(PathBuf::from)
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place where the environment is read"
)]
fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Where systemd wants a service to keep its data (`StateDirectory=`, systemd.exec(5)).
pub fn state_directory() -> Option<PathBuf> {
    // Several directories are separated by colons: the first one is ours.
    let all = text("STATE_DIRECTORY")?;
    all.split(':').next().map(PathBuf::from)
}

/// Where systemd wants a service to keep what does not outlive the boot (`RuntimeDirectory=`,
/// systemd.exec(5)).
pub fn runtime_directory() -> Option<PathBuf> {
    let all = text("RUNTIME_DIRECTORY")?;
    all.split(':').next().map(PathBuf::from)
}

/// Where a user's programs keep what does not outlive the login (`XDG_RUNTIME_DIR`, XDG Base
/// Directory Specification).
pub fn user_runtime_directory() -> Option<PathBuf> {
    path("XDG_RUNTIME_DIR").filter(|path| path.is_absolute())
}

/// Where a user's programs keep their data (XDG Base Directory Specification), or on Windows
/// where the machine's programs do.
pub fn data_home() -> Option<PathBuf> {
    path("XDG_DATA_HOME")
        .or_else(|| path("HOME").map(|home| home.join(".local/share")))
        .or_else(|| path("ProgramData"))
}

/// The configuration file, where the command line names none.
pub fn config_file() -> Option<PathBuf> {
    path("NETMONITOR_CONFIG")
}

/// What to log, as in `RUST_LOG=debug` or `RUST_LOG=info,netmonitor_broker=debug`.
pub fn log_filter() -> Option<String> {
    text("RUST_LOG")
}

/// The locale in which programs speak to whoever is logged in (`locale(7)`).
pub fn language() -> Option<String> {
    text("LC_ALL")
        .or_else(|| text("LC_MESSAGES"))
        .or_else(|| text("LANG"))
}
