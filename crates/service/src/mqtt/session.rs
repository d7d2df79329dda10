//! One connection: what is on the wire, and who waits for it.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use netmonitor_protocol::message::SESSION_PROPERTY;
use netmonitor_protocol::topics::Qos;
use netmonitor_protocol::{Message, SessionId};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    Filter, LastWill, LastWillProperties, PubAckReason, PublishProperties,
};
use rumqttc::v5::{AsyncClient, EventLoop, Incoming, MqttOptions};
use rumqttc::{Outgoing, TlsConfiguration, Transport};
use tokio::sync::oneshot;

use super::dial::{Endpoint, Target};
use super::events::{Arrivals, ConnectionError, Event};
use super::publisher::{PublishError, Request};
use super::{Birth, KEEP_ALIVE_MIN, Options};
use crate::Counters;

/// QoS 1 messages under way at most; more wait in the publishers' queue.
const IN_FLIGHT: u16 = 32;

/// Packets larger than this are not ours.
const MAX_PACKET_BYTES: u32 = 1024 * 1024;

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// From TCP connect to CONNACK; whole seconds.
    pub(super) connect: Duration,
    /// What the broker is told.
    pub(super) keep_alive: Duration,
}

/// The state of one connection.
pub(super) struct Session<'a> {
    pub(super) client: AsyncClient,
    arrivals: &'a mut Arrivals,
    birth: Option<&'a Birth>,
    filters: &'a [String],
    counters: &'a Counters,
    pub(super) subscribed: bool,
    /// Handed to rumqttc, in this order; each becomes an outgoing packet.
    waiting: VecDeque<oneshot::Sender<Result<(), PublishError>>>,
    /// On the wire under a packet id, not yet acknowledged.
    in_flight: HashMap<u16, oneshot::Sender<Result<(), PublishError>>>,
}

impl<'a> Session<'a> {
    /// Nothing is sent before the event loop is polled.
    pub(super) fn open(
        options: &'a Options,
        target: &Target,
        patience: Patience,
        arrivals: &'a mut Arrivals,
    ) -> (Self, EventLoop) {
        let (client, event_loop) = open(options, target, patience);
        let session = Self {
            client,
            arrivals,
            birth: options.birth.as_ref(),
            filters: &options.filters,
            counters: &options.counters,
            subscribed: false,
            waiting: VecDeque::new(),
            in_flight: HashMap::new(),
        };
        (session, event_loop)
    }

    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < usize::from(IN_FLIGHT)
    }

    pub(super) fn send(&mut self, request: Request) {
        if !self.subscribed {
            return refuse(request);
        }
        let Request { message, done } = request;
        let properties = properties(&message);
        let topic = message.topic();
        let row = topic.row();
        let sent = self.client.try_publish_with_properties(
            topic.to_string(),
            qos(row.qos),
            row.retained.is_kept(),
            message.payload(),
            properties,
        );
        match sent {
            Ok(()) => self.waiting.push_back(done),
            Err(_) => answer(done, Err(PublishError::NotConnected)),
        }
    }

    /// Asks for DISCONNECT, behind what was asked before. False if there is nothing to leave:
    /// before CONNACK the broker knows of no will.
    pub(super) fn leave(&self) -> bool {
        self.subscribed && self.client.try_disconnect().is_ok()
    }

    /// Returns true once connected and subscribed.
    pub(super) async fn handle(
        &mut self,
        event: rumqttc::v5::Event,
    ) -> Result<bool, ConnectionError> {
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
                let session = publish.properties.as_ref().and_then(session_of);
                match Message::decode(&topic, &publish.payload, session) {
                    Ok(message) if publish.retain => {
                        self.arrivals.tell(Event::Retained(message)).await?;
                    }
                    Ok(message) => self.arrivals.tell(Event::Message(message)).await?,
                    Err(error) => {
                        self.counters.count("messages_not_understood");
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
        self.arrivals.tell(Event::Connected).await?;
        Ok(true)
    }
}

fn open(options: &Options, target: &Target, patience: Patience) -> (AsyncClient, EventLoop) {
    let endpoint = &target.endpoint;
    let mut mqtt = MqttOptions::new(&options.client_id, address(endpoint), endpoint.port);
    mqtt.set_credentials(&target.user, target.password.expose())
        .set_keep_alive(patience.keep_alive.max(KEEP_ALIVE_MIN))
        .set_clean_start(true)
        .set_max_packet_size(Some(MAX_PACKET_BYTES))
        .set_outgoing_inflight_upper_limit(IN_FLIGHT)
        .set_connection_timeout(patience.connect.as_secs());
    mqtt.set_transport(transport(endpoint));
    if let Some(will) = &options.will {
        let topic = will.topic();
        let properties = will.session().map(|session| LastWillProperties {
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
            row.retained.is_kept(),
            properties,
        ));
    }
    let mut network = mqtt.network_options();
    network.set_tcp_nodelay(true);
    mqtt.set_network_options(network);
    // Room for everything that may be handed over before it is polled out.
    AsyncClient::new(mqtt, usize::from(IN_FLIGHT) * 2 + options.filters.len() + 8)
}

/// What rumqttc wants to know as the host: for a WebSocket its whole URL.
fn address(endpoint: &Endpoint) -> String {
    match &endpoint.websocket {
        None => endpoint.host.clone(),
        Some(path) if endpoint.tls.is_some() => format!("wss://{endpoint}{path}"),
        Some(path) => format!("ws://{endpoint}{path}"),
    }
}

fn transport(endpoint: &Endpoint) -> Transport {
    let tls = endpoint.tls.clone().map(TlsConfiguration::Rustls);
    match (tls, &endpoint.websocket) {
        (None, None) => Transport::tcp(),
        (Some(tls), None) => Transport::tls_with_config(tls),
        (None, Some(_)) => Transport::Ws,
        (Some(tls), Some(_)) => Transport::wss_with_config(tls),
    }
}

fn qos(level: Qos) -> QoS {
    match level {
        Qos::AtMostOnce => QoS::AtMostOnce,
        Qos::AtLeastOnce => QoS::AtLeastOnce,
    }
}

fn session_property(session: SessionId) -> Vec<(String, String)> {
    vec![(SESSION_PROPERTY.to_owned(), session.to_string())]
}

/// What the publisher says of its session. What cannot be read is as good as nothing.
fn session_of(properties: &PublishProperties) -> Option<SessionId> {
    let properties = &properties.user_properties;
    let (_, session) = properties
        .iter()
        .find(|(name, _)| name == SESSION_PROPERTY)?;
    session.parse().ok()
}

/// Births and deaths carry the session, so that they can be matched.
fn properties(message: &Message) -> PublishProperties {
    PublishProperties {
        user_properties: message.session().map(session_property).unwrap_or_default(),
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

/// Nothing is kept for the next connection.
pub(super) fn refuse(request: Request) {
    answer(request.done, Err(PublishError::NotConnected));
}

/// Whoever asked may have stopped waiting; then nobody minds.
fn answer(done: oneshot::Sender<Result<(), PublishError>>, outcome: Result<(), PublishError>) {
    let _unheard = done.send(outcome);
}
