//! Who may publish, subscribe to and receive what. It all follows from the
//! [`TOPICS`](crate::topics::TOPICS) table.
//!
//! A subscription may reach wider than a role may read (`netmonitor/v1/#` is what people
//! type): it is granted if anything under it may be read, and each message is checked again on
//! its way out.

mod grantable;
mod mosquitto;

pub use grantable::{is_grantable_to_publish, is_grantable_to_read};
pub use mosquitto::{MARK as MOSQUITTO_MARK, Unwritable, mosquitto_acl};

use crate::ids::{DeviceId, JoinRequestId, ServiceName};
use crate::rule::Rule;
use crate::subject::Subject;
use crate::topic::Topic;
use crate::topics::{Party, Row, SYS_ROOT, TOPICS};

/// What a client may do.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Role {
    /// One of the hub's services.
    Service(ServiceName),
    /// The agent of one device.
    Agent(DeviceId),
    /// A machine that is about to be enrolled. The id is its MQTT client id.
    Joiner(JoinRequestId),
    /// Reads what is public.
    Reader,
    /// Reads what is public, and acts on alerts.
    Operator,
}

/// Filters below none of our roots, for other things that share the broker.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct OwnFilters {
    /// What the client may publish.
    pub publish: Vec<String>,
    /// What the client may read.
    pub subscribe: Vec<String>,
}

/// Who a client is, once it has shown its credential.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Principal {
    /// MQTT user name.
    pub user: String,
    /// None for an MQTT user that only has filters of its own.
    pub role: Option<Role>,
    /// Beside the role.
    pub own: OwnFilters,
}

impl Principal {
    /// Whether the client may publish to this topic.
    pub fn may_publish(&self, topic: &str) -> bool {
        if self.own.publish.iter().any(|f| filter_matches(f, topic)) && !is_ours(topic) {
            return true;
        }
        let (Some(role), Ok(topic)) = (&self.role, topic.parse::<Topic>()) else {
            return false;
        };
        topic
            .row()
            .from
            .iter()
            .any(|party| role.is_source(*party, &topic))
    }

    /// Whether the client may receive what is published to this topic.
    pub fn may_receive(&self, topic: &str) -> bool {
        if self.own.subscribe.iter().any(|f| filter_matches(f, topic)) && !is_ours(topic) {
            return true;
        }
        let Some(role) = &self.role else {
            return false;
        };
        if is_sys(topic) {
            return role.reads_sys();
        }
        let Ok(topic) = topic.parse::<Topic>() else {
            return false;
        };
        topic
            .row()
            .to
            .iter()
            .any(|party| role.is_destination(*party, &topic))
    }

    /// Whether anything under this filter may be received.
    pub fn may_subscribe(&self, filter: &str) -> bool {
        if self
            .own
            .subscribe
            .iter()
            .any(|own| filters_overlap(own, filter))
        {
            return true;
        }
        let Some(role) = &self.role else {
            return false;
        };
        if is_sys(filter) {
            return role.reads_sys();
        }
        TOPICS.iter().any(|row| {
            role.reads_row(row)
                && filters_overlap(&role.narrowed(row), filter)
                && names_possible_ids(row, filter)
        })
    }
}

impl Role {
    fn is_source(&self, party: Party, topic: &Topic) -> bool {
        match (self, party) {
            (Self::Agent(own), Party::Agent) => topic.device() == Some(own),
            (Self::Joiner(own), Party::Joiner) => is_own_join(topic, own),
            (Self::Operator, Party::Operators) => true,
            (Self::Service(own), Party::Services) => match topic {
                Topic::HubService(named) => own == named,
                _ => true,
            },
            (Self::Service(own), party) => is_service(party, *own),
            _ => false,
        }
    }

    fn is_destination(&self, party: Party, topic: &Topic) -> bool {
        match (self, party) {
            (Self::Joiner(own), Party::Joiner) => is_own_join(topic, own),
            (Self::Joiner(_), _) => false,
            (Self::Agent(own), Party::Agent | Party::All) => match topic {
                Topic::Alert(subject, _) => subject.device() == Some(own),
                topic => topic.device().is_none_or(|device| device == own),
            },
            (_, Party::All) | (Self::Service(_), Party::Services) => true,
            (Self::Service(own), party) => is_service(party, *own),
            _ => false,
        }
    }

    /// Whether it may read what the broker says of itself.
    fn reads_sys(&self) -> bool {
        matches!(self, Self::Service(_) | Self::Reader | Self::Operator)
    }

    fn reads_row(&self, row: &Row) -> bool {
        row.to.iter().any(|party| match (self, party) {
            (Self::Joiner(_), party) => *party == Party::Joiner,
            (Self::Agent(_), Party::Agent)
            | (Self::Service(_), Party::Services)
            | (_, Party::All) => true,
            (Self::Service(own), party) => is_service(*party, *own),
            _ => false,
        })
    }

    /// The row's filter, with the role's own id in place of the wildcard.
    fn narrowed(&self, row: &Row) -> String {
        let own: &[(&str, &str)] = match self {
            Self::Agent(id) => &[("{id}", id.as_str()), ("{subject}", id.as_str())],
            Self::Joiner(id) => &[("{request}", id.as_str())],
            _ => &[],
        };
        let filter = own.iter().find_map(|(parameter, id)| {
            let is_in_it = row.pattern.contains(parameter);
            is_in_it.then(|| row.filter_with(parameter, id))
        });
        filter.unwrap_or_else(|| row.filter())
    }
}

/// Whether the filter has a wildcard or a well-formed id in place of each parameter: what can
/// never match is not worth a subscription.
fn names_possible_ids(row: &Row, filter: &str) -> bool {
    let levels = row.root.split('/').chain(row.pattern.split('/'));
    levels.zip(filter.split('/')).all(|(level, given)| {
        let wild = given == "+" || given == "#";
        wild || match level {
            "{id}" => given.parse::<DeviceId>().is_ok(),
            "{name}" => given.parse::<ServiceName>().is_ok(),
            "{request}" => given.parse::<JoinRequestId>().is_ok(),
            "{subject}" => given.parse::<Subject>().is_ok(),
            "{rule}" => given.parse::<Rule>().is_ok(),
            _ => true,
        }
    })
}

/// Whether the topic or filter lies below `$SYS`. Nobody publishes there.
fn is_sys(topic: &str) -> bool {
    topic.split('/').next() == SYS_ROOT.split('/').next()
}

fn is_service(party: Party, service: ServiceName) -> bool {
    matches!(
        (party, service),
        (Party::Hub, ServiceName::Hub)
            | (Party::Broker, ServiceName::Broker)
            | (Party::Ingest, ServiceName::Ingest)
            | (Party::Alerting, ServiceName::Alerting)
            | (Party::Api, ServiceName::Api)
    )
}

fn is_own_join(topic: &Topic, own: &JoinRequestId) -> bool {
    matches!(topic, Topic::JoinRequest(id) | Topic::JoinReply(id) if id == own)
}

/// Whether the topic or filter lies below a root of ours, where filters of one's own end.
fn is_ours(topic: &str) -> bool {
    let first = topic.split('/').next().unwrap_or_default();
    first == "netmonitor" || first == "netmonitor-private"
}

/// Whether the filter obeys MQTT 5.0, section 4.7: a wildcard fills its level, `#` is last.
pub fn is_well_formed(filter: &str) -> bool {
    if filter.is_empty() || filter.len() > 65_535 || filter.contains('\0') {
        return false;
    }
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        let alone = level.len() == 1;
        if level.contains('#') && !(alone && levels.peek().is_none()) {
            return false;
        }
        if level.contains('+') && !alone {
            return false;
        }
    }
    true
}

/// Whether the filter matches the topic (MQTT 5.0, section 4.7).
pub fn filter_matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut topic_levels = topic.split('/');
    for level in filter.split('/') {
        if level == "#" {
            return true;
        }
        match topic_levels.next() {
            Some(other) if level == "+" || level == other => {}
            _ => return false,
        }
    }
    topic_levels.next().is_none()
}

/// Whether some topic matches both filters.
pub fn filters_overlap(one: &str, other: &str) -> bool {
    let (mut left, mut right) = (one.split('/'), other.split('/'));
    loop {
        match (left.next(), right.next()) {
            (Some("#"), _) | (_, Some("#")) | (None, None) => return true,
            (Some(a), Some(b)) if a == b || a == "+" || b == "+" => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topic::tests::examples;
    use crate::topics::Kind;

    fn principal(role: Role) -> Principal {
        Principal {
            user: "someone".to_owned(),
            role: Some(role),
            own: OwnFilters::default(),
        }
    }

    fn agent(id: &str) -> Principal {
        principal(Role::Agent(id.parse().unwrap()))
    }

    /// Kinds that the role may publish, and may receive, with `ws-14`, `ingest` and join
    /// request 7 as parameters.
    fn reach(who: &Principal) -> (Vec<Kind>, Vec<Kind>) {
        let kinds = |allowed: &dyn Fn(&str) -> bool| {
            examples()
                .iter()
                .filter(|topic| allowed(&topic.to_string()))
                .map(Topic::kind)
                .collect()
        };
        (
            kinds(&|topic| who.may_publish(topic)),
            kinds(&|topic| who.may_receive(topic)),
        )
    }

    const OWN: [Kind; 7] = [
        Kind::DeviceStatus,
        Kind::DeviceSession,
        Kind::DeviceInfo,
        Kind::DeviceMetrics,
        Kind::DeviceServices,
        Kind::DeviceProcesses,
        Kind::DeviceBackfill,
    ];
    const DEVICE: [Kind; 7] = [
        Kind::DeviceStatus,
        Kind::DeviceSession,
        Kind::DevicePresence,
        Kind::DeviceInfo,
        Kind::DeviceMetrics,
        Kind::DeviceServices,
        Kind::DeviceProcesses,
    ];
    const TO_AGENT: [Kind; 4] = [
        Kind::DeviceAck,
        Kind::DeviceSettings,
        Kind::DeviceWatch,
        Kind::DeviceNotify,
    ];
    const HUB: [Kind; 3] = [Kind::HubStatus, Kind::HubInfo, Kind::HubService];

    #[test]
    fn an_agent_writes_its_own_device_and_reads_that_and_the_hub() {
        let (publish, receive) = reach(&agent("ws-14"));
        assert_eq!(publish, OWN);
        let own = [DEVICE.as_slice(), &TO_AGENT, &[Kind::Alert]];
        assert_eq!(receive, [own.concat().as_slice(), &HUB].concat());
    }

    #[test]
    fn an_agent_reaches_nothing_of_another_device() {
        let (publish, receive) = reach(&agent("ws-15"));
        assert_eq!(publish, []);
        assert_eq!(receive, HUB);
        assert!(!agent("ws-15").may_subscribe("netmonitor/v1/device/ws-14/#"));
        assert!(agent("ws-15").may_subscribe("netmonitor/v1/device/ws-15/#"));
    }

    #[test]
    fn a_filter_that_can_never_match_is_not_granted() {
        let reader = principal(Role::Reader);
        for filter in [
            "device/WS-14/status",
            "device/WS-14/#",
            "hub/service/x",
            "device/a/x",
        ] {
            let filter = format!("netmonitor/v1/{filter}");
            assert!(!reader.may_subscribe(&filter), "{filter}");
        }
        for filter in ["device/ws-14/#", "device/+/status", "hub/service/api", "#"] {
            let filter = format!("netmonitor/v1/{filter}");
            assert!(reader.may_subscribe(&filter), "{filter}");
        }
    }

    #[test]
    fn a_reader_reads_what_is_public_and_an_operator_acts_on_alerts_as_well() {
        let set = vec![Kind::AlertSet];
        for (role, writes) in [(Role::Reader, vec![]), (Role::Operator, set)] {
            let (publish, receive) = reach(&principal(role));
            assert_eq!(publish, writes);
            let device = [DEVICE.as_slice(), &[Kind::Alert]].concat();
            assert_eq!(receive, [device.as_slice(), &HUB].concat());
        }
    }

    #[test]
    fn a_joiner_reaches_its_own_request_and_nothing_else() {
        let own = principal(Role::Joiner(JoinRequestId::from_bits(7)));
        assert_eq!(
            reach(&own),
            (vec![Kind::JoinRequest], vec![Kind::JoinReply])
        );
        let other = principal(Role::Joiner(JoinRequestId::from_bits(8)));
        assert_eq!(reach(&other), (vec![], vec![]));
        assert!(!other.may_subscribe("netmonitor/v1/#"));
        assert!(!other.may_subscribe("netmonitor/v1/hub/status"));
    }

    #[test]
    fn a_service_writes_its_rows_and_its_own_health() {
        let ingest = principal(Role::Service(ServiceName::Ingest));
        assert_eq!(
            reach(&ingest).0,
            [Kind::DeviceAck, Kind::Event, Kind::HubService]
        );
        let alerting = principal(Role::Service(ServiceName::Alerting));
        assert_eq!(
            reach(&alerting).0,
            [
                Kind::DevicePresence,
                Kind::DeviceNotify,
                Kind::Alert,
                Kind::Event,
                Kind::ChannelTested
            ]
        );
        let api = principal(Role::Service(ServiceName::Api));
        assert_eq!(
            reach(&api).0,
            [
                Kind::DeviceSettings,
                Kind::DeviceWatch,
                Kind::AlertSet,
                Kind::Event,
                Kind::Settings,
                Kind::CredentialsChanged,
                Kind::DeviceRevoke,
                Kind::DeviceAlerting,
                Kind::HistoryCommand,
                Kind::ChannelTest,
                Kind::JoinReply
            ]
        );
        assert!(api.may_publish("netmonitor/v1/hub/service/api"));
        assert!(reach(&api).1.contains(&Kind::JoinRequest));
    }

    #[test]
    fn what_the_broker_says_of_itself_is_for_people_and_services() {
        let uptime = format!("{SYS_ROOT}/uptime");
        let check = |who: &Principal, expected: bool| {
            assert_eq!(who.may_receive(&uptime), expected, "{who:?}");
            for filter in ["$SYS/#", "$SYS/broker/+", &uptime] {
                assert_eq!(who.may_subscribe(filter), expected, "{who:?} {filter}");
            }
            assert!(!who.may_publish(&uptime), "{who:?}");
        };
        check(&principal(Role::Reader), true);
        check(&principal(Role::Operator), true);
        check(&principal(Role::Service(ServiceName::Api)), true);
        check(&agent("ws-14"), false);
        check(&principal(Role::Joiner(JoinRequestId::from_bits(7))), false);
    }

    #[test]
    fn own_filters_never_reach_below_our_roots() {
        let zigbee = Principal {
            user: "zigbee".to_owned(),
            role: None,
            own: OwnFilters {
                publish: vec!["zigbee2mqtt/#".to_owned(), "#".to_owned()],
                subscribe: vec!["zigbee2mqtt/#".to_owned()],
            },
        };
        assert!(zigbee.may_publish("zigbee2mqtt/lamp/set"));
        assert!(zigbee.may_receive("zigbee2mqtt/lamp"));
        assert!(zigbee.may_subscribe("zigbee2mqtt/+"));
        assert!(!zigbee.may_subscribe("netmonitor/v1/#"));
        assert_eq!(reach(&zigbee), (vec![], vec![]));
    }

    #[test]
    fn filters_match_as_the_specification_says() {
        let check = |filter: &str, topic: &str, expected: bool| {
            assert_eq!(filter_matches(filter, topic), expected, "{filter} {topic}");
        };
        check("a/b", "a/b", true);
        check("a/+", "a/b", true);
        check("a/+", "a/b/c", false);
        check("a/#", "a", true);
        check("a/#", "a/b/c", true);
        check("+", "/a", false);
        check("+/+", "/a", true);
        check("#", "$SYS/uptime", false);
        check("+/uptime", "$SYS/uptime", false);
        check("$SYS/#", "$SYS/uptime", true);
        check("a/b", "a/b/", false);
    }

    #[test]
    fn overlap_is_found_in_both_directions() {
        let check = |one: &str, other: &str, expected: bool| {
            assert_eq!(filters_overlap(one, other), expected, "{one} {other}");
            assert_eq!(filters_overlap(other, one), expected, "{other} {one}");
        };
        check("a/+/c", "a/b/+", true);
        check("a/#", "a", true);
        check("a/b", "a/c", false);
        check("#", "a/b", true);
        check("a/+", "a/b/c", false);
    }

    #[test]
    fn malformed_filters_are_known() {
        for bad in ["", "a#", "#/a", "a/#/b", "a+", "+a/b", "a\0"] {
            assert!(!is_well_formed(bad), "{bad:?}");
        }
        for good in ["#", "+", "/", "a//b", "+/#", "a/+/b"] {
            assert!(is_well_formed(good), "{good:?}");
        }
    }
}
