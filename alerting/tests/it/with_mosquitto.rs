//! To the agent on somebody's machine, over a real broker.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use netmonitor_protocol::payload::ChannelKind;
use netmonitor_protocol::topics::Kind;
use netmonitor_protocol::{DeviceId, Message};
use netmonitor_rules::alert::NoticeKind;
use netmonitor_service::Secret;
use netmonitor_service::channel_secrets::ChannelSecret;
use netmonitor_service::mqtt::{self, Dial, Endpoint, Event, Events, Publisher};
use netmonitor_testkit::eventually;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::site::{DEADLINE, Site, notice, words};

struct Broker {
    process: Child,
    port: u16,
}

impl Broker {
    fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        // Without a configuration it lets everyone in, from this machine.
        let process = Command::new("mosquitto")
            .args(["-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        eventually("mosquitto is there", DEADLINE, || {
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
        });
        Self { process, port }
    }

    fn connect(
        &self,
        name: &str,
        filters: Vec<String>,
        tasks: &mut JoinSet<()>,
    ) -> (Publisher, Events) {
        let dial = Dial::Fixed {
            endpoints: vec![Endpoint::parse(&format!("127.0.0.1:{}", self.port), None).unwrap()],
            user: "test".to_owned(),
            password: Secret::new(""),
        };
        let mut options = mqtt::Options::new(name, dial);
        options.filters = filters;
        let (publisher, events, connection) = mqtt::client(options);
        tasks.spawn(connection.run(CancellationToken::new()));
        (publisher, events)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.process.kill();
        let _status = self.process.wait();
    }
}

async fn next(events: &mut Events) -> Event {
    timeout(DEADLINE, events.next()).await.unwrap().unwrap()
}

fn on(devices: &[&str]) -> ChannelKind {
    ChannelKind::Agent {
        devices: devices.iter().map(|id| id.parse().unwrap()).collect(),
    }
}

#[tokio::test]
async fn an_agent_is_told_what_to_show() {
    let broker = Broker::start();
    let mut tasks = JoinSet::new();
    let filter = Kind::DeviceNotify.row().filter();
    let (_, mut agent) = broker.connect("agent", vec![filter], &mut tasks);
    assert!(matches!(next(&mut agent).await, Event::Connected));
    let (publisher, mut hub) = broker.connect("hub", Vec::new(), &mut tasks);
    assert!(matches!(next(&mut hub).await, Event::Connected));
    let site = Site::with_publisher(publisher);
    let send = async |kind, devices: &[&str]| {
        let nothing = ChannelSecret::default();
        site.send(on(devices), nothing, &notice(kind), &words())
            .await
    };
    let answer = send(NoticeKind::Firing, &["pc-1", "pc-2"]).await.unwrap();
    assert!(answer.ends_with("for pc-1, pc-2"), "{answer}");
    let mut told = Vec::new();
    while told.len() < 2 {
        if let Event::Message(Message::DeviceNotify(device, notification)) = next(&mut agent).await
        {
            assert_eq!(notification.title, words().title);
            assert_eq!(notification.alert.as_deref(), Some("ws-14/ram"));
            told.push(device);
        }
    }
    let expected: Vec<DeviceId> = ["pc-1", "pc-2"].map(|id| id.parse().unwrap()).into();
    assert_eq!(told, expected);
    let error = send(NoticeKind::Firing, &[]).await.unwrap_err();
    assert!(
        error.is_permanent && error.text.contains("no device"),
        "{error:?}"
    );
}

#[tokio::test]
async fn without_a_connection_it_is_tried_again() {
    let nothing = ChannelSecret::default();
    let firing = notice(NoticeKind::Firing);
    let sent = Site::new()
        .send(on(&["pc-1"]), nothing, &firing, &words())
        .await;
    let error = sent.unwrap_err();
    assert!(
        !error.is_permanent && error.text.contains("not connected"),
        "{error:?}"
    );
}
