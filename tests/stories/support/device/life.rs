//! One start of the agent of an invented device: a connection, in a thread of its own.

use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use netmonitor_protocol::payload::{
    EndCause, Ended, Info, Notification, Session, Status, WatchableService,
};
use netmonitor_protocol::{DeviceId, Message, SessionId, Topic};
use netmonitor_service::clock;
use rumqttc::{Client, Connection, Event, LastWill, MqttOptions, Packet, QoS};
use serde_json::json;

use super::Values;
use crate::support::DEADLINE;

/// How often it sends a sample.
const EVERY: Duration = Duration::from_millis(300);

/// How often it looks whether there is something to do.
const LOOK: Duration = Duration::from_millis(20);

/// What of its birth must have arrived before it is there.
const BIRTH: usize = 3;

/// What happens to it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Order {
    /// It ends without a word.
    Die,
    /// It ends with a word.
    Leave(EndCause),
    /// So many samples are lost.
    Lose(u64),
}

pub(super) struct Life {
    pub(super) id: DeviceId,
    pub(super) session: SessionId,
    pub(super) boot_id: String,
    pub(super) values: Arc<Mutex<Values>>,
    pub(super) notified: Arc<Mutex<Vec<Notification>>>,
    pub(super) orders: mpsc::Receiver<Order>,
}

/// What was said, and what of it has arrived.
struct Speech {
    client: Client,
    said: usize,
    acknowledged: usize,
}

impl Life {
    pub(super) fn run(self, port: u16, password: &str, come: &mpsc::Sender<()>) {
        let mut options = MqttOptions::new(self.id.as_str(), "127.0.0.1", port);
        options.set_credentials(self.id.as_str(), password);
        options.set_keep_alive(Duration::from_secs(6));
        let status = Topic::DeviceStatus(self.id.clone()).to_string();
        options.set_last_will(LastWill::new(status, "offline", QoS::AtLeastOnce, true));
        let (client, mut connection) = Client::new(options, 64);
        let mut speech = Speech {
            client,
            said: 0,
            acknowledged: 0,
        };
        self.be_born(&mut speech);
        let (mut seq, mut oldest, mut next) = (0, None, Instant::now());
        let (mut services, mut is_there) = (Vec::new(), false);
        loop {
            match self.orders.try_recv() {
                // Dropped without DISCONNECT: the broker publishes the will.
                Ok(Order::Die) | Err(mpsc::TryRecvError::Disconnected) => return,
                Ok(Order::Leave(cause)) => return self.leave(cause, &mut speech, &mut connection),
                Ok(Order::Lose(samples)) => {
                    seq += samples;
                    oldest = Some(seq + 1);
                }
                Err(mpsc::TryRecvError::Empty) => {}
            }
            self.say_services(&mut services, &mut speech);
            if Instant::now() >= next {
                next += EVERY;
                let values = self.values.lock().unwrap().clone();
                if !values.is_silent {
                    seq += 1;
                    let mut sample = values.sample(self.session, seq);
                    sample.oldest_seq = oldest;
                    speech.say(&Message::DeviceMetrics(self.id.clone(), Box::new(sample)));
                }
            }
            self.listen(&mut speech, &mut connection);
            if !is_there && speech.acknowledged >= BIRTH {
                is_there = true;
                come.send(()).unwrap();
            }
        }
    }

    fn be_born(&self, speech: &mut Speech) {
        let info: Info = serde_json::from_value(json!({
            "time": clock::now(), "name": self.id, "host_name": self.id, "os": "Linux",
            "architecture": "x86_64", "cores": 1, "memory_bytes": 1_000_000, "boot_id": self.boot_id,
            "agent_version": "1", "interval_secs": EVERY.as_secs_f64(),
        }))
        .unwrap();
        let id = || self.id.clone();
        speech.say(&Message::DeviceSession(id(), self.session(None)));
        speech.say(&Message::DeviceInfo(id(), Box::new(info)));
        speech.say(&Message::DeviceStatus(id(), Status::Online, None));
        let notify = Topic::DeviceNotify(id()).to_string();
        // With too many on their way it is no news any more.
        let _asked = speech.client.try_subscribe(notify, QoS::AtLeastOnce);
    }

    fn session(&self, ended: Option<Ended>) -> Session {
        Session {
            session: self.session,
            boot_id: Some(self.boot_id.clone()),
            since: clock::now(),
            agent_version: "1".to_owned(),
            ended,
        }
    }

    /// Says how its services are, if that is news.
    fn say_services(&self, before: &mut Vec<WatchableService>, speech: &mut Speech) {
        let now = self.values.lock().unwrap().services();
        if now.services != *before {
            before.clone_from(&now.services);
            speech.say(&Message::DeviceServices(self.id.clone(), now));
        }
    }

    fn leave(&self, cause: EndCause, speech: &mut Speech, connection: &mut Connection) {
        let time = clock::now();
        let ended = self.session(Some(Ended { cause, time }));
        speech.say(&Message::DeviceSession(self.id.clone(), ended));
        let offline = Message::DeviceStatus(self.id.clone(), Status::Offline, None);
        speech.say(&offline);
        let until = Instant::now() + DEADLINE;
        while speech.acknowledged < speech.said {
            assert!(Instant::now() < until, "its last words do not arrive");
            self.listen(speech, connection);
        }
        speech.client.try_disconnect().unwrap();
        // Until it is written.
        while connection.recv_timeout(LOOK).is_ok_and(|it| it.is_ok()) {}
    }

    fn listen(&self, speech: &mut Speech, connection: &mut Connection) {
        match connection.recv_timeout(LOOK) {
            Ok(Ok(Event::Incoming(Packet::PubAck(_)))) => speech.acknowledged += 1,
            Ok(Ok(Event::Incoming(Packet::Publish(message)))) => {
                let notification = serde_json::from_slice(&message.payload).unwrap();
                self.notified.lock().unwrap().push(notification);
            }
            Ok(Ok(_)) | Err(_) => {}
            // The broker may be away for a moment.
            Ok(Err(_)) => {
                std::thread::park_timeout(EVERY);
                self.be_born(speech);
            }
        }
    }
}

impl Speech {
    fn say(&mut self, message: &Message) {
        let topic = message.topic();
        let is_retained = topic.row().retained.is_kept();
        let (topic, payload) = (topic.to_string(), message.payload());
        let said = self
            .client
            .try_publish(topic, QoS::AtLeastOnce, is_retained, payload);
        // With too many on their way it says the next one.
        self.said += usize::from(said.is_ok());
    }
}
