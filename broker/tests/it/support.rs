//! A broker on port 0 with a table of users, and a client that speaks raw packets.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use netmonitor_broker::{Authenticate, Broker, Claim, Config, Handle, StartError};
use netmonitor_protocol::ServiceName;
use netmonitor_protocol::acl::{OwnFilters, Principal, Role};
use rumqttc::tokio_rustls::rustls;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);
/// Everybody's password.
pub(crate) const PASSWORD: &str = "secret";

/// Users: `free` may do everything outside our roots and `own` everything below `own`;
/// `reader`, `operator` and the services are what they are called, `join` is whoever its client
/// id says, and all others are agents.
struct Table;

impl Authenticate for Table {
    fn authenticate(&self, user: &str, password: &[u8], client_id: &str) -> Option<Principal> {
        if password != PASSWORD.as_bytes() {
            return None;
        }
        let mut own = OwnFilters::default();
        let role = match user {
            "free" | "other" => {
                own.publish.push("#".to_owned());
                own.subscribe.push("#".to_owned());
                None
            }
            "own" => {
                own.publish.push("own/#".to_owned());
                own.subscribe.push("own/#".to_owned());
                None
            }
            "reader" => Some(Role::Reader),
            "operator" => Some(Role::Operator),
            "join" => Some(Role::Joiner(client_id.parse().ok()?)),
            name => Some(match name.parse() {
                Ok(service) => Role::Service(service),
                Err(_) => Role::Agent(name.parse().ok()?),
            }),
        };
        Some(Principal {
            user: user.to_owned(),
            role,
            own,
        })
    }

    fn claim(&self, user: &str) -> Claim {
        match user.parse::<ServiceName>() {
            Ok(_) => Claim::Service,
            Err(_) if user.starts_with("revoked") => Claim::Nobody,
            Err(_) => Claim::User,
        }
    }
}

/// A running broker. Dropping it stops it.
pub(crate) struct TestBroker {
    pub(crate) tcp: SocketAddr,
    pub(crate) tls: SocketAddr,
    pub(crate) websocket: Option<SocketAddr>,
    pub(crate) certificate: String,
    pub(crate) handle: Handle,
    pub(crate) shutdown: CancellationToken,
    pub(crate) task: JoinSet<anyhow::Result<()>>,
}

pub(crate) async fn start() -> TestBroker {
    start_with(Config::default()).await
}

pub(crate) async fn start_with(config: Config) -> TestBroker {
    start_on(config, None).await
}

/// A broker that keeps its retained messages in the file.
pub(crate) async fn start_on(config: Config, retained: Option<&Path>) -> TestBroker {
    let config = Config {
        mqtt: vec!["127.0.0.1:0".to_owned()],
        mqtts: vec!["[::]:0".to_owned()],
        ..config
    };
    let (mut broker, certificate) = bind(config).await.unwrap();
    if let Some(file) = retained {
        broker = broker.with_retained(file).unwrap();
    }
    let address = |wanted| {
        let mut all = broker.addresses().into_iter();
        all.find(|(name, _)| *name == wanted)
            .map(|(_, address)| address)
    };
    let shutdown = CancellationToken::new();
    let mut started = TestBroker {
        tcp: address("mqtt").unwrap(),
        tls: address("mqtts").unwrap(),
        websocket: address("mqtt-ws"),
        certificate,
        handle: broker.handle(),
        shutdown: shutdown.clone(),
        task: JoinSet::new(),
    };
    started.task.spawn(broker.run(shutdown));
    started
}

/// A broker that does not run yet, and its certificate.
pub(crate) async fn bind(config: Config) -> Result<(Broker, String), StartError> {
    let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = rustls::pki_types::PrivateKeyDer::try_from(certified.signing_key.serialize_der());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key.unwrap())
        .unwrap();
    let broker = Broker::bind(config, Arc::new(Table), Arc::new(tls)).await?;
    Ok((broker, certified.cert.pem()))
}

impl TestBroker {
    /// Stops it as the hub does, and waits until it is gone.
    pub(crate) async fn stop(mut self) {
        self.shutdown.cancel();
        while let Some(ended) = self.task.join_next().await {
            ended.unwrap().unwrap();
        }
    }

    pub(crate) fn counter(&self, name: &str) -> u64 {
        self.handle.counters()[name]
    }

    /// Waits until the condition holds.
    pub(crate) async fn eventually(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let wait = async {
            while !condition(self) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(DEADLINE, wait).await.expect(what);
    }
}

/// How a raw client connects.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) level: u8,
    pub(crate) user: &'static str,
    pub(crate) client_id: String,
    pub(crate) keepalive_secs: u16,
    pub(crate) will: Option<(&'static str, &'static str)>,
    pub(crate) receive_maximum: Option<u16>,
    pub(crate) clean: bool,
    /// MQTT 5 only.
    pub(crate) expiry_secs: Option<u32>,
    /// MQTT 5 only.
    pub(crate) will_delay_secs: Option<u8>,
}

impl Options {
    pub(crate) fn new(level: u8, user: &'static str, client_id: &str) -> Self {
        Self {
            level,
            user,
            client_id: client_id.to_owned(),
            keepalive_secs: 60,
            will: None,
            receive_maximum: None,
            clean: true,
            expiry_secs: None,
            will_delay_secs: None,
        }
    }

    /// A session that outlives the connection: of the version's usual kind.
    pub(crate) fn persistent(mut self) -> Self {
        self.clean = false;
        self.expiry_secs = Some(u32::MAX);
        self
    }

    /// Nothing of an earlier session, please.
    pub(crate) fn clean(mut self) -> Self {
        self.clean = true;
        self
    }

    pub(crate) fn expiry(mut self, secs: u32) -> Self {
        self.expiry_secs = Some(secs);
        self
    }

    pub(crate) fn will_delay(mut self, secs: u8) -> Self {
        self.will_delay_secs = Some(secs);
        self
    }

    /// A retained will of QoS 1.
    pub(crate) fn will(mut self, topic: &'static str, payload: &'static str) -> Self {
        self.will = Some((topic, payload));
        self
    }

    pub(crate) fn keepalive(mut self, secs: u16) -> Self {
        self.keepalive_secs = secs;
        self
    }

    pub(crate) fn packet(&self) -> Vec<u8> {
        let mut body = text("MQTT");
        let will_flags = self.will.map_or(0, |_| 0x2C);
        let clean = u8::from(self.clean) << 1;
        body.extend([self.level, 0xC0 | clean | will_flags]);
        body.extend(self.keepalive_secs.to_be_bytes());
        if self.level == 5 {
            let mut properties = Vec::new();
            if let Some(secs) = self.expiry_secs {
                properties.push(17);
                properties.extend(secs.to_be_bytes());
            }
            if let Some(max) = self.receive_maximum {
                properties.push(33);
                properties.extend(max.to_be_bytes());
            }
            body.push(u8::try_from(properties.len()).unwrap());
            body.extend(properties);
        }
        body.extend(text(&self.client_id));
        if let Some((topic, payload)) = self.will {
            match self.will_delay_secs {
                _ if self.level < 5 => {}
                None => body.push(0),
                Some(secs) => body.extend([5, 24, 0, 0, 0, secs]),
            }
            body.extend(text(topic));
            body.extend(text(payload));
        }
        body.extend(text(self.user));
        body.extend(text(PASSWORD));
        packet(0x10, &body)
    }
}

pub(crate) fn text(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap();
    [&length.to_be_bytes()[..], text.as_bytes()].concat()
}

pub(crate) fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![first];
    let mut length = body.len();
    loop {
        let more = length >= 128;
        packet.push(u8::try_from(length % 128).unwrap() | if more { 0x80 } else { 0 });
        length /= 128;
        if !more {
            break;
        }
    }
    packet.extend(body);
    packet
}

/// A message as it came to a raw client.
#[derive(Debug, PartialEq)]
pub(crate) struct Message {
    pub(crate) topic: String,
    pub(crate) payload: String,
    pub(crate) qos: u8,
    pub(crate) dup: bool,
    pub(crate) retain: bool,
    pub(crate) id: u16,
    pub(crate) properties: Vec<u8>,
}

/// A client without a library between it and the socket.
pub(crate) struct Raw {
    pub(crate) stream: TcpStream,
    level: u8,
    pub(crate) session_present: bool,
}

impl Raw {
    /// A socket on which nothing has been said.
    pub(crate) async fn open(broker: &TestBroker) -> Self {
        Self::open_at(broker.tcp).await
    }

    pub(crate) async fn open_at(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            level: 4,
            session_present: false,
        }
    }

    /// Connects and expects to be let in.
    pub(crate) async fn connect(broker: &TestBroker, options: &Options) -> Self {
        Self::connect_at(broker.tcp, options).await
    }

    pub(crate) async fn connect_at(address: SocketAddr, options: &Options) -> Self {
        let mut raw = Self::open_at(address).await;
        raw.level = options.level;
        raw.send(&options.packet()).await;
        let (first, body) = raw.recv().await.expect("closed instead of CONNACK");
        assert_eq!((first, body[1]), (0x20, 0));
        raw.session_present = body[0] == 1;
        raw
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// The same to a broker that may have closed the connection.
    pub(crate) async fn try_send(&mut self, bytes: &[u8]) {
        drop(self.stream.write_all(bytes).await);
    }

    /// The next packet, or None when the broker has closed the connection.
    pub(crate) async fn recv(&mut self) -> Option<(u8, Vec<u8>)> {
        timeout(DEADLINE, self.recv_packet())
            .await
            .expect("nothing came")
    }

    async fn recv_packet(&mut self) -> Option<(u8, Vec<u8>)> {
        let first = self.stream.read_u8().await.ok()?;
        let (mut length, mut shift) = (0, 0);
        loop {
            let byte = self.stream.read_u8().await.ok()?;
            length |= usize::from(byte & 0x7F) << shift;
            shift += 7;
            if byte < 128 {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.ok()?;
        Some((first, body))
    }

    pub(crate) async fn expect(&mut self, first: u8, body: &[u8]) {
        assert_eq!(self.recv().await, Some((first, body.to_vec())));
    }

    pub(crate) async fn expect_closed(&mut self) {
        assert_eq!(self.recv().await, None);
    }

    /// Everything before this has been dealt with by the broker.
    pub(crate) async fn ping(&mut self) {
        self.send(&[0xC0, 0]).await;
        self.expect(0xD0, &[]).await;
    }

    fn no_properties(&self) -> Vec<u8> {
        vec![0; usize::from(self.level == 5)]
    }

    /// Subscribes, and returns the granted QoS or the reason. No message may come between.
    pub(crate) async fn subscribe(&mut self, filter: &str, options: u8) -> u8 {
        let body = [
            &[0, 1][..],
            &self.no_properties(),
            &text(filter),
            &[options],
        ]
        .concat();
        self.send(&packet(0x82, &body)).await;
        let (first, body) = self.recv().await.expect("closed instead of SUBACK");
        assert_eq!(first, 0x90);
        *body.last().unwrap()
    }

    /// Sends PUBLISH with id 1. `flags`: retain 1, QoS 1 2, QoS 2 4.
    pub(crate) async fn publish(&mut self, topic: &str, payload: &str, flags: u8) {
        let id: &[u8] = if flags & 6 == 0 { &[] } else { &[0, 1] };
        let none = self.no_properties();
        let body = [&text(topic)[..], id, &none, payload.as_bytes()].concat();
        self.send(&packet(0x30 | flags, &body)).await;
    }

    /// Publishes with QoS 1 and returns the reason in the PUBACK, 0 for none.
    pub(crate) async fn publish_acked(&mut self, topic: &str, payload: &str, retain: bool) -> u8 {
        self.publish(topic, payload, 2 | u8::from(retain)).await;
        let (first, body) = self.recv().await.expect("closed instead of PUBACK");
        assert_eq!((first, &body[..2]), (0x40, &[0, 1][..]));
        body.get(2).copied().unwrap_or(0)
    }

    /// The next message, acknowledged if it asks for it.
    pub(crate) async fn message(&mut self) -> Message {
        loop {
            let (first, body) = self.recv().await.expect("closed instead of a message");
            match first >> 4 {
                3 => return self.acknowledge(first, &body).await,
                6 => self.send(&[0x70, 2, body[0], body[1]]).await,
                _ => panic!("not a message: {first:#x}"),
            }
        }
    }

    /// A message that has come, acknowledged if it asks for it.
    pub(crate) async fn acknowledge(&mut self, first: u8, body: &[u8]) -> Message {
        assert_eq!(first >> 4, 3, "not a message: {first:#x}");
        let message = self.parse(first, body);
        let id = message.id.to_be_bytes();
        match message.qos {
            1 => self.send(&[0x40, 2, id[0], id[1]]).await,
            2 => self.send(&[0x50, 2, id[0], id[1]]).await,
            _ => {}
        }
        message
    }

    fn parse(&self, first: u8, body: &[u8]) -> Message {
        let length = usize::from(u16::from_be_bytes([body[0], body[1]]));
        let topic = String::from_utf8(body[2..2 + length].to_vec()).unwrap();
        let mut rest = &body[2 + length..];
        let qos = first >> 1 & 3;
        let mut id = 0;
        if qos > 0 {
            id = u16::from_be_bytes([rest[0], rest[1]]);
            rest = &rest[2..];
        }
        let mut properties = Vec::new();
        if self.level == 5 {
            let length = usize::from(rest[0]);
            properties = rest[1..=length].to_vec();
            rest = &rest[1 + length..];
        }
        Message {
            topic,
            payload: String::from_utf8(rest.to_vec()).unwrap(),
            qos,
            dup: first & 8 != 0,
            retain: first & 1 != 0,
            id,
            properties,
        }
    }

    /// The next message, which is left unacknowledged.
    pub(crate) async fn message_unacknowledged(&mut self) -> Message {
        let (first, body) = self.recv().await.expect("closed instead of a message");
        assert_eq!(first >> 4, 3, "not a message: {first:#x}");
        self.parse(first, &body)
    }

    /// Says goodbye, and waits until the broker has heard it.
    pub(crate) async fn leave(mut self) {
        self.send(&[0xE0, 0]).await;
        self.expect_closed().await;
    }

    /// The next message as topic and payload.
    pub(crate) async fn said(&mut self) -> (String, String) {
        let message = self.message().await;
        (message.topic, message.payload)
    }
}

/// A subscriber of QoS 1 to one filter, as user `free`.
pub(crate) async fn subscriber(broker: &TestBroker, client_id: &str, filter: &str) -> Raw {
    let mut raw = Raw::connect(broker, &Options::new(4, "free", client_id)).await;
    assert_eq!(raw.subscribe(filter, 1).await, 1);
    raw
}
