//! The last words of an agent.

use std::time::Duration;

use netmonitor_protocol::payload::{EndCause, Ended, Session, Status};
use netmonitor_protocol::{DeviceId, Message};
use netmonitor_service::clock;
use netmonitor_service::mqtt::Publisher;
use tokio::time::timeout;

/// How long the hub may take to acknowledge the goodbye.
const GOODBYE_WITHIN: Duration = Duration::from_secs(1);

/// Says why this is no crash, then `offline`; each is acknowledged before the next, so that
/// nobody sees them in another order. True once the hub has acknowledged `offline`; else
/// somebody must say it, so leave without DISCONNECT: then the broker publishes the will.
pub async fn goodbye(
    publisher: &Publisher,
    device: DeviceId,
    session: Session,
    cause: EndCause,
) -> bool {
    let id = session.session;
    let ended = Session {
        ended: Some(Ended {
            cause,
            time: clock::now(),
        }),
        ..session
    };
    let said = async {
        publisher
            .publish(Message::DeviceSession(device.clone(), ended))
            .await?;
        publisher
            .publish(Message::DeviceStatus(device, Status::Offline, Some(id)))
            .await
    };
    match timeout(GOODBYE_WITHIN, said).await {
        Ok(Ok(())) => {
            tracing::info!(?cause, "said goodbye to the hub");
            return true;
        }
        Ok(Err(error)) => tracing::info!(?cause, %error, "left without a goodbye"),
        Err(_) => tracing::info!(
            ?cause,
            "left without a goodbye: the hub did not answer in time"
        ),
    }
    false
}
