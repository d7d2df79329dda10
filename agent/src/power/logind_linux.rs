//! The signals of systemd-logind over D-Bus (org.freedesktop.login1(5)). elogind speaks the
//! same.

use std::time::Duration;

use futures_util::StreamExt as _;
use netmonitor_protocol::payload::EndCause;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;
use zbus::message::Type;
use zbus::{Connection, MatchRule, MessageStream, OwnedFd};

use super::{Delay, Power};
use crate::system_bus_linux as system_bus;

/// logind's name on the bus.
const LOGIND: &str = "org.freedesktop.login1";

/// Its only object that matters here.
const OBJECT: &str = "/org/freedesktop/login1";

/// The interface of that object.
const MANAGER: &str = "org.freedesktop.login1.Manager";

/// Time until the bus is tried again, as when the agent started before it.
const AGAIN: Duration = Duration::from_mins(1);

pub(super) async fn watch(power: mpsc::Sender<Power>, goes_down: watch::Sender<bool>) {
    loop {
        match follow(&power, &goes_down).await {
            Ok(()) => tracing::debug!("nobody announces sleep and shutdown"),
            Err(error) => tracing::debug!(%error, "sleep and shutdown are not announced"),
        }
        sleep(AGAIN).await;
    }
}

/// Ends with the connection, or at once where there is no logind.
async fn follow(power: &mpsc::Sender<Power>, goes_down: &watch::Sender<bool>) -> zbus::Result<()> {
    let connection = system_bus::connect().await?;
    if !system_bus::has(&connection, LOGIND).await? {
        return Ok(());
    }
    let mut sleeps = signals(&connection, "PrepareForSleep").await?;
    let mut shutdowns = signals(&connection, "PrepareForShutdown").await?;
    let mut delay = delay(&connection).await;
    loop {
        let (begins, cause): (bool, EndCause) = tokio::select! {
            Some(message) = sleeps.next() => {
                (message?.body().deserialize()?, EndCause::Suspend)
            }
            Some(message) = shutdowns.next() => {
                let begins = message?.body().deserialize()?;
                goes_down.send_replace(begins);
                (begins, EndCause::Shutdown)
            }
            else => return Ok(()),
        };
        let told = if begins {
            let lock = Delay {
                _lock: delay.take(),
            };
            power.send(Power::Goes(cause, lock)).await
        } else {
            delay = self::delay(&connection).await;
            power.send(Power::Back).await
        };
        if told.is_err() {
            return Ok(());
        }
    }
}

async fn signals(connection: &Connection, member: &'static str) -> zbus::Result<MessageStream> {
    let rule = MatchRule::builder()
        .msg_type(Type::Signal)
        .sender(LOGIND)
        .path(OBJECT)
        .interface(MANAGER)
        .member(member)
        .build()?;
    MessageStream::for_match_rule(rule, connection, None).await
}

/// A lock that holds sleep and shutdown up until it is closed. Without it there may be no time for a
/// goodbye, and that is all.
async fn delay(connection: &Connection) -> Option<OwnedFd> {
    let arguments = (
        "sleep:shutdown",
        "NetMonitor",
        "tells the hub that this machine sleeps or is shut down",
        "delay",
    );
    let reply = connection
        .call_method(Some(LOGIND), OBJECT, Some(MANAGER), "Inhibit", &arguments)
        .await;
    match reply.and_then(|reply| reply.body().deserialize()) {
        Ok(lock) => Some(lock),
        Err(error) => {
            tracing::debug!(%error, "sleep and shutdown cannot be held up");
            None
        }
    }
}
