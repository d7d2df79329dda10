//! The broker as a service of the hub, with its real databases and its own client.

use std::net::SocketAddr;

use netmonitor_broker::{Break, BrokerService, Config, Handle, RouterLost};
use netmonitor_protocol::acl::OwnFilters;
use netmonitor_protocol::payload::Settings;
use netmonitor_protocol::{DeviceId, JoinRequestId, Message, ServiceName, Topic};
use netmonitor_service::frame::{self, Frame};
use netmonitor_service::mqtt::{Dial, Endpoint, Event};
use netmonitor_service::{Counters, DataDir, clock, random};
use netmonitor_store::HubDb;
use netmonitor_store::hub::{AuditLine, Enrolment, MqttRole, NewJoinCode, NewMqttUser};
use netmonitor_testkit::eventually;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::support::{DEADLINE, Options, PASSWORD, Raw};

struct Hub {
    folder: tempfile::TempDir,
    db: HubDb,
}

struct Running {
    tcp: SocketAddr,
    handle: Handle,
    shutdown: CancellationToken,
    task: JoinSet<anyhow::Result<()>>,
}

fn audit() -> AuditLine<'static> {
    AuditLine {
        at: clock::now(),
        actor: "test",
    }
}

impl Hub {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = HubDb::open(&folder.path().join("hub.db")).unwrap();
        let own = OwnFilters::default();
        let reader = NewMqttUser {
            name: "reader",
            role: Some(MqttRole::Reader),
            password: PASSWORD,
            own: &own,
        };
        db.add_mqtt_user(reader, audit()).unwrap();
        Self { folder, db }
    }

    fn data_dir(&self) -> DataDir {
        self.folder.path().to_owned().into()
    }

    fn enrol(&self, name: &str) -> DeviceId {
        let code = NewJoinCode {
            token: name,
            uses: 1,
            expires: clock::now() + std::time::Duration::from_mins(1),
        };
        self.db.add_join_code(code, audit()).unwrap();
        let enrolment = Enrolment {
            request: &JoinRequestId::from_bits(random::bits128()),
            token: name,
            host_name: name,
            name: None,
            password: PASSWORD,
        };
        let enrolled = self.db.enrol(enrolment, clock::now()).unwrap();
        enrolled.unwrap().device.id
    }

    async fn start(&self) -> Running {
        let config = Config {
            mqtt: vec!["127.0.0.1:0".to_owned()],
            mqtts: Vec::new(),
            ..Config::default()
        };
        let service = BrokerService::open(config, &self.data_dir()).await.unwrap();
        let (tcp, handle) = (service.addresses()[0].1, service.handle());
        let shutdown = CancellationToken::new();
        let mut task = JoinSet::new();
        let dial = self.dial(ServiceName::Broker, tcp);
        task.spawn(service.run(dial, shutdown.clone()));
        Running {
            tcp,
            handle,
            shutdown,
            task,
        }
    }

    fn dial(&self, service: ServiceName, tcp: SocketAddr) -> Dial {
        Dial::Hub {
            data_dir: self.data_dir(),
            service,
            external: Endpoint::parse(&tcp.to_string(), None),
        }
    }

    async fn reader(&self, tcp: SocketAddr) -> Raw {
        Raw::connect_at(tcp, &Options::new(4, "reader", "r")).await
    }

    /// Waits until nothing is retained of the topic.
    async fn hears_nothing(&self, tcp: SocketAddr, topic: &str) {
        let since = Instant::now();
        loop {
            let mut reader = self.reader(tcp).await;
            reader.subscribe(topic, 0).await;
            reader.send(&[0xC0, 0]).await;
            if reader.recv().await == Some((0xD0, Vec::new())) {
                return;
            }
            assert!(since.elapsed() < DEADLINE, "still there");
        }
    }

    fn api(&self, tcp: SocketAddr) -> Frame {
        let (frame, _events) = Frame::start(frame::Options {
            name: ServiceName::Api,
            version: "0",
            dial: self.dial(ServiceName::Api, tcp),
            commit_interval: None,
            filters: Vec::new(),
            queue: 16,
            counters: Counters::default(),
        });
        frame
    }
}

impl Running {
    async fn stop(mut self) {
        self.shutdown.cancel();
        while let Some(ended) = self.task.join_next().await {
            ended.unwrap().unwrap();
        }
    }
}

async fn agent(tcp: SocketAddr, id: &'static str) -> Raw {
    let mut agent = Raw::connect_at(tcp, &Options::new(5, id, id)).await;
    agent.publish_acked(&status(id), "online", true).await;
    agent
}

fn status(id: &str) -> String {
    Topic::DeviceStatus(id.parse().unwrap()).to_string()
}

#[tokio::test]
async fn a_revoked_device_is_cut_off_and_forgotten_and_others_stay() {
    let hub = Hub::new();
    let (gone, stays) = (hub.enrol("gone"), hub.enrol("stays"));
    let running = hub.start().await;
    let mut agent_gone = agent(running.tcp, "gone").await;
    let mut agent_stays = agent(running.tcp, "stays").await;
    hub.db.remove_device(&gone, audit()).unwrap();
    let api = hub.api(running.tcp);
    loop {
        // The first ones may come before there is a connection.
        let sent = api.publisher().publish(Message::DeviceRevoke(gone.clone()));
        if sent.await.is_ok() {
            break;
        }
        tokio::task::yield_now().await;
    }
    agent_gone.expect(0xE0, &[0x98, 0]).await;
    agent_gone.expect_closed().await;
    agent_stays.ping().await;
    agent_stays.subscribe(&status(stays.as_str()), 0).await;
    assert_eq!(agent_stays.said().await.1, "online");
    hub.hears_nothing(running.tcp, &status("gone")).await;
    api.stop().await;
    running.stop().await;
    let running = hub.start().await;
    hub.hears_nothing(running.tcp, &status("gone")).await;
    running.stop().await;
}

/// The revocation was committed, and the hub killed before the broker heard of it.
#[tokio::test]
async fn a_device_that_was_revoked_while_the_broker_was_away_leaves_nothing() {
    let hub = Hub::new();
    let gone = hub.enrol("gone");
    hub.enrol("stays");
    let running = hub.start().await;
    agent(running.tcp, "gone").await;
    agent(running.tcp, "stays").await;
    running.stop().await;
    hub.db.remove_device(&gone, audit()).unwrap();

    let running = hub.start().await;
    hub.hears_nothing(running.tcp, &status("gone")).await;
    let mut reader = hub.reader(running.tcp).await;
    reader.subscribe(&status("stays"), 0).await;
    assert!(reader.message().await.retain);
    running.stop().await;
}

/// The hub ends then, so that whoever started it may help.
#[tokio::test(flavor = "multi_thread")]
async fn the_third_loss_of_the_router_in_a_minute_ends_the_service_and_says_why() {
    let hub = Hub::new();
    let mut running = hub.start().await;
    let mut reader = hub.reader(running.tcp).await;
    // A router that knows no filter does not look at topics, and so does not die of one.
    reader.subscribe("netmonitor/v1/hub/status", 0).await;
    for replacements in 1..=2 {
        running.handle.break_router(Break::Panic);
        eventually("it is replaced", DEADLINE, || {
            running.handle.counters()["router_replacements"] == replacements
        });
        reader.ping().await;
    }
    running.handle.break_router(Break::Panic);
    let ended = timeout(DEADLINE, running.task.join_next()).await;
    let error = ended.expect("it goes on").unwrap().unwrap().unwrap_err();
    assert!(error.is::<RouterLost>(), "{error:#}");
    let said = format!("{error:#}");
    assert!(said.contains("died three times within a minute"), "{said}");
    reader.expect_closed().await;
}

/// What the api has just said to a device that the broker does not know yet.
#[tokio::test]
async fn credentials_that_cannot_be_read_make_nobody_a_stranger() {
    let hub = Hub::new();
    let devices = [hub.enrol("one"), hub.enrol("two")];
    let running = hub.start().await;
    let mut agents = [
        agent(running.tcp, "one").await,
        agent(running.tcp, "two").await,
    ];
    let api = hub.api(running.tcp);
    let late = hub.enrol("late");
    for ending in ["db", "db-wal"] {
        let path = hub.folder.path().join("hub").with_extension(ending);
        let length = std::fs::metadata(&path).map_or(0, |m| m.len());
        std::fs::write(&path, vec![0xA5; usize::try_from(length).unwrap()]).unwrap();
    }
    let settings = Message::DeviceSettings(late.clone(), Settings::default());
    while api.publisher().publish(settings.clone()).await.is_err() {
        tokio::task::yield_now().await;
    }
    for (device, agent) in devices.into_iter().zip(&mut agents) {
        let revoke = Message::DeviceRevoke(device);
        api.publisher().publish(revoke).await.unwrap();
        // With the second, the broker has done all that follows from the first.
        agent.expect(0xE0, &[0x98, 0]).await;
    }
    let (alerting, mut events) = Frame::start(frame::Options {
        name: ServiceName::Alerting,
        version: "0",
        dial: hub.dial(ServiceName::Alerting, running.tcp),
        commit_interval: None,
        filters: vec![Topic::DeviceSettings(late).to_string()],
        queue: 16,
        counters: Counters::default(),
    });
    let heard = async {
        loop {
            match events.next().await {
                Some(Event::Retained(heard)) if heard == settings => return,
                event => assert!(event.is_some()),
            }
        }
    };
    timeout(DEADLINE, heard).await.expect("still there");
    alerting.stop().await;
    api.stop().await;
    running.stop().await;
}
