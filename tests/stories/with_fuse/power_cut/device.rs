//! A machine that measures things known beforehand, keeps what is not acknowledged and sends it
//! again, as an agent does.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use netmonitor_protocol::payload::{Backfill, Cpu, Memory, Metrics};
use netmonitor_protocol::topic::Topic;
use netmonitor_protocol::{DeviceId, Message, SessionId};
use netmonitor_service::clock::now;
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};

use crate::support::agent::Agent;

/// Time between two samples, in which a commit has room for several.
const INTERVAL: Duration = Duration::from_millis(25);

/// Samples in a message that makes up for others.
const BATCH: usize = 50;

/// Larger than what is sent here.
const PACKET_MAX: usize = 256 << 10;

/// A sample, and how old it was at a moment.
#[derive(Debug)]
struct Taken {
    metrics: Metrics,
    age: Duration,
    at: Instant,
}

/// What it has measured, and what it may forget.
#[derive(Debug, Default)]
struct Kept {
    /// That with number 1 first.
    taken: Vec<Taken>,
    acknowledged: BTreeSet<u64>,
}

/// The machine. It is never restarted, so there is one session.
#[derive(Debug, Clone)]
pub(super) struct Device {
    pub(super) id: DeviceId,
    pub(super) session: SessionId,
    password: String,
    booted: Instant,
    kept: Arc<Mutex<Kept>>,
}

/// A device that is connected, until this is dropped.
pub(super) struct Connected {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Device {
    /// One that has joined with the code.
    pub(super) fn joined(code: &str, session: u64) -> Self {
        let (agent, id) = Agent::joined(code);
        Self {
            id: id.parse().unwrap(),
            session: SessionId(session),
            password: agent.password(),
            booted: Instant::now(),
            kept: Arc::default(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap()
    }

    /// Numbers of all samples that were taken: from 1 to this.
    pub(super) fn taken(&self) -> u64 {
        self.kept().taken.len() as u64
    }

    /// Numbers that the hub has acknowledged.
    pub(super) fn acknowledged(&self) -> BTreeSet<u64> {
        self.kept().acknowledged.clone()
    }

    /// Takes a sample that says its own number: `cpu` and `ram` with a decimal each.
    fn take(&self, age: Duration, monotonic: Option<Duration>) -> Metrics {
        let mut kept = self.kept();
        let seq = kept.taken.len() as u64 + 1;
        let metrics = Metrics {
            monotonic_ms: monotonic.map(|it| u64::try_from(it.as_millis()).unwrap()),
            uptime_secs: 1,
            cpu: Cpu {
                usage_percent: (seq % 1000) as f64 / 10.0,
                ..Cpu::default()
            },
            memory: Memory {
                total_bytes: 1000,
                used_bytes: seq / 1000,
                ..Memory::default()
            },
            ..Metrics::blank(
                self.session,
                seq,
                now() - SignedDuration::try_from(age).unwrap(),
            )
        };
        let at = Instant::now();
        kept.taken.push(Taken {
            metrics: metrics.clone(),
            age,
            at,
        });
        metrics
    }

    /// Takes samples that are as old as that, as if the hub had been away.
    pub(super) fn has_waited(&self, ages: impl IntoIterator<Item = Duration>) {
        for age in ages {
            self.take(age, None);
        }
    }

    /// The number that a stored sample says.
    pub(super) fn number(cpu: f64, ram: f64) -> u64 {
        let digits = (ram * 10.0).round() * 1000.0 + (cpu * 10.0).round();
        format!("{digits:.0}").parse().unwrap()
    }

    /// Connects, sends again what is not acknowledged, and goes on measuring.
    pub(super) fn connect(&self, port: &str) -> Connected {
        let mut options = MqttOptions::new(self.id.as_str(), "127.0.0.1", port.parse().unwrap());
        options
            .set_credentials(self.id.as_str(), &self.password)
            .set_max_packet_size(PACKET_MAX, PACKET_MAX);
        let (client, mut connection) = Client::new(options, 100);
        let stop = Arc::new(AtomicBool::default());
        let stopped = stop.clone();
        let is_stopped = move || stopped.load(Ordering::Relaxed);
        let (device, sender) = (self.clone(), client.clone());
        // While it is not, nothing waits in the client: there must be room for the subscription.
        let connected = Arc::new(AtomicBool::default());
        let is_connected = connected.clone();
        let receiving = {
            let is_stopped = is_stopped.clone();
            move || {
                while !is_stopped() {
                    match connection.recv_timeout(INTERVAL) {
                        Ok(Ok(Event::Incoming(packet))) => {
                            device.hear(&packet, &client);
                            connected.store(true, Ordering::Relaxed);
                        }
                        // The hub is gone, or not there yet.
                        Ok(Err(_)) => {
                            connected.store(false, Ordering::Relaxed);
                            std::thread::sleep(INTERVAL);
                        }
                        Ok(Ok(Event::Outgoing(_))) | Err(_) => {}
                    }
                }
            }
        };
        let device = self.clone();
        let measuring = move || {
            while !is_stopped() {
                device.measure(is_connected.load(Ordering::Relaxed).then_some(&sender));
                std::thread::sleep(INTERVAL);
            }
        };
        Connected {
            stop,
            threads: vec![std::thread::spawn(receiving), std::thread::spawn(measuring)],
        }
    }

    fn hear(&self, packet: &Packet, client: &Client) {
        match packet {
            Packet::ConnAck(_) => {
                let acks = Topic::DeviceAck(self.id.clone()).to_string();
                client.try_subscribe(acks, QoS::AtLeastOnce).unwrap();
                self.make_up(client);
            }
            Packet::Publish(publish) => {
                let message = Message::decode(&publish.topic, &publish.payload, None).unwrap();
                let Message::DeviceAck(_, ack) = message else {
                    panic!("{message:?} was not asked for");
                };
                assert_eq!(ack.session, self.session);
                for (first, last) in ack.ranges {
                    self.kept().acknowledged.extend(first..=last);
                }
            }
            _ => {}
        }
    }

    /// Sends again what is not acknowledged.
    fn make_up(&self, client: &Client) {
        let kept = self.kept();
        let missing = kept.taken.iter();
        let missing: Vec<_> = missing
            .filter(|taken| !kept.acknowledged.contains(&taken.metrics.seq))
            .collect();
        let Some(oldest) = missing.first() else {
            return;
        };
        for batch in missing.chunks(BATCH) {
            let backfill = Backfill {
                session: self.session,
                oldest_seq: oldest.metrics.seq,
                samples: batch.iter().map(|taken| taken.to_send()).collect(),
            };
            send(client, &Message::DeviceBackfill(self.id.clone(), backfill));
        }
    }

    /// Takes a sample, and sends it if there is a connection.
    fn measure(&self, client: Option<&Client>) {
        let since_boot = self.booted.elapsed();
        let metrics = self.take(Duration::ZERO, Some(since_boot));
        let message = Message::DeviceMetrics(self.id.clone(), Box::new(metrics));
        if let Some(client) = client {
            send(client, &message);
        }
    }

    /// From when on it has measured.
    pub(super) fn oldest(&self) -> Timestamp {
        let kept = self.kept();
        let times = kept.taken.iter().map(|taken| taken.metrics.time);
        times.min().unwrap_or_else(now)
    }
}

impl Taken {
    fn to_send(&self) -> Metrics {
        let age = self.age + self.at.elapsed();
        Metrics {
            age_ms: u64::try_from(age.as_millis()).unwrap(),
            ..self.metrics.clone()
        }
    }
}

/// What does not go now goes later, as everything that is not acknowledged.
fn send(client: &Client, message: &Message) {
    let topic = message.topic().to_string();
    let is_retained = message.topic().row().retained.is_kept();
    let _full = client.try_publish(topic, QoS::AtLeastOnce, is_retained, message.payload());
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "a device failed");
        }
    }
}
