//! What can be known to be wrong before anything is made or changed.

use std::path::Path;

use anyhow::Context as _;
use netmonitor_service::listen::listen;
use netmonitor_service::{DataDir, private_file};

use crate::config::Config;

/// Looks whether the listeners of the given names can be opened. They are opened again in
/// earnest a moment later.
pub(crate) fn listeners(config: &Config, names: &[&str]) -> anyhow::Result<()> {
    let all = [
        ("http", &config.api.http),
        ("https", &config.api.https),
        ("mqtt", &config.broker.mqtt),
        ("mqtts", &config.broker.mqtts),
        ("mqtt-ws", &config.broker.mqtt_ws),
    ];
    let mut held = Vec::new();
    for (name, addresses) in all.iter().filter(|(name, _)| names.contains(name)) {
        for address in *addresses {
            // Held until all are open: two of them may want the same port.
            held.push(listen(name, address)?);
        }
    }
    Ok(())
}

/// Makes the data directory if need be, and looks whether it can be written.
pub(crate) fn data_dir(data_dir: &DataDir) -> anyhow::Result<()> {
    let path = data_dir.path();
    private_file::create_dir(path)
        .and_then(|()| is_writable(path))
        .with_context(|| {
            format!(
                "cannot write to the data directory {}: choose another with --data-dir, or make \
                 it writable",
                path.display()
            )
        })
}

/// Tries, since permissions do not tell of read-only or full file systems.
fn is_writable(directory: &Path) -> std::io::Result<()> {
    // Each process has a file of its own: several services may start at once.
    let probe = directory.join(format!(".writable-{}", std::process::id()));
    std::fs::write(&probe, b"")?;
    std::fs::remove_file(probe)
}

/// Looks whether this program knows the versions of the databases.
pub(crate) fn databases(config: &Config, data_dir: &DataDir) -> anyhow::Result<()> {
    netmonitor_store::check_hub_db(&data_dir.hub_db())?;
    netmonitor_store::check_history(&config.history.path(data_dir)?)?;
    netmonitor_store::check_retained(&data_dir.retained_db())?;
    netmonitor_store::check_alerting(&data_dir.alerting_db())?;
    Ok(())
}
