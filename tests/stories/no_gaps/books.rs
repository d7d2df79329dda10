//! What was measured, as far as anybody outside of the agents has seen it, against what is stored.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::SignedDuration;
use netmonitor_protocol::payload::Metrics;
use netmonitor_protocol::topics::Kind;
use netmonitor_protocol::{DeviceId, Message, SessionId};
use netmonitor_service::clock;
use netmonitor_store::HistoryReader;
use netmonitor_store::history::{Query, StoredSession, verify};
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};

/// When each sample that was seen was taken, by its number: milliseconds since the boot of its
/// machine, which is that of the hub here.
type Taken = BTreeMap<u64, u64>;

type Sessions = BTreeMap<SessionId, Taken>;

/// Shared by those who see samples.
#[derive(Debug, Clone, Default)]
pub(crate) struct Books(Arc<Mutex<BTreeMap<DeviceId, Sessions>>>);

impl Books {
    /// This sample was measured.
    pub(crate) fn note(&self, device: &DeviceId, sample: &Metrics) {
        let mut books = self.0.lock().unwrap();
        let sessions = books.entry(device.clone()).or_default();
        let taken = sample.monotonic_ms.expect("this is Linux");
        let of_session = sessions.entry(sample.session).or_default();
        of_session.insert(sample.seq, taken);
    }

    /// What was seen so far, and nothing more.
    pub(crate) fn so_far(&self) -> Self {
        Self(Arc::new(Mutex::new(self.seen())))
    }

    fn seen(&self) -> BTreeMap<DeviceId, Sessions> {
        self.0.lock().unwrap().clone()
    }

    /// How many starts of an agent there were.
    pub(crate) fn starts(&self, device: &DeviceId) -> usize {
        let books = self.0.lock().unwrap();
        books.get(device).map_or(0, BTreeMap::len)
    }

    /// When each sample of a device was taken, in order.
    pub(crate) fn taken(&self, device: &DeviceId) -> Vec<u64> {
        let books = self.0.lock().unwrap();
        let sessions = books[device].values();
        let mut taken: Vec<u64> = sessions.flat_map(BTreeMap::values).copied().collect();
        taken.sort_unstable();
        taken
    }

    /// How many samples were measured at least.
    pub(crate) fn number(&self) -> usize {
        let seen = self.seen();
        let last = seen.values().flat_map(BTreeMap::values).map(last);
        usize::try_from(last.sum::<u64>()).unwrap()
    }

    /// What was seen and is not stored, in words.
    pub(crate) fn missing(&self, history: &Path) -> Vec<String> {
        let reader = HistoryReader::new(history);
        let mut missing = Vec::new();
        for (device, sessions) in self.seen() {
            let stored = reader.sessions(&device).unwrap();
            for (session, taken) in sessions {
                let last = last(&taken);
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
            let times = times(&reader, device);
            assert_eq!(times.len() as u64, stored, "{device}: what can be read");
            total += stored;
        }
        let report = verify(history).unwrap().expect("there is a history");
        assert_eq!(report.findings, [], "what is wrong with the history");
        assert_eq!(report.samples, total, "samples of nobody");
        total
    }
}

/// The number of the last sample. They count from 1.
fn last(taken: &Taken) -> u64 {
    taken.last_key_value().map_or(0, |(seq, _)| *seq)
}

/// How many samples of a session are stored: all from the first to the last.
fn all_of(session: &StoredSession) -> u64 {
    assert_eq!(session.lost, 0, "{session:?}");
    match session.ranges[..] {
        [(1, last)] => last,
        _ => panic!("there are gaps: {session:?}"),
    }
}

/// The times of all samples of a device, as a chart would have them.
pub(crate) fn times(reader: &HistoryReader, device: &DeviceId) -> Vec<i64> {
    let ever = SignedDuration::from_hours(365 * 24);
    let query = Query {
        device: device.clone(),
        series: vec!["cpu".to_owned()],
        from: clock::now() - ever,
        to: clock::now() + ever,
        points: usize::MAX / 2,
    };
    reader.columns(&query, &[]).unwrap().times
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
        options.set_credentials(name, password);
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
                let filter = Kind::DeviceMetrics.row().filter();
                client.try_subscribe(filter, QoS::AtLeastOnce).unwrap();
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
        Message::DeviceMetrics(device, sample) => books.note(&device, &sample),
        other => panic!("not asked for: {other:?}"),
    }
}
