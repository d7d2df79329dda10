//! A machine that is invented, with a connection that is not: an MQTT client that says what an agent
//! says, and whose values the story decides.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use netmonitor_protocol::payload::{Info, Metrics, Session, Status};
use netmonitor_protocol::{DeviceId, Message, SessionId, Topic};
use netmonitor_service::clock;
use rumqttc::{Client, LastWill, MqttOptions, QoS};
use serde_json::json;

use super::agent::Agent;
use super::hub::Hub;

/// How often it sends a sample.
const EVERY: Duration = Duration::from_millis(300);

/// A device that can be there, and go without a word.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) id: String,
    password: String,
    port: u16,
    /// How full its memory is, in percent.
    ram: Arc<AtomicU64>,
    sessions: u64,
    running: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
}

impl Device {
    /// A device of this hub that is not there yet.
    pub(crate) fn joined(hub: &Hub, code: &str) -> Self {
        let (agent, id) = Agent::joined(code);
        Self {
            id,
            password: agent.password(),
            port: hub.port("mqtt").parse().unwrap(),
            ram: Arc::new(AtomicU64::new(50)),
            sessions: 0,
            running: None,
        }
    }

    /// From now on its memory is so full, in percent.
    pub(crate) fn ram(&self, percent: u64) {
        self.ram.store(percent, Ordering::Relaxed);
    }

    /// It comes, and is there when this returns.
    pub(crate) fn come(&mut self) {
        self.sessions += 1;
        let (come, there) = mpsc::channel();
        let stop = Arc::new(AtomicBool::new(false));
        let life = Life {
            id: self.id.parse().unwrap(),
            session: SessionId(self.sessions),
            ram: self.ram.clone(),
            stop: stop.clone(),
        };
        let (port, password) = (self.port, self.password.clone());
        let thread = std::thread::spawn(move || life.run(port, &password, &come));
        there.recv_timeout(super::DEADLINE).unwrap();
        self.running = Some((stop, thread));
    }

    /// It goes without a word: its socket is closed.
    pub(crate) fn die(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            stop.store(true, Ordering::Relaxed);
            thread.join().unwrap();
        }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.die();
    }
}

struct Life {
    id: DeviceId,
    session: SessionId,
    ram: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Life {
    fn run(&self, port: u16, password: &str, come: &mpsc::Sender<()>) {
        let mut options = MqttOptions::new(self.id.as_str(), "127.0.0.1", port);
        options.set_credentials(self.id.as_str(), password);
        options.set_keep_alive(Duration::from_secs(6));
        let status = Topic::DeviceStatus(self.id.clone()).to_string();
        options.set_last_will(LastWill::new(status, "offline", QoS::AtLeastOnce, true));
        let (client, mut connection) = Client::new(options, 64);
        self.be_born(&client);
        let (mut seq, mut next) = (0, Instant::now());
        let mut acknowledged = 0;
        while !self.stop.load(Ordering::Relaxed) {
            if Instant::now() >= next {
                next += EVERY;
                seq += 1;
                let metrics = Box::new(self.sample(seq));
                say(&client, &Message::DeviceMetrics(self.id.clone(), metrics));
            }
            match connection.recv_timeout(Duration::from_millis(20)) {
                Ok(Ok(rumqttc::Event::Incoming(rumqttc::Packet::PubAck(_)))) => {
                    acknowledged += 1;
                    // All of its birth.
                    if acknowledged == 3 {
                        come.send(()).unwrap();
                    }
                }
                Ok(Ok(_)) | Err(_) => {}
                // The broker may be away for a moment.
                Ok(Err(_)) => {
                    std::thread::park_timeout(EVERY);
                    self.be_born(&client);
                }
            }
        }
        // Dropped without DISCONNECT: the broker publishes the will.
    }

    fn be_born(&self, client: &Client) {
        let session = Session {
            session: self.session,
            boot_id: Some("boot".to_owned()),
            since: clock::now(),
            agent_version: "1".to_owned(),
            ended: None,
        };
        let info: Info = serde_json::from_value(json!({
            "time": clock::now(), "name": self.id, "host_name": self.id, "os": "Linux",
            "architecture": "x86_64", "cores": 1, "memory_bytes": 1_000_000_000, "boot_id": "boot",
            "agent_version": "1", "interval_secs": EVERY.as_secs_f64(),
        }))
        .unwrap();
        let id = || self.id.clone();
        say(client, &Message::DeviceSession(id(), session));
        say(client, &Message::DeviceInfo(id(), Box::new(info)));
        say(client, &Message::DeviceStatus(id(), Status::Online, None));
    }

    fn sample(&self, seq: u64) -> Metrics {
        let mut sample = Metrics::blank(self.session, seq, clock::now());
        sample.uptime_secs = 100_000;
        sample.memory.total_bytes = 1_000_000_000;
        sample.memory.used_bytes = self.ram.load(Ordering::Relaxed) * 10_000_000;
        sample
    }
}

fn say(client: &Client, message: &Message) {
    let topic = message.topic();
    let is_retained = topic.row().retained.is_kept();
    let (topic, payload) = (topic.to_string(), message.payload());
    // With too many on their way it says the next one.
    let _said = client.try_publish(topic, QoS::AtLeastOnce, is_retained, payload);
}
