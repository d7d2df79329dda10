//! A broker, an api beside it, and who listens to what it says.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use netmonitor_protocol::Message;
use netmonitor_protocol::payload::{Event, EventKind};
use netmonitor_service::mqtt::{self, Events, Options};
use netmonitor_testkit::eventually;
use tokio::runtime::Runtime;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::site::{DEADLINE, Site, dial};

/// An api that is heard.
pub(super) struct Heard {
    pub(super) site: Site,
    events: Events,
    runtime: Runtime,
    _broker: Broker,
    _folder: tempfile::TempDir,
}

struct Broker(Child);

impl Drop for Broker {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Heard {
    /// Starts both, and waits until the api has said that it is there.
    pub(super) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let file = folder.path().join("mosquitto.conf");
        let text = format!("user root\nlistener {port} 127.0.0.1\nallow_anonymous true\n");
        std::fs::write(&file, text).unwrap();
        let broker = Command::new("mosquitto")
            .arg("-c")
            .arg(file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("mosquitto is installed");
        let broker = Broker(broker);
        eventually("mosquitto listens", DEADLINE, || {
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
        });
        let runtime = Runtime::new().unwrap();
        let (_publisher, mut events, connection) = mqtt::client(Options {
            filters: vec![
                "netmonitor/v1/event".to_owned(),
                "netmonitor/v1/hub/service/api".to_owned(),
            ],
            ..Options::new("listener", dial(port))
        });
        runtime.spawn(connection.run(CancellationToken::new()));
        let site = Site::start(port);
        runtime.block_on(async {
            while !matches!(message(&mut events).await, Message::HubService(..)) {}
        });
        Self {
            site,
            events,
            runtime,
            _broker: broker,
            _folder: folder,
        }
    }

    /// The next line of the log of this kind: who did it, and its parameters.
    pub(super) fn line(&mut self, kind: &EventKind) -> (String, Vec<(String, String)>) {
        let event = self.runtime.block_on(async {
            loop {
                if let Message::Event(event) = message(&mut self.events).await
                    && event.kind == *kind
                {
                    return event;
                }
            }
        });
        let Event {
            actor, parameters, ..
        } = event;
        (actor.unwrap_or_default(), parameters.into_iter().collect())
    }

    /// Fails unless the next line of this kind is by `actor` and has these parameters, by name.
    #[track_caller]
    pub(super) fn says(&mut self, kind: &EventKind, actor: &str, parameters: &[(&str, &str)]) {
        let (by, said) = self.line(kind);
        let said: Vec<_> = said
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!((by.as_str(), said.as_slice()), (actor, parameters));
    }
}

async fn message(events: &mut Events) -> Message {
    loop {
        let event = timeout(DEADLINE, events.next()).await;
        let event = event.expect("something is heard").unwrap();
        if let mqtt::Event::Message(message) | mqtt::Event::Retained(message) = event {
            return message;
        }
    }
}

/// mosquitto cannot choose a port by itself.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}
