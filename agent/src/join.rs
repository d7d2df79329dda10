//! How a machine becomes a device of a hub.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use netmonitor_protocol::join_code::JoinCode;
use netmonitor_protocol::payload::{JoinReply, JoinRequest};
use netmonitor_protocol::{DeviceId, JOIN_USER, JoinRequestId, Message, Topic};
use netmonitor_service::mqtt::{ConnectionError, Dial, Endpoint, Event, Options};
use netmonitor_service::{Secret, private_file, random, tls};
use tokio::time::timeout;

use crate::attempt::{self, Attempt, AttemptError};
use crate::identity::Identity;
use crate::{VERSION, inventory};

/// How long the hub may take to enrol the machine.
const REPLY_WITHIN: Duration = Duration::from_secs(15);

/// Why a machine could not join, in words for the admin.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// Nobody answered at any address.
    #[error("cannot reach the hub: {0}")]
    Unreachable(String),
    /// Someone answered, and it is not the hub that made the code.
    #[error(
        "{address} answers, but its certificate is not the one in the code: it is another hub, \
         or the code is from before the hub was set up anew"
    )]
    Certificate {
        /// Who answered.
        address: String,
    },
    /// The hub does not accept the token.
    #[error("the hub does not accept this code: it is used up or has expired; make a new one")]
    Code,
    /// The broker works, the service that enrols machines does not.
    #[error("the hub's api service does not answer: see the hub's log, then try again")]
    NoAnswer,
    /// The hub refused.
    #[error("the hub refused: {0}")]
    Refused(String),
    /// The hub speaks a newer language.
    #[error("the hub answered in a way that this agent does not know: install a newer agent")]
    UnknownAnswer,
    /// The connection broke in between.
    #[error("the connection with {address} ended before the hub answered")]
    Broken {
        /// Who was asked.
        address: String,
        /// What happened.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Enrols this machine and keeps what the hub gave. An identity that is there is replaced.
pub async fn join(
    code: &JoinCode,
    name: Option<String>,
    state_dir: &Path,
) -> anyhow::Result<DeviceId> {
    // A code is good for a limited number of machines: it is not used up for one that could
    // not keep its identity.
    check_writable(state_dir)?;
    let request = JoinRequestId::from_bits(random::bits128());
    let (mut attempt, address) = reach(code, &request).await?;
    let outcome = ask(&mut attempt, &address, code, name.clone(), &request).await;
    attempt.end().await;
    let (device, password) = outcome?;
    let identity = Identity {
        device: device.clone(),
        name,
        password,
        addresses: best_first(&code.addresses, &address),
        ca_fingerprint: code.ca_fingerprint,
    };
    identity.store(state_dir)?;
    Ok(device)
}

fn check_writable(state_dir: &Path) -> anyhow::Result<()> {
    let probe = state_dir.join(".probe");
    private_file::create_dir(state_dir)
        .and_then(|()| private_file::write(&probe, b""))
        .and_then(|()| std::fs::remove_file(&probe))
        .with_context(|| format!("cannot write in {}", state_dir.display()))
}

/// A connection with the first address that lets us in.
async fn reach(code: &JoinCode, request: &JoinRequestId) -> Result<(Attempt, String), JoinError> {
    let tls = tls::pinned(code.ca_fingerprint);
    let mut causes = Vec::new();
    let mut stranger = None;
    for address in &code.addresses {
        let Some(endpoint) = Endpoint::parse(address, Some(tls.clone())) else {
            causes.push(format!("{address} (not an address with a port)"));
            continue;
        };
        let dial = Dial::Fixed {
            endpoints: vec![endpoint],
            user: JOIN_USER.to_owned(),
            password: Secret::new(code.token.clone()),
        };
        let options = Options {
            filters: vec![Topic::JoinReply(request.clone()).to_string()],
            ..Options::new(request.as_str(), dial)
        };
        match attempt::connect(options).await {
            Ok(attempt) => return Ok((attempt, address.clone())),
            // It has proven that it is the right hub: the other addresses lead to it as well.
            Err(AttemptError::Connection(ConnectionError::Credential { .. })) => {
                return Err(JoinError::Code);
            }
            Err(AttemptError::Connection(ConnectionError::Certificate { .. })) => {
                stranger = Some(address.clone());
            }
            Err(error) => causes.push(format!("{address} ({})", error.cause())),
        }
    }
    Err(match stranger {
        Some(address) => JoinError::Certificate { address },
        None => JoinError::Unreachable(causes.join(", ")),
    })
}

async fn ask(
    attempt: &mut Attempt,
    address: &str,
    code: &JoinCode,
    name: Option<String>,
    request: &JoinRequestId,
) -> Result<(DeviceId, Secret), JoinError> {
    let message = JoinRequest {
        host_name: inventory::host_name(),
        name,
        token: code.token.clone(),
        agent_version: VERSION.to_owned(),
    };
    let message = Message::JoinRequest(request.clone(), message);
    let asked = async {
        attempt
            .publisher
            .publish(message)
            .await
            .map_err(|source| JoinError::Broken {
                address: address.to_owned(),
                source: Box::new(source),
            })?;
        loop {
            match attempt.events.next().await {
                Some(Event::Message(Message::JoinReply(id, reply))) if id == *request => {
                    return accept(reply);
                }
                Some(Event::Disconnected(source)) => {
                    return Err(JoinError::Broken {
                        address: address.to_owned(),
                        source: Box::new(source),
                    });
                }
                Some(_) => {}
                None => return Err(JoinError::NoAnswer),
            }
        }
    };
    timeout(REPLY_WITHIN, asked)
        .await
        .unwrap_or(Err(JoinError::NoAnswer))
}

fn accept(reply: JoinReply) -> Result<(DeviceId, Secret), JoinError> {
    match reply {
        JoinReply::Joined { device, password } => Ok((device, Secret::new(password))),
        JoinReply::Refused { reason } => Err(JoinError::Refused(reason)),
        JoinReply::Unknown => Err(JoinError::UnknownAnswer),
    }
}

/// All addresses, the one that has worked in front.
fn best_first(addresses: &[String], worked: &str) -> Vec<String> {
    let others = addresses.iter().filter(|address| *address != worked);
    std::iter::once(worked)
        .chain(others.map(String::as_str))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_that_worked_is_tried_first_from_then_on() {
        let addresses = ["a:1", "b:2", "c:3"].map(str::to_owned);
        assert_eq!(best_first(&addresses, "b:2"), ["b:2", "a:1", "c:3"]);
    }

    #[test]
    fn a_refusal_carries_the_hubs_reason() {
        let reason = "this code is used up".to_owned();
        let error = accept(JoinReply::Refused { reason }).unwrap_err();
        assert_eq!(error.to_string(), "the hub refused: this code is used up");
        assert!(accept(JoinReply::Unknown).is_err());
    }
}
