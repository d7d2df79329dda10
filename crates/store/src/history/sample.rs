//! A sample on its way into the history: its name, its moment, and its numbers.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use jiff::Timestamp;
use netmonitor_protocol::payload::Metrics;
use netmonitor_protocol::{DeviceId, SessionId};

use super::keys::DAY_MS;
use super::numbers::numbers_of;
use super::series::Name;

/// So many numbers of a sample are kept: a machine with hundreds of disks and interfaces has fewer.
const MAX_NUMBERS: usize = 1024;

/// So many names of series a device may use in a day: with those of the day before a chart of them
/// all takes 64 MB. A machine that makes a network for each of its jobs has some hundreds.
const MAX_NAMES_IN_A_DAY: usize = 2048;

/// Names of series are no longer, in bytes: that of a disk has the path at which it is mounted.
const MAX_NAME: usize = 256;

/// A sample to be stored. Many may wait in memory, so it holds no more than what is kept.
#[derive(Debug, Clone)]
pub struct NewSample {
    /// Whose.
    pub device: DeviceId,
    /// The start of the agent that took it.
    pub session: SessionId,
    /// Its number in that session.
    pub seq: u64,
    /// When, by the hub's clock.
    pub at: Timestamp,
    /// The oldest sample of the session that the agent still keeps, if it says so: what is older
    /// and not stored is lost.
    pub oldest_seq: Option<u64>,
    /// To which series the values belong.
    pub layout: Arc<Layout>,
    /// Scaled to integers, in the order of the layout.
    pub values: Box<[i64]>,
}

/// The series of a sample, in the order of its values. Most samples of a device share one.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Layout(Box<[String]>);

impl Layout {
    /// Names of the series.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// What it takes in memory, in bytes. Samples share it.
    pub fn bytes(&self) -> usize {
        let names = self.0.iter().map(|name| size_of::<String>() + name.len());
        size_of::<Self>() + names.sum::<usize>()
    }
}

/// Layouts that were seen lately, so that equal ones are one in memory.
#[derive(Debug, Default)]
pub struct Layouts {
    known: HashSet<Arc<Layout>>,
    /// What those take in memory.
    bytes: usize,
    /// That of its last sample.
    of_devices: HashMap<DeviceId, Arc<Layout>>,
    /// The names of its samples since the day (UTC) began, or its series changed first in it. All
    /// devices are here; no more of them than layouts are remembered.
    today: HashMap<DeviceId, Today>,
    hasher: RandomState,
    left_out: u64,
}

#[derive(Debug, Default)]
struct Today {
    day: i64,
    /// Hashes of the names.
    names: HashSet<u64>,
}

/// Layouts that are remembered. When there are more, those that no sample has are forgotten.
const REMEMBERED: usize = 4096;

/// What they may take in memory, in bytes; when they take more, the same. If samples have them
/// all, all are forgotten: what samples take is for whoever has them to limit.
const REMEMBERED_BYTES: usize = 4 << 20;

impl NewSample {
    /// What the history keeps of a sample that was taken at `at`: 1024 numbers at most, with names
    /// of 256 bytes at most, of which a device has 2048 in a day at most. The others are left out,
    /// and counted by `layouts`.
    pub fn new(device: DeviceId, at: Timestamp, metrics: &Metrics, layouts: &mut Layouts) -> Self {
        let mut numbers = numbers_of(metrics);
        let all = numbers.len();
        numbers.retain(|(name, _)| name.len() <= MAX_NAME);
        numbers.truncate(MAX_NUMBERS);
        layouts.left_out += (all - numbers.len()) as u64;
        let layout = layouts.of(&device, at, &mut numbers);
        Self {
            device,
            session: metrics.session,
            seq: metrics.seq,
            at,
            oldest_seq: metrics.oldest_seq,
            layout,
            values: numbers.into_iter().map(|(_, value)| value).collect(),
        }
    }
}

impl Layouts {
    /// How many numbers were left out since this was asked last.
    pub fn take_left_out(&mut self) -> u64 {
        std::mem::take(&mut self.left_out)
    }

    /// The layout of these numbers. Those are removed that have the name of another, or one too
    /// many.
    fn of(
        &mut self,
        device: &DeviceId,
        at: Timestamp,
        numbers: &mut Vec<(Name<'_>, i64)>,
    ) -> Arc<Layout> {
        if let Some(last) = self.of_devices.get(device)
            && last.names().len() == numbers.len()
            && last
                .names()
                .iter()
                .zip(&*numbers)
                .all(|(known, (name, _))| name.is(known))
        {
            return last.clone();
        }
        let mut names = Vec::with_capacity(numbers.len());
        if self.today.len() >= REMEMBERED {
            self.of_devices.clear();
            self.today.clear();
        }
        let today = self.today.entry(device.clone()).or_default();
        let day = at.as_millisecond().div_euclid(DAY_MS);
        if day > today.day {
            *today = Today {
                day,
                names: HashSet::new(),
            };
        }
        let mut seen = HashSet::with_capacity(numbers.len());
        numbers.retain(|(name, _)| {
            let name = name.to_string();
            if !seen.insert(name.clone()) {
                return false;
            }
            let hash = self.hasher.hash_one(&name);
            let is_one_too_many =
                today.names.len() >= MAX_NAMES_IN_A_DAY && !today.names.contains(&hash);
            if is_one_too_many {
                self.left_out += 1;
            } else {
                today.names.insert(hash);
                names.push(name);
            }
            !is_one_too_many
        });
        let layout = self.shared(names);
        self.of_devices.insert(device.clone(), layout.clone());
        layout
    }

    fn shared(&mut self, names: Vec<String>) -> Arc<Layout> {
        let layout = Layout(names.into());
        if let Some(known) = self.known.get(&layout) {
            return known.clone();
        }
        if self.known.len() >= REMEMBERED || self.bytes >= REMEMBERED_BYTES {
            self.forget();
        }
        self.bytes += layout.bytes();
        let layout = Arc::new(layout);
        self.known.insert(layout.clone());
        layout
    }

    fn forget(&mut self) {
        self.of_devices.clear();
        self.known.retain(|layout| Arc::strong_count(layout) > 1);
        self.bytes = self.known.iter().map(|layout| layout.bytes()).sum();
        // Else each new one would look through them all.
        if self.known.len() >= REMEMBERED / 2 || self.bytes >= REMEMBERED_BYTES / 2 {
            self.known.clear();
            self.bytes = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(interfaces: &[&str]) -> Metrics {
        let network: Vec<String> = interfaces
            .iter()
            .map(|name| format!(r#"{{"interface":"{name}","received_bytes":1,"sent_bytes":2}}"#))
            .collect();
        let text = format!(
            r#"{{"session":"00000000000000aa","seq":1,"time":"2026-11-22T10:00:00Z",
                "uptime_secs":5,"cpu":{{"usage_percent":12.34}},
                "memory":{{"total_bytes":100,"used_bytes":50}},"network":[{}]}}"#,
            network.join(",")
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn samples_of_the_same_series_share_a_layout_whosever_they_are() {
        let mut layouts = Layouts::default();
        let mut layout_of = |device: &str, interfaces: &[&str]| {
            let device = DeviceId::from_host_name(device);
            let metrics = metrics(interfaces);
            NewSample::new(device, metrics.time, &metrics, &mut layouts).layout
        };
        let first = layout_of("one", &["eth0"]);
        assert!(Arc::ptr_eq(&first, &layout_of("one", &["eth0"])));
        assert!(Arc::ptr_eq(&first, &layout_of("two", &["eth0"])));
        assert_eq!(
            first.names(),
            ["cpu", "ram", "rx_bytes:eth0", "tx_bytes:eth0"]
        );
        for others in [&["eth1"] as &[_], &["eth0", "eth1"], &[]] {
            assert_ne!(first, layout_of("one", others));
        }
        assert!(Arc::ptr_eq(&first, &layout_of("one", &["eth0"])));
    }

    #[test]
    fn what_no_machine_has_is_left_out_and_counted_and_layouts_take_no_room_for_ever() {
        let mut layouts = Layouts::default();
        let (mut held, mut most) = (Vec::new(), 0);
        for round in 0..200 {
            let long = "x".repeat(300);
            let names: Vec<String> = (0..3000).map(|n| format!("br-{round}-{n}")).collect();
            let names: Vec<&str> = [long.as_str()]
                .into_iter()
                .chain(names.iter().map(String::as_str))
                .collect();
            let metrics = metrics(&names);
            // Each is another's: of one they would be too many.
            let device = DeviceId::from_host_name(&format!("ci-{round}"));
            let sample = NewSample::new(device, metrics.time, &metrics, &mut layouts);
            assert_eq!(sample.layout.names().len(), MAX_NUMBERS);
            assert_eq!(sample.values.len(), MAX_NUMBERS);
            assert_eq!(sample.layout.names()[2], format!("rx_bytes:br-{round}-0"));
            assert_eq!(layouts.take_left_out(), 2 * 3001 + 2 - 1024);
            assert_eq!(layouts.take_left_out(), 0);
            // Whether somebody has them or not.
            if round < 100 {
                held.push(sample);
            }
            let bytes = layouts.known.iter().map(|layout| layout.bytes());
            most = most.max(bytes.sum::<usize>());
        }
        assert!(most <= REMEMBERED_BYTES + (1 << 17), "{most}");
    }

    #[test]
    fn a_device_has_so_many_names_in_a_day_and_keeps_those_that_it_has() {
        let mut layouts = Layouts::default();
        let mut kept = |round: usize, day: i64| {
            let names: Vec<String> = (0..500).map(|n| format!("br-{round}-{n}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let mut metrics = metrics(&names);
            metrics.time = Timestamp::from_second(1_800_000_000 + day * 86_400).unwrap();
            let device = DeviceId::from_host_name("ci");
            let sample = NewSample::new(device, metrics.time, &metrics, &mut layouts);
            assert_eq!(sample.layout.names().len(), sample.values.len());
            sample.values.len()
        };
        assert_eq!(
            [0, 1, 2, 3].map(|round| kept(round, 0)),
            [1002, 1002, 48, 2]
        );
        assert_eq!([0, 2].map(|round| kept(round, 0)), [1002, 48]);
        assert_eq!(kept(3, 1), 1002);
        // What comes late changes nothing.
        assert_eq!(kept(4, 0), 1002);
        assert_eq!(kept(5, 1), 48);
    }

    #[test]
    fn however_often_layouts_are_forgotten_no_more_devices_are_remembered() {
        let mut layouts = Layouts::default();
        for round in 0..REMEMBERED + 10 {
            // So long that a few hundred of them are too much.
            let names: Vec<String> = (0..30).map(|n| format!("{round:0>100}-{n}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let metrics = metrics(&names);
            let device = DeviceId::from_host_name(&format!("ci-{round}"));
            NewSample::new(device, metrics.time, &metrics, &mut layouts);
            assert!(layouts.of_devices.len() < REMEMBERED / 2);
            assert!(layouts.today.len() <= REMEMBERED, "{round}");
        }
    }

    #[test]
    fn of_two_numbers_of_one_name_the_first_is_kept() {
        let mut layouts = Layouts::default();
        for _ in 0..2 {
            let metrics = metrics(&["a_b", "a,b"]);
            let device = DeviceId::from_host_name("one");
            let sample = NewSample::new(device, metrics.time, &metrics, &mut layouts);
            assert_eq!(sample.layout.names().len(), 4);
            assert_eq!(*sample.values, [123, 500, 1, 2]);
        }
    }
}
