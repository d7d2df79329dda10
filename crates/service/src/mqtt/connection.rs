//! One connection after another.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use netmonitor_protocol::topics::Qos;
use netmonitor_protocol::{Message, SessionId};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    ConnectReturnCode, Filter, LastWill, LastWillProperties, PubAckReason, PublishProperties,
};
use rumqttc::v5::{AsyncClient, EventLoop, Incoming, MqttOptions};
use rumqttc::{Outgoing, TlsConfiguration, Transport};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::dial::{DialError, Target};
use super::publisher::{PublishError, Request};
use super::{Birth, Options};

/// QoS 1 messages under way at most; more wait in the publishers' queue.
const IN_FLIGHT: u16 = 32;

/// Packets larger than this are not ours.
const MAX_PACKET_BYTES: u32 = 1024 * 1024;

/// From TCP connect to CONNACK.
const CONNECT_TIMEOUT_SECS: u64 = 5;

/// How long a stopping client waits for its DISCONNECT to leave.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How long the owner of [`Events`] may take nothing before the client reconnects. Below the
/// shortest keepalive, since pings stand still as well.
const STALL: Duration = Duration::from_secs(5);

/// What a client hears.
#[derive(Debug)]
pub enum Event {
    /// Connected and subscribed.
    Connected,
    /// The connection ended, or could not be made. Another attempt follows.
    Disconnected(ConnectionError),
    /// A message arrived, just published.
    Message(Message),
    /// A retained message: what was the case before this client subscribed.
    Retained(Message),
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// Nowhere to connect to.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// The broker does not accept user name and password.
    #[error("the broker at {endpoint} does not accept the credential of {user}")]
    Credential {
        /// Where.
        endpoint: String,
        /// As whom.
        user: String,
    },
    /// The other side is not the hub that the fingerprint names.
    #[error("{endpoint} does not show the certificate of the hub")]
    Certificate {
        /// Where.
        endpoint: String,
        /// What TLS says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Anything else between here and there.
    #[error("no connection with {endpoint}")]
    Network {
        /// Where.
        endpoint: String,
        /// What happened.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Nobody took the received messages.
    #[error("received messages were not taken for {} s", STALL.as_secs())]
    Stalled,
}

/// Receives.
#[derive(Debug)]
pub struct Events(mpsc::Receiver<Event>);

impl Events {
    pub(super) fn new(receiver: mpsc::Receiver<Event>) -> Self {
        Self(receiver)
    }

    /// The next event; none once the connection was told to stop. Cancel safe.
    pub async fn next(&mut self) -> Option<Event> {
        self.0.recv().await
    }
}

/// Connects, reconnects, sends and receives. Must be [run](Connection::run).
#[derive(Debug)]
pub struct Connection {
    options: Options,
    requests: mpsc::Receiver<Request>,
    arrivals: mpsc::Sender<Event>,
}

impl Connection {
    pub(super) fn new(
        options: Options,
        requests: mpsc::Receiver<Request>,
        arrivals: mpsc::Sender<Event>,
    ) -> Self {
        Self {
            options,
            requests,
            arrivals,
        }
    }

    /// Keeps a connection until `shutdown`, then says DISCONNECT (so that the broker drops the
    /// will) and ends.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut backoff = Backoff::default();
        let mut attempt = 0;
        while !shutdown.is_cancelled() {
            let error = match self.options.dial.target(attempt) {
                Ok(target) => match self.session(&target, &mut backoff, &shutdown).await {
                    Ok(()) => return,
                    Err(error) => error,
                },
                Err(error) => error.into(),
            };
            attempt = attempt.wrapping_add(1);
            // The owner may be slow, but an event must not keep us from reconnecting.
            if self.arrivals.try_send(Event::Disconnected(error)).is_err() {
                tracing::debug!("the end of a connection was not reported: queue full");
            }
            let wait = backoff.next(rand::random());
            self.refuse_requests_for(wait, &shutdown).await;
        }
    }

    /// Waits, and answers everything that is to be sent with "not connected".
    async fn refuse_requests_for(&mut self, wait: Duration, shutdown: &CancellationToken) {
        let until = sleep(wait);
        tokio::pin!(until);
        loop {
            tokio::select! {
                () = &mut until => return,
                () = shutdown.cancelled() => return,
                Some(request) = self.requests.recv() => refuse(request),
            }
        }
    }

    /// One connection, from CONNECT to its end. `Ok` means that it was told to stop.
    async fn session(
        &mut self,
        target: &Target,
        backoff: &mut Backoff,
        shutdown: &CancellationToken,
    ) -> Result<(), ConnectionError> {
        let (client, mut event_loop) = open(&self.options, target);
        let mut session = Session {
            client,
            arrivals: &self.arrivals,
            birth: self.options.birth.as_ref(),
            births_as: self.options.session,
            filters: &self.options.filters,
            subscribed: false,
            waiting: VecDeque::new(),
            in_flight: HashMap::new(),
        };
        let mut leaving: Option<Instant> = None;
        loop {
            // The poll is never dropped half way: it may have taken a request off its queue.
            let polled = {
                let poll = event_loop.poll();
                tokio::pin!(poll);
                loop {
                    let deadline = leaving.unwrap_or_else(|| Instant::now() + NO_DEADLINE);
                    tokio::select! {
                        polled = &mut poll => break polled,
                        Some(request) = self.requests.recv(), if session.has_room() => {
                            session.send(request);
                        }
                        () = shutdown.cancelled(), if leaving.is_none() => {
                            leaving = Some(Instant::now() + DISCONNECT_TIMEOUT);
                            if !session.subscribed || session.client.try_disconnect().is_err() {
                                return Ok(());
                            }
                        }
                        () = tokio::time::sleep_until(deadline), if leaving.is_some() => {
                            return Ok(());
                        }
                    }
                }
            };
            match polled {
                Ok(rumqttc::v5::Event::Outgoing(Outgoing::Disconnect)) => {
                    // Let the packet leave: the socket closes with the event loop.
                    let _closed = timeout(DISCONNECT_TIMEOUT, event_loop.poll()).await;
                    return Ok(());
                }
                Ok(event) => {
                    if session.handle(event).await? {
                        backoff.reset();
                    }
                }
                Err(_) if leaving.is_some() => return Ok(()),
                Err(error) => return Err(describe(error, target)),
            }
        }
    }
}

/// Stands for "no deadline" in a select that needs one.
const NO_DEADLINE: Duration = Duration::from_hours(1);

/// The state of one connection.
struct Session<'a> {
    client: AsyncClient,
    arrivals: &'a mpsc::Sender<Event>,
    birth: Option<&'a Birth>,
    births_as: Option<SessionId>,
    filters: &'a [String],
    subscribed: bool,
    /// Handed to rumqttc, in this order; each becomes an outgoing packet.
    waiting: VecDeque<oneshot::Sender<Result<(), PublishError>>>,
    /// On the wire under a packet id, not yet acknowledged.
    in_flight: HashMap<u16, oneshot::Sender<Result<(), PublishError>>>,
}

impl Session<'_> {
    fn has_room(&self) -> bool {
        self.waiting.len() < usize::from(IN_FLIGHT)
    }

    fn send(&mut self, request: Request) {
        if !self.subscribed {
            return refuse(request);
        }
        let Request { message, done } = request;
        let properties = properties(&message, self.births_as);
        let topic = message.topic();
        let row = topic.row();
        let sent = self.client.try_publish_with_properties(
            topic.to_string(),
            qos(row.qos),
            row.retained,
            message.payload(),
            properties,
        );
        match sent {
            Ok(()) => self.waiting.push_back(done),
            Err(_) => answer(done, Err(PublishError::NotConnected)),
        }
    }

    /// Returns true once connected and subscribed.
    async fn handle(&mut self, event: rumqttc::v5::Event) -> Result<bool, ConnectionError> {
        use rumqttc::v5::Event::{Incoming as In, Outgoing as Out};
        match event {
            In(Incoming::ConnAck(_)) if self.filters.is_empty() => return self.ready().await,
            In(Incoming::ConnAck(_)) => {
                let filters = self
                    .filters
                    .iter()
                    .map(|filter| Filter::new(filter.clone(), QoS::AtLeastOnce));
                if self.client.try_subscribe_many(filters).is_err() {
                    tracing::error!("a filter of our own is not valid");
                }
            }
            In(Incoming::SubAck(ack)) => {
                for (filter, code) in self.filters.iter().zip(&ack.return_codes) {
                    use rumqttc::v5::mqttbytes::v5::SubscribeReasonCode::Success;
                    if !matches!(code, Success(_)) {
                        tracing::error!(filter, ?code, "the broker refused a subscription");
                    }
                }
                return self.ready().await;
            }
            In(Incoming::Publish(publish)) => {
                let topic = String::from_utf8_lossy(&publish.topic);
                match Message::decode(&topic, &publish.payload) {
                    Ok(message) if publish.retain => {
                        self.report(Event::Retained(message)).await?;
                    }
                    Ok(message) => self.report(Event::Message(message)).await?,
                    Err(error) => {
                        tracing::debug!(error = format!("{error:#}"), "message passed over");
                    }
                }
            }
            Out(Outgoing::Publish(packet_id)) => match self.waiting.pop_front() {
                Some(done) if packet_id == 0 => answer(done, Ok(())),
                Some(done) => {
                    self.in_flight.insert(packet_id, done);
                }
                None => {}
            },
            In(Incoming::PubAck(ack)) => {
                if let Some(done) = self.in_flight.remove(&ack.pkid) {
                    answer(done, outcome(ack.reason));
                }
            }
            _ => {}
        }
        Ok(false)
    }

    async fn ready(&mut self) -> Result<bool, ConnectionError> {
        self.subscribed = true;
        for message in self.birth.map(|birth| birth()).unwrap_or_default() {
            let (done, _unheard) = oneshot::channel();
            self.send(Request { message, done });
        }
        self.report(Event::Connected).await?;
        Ok(true)
    }

    async fn report(&mut self, event: Event) -> Result<(), ConnectionError> {
        match timeout(STALL, self.arrivals.send(event)).await {
            // A closed queue means that nobody listens, which is the owner's right.
            Ok(_) => Ok(()),
            Err(_) => Err(ConnectionError::Stalled),
        }
    }
}

fn open(options: &Options, target: &Target) -> (AsyncClient, EventLoop) {
    let endpoint = &target.endpoint;
    let mut mqtt = MqttOptions::new(&options.client_id, &endpoint.host, endpoint.port);
    mqtt.set_credentials(&target.user, target.password.expose())
        .set_keep_alive(options.keep_alive)
        .set_clean_start(true)
        .set_max_packet_size(Some(MAX_PACKET_BYTES))
        .set_outgoing_inflight_upper_limit(IN_FLIGHT)
        .set_connection_timeout(CONNECT_TIMEOUT_SECS);
    if let Some(tls) = &endpoint.tls {
        mqtt.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(
            tls.clone(),
        )));
    }
    if let Some(will) = &options.will {
        let topic = will.topic();
        let properties = options.session.map(|session| LastWillProperties {
            delay_interval: None,
            payload_format_indicator: None,
            message_expiry_interval: None,
            content_type: None,
            response_topic: None,
            correlation_data: None,
            user_properties: session_property(session),
        });
        let row = topic.row();
        mqtt.set_last_will(LastWill::new(
            topic.to_string(),
            will.payload(),
            qos(row.qos),
            row.retained,
            properties,
        ));
    }
    let mut network = mqtt.network_options();
    network.set_tcp_nodelay(true);
    mqtt.set_network_options(network);
    // Room for everything that may be handed over before it is polled out.
    AsyncClient::new(mqtt, usize::from(IN_FLIGHT) * 2 + options.filters.len() + 8)
}

fn qos(level: Qos) -> QoS {
    match level {
        Qos::AtMostOnce => QoS::AtMostOnce,
        Qos::AtLeastOnce => QoS::AtLeastOnce,
    }
}

fn session_property(session: SessionId) -> Vec<(String, String)> {
    vec![("session".to_owned(), session.to_string())]
}

/// Births and deaths carry the session, so that they can be matched.
fn properties(message: &Message, session: Option<SessionId>) -> PublishProperties {
    let user_properties = match (message, session) {
        (Message::DeviceStatus(..) | Message::DeviceSession(..), Some(session)) => {
            session_property(session)
        }
        _ => Vec::new(),
    };
    PublishProperties {
        user_properties,
        ..PublishProperties::default()
    }
}

fn outcome(reason: PubAckReason) -> Result<(), PublishError> {
    match reason {
        PubAckReason::Success | PubAckReason::NoMatchingSubscribers => Ok(()),
        reason => Err(PublishError::Refused {
            reason: format!("{reason:?}"),
        }),
    }
}

fn refuse(request: Request) {
    answer(request.done, Err(PublishError::NotConnected));
}

/// Whoever asked may have stopped waiting; then nobody minds.
fn answer(done: oneshot::Sender<Result<(), PublishError>>, outcome: Result<(), PublishError>) {
    let _unheard = done.send(outcome);
}

fn describe(error: rumqttc::v5::ConnectionError, target: &Target) -> ConnectionError {
    use rumqttc::v5::ConnectionError as E;
    let endpoint = target.endpoint.to_string();
    match error {
        E::ConnectionRefused(
            ConnectReturnCode::NotAuthorized | ConnectReturnCode::BadUserNamePassword,
        ) => ConnectionError::Credential {
            endpoint,
            user: target.user.clone(),
        },
        E::Tls(error) if is_certificate_error(&error) => ConnectionError::Certificate {
            endpoint,
            source: innermost(error),
        },
        error => ConnectionError::Network {
            endpoint,
            source: innermost(error),
        },
    }
}

/// rumqttc's errors repeat the text of what they wrap: the cause alone says it once.
fn innermost(
    error: impl std::error::Error + Send + Sync + 'static,
) -> Box<dyn std::error::Error + Send + Sync> {
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string().into()
}

/// rustls reports a failed handshake as an I/O error with its own error inside.
fn is_certificate_error(error: &rumqttc::TlsError) -> bool {
    let inner = match error {
        rumqttc::TlsError::TLS(inner) => Some(inner),
        rumqttc::TlsError::Io(io) => io
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>()),
        _ => None,
    };
    matches!(inner, Some(rustls::Error::InvalidCertificate(_)))
}
