//! The life of a history: from commits over months to what is read of it.

mod damage;
mod upkeep;

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::path::PathBuf;

use jiff::Timestamp;
use netmonitor_protocol::payload::{Cpu, HistorySettings, Memory, Metrics, Network, Temperature};
use netmonitor_protocol::{DeviceId, SessionId};
use rusqlite::Connection;

use super::*;

/// The begin of a day (UTC).
const BEGIN: i64 = 1_800_057_600;
const DAY: i64 = 86_400;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(BEGIN + second).unwrap()
}

fn device() -> DeviceId {
    "ws".parse().unwrap()
}

/// What a machine measures `second` seconds after the begin.
fn metrics(session: u64, seq: u64, second: i64) -> Metrics {
    let wave = (second as f64 / 7000.0).sin();
    Metrics {
        oldest_seq: Some(1),
        uptime_secs: 1,
        cpu: Cpu {
            usage_percent: ((50.0 + 40.0 * wave) * 10.0).round() / 10.0,
            ..Cpu::default()
        },
        memory: Memory {
            total_bytes: 1000,
            used_bytes: 250,
            ..Memory::default()
        },
        network: vec![Network {
            interface: "eth0".to_owned(),
            // Rises by 1000 bytes a second, from 0 at the session's begin.
            received_bytes: u64::try_from(second).unwrap() % 100_000 * 1000,
            sent_bytes: 7,
            ..Network::default()
        }],
        temperatures: vec![Temperature {
            sensor: "t".to_owned(),
            celsius: -3.5,
            ..Temperature::default()
        }],
        ..Metrics::blank(SessionId(session), seq, at(second))
    }
}

struct House {
    _folder: tempfile::TempDir,
    path: PathBuf,
    writer: Option<HistoryWriter>,
    reader: HistoryReader,
    layouts: Layouts,
    settings: HistorySettings,
    /// So many sensors of which every value is another.
    noise: usize,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("monitor.db");
        Self {
            writer: Some(HistoryWriter::open(&path).unwrap()),
            reader: HistoryReader::new(&path),
            _folder: folder,
            path,
            layouts: Layouts::default(),
            settings: HistorySettings::default(),
            noise: 0,
        }
    }

    fn sample(&mut self, session: u64, seq: u64, second: i64) -> NewSample {
        let mut metrics = metrics(session, seq, second);
        for number in 0..self.noise {
            let mut hasher = DefaultHasher::new();
            (number, second).hash(&mut hasher);
            metrics.temperatures.push(Temperature {
                sensor: number.to_string(),
                celsius: (hasher.finish() % 1_000_000) as f64,
                ..Temperature::default()
            });
        }
        NewSample::new(device(), at(second), &metrics, &mut self.layouts)
    }

    fn writer(&mut self) -> &mut HistoryWriter {
        self.writer.as_mut().unwrap()
    }

    fn reopen(&mut self) {
        self.writer = None;
        self.writer = Some(HistoryWriter::open(&self.path).unwrap());
    }

    fn commit(&mut self, samples: &[NewSample]) -> Committed {
        self.writer().commit(samples, &[]).unwrap()
    }

    fn tend(&mut self, second: i64) {
        let settings = self.settings.clone();
        let retention = Retention::ByAgeAndSize(&settings);
        while self.writer().tend(at(second), retention).unwrap() == Tended::More {}
    }

    /// A sample every `step` seconds, a commit for twenty of them, from one second to another.
    /// The number of a sample follows from its time.
    fn live(&mut self, seconds: std::ops::Range<i64>, step: i64) {
        let mut batch = Vec::new();
        let mut due = seconds.start + 20 * step;
        let mut second = seconds.start;
        while second < seconds.end {
            if second >= due {
                self.commit(&std::mem::take(&mut batch));
                self.tend(second);
                due = second + 20 * step;
            }
            let seq = u64::try_from(second / step).unwrap() + 1;
            let sample = self.sample(1, seq, second);
            batch.push(sample);
            second += step;
        }
        self.commit(&batch);
        self.tend(seconds.end);
    }

    fn columns(&self, seconds: std::ops::Range<i64>, points: usize) -> Columns {
        self.columns_with(seconds, points, &[])
    }

    fn columns_with(
        &self,
        seconds: std::ops::Range<i64>,
        points: usize,
        recent: &[NewSample],
    ) -> Columns {
        let query = Query {
            device: device(),
            series: Vec::new(),
            from: at(seconds.start),
            to: at(seconds.end - 1),
            points,
        };
        self.reader.columns(&query, recent).unwrap()
    }

    fn assert_sound(&self, samples: u64) {
        let report = verify(&self.path).unwrap().unwrap();
        assert_eq!(report.findings, []);
        assert_eq!(report.samples, samples);
    }

    fn rows(&self, tier: keys::Tier) -> usize {
        let connection = Connection::open(&self.path).unwrap();
        pieces::find(&connection, 1, tier, 0..=i64::MAX)
            .unwrap()
            .len()
    }
}

/// What every point of the answer says of a series, compared with what was measured.
fn assert_true(columns: &Columns, seconds: std::ops::Range<i64>, step: i64) {
    let cpu = &columns.series["cpu"];
    let count = i64::try_from(columns.times.len()).unwrap();
    let width = seconds.end - 1 - seconds.start;
    for (index, mean) in (0..).zip(&cpu.mean) {
        let range =
            seconds.start + width * index / count..seconds.start + width * (index + 1) / count;
        let values: Vec<f64> = seconds
            .clone()
            .filter(|second| second % step == 0 && range.contains(second))
            .map(|second| metrics(1, 1, second).cpu.usage_percent)
            .collect();
        if values.is_empty() {
            continue;
        }
        let expected = values.iter().sum::<f64>() / values.len() as f64;
        let found = mean.unwrap();
        assert!(
            (found - expected).abs() < 4.0,
            "{index}: {found} for {expected}"
        );
    }
}

#[test]
fn days_are_sealed_merged_and_read_at_every_width() {
    let mut house = House::new();
    let end = 3 * DAY + 7 * 3600 + 1800;
    house.live(0..end, 30);
    house.assert_sound(u64::try_from(end).unwrap() / 30);
    assert_eq!(house.rows(keys::Tier::Day), 3);
    assert_eq!(house.rows(keys::Tier::FiveMinutes), 3);
    assert_eq!(house.rows(keys::Tier::TwoHours), 1);
    assert_eq!(house.rows(keys::Tier::Hour), 7);

    // As measured: an hour of the past, and the last one.
    for begin in [DAY + 3600, end - 3600] {
        let columns = house.columns(begin..begin + 3600, 500);
        assert_eq!(columns.times.len(), 120);
        assert_true(&columns, begin..begin + 3600, 30);
        let rates = &columns.series["rx:eth0"].mean;
        assert_eq!(
            rates
                .iter()
                .flatten()
                .filter(|rate| (**rate - 1000.0).abs() < 1e-9)
                .count(),
            120
        );
        assert_eq!(columns.series["temp:t"].min[5], Some(-3.5));
    }
    // A day, by minutes; all, by points of five minutes; and by points of two hours.
    for (range, points) in [(DAY..2 * DAY, 500), (0..end, 500), (0..end, 30)] {
        let columns = house.columns(range.clone(), points);
        assert_eq!(columns.times.len(), points);
        let cpu = &columns.series["cpu"];
        assert_eq!(
            cpu.mean.iter().flatten().count(),
            points,
            "{range:?} {points}"
        );
        if points == 500 {
            assert_true(&columns, range, 30);
        }
        let lowest = cpu.min.iter().flatten().copied().fold(f64::MAX, f64::min);
        assert!((lowest - 10.0).abs() < 0.2, "{lowest}");
        for rate in columns.series["rx:eth0"].mean.iter().flatten() {
            assert!((rate - 1000.0).abs() < 20.0 || *rate < 1000.0, "{rate}");
        }
    }
}

#[test]
fn a_gap_stays_a_gap_at_every_width() {
    let mut house = House::new();
    house.live(0..6 * 3600, 30);
    house.live(18 * 3600..DAY + 2 * 3600, 30);
    for (range, points) in [(0..DAY, 500), (0..DAY, 24), (0..40 * DAY, 960)] {
        let columns = house.columns(range.clone(), points);
        let width = (range.end - range.start) * 1000;
        for (time, value) in columns.times.iter().zip(&columns.series["cpu"].mean) {
            let second = time / 1000 - BEGIN;
            let half = width / 1000 / i64::try_from(points).unwrap();
            if (6 * 3600 + half..18 * 3600 - half).contains(&second) {
                assert_eq!(*value, None, "{range:?}: {second}");
            }
        }
        assert!(columns.series["cpu"].mean.iter().flatten().count() > 10);
    }
}

#[test]
fn a_sample_is_stored_once_in_the_tail_in_an_hour_and_in_a_day() {
    let mut house = House::new();
    let sample = house.sample(1, 1, 10);
    assert_eq!(house.commit(&[sample.clone(), sample.clone()]).stored, 1);
    let again = |house: &mut House| {
        // The same sample is the same one, even when it is placed at another time.
        let mut moved = sample.clone();
        moved.at = at(11);
        let committed = house.commit(&[moved]);
        assert_eq!(
            (committed.stored, committed.safe[0].ranges.clone()),
            (0, vec![(1, 1)])
        );
    };
    again(&mut house);
    house.reopen();
    again(&mut house);
    house.tend(2 * 3600);
    again(&mut house);
    house.tend(2 * DAY);
    again(&mut house);
    house.reopen();
    again(&mut house);
    assert_eq!(house.rows(keys::Tier::Day), 1);
    house.assert_sound(1);
}

#[test]
fn recent_samples_are_merged_with_what_is_stored_each_once() {
    let mut house = House::new();
    let samples: Vec<NewSample> = (1..=10)
        .map(|seq| house.sample(1, seq, i64::try_from(seq).unwrap() * 10))
        .collect();
    assert_eq!(house.columns_with(0..200, 500, &samples).times.len(), 10);
    house.commit(&samples[..6]);
    let columns = house.columns_with(0..200, 500, &samples[3..]);
    assert_eq!(columns.times.len(), 10);
    let rates: Vec<f64> = columns.series["rx:eth0"]
        .mean
        .iter()
        .flatten()
        .copied()
        .collect();
    assert_eq!(rates, [1000.0; 9]);
    house.tend(DAY * 2);
    assert_eq!(house.columns_with(0..200, 500, &samples).times.len(), 10);
}

#[test]
fn a_recent_sample_that_ingest_has_placed_in_another_hour_is_not_drawn_twice() {
    let mut house = House::new();
    let stored = house.sample(1, 1, 5 * 3600);
    house.commit(&[stored]);
    let recent = [house.sample(1, 1, 60)];
    let columns = house.columns_with(0..200, 500, &recent);
    assert_eq!(columns.times, [0_i64; 0]);
    let columns = house.columns_with(0..6 * 3600, 500, &recent);
    assert_eq!(columns.times, [at(5 * 3600).as_millisecond()]);
}

#[test]
fn what_an_agent_had_no_room_for_is_lost_and_said_once() {
    let mut house = House::new();
    let mut first = house.sample(1, 1, 10);
    first.oldest_seq = Some(1);
    let mut fifth = house.sample(1, 5, 50);
    fifth.oldest_seq = Some(4);
    let committed = house.commit(&[first, fifth]);
    assert_eq!(committed.lost.len(), 1);
    assert_eq!(committed.lost[0].samples, 2);
    let mut next = house.sample(1, 9, 90);
    next.oldest_seq = Some(7);
    assert_eq!(house.commit(&[next.clone()]).lost[0].samples, 2);
    assert_eq!(house.commit(&[next]).lost, []);
    house.reopen();
    assert_eq!(house.reader.lost(&device()).unwrap(), 4);
    let sessions = house.reader.sessions(&device()).unwrap();
    assert_eq!(sessions[0].ranges, [(1, 1), (5, 5), (9, 9)]);
    // A later start had given up some before the hub heard of it.
    let mut late = house.sample(2, 31, 400);
    late.oldest_seq = Some(31);
    assert_eq!(house.commit(&[late]).lost[0].samples, 30);
}

#[test]
fn what_a_former_history_has_is_not_lost_when_a_new_one_is_begun() {
    let mut house = House::new();
    let mut running = house.sample(2, 50_000, 5_000);
    running.oldest_seq = Some(49_990);
    assert_eq!(house.commit(&[running]).lost, []);
    // What waited of the start before comes later.
    let mut former = house.sample(1, 700, 700);
    former.oldest_seq = Some(700);
    assert_eq!(house.commit(&[former]).lost, []);
    house.reopen();
    let mut next = house.sample(2, 50_003, 5_009);
    next.oldest_seq = Some(50_002);
    let lost = house.commit(&[next]).lost;
    assert_eq!(lost[0].samples, 11, "from 49,990 to 50,001, but for 50,000");
    assert_eq!(house.reader.lost(&device()).unwrap(), 11);
}
