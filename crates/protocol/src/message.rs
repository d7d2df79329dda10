//! Topic and payload together: what is published and what arrives.

use crate::ids::{DeviceId, JoinRequestId, ServiceName};
use crate::payload::{
    Event, HubInfo, Info, JoinReply, JoinRequest, Metrics, Presence, ServiceHealth, Services,
    Session,
};
use crate::topic::{Topic, UnknownTopic};

/// A message of the contract. The variant fixes topic and payload, so that neither can be
/// sent with the wrong other.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the TOPICS table says what each one is")]
pub enum Message {
    DeviceStatus(DeviceId, Presence),
    DeviceSession(DeviceId, Session),
    DeviceInfo(DeviceId, Box<Info>),
    DeviceMetrics(DeviceId, Box<Metrics>),
    DeviceServices(DeviceId, Services),
    Event(Event),
    HubStatus(Presence),
    HubInfo(HubInfo),
    HubService(ServiceName, ServiceHealth),
    CredentialsChanged,
    JoinRequest(JoinRequestId, JoinRequest),
    JoinReply(JoinRequestId, JoinReply),
    /// A retained topic was cleared: it has no value any more.
    Cleared(Topic),
}

/// Why a message could not be understood: a value to count, never a reason to stop.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// Not a topic of the contract.
    #[error(transparent)]
    Topic(#[from] UnknownTopic),
    /// The payload is not what the topic carries.
    #[error("payload of {topic} is not what the contract says")]
    Payload {
        /// Where it came.
        topic: Topic,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Message {
    /// Where the message goes.
    pub fn topic(&self) -> Topic {
        match self {
            Self::DeviceStatus(id, _) => Topic::DeviceStatus(id.clone()),
            Self::DeviceSession(id, _) => Topic::DeviceSession(id.clone()),
            Self::DeviceInfo(id, _) => Topic::DeviceInfo(id.clone()),
            Self::DeviceMetrics(id, _) => Topic::DeviceMetrics(id.clone()),
            Self::DeviceServices(id, _) => Topic::DeviceServices(id.clone()),
            Self::Event(_) => Topic::Event,
            Self::HubStatus(_) => Topic::HubStatus,
            Self::HubInfo(_) => Topic::HubInfo,
            Self::HubService(name, _) => Topic::HubService(*name),
            Self::CredentialsChanged => Topic::CredentialsChanged,
            Self::JoinRequest(id, _) => Topic::JoinRequest(id.clone()),
            Self::JoinReply(id, _) => Topic::JoinReply(id.clone()),
            Self::Cleared(topic) => topic.clone(),
        }
    }

    /// The payload as bytes.
    pub fn payload(&self) -> Vec<u8> {
        match self {
            Self::DeviceStatus(_, presence) | Self::HubStatus(presence) => presence.as_str().into(),
            Self::DeviceSession(_, payload) => json(payload),
            Self::DeviceInfo(_, payload) => json(payload),
            Self::DeviceMetrics(_, payload) => json(payload),
            Self::DeviceServices(_, payload) => json(payload),
            Self::Event(payload) => json(payload),
            Self::HubInfo(payload) => json(payload),
            Self::HubService(_, payload) => json(payload),
            Self::CredentialsChanged => b"{}".to_vec(),
            Self::JoinRequest(_, payload) => json(payload),
            Self::JoinReply(_, payload) => json(payload),
            Self::Cleared(_) => Vec::new(),
        }
    }

    /// Understands what arrived.
    pub fn decode(topic: &str, payload: &[u8]) -> Result<Self, MessageError> {
        let topic: Topic = topic.parse()?;
        if payload.is_empty() && topic.row().retained {
            return Ok(Self::Cleared(topic));
        }
        let decoded = match &topic {
            Topic::DeviceStatus(id) => {
                presence(payload).map(|it| Self::DeviceStatus(id.clone(), it))
            }
            Topic::DeviceSession(id) => {
                from_json(payload).map(|it| Self::DeviceSession(id.clone(), it))
            }
            Topic::DeviceInfo(id) => from_json(payload).map(|it| Self::DeviceInfo(id.clone(), it)),
            Topic::DeviceMetrics(id) => {
                from_json(payload).map(|it| Self::DeviceMetrics(id.clone(), it))
            }
            Topic::DeviceServices(id) => {
                from_json(payload).map(|it| Self::DeviceServices(id.clone(), it))
            }
            Topic::Event => from_json(payload).map(Self::Event),
            Topic::HubStatus => presence(payload).map(Self::HubStatus),
            Topic::HubInfo => from_json(payload).map(Self::HubInfo),
            Topic::HubService(name) => from_json(payload).map(|it| Self::HubService(*name, it)),
            Topic::CredentialsChanged => Ok(Self::CredentialsChanged),
            Topic::JoinRequest(id) => {
                from_json(payload).map(|it| Self::JoinRequest(id.clone(), it))
            }
            Topic::JoinReply(id) => from_json(payload).map(|it| Self::JoinReply(id.clone(), it)),
        };
        decoded.map_err(|source| MessageError::Payload { topic, source })
    }
}

type DecodeResult<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn json(payload: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(payload).expect("wire types have string keys and cannot fail to serialise")
}

fn from_json<T: serde::de::DeserializeOwned>(payload: &[u8]) -> DecodeResult<T> {
    Ok(serde_json::from_slice(payload)?)
}

fn presence(payload: &[u8]) -> DecodeResult<Presence> {
    Ok(std::str::from_utf8(payload)?.parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_retained_payload_means_cleared() {
        let device: DeviceId = "ws-14".parse().unwrap();
        let topic = Topic::DeviceInfo(device);
        assert_eq!(
            Message::decode(&topic.to_string(), b"").unwrap(),
            Message::Cleared(topic)
        );
    }

    #[test]
    fn garbage_is_an_error_and_never_a_panic() {
        for payload in [&b"{"[..], b"[]", b"null", b"\xff\xfe", b"{\"time\":1}"] {
            for topic in crate::topic::tests::examples() {
                if topic != Topic::CredentialsChanged {
                    let error = Message::decode(&topic.to_string(), payload).unwrap_err();
                    assert!(matches!(error, MessageError::Payload { .. }), "{error}");
                }
            }
        }
    }

    #[test]
    fn fields_of_tomorrow_are_passed_over() {
        let health = br#"{"state":"sleepy","since":"2026-01-01T00:00:00Z","version":"9","mood":1}"#;
        let message = Message::decode("netmonitor/v1/hub/service/api", health).unwrap();
        let Message::HubService(ServiceName::Api, health) = message else {
            panic!("{message:?}")
        };
        assert_eq!(health.state, crate::payload::ServiceState::Unknown);
    }
}
