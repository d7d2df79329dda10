//! rumqttc, the library of NetMonitor's own services, in MQTT 5.

use std::ops::ControlFlow::{Break, Continue};

use rumqttc::Outgoing;
use rumqttc::v5::mqttbytes::v5::{
    ConnectReturnCode, Filter, LastWill, Packet, PubAckReason, PubRecReason, Publish,
    PublishProperties, RetainForwardRule, SubscribeProperties, SubscribeReasonCode,
};
use rumqttc::v5::mqttbytes::{QoS, qos};
use rumqttc::v5::{Client as Library, ConnectionError, Event, MqttOptions, RecvTimeoutError};

use super::client::{Ability, Client, Connect, Connection, Door, Message, Properties, Subscribe};
use super::driven::{Driven, PACKET_MAX_BYTES, Said};

/// What no case expects.
const OTHER: u8 = 0xFF;
const NOT_AUTHORIZED: u8 = 0x87;

pub(crate) struct Rumqttc5(pub(crate) Door);

struct Rumqttc5Connection {
    library: Library,
    driven: Driven,
    session_present: bool,
}

impl Rumqttc5 {
    fn open(&self, connect: &Connect) -> (Library, Driven) {
        let door = &self.0;
        let port = door.port.parse().unwrap();
        let mut options = MqttOptions::new(&connect.client_id, "127.0.0.1", port);
        let (user, password) = door.credentials(connect.who);
        options
            .set_credentials(user, password)
            .set_max_packet_size(Some(PACKET_MAX_BYTES))
            .set_session_expiry_interval(connect.session_secs)
            .set_clean_start(connect.session_secs.is_none());
        if let Some(tls) = door.tls() {
            options.set_transport(tls);
        }
        if let Some(will) = &connect.will {
            let (quality, payload) = (quality(will.qos), will.payload.clone());
            let will = LastWill::new(&will.topic, payload, quality, will.retain, None);
            options.set_last_will(will);
        }
        let (library, mut connection) = Library::new(options, 10);
        let event = move |patience| match connection.recv_timeout(patience) {
            Ok(Ok(event)) => Continue(said(event)),
            Ok(Err(ConnectionError::ConnectionRefused(code))) => {
                Continue(Some(Said::Refused(match code {
                    ConnectReturnCode::NotAuthorized => NOT_AUTHORIZED,
                    _ => OTHER,
                })))
            }
            Err(RecvTimeoutError::Timeout) => Continue(None),
            _ => Break(()),
        };
        (library, Driven::start(event))
    }
}

fn quality(level: u8) -> QoS {
    qos(level).unwrap()
}

fn said(event: Event) -> Option<Said> {
    Some(match event {
        Event::Incoming(Packet::ConnAck(connack)) => Said::Connected(connack.session_present),
        Event::Incoming(Packet::SubAck(suback)) => Said::Answered(match suback.return_codes[0] {
            SubscribeReasonCode::Success(granted) => granted as u8,
            SubscribeReasonCode::NotAuthorized => NOT_AUTHORIZED,
            _ => OTHER,
        }),
        Event::Incoming(Packet::PubAck(puback)) => Said::Answered(match puback.reason {
            PubAckReason::Success | PubAckReason::NoMatchingSubscribers => 0,
            PubAckReason::NotAuthorized => NOT_AUTHORIZED,
            _ => OTHER,
        }),
        Event::Incoming(Packet::PubRec(pubrec)) => match pubrec.reason {
            // The exchange goes on.
            PubRecReason::Success | PubRecReason::NoMatchingSubscribers => return None,
            PubRecReason::NotAuthorized => Said::Answered(NOT_AUTHORIZED),
            _ => Said::Answered(OTHER),
        },
        // A publish of QoS 0 is done when it is sent.
        Event::Incoming(Packet::UnsubAck(_) | Packet::PubComp(_))
        | Event::Outgoing(Outgoing::Publish(0)) => Said::Answered(0),
        Event::Incoming(Packet::Publish(publish)) => Said::Message(received(publish)),
        _ => return None,
    })
}

fn received(publish: Publish) -> Message {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let properties = publish.properties.unwrap_or_default();
    let ids = properties.subscription_identifiers.into_iter();
    Message {
        topic: text(&publish.topic),
        payload: text(&publish.payload),
        qos: publish.qos as u8,
        retain: publish.retain,
        properties: Properties {
            user: properties.user_properties,
            expiry_secs: properties.message_expiry_interval,
            content_type: properties.content_type,
            response_topic: properties.response_topic,
            correlation: properties.correlation_data.map(|data| text(&data)),
            subscriptions: ids.map(|id| u32::try_from(id).unwrap()).collect(),
        },
    }
}

impl Client for Rumqttc5 {
    fn can(&self, _: Ability) -> bool {
        true
    }

    fn refusal(&self, options: &Connect) -> Option<u8> {
        let (_library, mut driven) = self.open(options);
        let refused = driven.connected().err();
        driven.cut();
        refused
    }

    fn connect(&self, options: &Connect) -> Box<dyn Connection> {
        let (library, mut driven) = self.open(options);
        let session_present = driven.connected().expect("not let in");
        Box::new(Rumqttc5Connection {
            library,
            driven,
            session_present,
        })
    }
}

impl Connection for Rumqttc5Connection {
    fn session_present(&self) -> bool {
        self.session_present
    }

    fn subscribe(&mut self, subscribe: &Subscribe) -> u8 {
        let mut filter = Filter::new(&subscribe.filter, quality(subscribe.qos));
        filter.nolocal = subscribe.no_local;
        filter.preserve_retain = subscribe.retain_as_published;
        filter.retain_forward_rule = match subscribe.retain_handling {
            0 => RetainForwardRule::OnEverySubscribe,
            1 => RetainForwardRule::OnNewSubscribe,
            _ => RetainForwardRule::Never,
        };
        let properties = SubscribeProperties {
            id: subscribe.id.map(|id| usize::try_from(id).unwrap()),
            user_properties: Vec::new(),
        };
        let sent = self
            .library
            .subscribe_many_with_properties([filter], properties);
        sent.unwrap();
        self.driven.answer()
    }

    fn unsubscribe(&mut self, filter: &str) {
        self.library.unsubscribe(filter).unwrap();
        self.driven.answer();
    }

    fn publish(&mut self, message: &Message) -> Option<u8> {
        let properties = message.properties.clone();
        let properties = PublishProperties {
            user_properties: properties.user,
            message_expiry_interval: properties.expiry_secs,
            content_type: properties.content_type,
            response_topic: properties.response_topic,
            correlation_data: properties.correlation.map(Into::into),
            ..PublishProperties::default()
        };
        let sent = self.library.publish_with_properties(
            &message.topic,
            quality(message.qos),
            message.retain,
            message.payload.clone(),
            properties,
        );
        sent.unwrap();
        Some(self.driven.answer())
    }

    fn next(&mut self) -> Message {
        self.driven.next()
    }

    fn arrived(&mut self) -> Vec<Message> {
        self.driven.arrived()
    }

    fn disconnect(self: Box<Self>) {
        self.library.disconnect().unwrap();
        self.driven.ended();
    }

    fn kill(self: Box<Self>) {
        self.driven.cut();
    }
}
