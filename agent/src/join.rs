//! How a machine becomes a device of a hub.

mod ask;

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use netmonitor_protocol::join_code::JoinCode;
use netmonitor_protocol::payload::{JoinReply, JoinRequest};
use netmonitor_protocol::{DeviceId, JOIN_USER, JoinRequestId, Topic};
use netmonitor_service::mqtt::{ConnectionError, Dial, Endpoint, Options, reachable};
use netmonitor_service::{Secret, private_file, random, tls};

use crate::addresses::best_first;
use crate::attempt::{self, Attempt, AttemptError};
use crate::identity::Identity;
use crate::machine::Machine;
use crate::root::Root;
use crate::{VERSION, inventory};

/// How long an address may take to answer before the others are tried.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

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
    #[error(
        "the hub is there, but its api service does not answer: start it, or see the hub's log, \
         then join again"
    )]
    NoAnswer,
    /// The hub refused.
    #[error("the hub refused: {0}")]
    Refused(String),
    /// The hub speaks a newer language.
    #[error("the hub answered in a way that this agent does not know: install a newer agent")]
    UnknownAnswer,
    /// The connection broke in between.
    #[error("the connection with {address} ended before the hub answered: join again")]
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
    let mut identity = enrol(code, inventory::host_name(&Root::default()), name).await?;
    identity.keep_here(&Root::default());
    identity.store(state_dir)?;
    Ok(identity.device)
}

/// Enrols a machine of this host name, and returns what the hub gave: nothing is kept.
pub async fn enrol(
    code: &JoinCode,
    host_name: String,
    name: Option<String>,
) -> Result<Identity, JoinError> {
    let request = JoinRequestId::from_bits(random::bits128());
    let (mut attempt, address) = reach(code, &request).await?;
    let message = JoinRequest {
        host_name,
        name: name.clone(),
        token: code.token.clone(),
        password: Some(random::token()),
        agent_version: VERSION.to_owned(),
    };
    let reply = ask::ask(&mut attempt, &address, &request, message).await;
    attempt.end().await;
    let (device, password) = accept(reply?)?;
    Ok(Identity {
        device,
        name,
        password,
        addresses: best_first(&code.addresses, &address),
        ca_fingerprint: code.ca_fingerprint,
        machine: Machine::default(),
    })
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
    let mut endpoints = Vec::new();
    for address in &code.addresses {
        match Endpoint::parse(address, Some(tls.clone())) {
            Some(endpoint) => endpoints.push(endpoint),
            None => causes.push(format!("{address} (not an address with a port)")),
        }
    }
    for endpoint in answering_first(endpoints).await {
        let address = endpoint.to_string();
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
            Ok(attempt) => return Ok((attempt, address)),
            // It has proven that it is the right hub: the other addresses lead to it as well.
            Err(AttemptError::Connection(ConnectionError::Credential { .. })) => {
                return Err(JoinError::Code);
            }
            Err(AttemptError::Connection(ConnectionError::Certificate { .. })) => {
                stranger = Some(address);
            }
            Err(error) => causes.push(format!("{address} ({})", error.cause())),
        }
    }
    Err(match stranger {
        Some(address) => JoinError::Certificate { address },
        None => JoinError::Unreachable(causes.join(", ")),
    })
}

/// All of them, but those that nobody answers at last: each of them costs some seconds.
async fn answering_first(endpoints: Vec<Endpoint>) -> Vec<Endpoint> {
    if endpoints.len() < 2 {
        return endpoints;
    }
    let mut answering = reachable(&endpoints, ANSWER_WITHIN).await;
    let is_new = |endpoint: &Endpoint, known: &[Endpoint]| {
        let text = endpoint.to_string();
        known.iter().all(|other| other.to_string() != text)
    };
    for endpoint in endpoints {
        if is_new(&endpoint, &answering) {
            answering.push(endpoint);
        }
    }
    answering
}

fn accept(reply: JoinReply) -> Result<(DeviceId, Secret), JoinError> {
    match reply {
        JoinReply::Joined { device, password } => Ok((device, Secret::new(password))),
        JoinReply::Refused { reason } => Err(JoinError::Refused(reason)),
        JoinReply::Unknown => Err(JoinError::UnknownAnswer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_carries_the_hubs_reason() {
        let reason = "this code is used up".to_owned();
        let error = accept(JoinReply::Refused { reason }).unwrap_err();
        assert_eq!(error.to_string(), "the hub refused: this code is used up");
        assert!(accept(JoinReply::Unknown).is_err());
    }
}
