//! The request of a machine that wants to join, and the way to its answer.

use std::time::Duration;

use netmonitor_protocol::payload::{JoinReply, JoinRequest};
use netmonitor_protocol::{JoinRequestId, Message};
use netmonitor_service::mqtt::{ConnectionError, Event, PublishError};
use tokio::time::{Instant, timeout_at};

use super::JoinError;
use crate::attempt::Attempt;

/// How long the hub may take to enrol the machine. Its services may be starting, on a small board
/// that has much else to start.
const REPLY_WITHIN: Duration = Duration::from_mins(1);

/// The wait before the request is repeated for the first time; it doubles from time to time.
const AGAIN_AFTER: Duration = Duration::from_millis(250);

/// The longest wait before the request is repeated.
const AGAIN_AFTER_MAX: Duration = Duration::from_secs(2);

/// From then on whoever waits is told why.
const SAY_AFTER: Duration = Duration::from_secs(3);

/// Asks until the hub answers. A request that nobody hears is lost, and so is an answer if the
/// api or the connection dies on the way: the same request gets the same answer, as long as the
/// code has not expired.
pub(super) async fn ask(
    attempt: &mut Attempt,
    address: &str,
    id: &JoinRequestId,
    request: JoinRequest,
) -> Result<JoinReply, JoinError> {
    let request = Message::JoinRequest(id.clone(), request);
    let begun = Instant::now();
    let until = begun + REPLY_WITHIN;
    let mut again_after = AGAIN_AFTER;
    let mut is_told = false;
    let mut cut = None;
    while Instant::now() < until {
        let sent = attempt.publisher.publish(request.clone());
        // Any other fault is one of the connection, of which we hear below.
        if let Ok(Err(PublishError::Refused { reason })) = timeout_at(until, sent).await {
            let reason = format!("its broker does not take the request ({reason})");
            return Err(JoinError::Refused(reason));
        }
        if !is_told && begun.elapsed() >= SAY_AFTER {
            is_told = true;
            tracing::warn!(
                address,
                "the hub is there, but does not answer yet: asking again for {} s",
                REPLY_WITHIN.as_secs()
            );
        }
        let next = until.min(Instant::now() + again_after);
        again_after = AGAIN_AFTER_MAX.min(again_after * 2);
        while let Ok(event) = timeout_at(next, attempt.events.next()).await {
            match event {
                Some(Event::Message(Message::JoinReply(of, reply))) if of == *id => {
                    return Ok(reply);
                }
                Some(Event::Connected) => {
                    cut = None;
                    break;
                }
                Some(Event::Disconnected(error)) => cut = Some(ended(error, address)?),
                Some(_) => {}
                None => return Err(JoinError::NoAnswer),
            }
        }
    }
    Err(cut.map_or(JoinError::NoAnswer, |source| JoinError::Broken {
        address: address.to_owned(),
        source: Box::new(source),
    }))
}

/// Whether another connection may do better.
fn ended(error: ConnectionError, address: &str) -> Result<ConnectionError, JoinError> {
    match error {
        ConnectionError::Credential { .. } => Err(JoinError::Code),
        ConnectionError::Certificate { .. } => Err(JoinError::Certificate {
            address: address.to_owned(),
        }),
        error => Ok(error),
    }
}
