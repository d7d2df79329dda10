//! What was measured, as far as anybody outside of the agents has seen it, against what is stored.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::SignedDuration;
use netmonitor_protocol::topics::Kind;
use netmonitor_protocol::{DeviceId, Message, SessionId};
use netmonitor_service::clock;
use netmonitor_store::HistoryReader;
use netmonitor_store::history::{Query, StoredSession, verify};
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};

/// The number of the last sample that was seen of each session. They count from 1.
type Sessions = BTreeMap<SessionId, u64>;

/// Shared by those who see samples.
#[derive(Debug, Clone, Default)]
pub(crate) struct Books(Arc<Mutex<BTreeMap<DeviceId, Sessions>>>);

impl Books {
    /// This sample was measured.
    pub(crate) fn note(&self, device: &DeviceId, session: SessionId, seq: u64) {
        let mut books = self.0.lock().unwrap();
        let sessions = books.entry(device.clone()).or_default();
        let last = sessions.entry(session).or_default();
        *last = seq.max(*last);
    }

    /// What was seen so far.
    fn seen(&self) -> BTreeMap<DeviceId, Sessions> {
        self.0.lock().unwrap().clone()
    }

    /// What was seen so far, and nothing more.
    pub(crate) fn so_far(&self) -> Self {
        Self(Arc::new(Mutex::new(self.seen())))
    }

    /// What was seen and is not stored, in words.
    pub(crate) fn missing(&self, history: &Path) -> Vec<String> {
        let reader = HistoryReader::new(history);
        let mut missing = Vec::new();
        for (device, sessions) in self.seen() {
            let stored = reader.sessions(&device).unwrap();
            for (session, last) in sessions {
                let found = stored.iter().find(|it| it.session == session);
                let ranges = found.map_or(&[][..], |it| &it.ranges);
                if !matches!(ranges, [(1, stored)] if *stored >= last) {
                    missing.push(format!(
                        "{device} {session}: 1 to {last}, stored {ranges:?}"
                    ));
                }
            }
        }
        missing
    }

    /// Fails unless every sample is stored once and can be read, and nothing is wrong with the
    /// history. Returns how many there are.
    pub(crate) fn assert_all_are_stored_once(&self, history: &Path) -> u64 {
        assert_eq!(self.missing(history), [""; 0], "not stored");
        let reader = HistoryReader::new(history);
        let mut total = 0;
        for device in self.seen().keys() {
            let sessions = reader.sessions(device).unwrap();
            let stored: u64 = sessions.iter().map(all_of).sum();
            assert_eq!(
                readable(&reader, device),
                stored,
                "{device}: what can be read"
            );
            total += stored;
        }
        let report = verify(history).unwrap().expect("there is a history");
        assert_eq!(report.findings, [], "what is wrong with the history");
        assert_eq!(report.samples, total, "samples of nobody");
        total
    }
}

/// How many samples of a session are stored: all from the first to the last.
fn all_of(session: &StoredSession) -> u64 {
    assert_eq!(session.lost, 0, "{session:?}");
    match session.ranges[..] {
        [(1, last)] => last,
        _ => panic!("there are gaps: {session:?}"),
    }
}

/// How many samples of a device a chart would have.
fn readable(reader: &HistoryReader, device: &DeviceId) -> u64 {
    let far = SignedDuration::from_hours(24);
    let query = Query {
        device: device.clone(),
        series: vec!["cpu".to_owned()],
        from: clock::now() - far,
        to: clock::now() + far,
        points: usize::MAX / 2,
    };
    reader.columns(&query, &[]).unwrap().times.len() as u64
}

/// Whoever reads MQTT and writes down what is measured, whenever there is a broker.
#[derive(Debug)]
pub(crate) struct Watcher {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// A reader with this name and password at a port of loopback.
    pub(crate) fn start(port: &str, name: &str, password: &str, books: &Books) -> Self {
        let mut options = MqttOptions::new("watcher", "127.0.0.1", port.parse().unwrap());
        options
            .set_credentials(name, password)
            .set_max_packet_size(1 << 20, 1 << 20);
        let is_over = Arc::new(AtomicBool::new(false));
        let (end, books) = (is_over.clone(), books.clone());
        let thread = std::thread::spawn(move || watch(options, &books, &end));
        Self {
            is_over,
            thread: Some(thread),
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        let _panicked = self.thread.take().map(JoinHandle::join);
    }
}

fn watch(options: MqttOptions, books: &Books, is_over: &AtomicBool) {
    const LOOK: Duration = Duration::from_millis(100);
    let (client, mut connection) = Client::new(options, 10);
    while !is_over.load(Ordering::Relaxed) {
        match connection.recv_timeout(LOOK) {
            Ok(Ok(Event::Incoming(Packet::ConnAck(_)))) => {
                for kind in [Kind::DeviceMetrics, Kind::DeviceBackfill] {
                    let filter = kind.row().filter();
                    client.try_subscribe(filter, QoS::AtLeastOnce).unwrap();
                }
            }
            Ok(Ok(Event::Incoming(Packet::Publish(publish)))) => {
                write_down(&publish.topic, &publish.payload, books);
            }
            // Between two attempts to connect.
            Ok(Err(_)) => std::thread::sleep(LOOK),
            _ => {}
        }
    }
}

fn write_down(topic: &str, payload: &[u8], books: &Books) {
    match Message::decode(topic, payload, None).unwrap() {
        Message::DeviceMetrics(device, sample) => books.note(&device, sample.session, sample.seq),
        Message::DeviceBackfill(device, batch) => {
            for sample in &batch.samples {
                books.note(&device, batch.session, sample.seq);
            }
        }
        other => panic!("not asked for: {other:?}"),
    }
}
