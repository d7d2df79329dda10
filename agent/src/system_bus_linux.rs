//! The system bus (D-Bus), on which systemd and logind tell of the machine.

use std::time::Duration;

use zbus::Connection;
use zbus::connection::Builder;

/// How long a service of the bus may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Connects (to `DBUS_SYSTEM_BUS_ADDRESS` if set).
pub(crate) async fn connect() -> zbus::Result<Connection> {
    connect_patiently(ANSWER_WITHIN).await
}

/// The same, for calls that may take this long.
pub(crate) async fn connect_patiently(within: Duration) -> zbus::Result<Connection> {
    Builder::system().method_timeout(within).build().await
}

/// Whether a service is there: asked for by name, so that the bus does not try to start it.
pub(crate) async fn has(connection: &Connection, service: &str) -> zbus::Result<bool> {
    let reply = connection
        .call_method(
            Some("org.freedesktop.DBus"),
            "/org/freedesktop/DBus",
            Some("org.freedesktop.DBus"),
            "NameHasOwner",
            &service,
        )
        .await?;
    reply.body().deserialize()
}
