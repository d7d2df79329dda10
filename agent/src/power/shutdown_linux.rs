//! Asks systemd whether it is about to stop everything (org.freedesktop.systemd1(5),
//! `SystemState`).

use std::time::Duration;

use tokio::time::timeout;
use zbus::Variant;

use crate::system_bus_linux as system_bus;

/// Longest time for the answer: the machine does not wait for us.
const ANSWER_WITHIN: Duration = Duration::from_millis(300);

/// False where nobody can be asked: the bus may be stopped before us.
pub(super) async fn systemd_is_stopping() -> bool {
    matches!(timeout(ANSWER_WITHIN, ask()).await, Ok(Ok(true)))
}

async fn ask() -> zbus::Result<bool> {
    let connection = system_bus::connect().await?;
    let reply = connection
        .call_method(
            Some("org.freedesktop.systemd1"),
            "/org/freedesktop/systemd1",
            Some("org.freedesktop.DBus.Properties"),
            "Get",
            &("org.freedesktop.systemd1.Manager", "SystemState"),
        )
        .await?;
    let body = reply.body();
    let state: Variant<'_> = body.deserialize()?;
    Ok(matches!(state, Variant::Str(state) if state == "stopping"))
}
