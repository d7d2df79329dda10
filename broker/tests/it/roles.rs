//! Who may do what, for every role and every topic: all that the table of topics allows goes
//! through, and nothing else.
//!
//! What is expected is read off [`TOPICS`] here, not asked of the code that the broker asks: a
//! new row, or a new party, is tried by itself.

use std::collections::BTreeSet;

use netmonitor_broker::Config;
use netmonitor_protocol::topics::{Party, TOPICS};
use netmonitor_protocol::{JoinRequestId, Section, ServiceName};

use crate::support::{Options, Raw, TestBroker, start_with};

/// Whose the hub's own alerts are: for people, not for agents.
const HUB: &str = "hub";

/// Devices whose agents connect.
const DEVICES: [&str; 2] = ["ws-14", "ws-15"];
/// Where the broker speaks of itself: people and services may read it, nobody may write it.
const SYS: &str = "$SYS/broker/other";
/// What is in no row: other roots and versions, other leaves, names that are taken, topics of
/// other things and of the broker.
const OUTSIDE: [&str; 11] = [
    "netmonitor/v1/device/ws-14/other",
    "netmonitor/v1/device/ws-14/status/more",
    "netmonitor/v1/device/hub/status",
    "netmonitor/v1/other",
    "netmonitor/v2/device/ws-14/status",
    "netmonitor-private/v1/other",
    "own/thing",
    "other/thing",
    "/netmonitor/v1/hub/status",
    "$other/broker/uptime",
    SYS,
];

/// Somebody with a role. For each there is a client per version of MQTT.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Who {
    Agent(&'static str),
    Service(ServiceName),
    /// A machine that joins, with its request.
    Joiner(String),
    Reader,
    Operator,
    /// Has filters of its own and no role.
    Own,
}

/// A topic, and what the table says of it.
struct Tried {
    topic: String,
    /// Device, service or request in it.
    parameter: Option<String>,
    from: &'static [Party],
    to: &'static [Party],
}

fn everybody() -> Vec<Who> {
    let mut all = vec![Who::Reader, Who::Operator, Who::Own];
    all.extend(DEVICES.map(Who::Agent));
    all.extend(ServiceName::ALL.map(Who::Service));
    all.extend(requests().map(Who::Joiner));
    all
}

fn requests() -> [String; 2] {
    [7, 8].map(|bits| JoinRequestId::from_bits(bits).to_string())
}

fn every_topic() -> Vec<Tried> {
    let mut all: Vec<Tried> = OUTSIDE
        .iter()
        .map(|topic| Tried {
            topic: (*topic).to_owned(),
            parameter: None,
            from: &[],
            to: &[],
        })
        .collect();
    for row in TOPICS {
        let parameter = row.pattern.split('/').find(|level| level.starts_with('{'));
        let values: Vec<String> = match parameter {
            None => vec![String::new()],
            Some("{id}") => DEVICES.map(str::to_owned).to_vec(),
            Some("{subject}") => {
                let all = DEVICES.into_iter().chain([HUB]);
                all.map(str::to_owned).collect()
            }
            Some("{name}") => ServiceName::ALL.map(|name| name.to_string()).to_vec(),
            Some("{request}") => requests().to_vec(),
            Some("{section}") => vec![Section::History.as_str().to_owned()],
            Some(other) => panic!("say what {other} may be"),
        };
        all.extend(values.into_iter().map(|value| {
            // Which rule makes no difference.
            let pattern = row.pattern.replace("{rule}", "cpu");
            let pattern = pattern.replace(parameter.unwrap_or("{}"), &value);
            Tried {
                topic: format!("{}/{pattern}", row.root),
                parameter: parameter.map(|_| value),
                from: row.from,
                to: row.to,
            }
        }));
    }
    all
}

impl Who {
    fn may_publish(&self, tried: &Tried) -> bool {
        let own = tried.parameter.as_deref();
        match self {
            Self::Agent(id) => tried.from.contains(&Party::Agent) && own == Some(id),
            Self::Joiner(id) => tried.from.contains(&Party::Joiner) && own == Some(id),
            Self::Service(name) => tried.from.iter().any(|party| match party {
                // In a topic that names a service, only that one.
                Party::Services => own.is_none_or(|own| own == name.to_string()),
                party => party.to_string() == name.to_string(),
            }),
            Self::Reader => false,
            Self::Operator => tried.from.contains(&Party::Operators),
            Self::Own => tried.topic.starts_with("own/"),
        }
    }

    fn may_receive(&self, tried: &Tried) -> bool {
        if tried.topic == SYS {
            return matches!(self, Self::Reader | Self::Operator | Self::Service(_));
        }
        let own = tried.parameter.as_deref();
        let to_all = tried.to.contains(&Party::All);
        match self {
            Self::Agent(id) => {
                let is_of_hub = tried.topic.contains("/alert/hub/");
                let is_foreign = is_of_hub
                    || DEVICES
                        .iter()
                        .any(|other| own == Some(other) && other != id);
                (to_all || tried.to.contains(&Party::Agent)) && !is_foreign
            }
            Self::Joiner(id) => tried.to.contains(&Party::Joiner) && own == Some(id),
            Self::Service(name) => tried.to.iter().any(|party| {
                matches!(party, Party::All | Party::Services)
                    || party.to_string() == name.to_string()
            }),
            Self::Reader | Self::Operator => to_all,
            Self::Own => tried.topic.starts_with("own/"),
        }
    }

    /// How it connects. A joining machine has one client id, so one connection at a time.
    fn options(&self, level: u8, purpose: &str) -> Options {
        let user = match self {
            Self::Agent(id) => id,
            Self::Service(ServiceName::Hub) => "hub",
            Self::Service(ServiceName::Broker) => "broker",
            Self::Service(ServiceName::Ingest) => "ingest",
            Self::Service(ServiceName::Alerting) => "alerting",
            Self::Service(ServiceName::Api) => "api",
            Self::Joiner(id) => return Options::new(level, "join", id),
            Self::Reader => "reader",
            Self::Operator => "operator",
            Self::Own => "own",
        };
        Options::new(level, user, &format!("{purpose}-{level}"))
    }
}

async fn start() -> TestBroker {
    start_with(Config {
        subscriptions_per_client_max: 1000,
        // A group for each topic is more than a user has.
        shared_groups_per_user_max: 100,
        ..Config::default()
    })
    .await
}

/// The code for a refusal in SUBACK, and in CONNACK.
fn refusals(level: u8) -> (u8, u8) {
    if level == 5 { (0x87, 0x87) } else { (0x80, 5) }
}

#[tokio::test]
async fn each_role_subscribes_to_what_the_table_lets_it_read() {
    let broker = start().await;
    for who in everybody() {
        for level in [4, 5] {
            let mut client = Raw::connect(&broker, &who.options(level, "s")).await;
            for tried in every_topic() {
                let expected = if who.may_receive(&tried) {
                    0
                } else {
                    refusals(level).0
                };
                for filter in [tried.topic.clone(), format!("$share/g/{}", tried.topic)] {
                    let granted = client.subscribe(&filter, 0).await;
                    assert_eq!(granted, expected, "{who:?}, {level}: {filter}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_will_is_taken_from_whoever_may_publish_it_and_reaches_whoever_may_read_it() {
    let broker = start().await;
    let mut readers = Readers::connect(&broker, |who| !matches!(who, Who::Joiner(_))).await;
    let mut wills = 0;
    for who in everybody() {
        for level in [4, 5] {
            for tried in every_topic() {
                let payload = format!("{who:?} {level}");
                // Options want texts that live as long as the tests.
                let topic: &'static str = tried.topic.clone().leak();
                let will: &'static str = payload.clone().leak();
                let options = who.options(level, "w").will(topic, will);
                let mut client = Raw::open(&broker).await;
                client.send(&options.packet()).await;
                let (_, connack) = client.recv().await.expect("CONNACK");
                let allowed = who.may_publish(&tried);
                let expected = if allowed { 0 } else { refusals(level).1 };
                assert_eq!(connack[1], expected, "{who:?}, {level}: {topic}");
                if allowed {
                    wills += 1;
                    readers.expect(&tried, &payload);
                }
            }
        }
    }
    broker
        .eventually("all wills are published", |broker| {
            broker.counter("wills_published") == wills
        })
        .await;
    readers.check(&broker).await;
}

#[tokio::test]
async fn a_publish_goes_through_to_whoever_may_read_it_if_the_table_allows_it() {
    let broker = start().await;
    let mut readers = Readers::connect(&broker, |_| true).await;
    for index in 0..readers.0.len() {
        let (who, level) = (readers.0[index].who.clone(), readers.0[index].level);
        for tried in every_topic() {
            let allowed = who.may_publish(&tried);
            let payload = format!("{who:?} {level}");
            let reason = readers.0[index].publish(&tried.topic, &payload).await;
            let expected = if allowed || level == 4 { 0 } else { 0x87 };
            assert_eq!(reason, expected, "{who:?}, {level}: {}", tried.topic);
            if allowed {
                readers.expect(&tried, &payload);
            }
        }
    }
    readers.check(&broker).await;
}

/// Clients that have subscribed to everything, and what they have to receive.
struct Readers(Vec<Reader>);

struct Reader {
    who: Who,
    level: u8,
    client: Raw,
    expected: BTreeSet<(String, String)>,
    received: BTreeSet<(String, String)>,
}

impl Readers {
    async fn connect(broker: &TestBroker, wanted: impl Fn(&Who) -> bool) -> Self {
        let mut all = Vec::new();
        for who in everybody().into_iter().filter(wanted) {
            // A machine that joins has only one connection: one of them in each version.
            let levels: &[u8] = match &who {
                Who::Joiner(id) if *id == requests()[0] => &[4],
                Who::Joiner(_) => &[5],
                _ => &[4, 5],
            };
            for level in levels {
                let mut client = Raw::connect(broker, &who.options(*level, "r")).await;
                assert_eq!(client.subscribe("#", 0).await, 0, "{who:?}");
                all.push(Reader {
                    who: who.clone(),
                    level: *level,
                    client,
                    expected: BTreeSet::new(),
                    received: BTreeSet::new(),
                });
            }
        }
        Self(all)
    }

    fn expect(&mut self, tried: &Tried, payload: &str) {
        for reader in &mut self.0 {
            if reader.who.may_receive(tried) {
                let message = (tried.topic.clone(), payload.to_owned());
                reader.expected.insert(message);
            }
        }
    }

    /// Each has received what it had to, and nothing else. The last message on a topic that it
    /// may read says that there is nothing more.
    async fn check(&mut self, broker: &TestBroker) {
        const END: &str = "end";
        for tried in every_topic() {
            let mut everybody = everybody().into_iter();
            if let Some(source) = everybody.find(|who| who.may_publish(&tried)) {
                // A connection of its own ends that of a joining machine, which has to read.
                if !matches!(source, Who::Joiner(_)) {
                    let mut client = Raw::connect(broker, &source.options(4, "e")).await;
                    client.publish_acked(&tried.topic, END, false).await;
                    self.expect(&tried, END);
                }
            }
        }
        for reader in &mut self.0 {
            let ends = |set: &BTreeSet<(String, String)>| {
                set.iter().filter(|(_, payload)| payload == END).count()
            };
            while ends(&reader.received) < ends(&reader.expected) {
                reader.packet().await;
            }
            let (who, level) = (&reader.who, reader.level);
            assert!(ends(&reader.expected) > 0, "{who:?} may read nothing");
            assert_eq!(reader.received, reader.expected, "{who:?}, {level}");
        }
    }
}

impl Reader {
    /// Publishes with QoS 1 and returns the reason in the PUBACK, 0 for none.
    async fn publish(&mut self, topic: &str, payload: &str) -> u8 {
        self.client.publish(topic, payload, 2).await;
        loop {
            if let Some(puback) = self.packet().await {
                return puback.get(2).copied().unwrap_or(0);
            }
        }
    }

    /// Notes the message that comes, or returns the body of another packet.
    async fn packet(&mut self) -> Option<Vec<u8>> {
        let (first, body) = self.client.recv().await.expect("closed");
        if first >> 4 != 3 {
            return Some(body);
        }
        // QoS 0, and no properties.
        let length = usize::from(u16::from_be_bytes([body[0], body[1]]));
        let (topic, rest) = body.split_at(2 + length);
        let payload = if self.level == 5 { &rest[1..] } else { rest };
        let topic = String::from_utf8(topic[2..].to_vec()).unwrap();
        let payload = String::from_utf8(payload.to_vec()).unwrap();
        self.received.insert((topic, payload));
        None
    }
}

#[tokio::test]
async fn what_is_not_retained_is_not_kept_for_whoever_comes_later() {
    const REQUEST: &str = "netmonitor-private/v1/join/00000000000000000000000000000007/request";
    let broker = start().await;
    let mut api = Raw::connect(&broker, &Options::new(4, "api", "api")).await;
    assert_eq!(api.subscribe(REQUEST, 1).await, 1);
    let id = "00000000000000000000000000000007";
    let options = Options::new(5, "join", id).will(REQUEST, "will");
    let mut joiner = Raw::connect(&broker, &options).await;
    assert_eq!(joiner.publish_acked(REQUEST, "asks", true).await, 0);
    drop(joiner);
    assert_eq!(api.said().await.1, "asks");
    assert_eq!(api.said().await.1, "will");
    assert_eq!(broker.counter("retained_messages"), 0);
}
