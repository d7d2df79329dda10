//! rumqttc, the library of NetMonitor's own services, in MQTT 3.1.1.

use std::ops::ControlFlow::{Break, Continue};

use rumqttc::{
    Client as Library, ConnectionError, Event, LastWill, MqttOptions, Outgoing, Packet, QoS,
    RecvTimeoutError, SubscribeReasonCode, qos,
};

use super::client::{Ability, Client, Connect, Connection, Door, Message, Properties, Subscribe};
use super::driven::{Driven, PACKET_MAX_BYTES, Said};

pub(crate) struct Rumqttc3(pub(crate) Door);

struct Rumqttc3Connection {
    library: Library,
    driven: Driven,
    session_present: bool,
}

impl Rumqttc3 {
    fn open(&self, connect: &Connect) -> (Library, Driven) {
        let door = &self.0;
        let port = door.port.parse().unwrap();
        let mut options = MqttOptions::new(&connect.client_id, "127.0.0.1", port);
        let (user, password) = door.credentials(connect.who);
        let packet_max = usize::try_from(PACKET_MAX_BYTES).unwrap();
        options
            .set_credentials(user, password)
            .set_max_packet_size(packet_max, packet_max)
            .set_clean_session(connect.session_secs.is_none());
        if let Some(tls) = door.tls() {
            options.set_transport(tls);
        }
        if let Some(will) = &connect.will {
            let quality = qos(will.qos).unwrap();
            let payload = will.payload.clone();
            options.set_last_will(LastWill::new(&will.topic, payload, quality, will.retain));
        }
        let (library, mut connection) = Library::new(options, 10);
        let event = move |patience| match connection.recv_timeout(patience) {
            Ok(Ok(event)) => Continue(said(event)),
            Ok(Err(ConnectionError::ConnectionRefused(code))) => {
                Continue(Some(Said::Refused(code as u8)))
            }
            Err(RecvTimeoutError::Timeout) => Continue(None),
            _ => Break(()),
        };
        (library, Driven::start(event))
    }
}

fn said(event: Event) -> Option<Said> {
    Some(match event {
        Event::Incoming(Packet::ConnAck(connack)) => Said::Connected(connack.session_present),
        Event::Incoming(Packet::SubAck(suback)) => Said::Answered(match suback.return_codes[0] {
            SubscribeReasonCode::Success(granted) => granted as u8,
            SubscribeReasonCode::Failure => 0x80,
        }),
        // A publish of QoS 0 is done when it is sent.
        Event::Incoming(Packet::UnsubAck(_) | Packet::PubAck(_) | Packet::PubComp(_))
        | Event::Outgoing(Outgoing::Publish(0)) => Said::Answered(0),
        Event::Incoming(Packet::Publish(publish)) => Said::Message(Message {
            topic: publish.topic,
            payload: String::from_utf8(publish.payload.to_vec()).unwrap(),
            qos: publish.qos as u8,
            retain: publish.retain,
            properties: Properties::default(),
        }),
        _ => return None,
    })
}

impl Client for Rumqttc3 {
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
        Box::new(Rumqttc3Connection {
            library,
            driven,
            session_present,
        })
    }
}

impl Connection for Rumqttc3Connection {
    fn session_present(&self) -> bool {
        self.session_present
    }

    fn subscribe(&mut self, subscribe: &Subscribe) -> u8 {
        let quality: QoS = qos(subscribe.qos).unwrap();
        self.library.subscribe(&subscribe.filter, quality).unwrap();
        self.driven.answer()
    }

    fn unsubscribe(&mut self, filter: &str) {
        self.library.unsubscribe(filter).unwrap();
        self.driven.answer();
    }

    fn publish(&mut self, message: &Message) -> Option<u8> {
        let quality = qos(message.qos).unwrap();
        let payload = message.payload.clone();
        let sent = self
            .library
            .publish(&message.topic, quality, message.retain, payload);
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
