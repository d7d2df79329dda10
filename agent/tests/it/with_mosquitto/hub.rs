//! What the hub does on the broker: enrols machines, and watches what they say.

use netmonitor_protocol::payload::{JoinReply, Metrics, Session, Status};
use netmonitor_protocol::{Message, SessionId};
use netmonitor_service::Secret;
use netmonitor_service::mqtt::{self, Dial, Endpoint, Event, Events, Options, Publisher};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::broker::{Broker, PASSWORD};
use super::everything;
use crate::program::DEADLINE;

pub(crate) struct Hub {
    publisher: Publisher,
    events: Events,
    seen: Vec<Message>,
    _connection: JoinSet<()>,
}

impl Hub {
    pub(crate) async fn start(broker: &Broker) -> Self {
        let dial = Dial::Fixed {
            endpoints: vec![Endpoint {
                host: "127.0.0.1".to_owned(),
                port: broker.plain_port(),
                tls: None,
                websocket: None,
            }],
            user: "hub".to_owned(),
            password: Secret::new(PASSWORD),
        };
        let (publisher, events, connection) = mqtt::client(Options {
            filters: everything(),
            ..Options::new("hub", dial)
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(connection.run(CancellationToken::new()));
        let mut hub = Self {
            publisher,
            events,
            seen: Vec::new(),
            _connection: tasks,
        };
        hub.connected().await;
        hub
    }

    async fn event(&mut self) -> Event {
        let event = timeout(DEADLINE, self.events.next()).await;
        event
            .expect("nothing happens")
            .expect("the connection runs")
    }

    async fn connected(&mut self) {
        while !matches!(self.event().await, Event::Connected) {}
    }

    /// Waits until the connection was lost and stands again.
    pub(crate) async fn reconnected(&mut self) {
        while !matches!(self.event().await, Event::Disconnected(_)) {}
        self.connected().await;
    }

    /// The next message.
    pub(crate) async fn next(&mut self) -> Message {
        loop {
            if let Event::Message(message) = self.event().await {
                self.seen.push(message.clone());
                return message;
            }
        }
    }

    /// The next message of which `wanted` makes something. Others in between are no reason to
    /// wait longer.
    pub(crate) async fn next_of<T>(&mut self, wanted: impl Fn(Message) -> Option<T>) -> T {
        let found = async {
            loop {
                if let Some(found) = wanted(self.next().await) {
                    return found;
                }
            }
        };
        timeout(DEADLINE, found).await.expect("it does not come")
    }

    pub(crate) async fn next_session(&mut self) -> Session {
        self.next_of(|message| match message {
            Message::DeviceSession(_, session) => Some(session),
            _ => None,
        })
        .await
    }

    pub(crate) async fn next_sample(&mut self) -> Metrics {
        self.next_of(|message| match message {
            Message::DeviceMetrics(_, sample) => Some(*sample),
            _ => None,
        })
        .await
    }

    /// Waits for the status, and says of which session it is.
    pub(crate) async fn next_status(&mut self, expected: Status) -> Option<SessionId> {
        self.next_of(|message| match message {
            Message::DeviceStatus(_, status, session) => (status == expected).then_some(session),
            _ => None,
        })
        .await
    }

    /// What came up to now does not count any more.
    pub(crate) fn forget(&mut self) {
        self.seen.clear();
    }

    /// What has come.
    pub(crate) fn everything_seen(&self) -> &[Message] {
        &self.seen
    }

    /// Whether this has come at all.
    pub(crate) fn saw(&self, wanted: Status) -> bool {
        let is_it = |message: &Message| matches!(message, Message::DeviceStatus(_, status, _) if *status == wanted);
        self.seen.iter().any(is_it)
    }

    pub(crate) async fn say(&self, message: Message) {
        self.publisher.publish(message).await.unwrap();
    }

    /// Takes everything that was said up to now: what it says itself comes last.
    pub(crate) async fn catch_up(&mut self) {
        let mark = Message::DeviceStatus("mark".parse().unwrap(), Status::Online, None);
        self.say(mark.clone()).await;
        while self.next().await != mark {}
    }

    /// Answers the next machine that wants to join.
    pub(crate) async fn enrol(mut self, device: &str) -> Self {
        let (id, request) = self
            .next_of(|message| match message {
                Message::JoinRequest(id, request) => Some((id, request)),
                _ => None,
            })
            .await;
        assert!(!request.host_name.is_empty());
        let reply = JoinReply::Joined {
            device: device.parse().unwrap(),
            password: PASSWORD.to_owned(),
        };
        self.say(Message::JoinReply(id, reply)).await;
        self
    }
}
