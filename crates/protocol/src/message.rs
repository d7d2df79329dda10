//! Topic and payload together: what is published and what arrives.

use crate::ids::{DeviceId, JoinRequestId, ServiceName, SessionId};
use crate::payload::{
    Ack, Alert, AlertCommand, AlertingSettings, Backfill, ChannelTest, ChannelTested, Channels,
    DeviceAlerting, Event, HistoryCommand, HistorySettings, HubInfo, Info, JoinReply, JoinRequest,
    Metrics, Notification, Presence, Processes, ServiceHealth, Services, Session, Settings, Status,
    Watch,
};
use crate::rule::Rule;
use crate::subject::Subject;
use crate::topic::{Section, Topic, UnknownTopic};

/// Name of the MQTT 5 user property that carries [`Message::session`].
pub const SESSION_PROPERTY: &str = "session";

/// A message of the contract. The variant fixes topic and payload, so that neither can be
/// sent with the wrong other.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the TOPICS table says what each one is")]
pub enum Message {
    /// With the session that is there or gone, if it was said: see [`Message::session`].
    DeviceStatus(DeviceId, Status, Option<SessionId>),
    DeviceSession(DeviceId, Session),
    DevicePresence(DeviceId, Presence),
    DeviceInfo(DeviceId, Box<Info>),
    DeviceMetrics(DeviceId, Box<Metrics>),
    DeviceServices(DeviceId, Services),
    DeviceProcesses(DeviceId, Processes),
    DeviceBackfill(DeviceId, Backfill),
    DeviceAck(DeviceId, Ack),
    DeviceSettings(DeviceId, Settings),
    DeviceWatch(DeviceId, Watch),
    DeviceNotify(DeviceId, Notification),
    Alert(Subject, Rule, Box<Alert>),
    AlertSet(Subject, Rule, AlertCommand),
    Event(Event),
    HubStatus(Status),
    HubInfo(HubInfo),
    HubService(ServiceName, ServiceHealth),
    HistorySettings(HistorySettings),
    AlertingSettings(Box<AlertingSettings>),
    Channels(Channels),
    CredentialsChanged,
    DeviceRevoke(DeviceId),
    DeviceAlerting(DeviceId, Box<DeviceAlerting>),
    HistoryCommand(HistoryCommand),
    ChannelTest(ChannelTest),
    ChannelTested(ChannelTested),
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
            Self::DeviceStatus(id, _, _) => Topic::DeviceStatus(id.clone()),
            Self::DeviceSession(id, _) => Topic::DeviceSession(id.clone()),
            Self::DevicePresence(id, _) => Topic::DevicePresence(id.clone()),
            Self::DeviceInfo(id, _) => Topic::DeviceInfo(id.clone()),
            Self::DeviceMetrics(id, _) => Topic::DeviceMetrics(id.clone()),
            Self::DeviceServices(id, _) => Topic::DeviceServices(id.clone()),
            Self::DeviceProcesses(id, _) => Topic::DeviceProcesses(id.clone()),
            Self::DeviceBackfill(id, _) => Topic::DeviceBackfill(id.clone()),
            Self::DeviceAck(id, _) => Topic::DeviceAck(id.clone()),
            Self::DeviceSettings(id, _) => Topic::DeviceSettings(id.clone()),
            Self::DeviceWatch(id, _) => Topic::DeviceWatch(id.clone()),
            Self::DeviceNotify(id, _) => Topic::DeviceNotify(id.clone()),
            Self::Alert(subject, rule, _) => Topic::Alert(subject.clone(), rule.clone()),
            Self::AlertSet(subject, rule, _) => Topic::AlertSet(subject.clone(), rule.clone()),
            Self::Event(_) => Topic::Event,
            Self::HubStatus(_) => Topic::HubStatus,
            Self::HubInfo(_) => Topic::HubInfo,
            Self::HubService(name, _) => Topic::HubService(*name),
            Self::HistorySettings(_) => Topic::Settings(Section::History),
            Self::AlertingSettings(_) => Topic::Settings(Section::Alerting),
            Self::Channels(_) => Topic::Settings(Section::Channels),
            Self::CredentialsChanged => Topic::CredentialsChanged,
            Self::DeviceRevoke(id) => Topic::DeviceRevoke(id.clone()),
            Self::DeviceAlerting(id, _) => Topic::DeviceAlerting(id.clone()),
            Self::HistoryCommand(_) => Topic::HistoryCommand,
            Self::ChannelTest(_) => Topic::ChannelTest,
            Self::ChannelTested(_) => Topic::ChannelTested,
            Self::JoinRequest(id, _) => Topic::JoinRequest(id.clone()),
            Self::JoinReply(id, _) => Topic::JoinReply(id.clone()),
            Self::Cleared(topic) => topic.clone(),
        }
    }

    /// The payload as bytes.
    pub fn payload(&self) -> Vec<u8> {
        match self {
            Self::DeviceStatus(_, status, _) | Self::HubStatus(status) => status.as_str().into(),
            Self::DeviceSession(_, payload) => json(payload),
            Self::DevicePresence(_, payload) => json(payload),
            Self::DeviceInfo(_, payload) => json(payload),
            Self::DeviceMetrics(_, payload) => json(payload),
            Self::DeviceServices(_, payload) => json(payload),
            Self::DeviceProcesses(_, payload) => json(payload),
            Self::DeviceBackfill(_, payload) => json(payload),
            Self::DeviceAck(_, payload) => json(payload),
            Self::DeviceSettings(_, payload) => json(payload),
            Self::DeviceWatch(_, payload) => json(payload),
            Self::DeviceNotify(_, payload) => json(payload),
            Self::Alert(_, _, payload) => json(payload),
            Self::AlertSet(_, _, payload) => json(payload),
            Self::AlertingSettings(payload) => json(payload),
            Self::Channels(payload) => json(payload),
            Self::DeviceAlerting(_, payload) => json(payload),
            Self::HistoryCommand(payload) => json(payload),
            Self::Event(payload) => json(payload),
            Self::HubInfo(payload) => json(payload),
            Self::HubService(_, payload) => json(payload),
            Self::HistorySettings(payload) => json(payload),
            Self::CredentialsChanged | Self::DeviceRevoke(_) => b"{}".to_vec(),
            Self::ChannelTest(payload) => json(payload),
            Self::ChannelTested(payload) => json(payload),
            Self::JoinRequest(_, payload) => json(payload),
            Self::JoinReply(_, payload) => json(payload),
            Self::Cleared(_) => Vec::new(),
        }
    }

    /// The session that a birth or a death is of. It travels as the MQTT 5 user property
    /// [`SESSION_PROPERTY`], so that the payload of `status` stays a plain word.
    pub fn session(&self) -> Option<SessionId> {
        match self {
            Self::DeviceStatus(_, _, session) => *session,
            Self::DeviceSession(_, payload) => Some(payload.session),
            _ => None,
        }
    }

    /// Understands what arrived. `session` is what the user property says, if there is one.
    pub fn decode(
        topic: &str,
        payload: &[u8],
        session: Option<SessionId>,
    ) -> Result<Self, MessageError> {
        let topic: Topic = topic.parse()?;
        if payload.is_empty() && topic.row().retained.is_kept() {
            return Ok(Self::Cleared(topic));
        }
        let decoded = match &topic {
            Topic::DeviceStatus(id) => {
                status(payload).map(|it| Self::DeviceStatus(id.clone(), it, session))
            }
            Topic::DeviceSession(id) => {
                from_json(payload).map(|it| Self::DeviceSession(id.clone(), it))
            }
            Topic::DevicePresence(id) => {
                from_json(payload).map(|it| Self::DevicePresence(id.clone(), it))
            }
            Topic::DeviceInfo(id) => from_json(payload).map(|it| Self::DeviceInfo(id.clone(), it)),
            Topic::DeviceMetrics(id) => {
                from_json(payload).map(|it| Self::DeviceMetrics(id.clone(), it))
            }
            Topic::DeviceServices(id) => {
                from_json(payload).map(|it| Self::DeviceServices(id.clone(), it))
            }
            Topic::DeviceProcesses(id) => {
                from_json(payload).map(|it| Self::DeviceProcesses(id.clone(), it))
            }
            Topic::DeviceBackfill(id) => {
                from_json(payload).map(|it| Self::DeviceBackfill(id.clone(), it))
            }
            Topic::DeviceAck(id) => from_json(payload).map(|it| Self::DeviceAck(id.clone(), it)),
            Topic::DeviceSettings(id) => {
                from_json(payload).map(|it| Self::DeviceSettings(id.clone(), it))
            }
            Topic::DeviceWatch(id) => {
                from_json(payload).map(|it| Self::DeviceWatch(id.clone(), it))
            }
            Topic::DeviceNotify(id) => {
                from_json(payload).map(|it| Self::DeviceNotify(id.clone(), it))
            }
            Topic::Alert(subject, rule) => {
                from_json(payload).map(|it| Self::Alert(subject.clone(), rule.clone(), it))
            }
            Topic::AlertSet(subject, rule) => {
                from_json(payload).map(|it| Self::AlertSet(subject.clone(), rule.clone(), it))
            }
            Topic::Event => from_json(payload).map(Self::Event),
            Topic::HubStatus => status(payload).map(Self::HubStatus),
            Topic::HubInfo => from_json(payload).map(Self::HubInfo),
            Topic::HubService(name) => from_json(payload).map(|it| Self::HubService(*name, it)),
            Topic::Settings(Section::History) => from_json(payload).map(Self::HistorySettings),
            Topic::Settings(Section::Alerting) => from_json(payload).map(Self::AlertingSettings),
            Topic::Settings(Section::Channels) => from_json(payload).map(Self::Channels),
            Topic::DeviceAlerting(id) => {
                from_json(payload).map(|it| Self::DeviceAlerting(id.clone(), it))
            }
            Topic::HistoryCommand => from_json(payload).map(Self::HistoryCommand),
            Topic::CredentialsChanged => Ok(Self::CredentialsChanged),
            Topic::DeviceRevoke(id) => Ok(Self::DeviceRevoke(id.clone())),
            Topic::ChannelTest => from_json(payload).map(Self::ChannelTest),
            Topic::ChannelTested => from_json(payload).map(Self::ChannelTested),
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

fn status(payload: &[u8]) -> DecodeResult<Status> {
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
            Message::decode(&topic.to_string(), b"", None).unwrap(),
            Message::Cleared(topic)
        );
    }

    #[test]
    fn garbage_is_an_error_and_never_a_panic() {
        for payload in [
            &b"{"[..],
            b"[]",
            b"null",
            b"\xff\xfe",
            b"{\"interval_secs\":\"x\"}",
        ] {
            for topic in crate::topic::tests::examples() {
                // Those without content, and those of which everything may be left out.
                let empty = matches!(topic, Topic::CredentialsChanged | Topic::DeviceRevoke(_));
                let optional = match topic {
                    Topic::DeviceSettings(_) => payload == b"[]",
                    Topic::Settings(_) | Topic::DeviceAlerting(_) => {
                        payload == b"[]" || payload.starts_with(b"{\"interval")
                    }
                    _ => false,
                };
                if !empty && !optional {
                    let error = Message::decode(&topic.to_string(), payload, None).unwrap_err();
                    assert!(matches!(error, MessageError::Payload { .. }), "{error}");
                }
            }
        }
    }

    #[test]
    fn fields_of_tomorrow_are_passed_over() {
        let health = br#"{"state":"sleepy","since":"2026-01-01T00:00:00Z","version":"9","mood":1}"#;
        let message = Message::decode("netmonitor/v1/hub/service/api", health, None).unwrap();
        let Message::HubService(ServiceName::Api, health) = message else {
            panic!("{message:?}")
        };
        assert_eq!(health.state, crate::payload::ServiceState::Unknown);
    }
}
