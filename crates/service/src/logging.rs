//! Log lines on standard error.

use std::io::IsTerminal as _;

use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::environment;

/// Starts logging to standard error: warnings of other crates, information of ours, unless
/// `RUST_LOG` says otherwise. A filter that cannot be understood is named and not used.
pub fn init() {
    let default = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("netmonitor", LevelFilter::INFO)
        // Each refused or lost connection is reported by our own code, with its reason.
        .with_target("rumqttc", LevelFilter::ERROR)
        // It has an error for each ordinary end of a connection.
        .with_target("rumqttd", LevelFilter::OFF);
    let (filter, complaint) = match environment::log_filter().map(|text| text.parse()) {
        None => (default, None),
        Some(Ok(filter)) => (filter, None),
        Some(Err(error)) => (default, Some(error)),
    };
    let format = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    // A second call, as in tests, changes nothing.
    if tracing_subscriber::registry()
        .with(format.with_filter(filter))
        .try_init()
        .is_err()
    {
        return;
    }
    if let Some(error) = complaint {
        tracing::warn!(%error, "RUST_LOG cannot be understood and is not used");
    }
}
