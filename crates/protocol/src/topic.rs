//! One concrete topic, to and from its string.

use std::fmt;
use std::str::FromStr;

use crate::ids::{DeviceId, JoinRequestId, ServiceName};
use crate::rule::Rule;
use crate::subject::Subject;
use crate::topics::{Kind, PRIVATE_ROOT, PUBLIC_ROOT, Row};

/// A topic with its parameter filled in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the TOPICS table says what each one is")]
pub enum Topic {
    DeviceStatus(DeviceId),
    DeviceSession(DeviceId),
    DevicePresence(DeviceId),
    DeviceInfo(DeviceId),
    DeviceMetrics(DeviceId),
    DeviceServices(DeviceId),
    DeviceProcesses(DeviceId),
    DeviceBackfill(DeviceId),
    DeviceAck(DeviceId),
    DeviceSettings(DeviceId),
    DeviceWatch(DeviceId),
    DeviceNotify(DeviceId),
    Alert(Subject, Rule),
    AlertSet(Subject, Rule),
    Event,
    HubStatus,
    HubInfo,
    HubService(ServiceName),
    Settings(Section),
    CredentialsChanged,
    DeviceRevoke(DeviceId),
    DeviceAlerting(DeviceId),
    HistoryCommand,
    ChannelTest,
    ChannelTested,
    JoinRequest(JoinRequestId),
    JoinReply(JoinRequestId),
}

/// Which part of the hub's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Section {
    /// How long the history is kept.
    History,
    /// When alerts are raised.
    Alerting,
    /// Where messages about them go.
    Channels,
}

impl Section {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::History, Self::Alerting, Self::Channels];

    /// The level of the topic.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::History => "history",
            Self::Alerting => "alerting",
            Self::Channels => "channels",
        }
    }
}

/// The text names no topic of the contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a topic of the contract")]
pub struct UnknownTopic(pub String);

impl Topic {
    /// Which row of the table this topic belongs to.
    pub fn kind(&self) -> Kind {
        match self {
            Self::DeviceStatus(_) => Kind::DeviceStatus,
            Self::DeviceSession(_) => Kind::DeviceSession,
            Self::DevicePresence(_) => Kind::DevicePresence,
            Self::DeviceInfo(_) => Kind::DeviceInfo,
            Self::DeviceMetrics(_) => Kind::DeviceMetrics,
            Self::DeviceServices(_) => Kind::DeviceServices,
            Self::DeviceProcesses(_) => Kind::DeviceProcesses,
            Self::DeviceBackfill(_) => Kind::DeviceBackfill,
            Self::DeviceAck(_) => Kind::DeviceAck,
            Self::DeviceSettings(_) => Kind::DeviceSettings,
            Self::DeviceWatch(_) => Kind::DeviceWatch,
            Self::DeviceNotify(_) => Kind::DeviceNotify,
            Self::Alert(..) => Kind::Alert,
            Self::AlertSet(..) => Kind::AlertSet,
            Self::Event => Kind::Event,
            Self::HubStatus => Kind::HubStatus,
            Self::HubInfo => Kind::HubInfo,
            Self::HubService(_) => Kind::HubService,
            Self::Settings(_) => Kind::Settings,
            Self::CredentialsChanged => Kind::CredentialsChanged,
            Self::DeviceRevoke(_) => Kind::DeviceRevoke,
            Self::DeviceAlerting(_) => Kind::DeviceAlerting,
            Self::HistoryCommand => Kind::HistoryCommand,
            Self::ChannelTest => Kind::ChannelTest,
            Self::ChannelTested => Kind::ChannelTested,
            Self::JoinRequest(_) => Kind::JoinRequest,
            Self::JoinReply(_) => Kind::JoinReply,
        }
    }

    /// The row of the table.
    pub fn row(&self) -> &'static Row {
        self.kind().row()
    }

    /// The device that the topic is about.
    pub fn device(&self) -> Option<&DeviceId> {
        match self {
            Self::DeviceStatus(id)
            | Self::DeviceSession(id)
            | Self::DevicePresence(id)
            | Self::DeviceInfo(id)
            | Self::DeviceMetrics(id)
            | Self::DeviceServices(id)
            | Self::DeviceProcesses(id)
            | Self::DeviceBackfill(id)
            | Self::DeviceAck(id)
            | Self::DeviceSettings(id)
            | Self::DeviceWatch(id)
            | Self::DeviceNotify(id)
            | Self::DeviceRevoke(id)
            | Self::DeviceAlerting(id) => Some(id),
            Self::Alert(subject, _) | Self::AlertSet(subject, _) => subject.device(),
            _ => None,
        }
    }

    /// Every retained topic of one device: what has to be cleared when it goes. Those of its alerts
    /// are cleared by who publishes them.
    pub fn retained_of(device: &DeviceId) -> [Self; 8] {
        [
            Self::DeviceStatus(device.clone()),
            Self::DeviceSession(device.clone()),
            Self::DevicePresence(device.clone()),
            Self::DeviceInfo(device.clone()),
            Self::DeviceMetrics(device.clone()),
            Self::DeviceServices(device.clone()),
            Self::DeviceSettings(device.clone()),
            Self::DeviceAlerting(device.clone()),
        ]
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = self.row();
        write!(f, "{}", row.root)?;
        for level in row.pattern.split('/') {
            if level.starts_with('{') {
                match self {
                    Self::HubService(name) => write!(f, "/{name}")?,
                    Self::Settings(section) => write!(f, "/{}", section.as_str())?,
                    Self::JoinRequest(id) | Self::JoinReply(id) => write!(f, "/{id}")?,
                    Self::Alert(subject, _) | Self::AlertSet(subject, _)
                        if level == "{subject}" =>
                    {
                        write!(f, "/{subject}")?;
                    }
                    Self::Alert(_, rule) | Self::AlertSet(_, rule) => write!(f, "/{rule}")?,
                    _ => match self.device() {
                        Some(id) => write!(f, "/{id}")?,
                        None => write!(f, "/{level}")?,
                    },
                }
            } else {
                write!(f, "/{level}")?;
            }
        }
        Ok(())
    }
}

impl FromStr for Topic {
    type Err = UnknownTopic;

    fn from_str(text: &str) -> Result<Self, UnknownTopic> {
        parse(text).ok_or_else(|| UnknownTopic(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Topic> {
    if let Some(rest) = below(text, PUBLIC_ROOT) {
        let levels: Vec<&str> = rest.split('/').collect();
        return match levels.as_slice() {
            ["device", id, leaf] => {
                let id = id.parse().ok()?;
                match *leaf {
                    "status" => Some(Topic::DeviceStatus(id)),
                    "session" => Some(Topic::DeviceSession(id)),
                    "presence" => Some(Topic::DevicePresence(id)),
                    "info" => Some(Topic::DeviceInfo(id)),
                    "metrics" => Some(Topic::DeviceMetrics(id)),
                    "services" => Some(Topic::DeviceServices(id)),
                    "processes" => Some(Topic::DeviceProcesses(id)),
                    "backfill" => Some(Topic::DeviceBackfill(id)),
                    "ack" => Some(Topic::DeviceAck(id)),
                    "settings" => Some(Topic::DeviceSettings(id)),
                    "watch" => Some(Topic::DeviceWatch(id)),
                    "notify" => Some(Topic::DeviceNotify(id)),
                    _ => None,
                }
            }
            ["alert", subject, rule] => {
                Some(Topic::Alert(subject.parse().ok()?, rule.parse().ok()?))
            }
            ["alert", subject, rule, "set"] => {
                Some(Topic::AlertSet(subject.parse().ok()?, rule.parse().ok()?))
            }
            ["event"] => Some(Topic::Event),
            ["hub", "status"] => Some(Topic::HubStatus),
            ["hub", "info"] => Some(Topic::HubInfo),
            ["hub", "service", name] => Some(Topic::HubService(name.parse().ok()?)),
            _ => None,
        };
    }
    let levels: Vec<&str> = below(text, PRIVATE_ROOT)?.split('/').collect();
    match levels.as_slice() {
        ["device", id, "revoke"] => Some(Topic::DeviceRevoke(id.parse().ok()?)),
        ["device", id, "alerting"] => Some(Topic::DeviceAlerting(id.parse().ok()?)),
        ["settings", section] => {
            let mut all = Section::ALL.into_iter();
            all.find(|it| it.as_str() == *section).map(Topic::Settings)
        }
        ["history", "command"] => Some(Topic::HistoryCommand),
        ["channels", "test"] => Some(Topic::ChannelTest),
        ["channels", "tested"] => Some(Topic::ChannelTested),
        ["credentials", "changed"] => Some(Topic::CredentialsChanged),
        ["join", request, "request"] => Some(Topic::JoinRequest(request.parse().ok()?)),
        ["join", request, "reply"] => Some(Topic::JoinReply(request.parse().ok()?)),
        _ => None,
    }
}

fn below<'a>(text: &'a str, root: &str) -> Option<&'a str> {
    text.strip_prefix(root)?.strip_prefix('/')
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::rule::RuleKind;
    use crate::topics::TOPICS;

    /// One topic of each kind.
    pub(crate) fn examples() -> Vec<Topic> {
        let device: DeviceId = "ws-14".parse().unwrap();
        let request = JoinRequestId::from_bits(7);
        vec![
            Topic::DeviceStatus(device.clone()),
            Topic::DeviceSession(device.clone()),
            Topic::DevicePresence(device.clone()),
            Topic::DeviceInfo(device.clone()),
            Topic::DeviceMetrics(device.clone()),
            Topic::DeviceServices(device.clone()),
            Topic::DeviceProcesses(device.clone()),
            Topic::DeviceBackfill(device.clone()),
            Topic::DeviceAck(device.clone()),
            Topic::DeviceSettings(device.clone()),
            Topic::DeviceWatch(device.clone()),
            Topic::DeviceNotify(device.clone()),
            Topic::Alert(device.clone().into(), Rule::of(RuleKind::Cpu)),
            Topic::AlertSet(Subject::Hub, Rule::about(RuleKind::Disk, "/home")),
            Topic::Event,
            Topic::HubStatus,
            Topic::HubInfo,
            Topic::HubService(ServiceName::Ingest),
            Topic::Settings(Section::History),
            Topic::CredentialsChanged,
            Topic::DeviceRevoke(device.clone()),
            Topic::DeviceAlerting(device),
            Topic::HistoryCommand,
            Topic::ChannelTest,
            Topic::ChannelTested,
            Topic::JoinRequest(request.clone()),
            Topic::JoinReply(request),
        ]
    }

    #[test]
    fn every_topic_is_read_back_as_written_and_stands_in_the_table() {
        let examples = examples();
        assert_eq!(examples.len(), TOPICS.len());
        for topic in examples {
            let text = topic.to_string();
            assert_eq!(text.parse(), Ok(topic.clone()), "{text}");
            assert!(
                crate::acl::filter_matches(&topic.row().filter(), &text),
                "{text}"
            );
        }
    }

    #[test]
    fn a_topic_has_no_braces_left() {
        for topic in examples() {
            assert!(!topic.to_string().contains(['{', '}', '+']), "{topic}");
        }
    }

    #[test]
    fn what_is_not_of_the_contract_is_unknown() {
        for text in [
            "",
            "netmonitor",
            "netmonitor/v1",
            "netmonitor/v1/",
            "netmonitor/v1/device/ws-14",
            "netmonitor/v1/device/WS-14/status",
            "netmonitor/v1/device/ws-14/status/",
            "netmonitor/v1/device/ws-14/colour",
            "netmonitor/v2/device/ws-14/status",
            "netmonitor/v1x/event",
            "netmonitor-private/v1/join/7/request",
        ] {
            assert_eq!(
                text.parse::<Topic>(),
                Err(UnknownTopic(text.to_owned())),
                "{text}"
            );
        }
    }

    #[test]
    fn all_retained_device_topics_are_cleared_when_a_device_goes() {
        let device: DeviceId = "a".parse().unwrap();
        let cleared: Vec<Kind> = Topic::retained_of(&device)
            .iter()
            .map(Topic::kind)
            .collect();
        let retained: Vec<Kind> = TOPICS
            .iter()
            .filter(|row| row.retained.is_kept() && row.pattern.contains("{id}"))
            .map(|row| row.kind)
            .collect();
        assert_eq!(cleared, retained);
    }
}
