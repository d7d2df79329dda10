//! Samples of the last minutes, in memory. Ingest commits once in a while only; a query is
//! answered from the store and from here, so that nobody sees that delay. Pure: samples and time
//! in.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use netmonitor_protocol::payload::{ServiceHealth, ServiceState};
use netmonitor_protocol::{DeviceId, SessionId};
use netmonitor_store::history::{NewSample, Way};

/// How long a sample is kept at least.
const KEPT_AT_LEAST: Duration = Duration::from_mins(3);

/// And at least for so many of ingest's commits: the one that it waits for may fail, and so may
/// the next.
const KEPT_COMMITS: u32 = 3;

/// Samples that were just taken: 10 minutes of 1,000 devices at 10 s, which are kept while ingest
/// is away. One takes 440 bytes with 20 numbers (measured), so that this is 26 MB; with ingest at
/// work it is 8 MB. When full, the oldest go.
const LIVE: Limit = Limit {
    samples: 60_000,
    bytes: 40 << 20,
};

/// Samples that were made up for. Ingest commits them within a second or two, and acknowledges
/// them: few are here that are not stored. A part of their own, so that what is sent again and
/// again while ingest is away pushes out no sample that was just taken. When full, the oldest go.
const FILLED: Limit = Limit {
    samples: 10_000,
    bytes: 8 << 20,
};

/// What a sample takes beside its values and its names, in bytes, roughly: it stands in a queue
/// and in a map, with its device's name.
const SAMPLE_BYTES: usize = 280;

/// Samples that are passed on although they are older than the begin of a query: a rate needs the
/// sample before.
const MARGIN: Duration = Duration::from_mins(2);

/// The samples of all devices that may not be stored yet.
#[derive(Debug)]
pub(crate) struct Recent {
    live: Part,
    filled: Part,
    kept: Duration,
    commit_interval: Duration,
    /// Whether ingest writes the history, since when; none before anything was heard of it.
    ingest: Option<(bool, Duration)>,
}

/// What became of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// It is kept.
    Kept,
    /// It is kept, and so many older ones had to go that may not be stored.
    KeptForOlder(u64),
    /// It had been here.
    Known,
}

/// How much is kept. Machines with hundreds of disks are few, and a broken agent may say anything:
/// a number of samples alone is no bound.
#[derive(Debug, Clone, Copy)]
struct Limit {
    samples: usize,
    bytes: usize,
}

/// Samples that share a bound.
#[derive(Debug)]
struct Part {
    limit: Limit,
    /// What the samples take in memory, roughly.
    bytes: usize,
    /// In the order of their arrival, with the time of it and what each takes.
    arrived: VecDeque<(Duration, usize, Arc<NewSample>)>,
    devices: HashMap<DeviceId, BTreeMap<(SessionId, u64), Arc<NewSample>>>,
}

impl Default for Recent {
    fn default() -> Self {
        Self {
            live: Part::new(LIVE),
            filled: Part::new(FILLED),
            kept: KEPT_AT_LEAST,
            commit_interval: KEPT_AT_LEAST / KEPT_COMMITS,
            ingest: None,
        }
    }
}

impl Recent {
    /// Takes a sample that arrived `now`, by a clock that nobody sets. One that is here already
    /// changes nothing.
    pub(crate) fn push(&mut self, sample: NewSample, way: Way, now: Duration) -> Pushed {
        self.forget(now);
        if self.live.has(&sample) || self.filled.has(&sample) {
            return Pushed::Known;
        }
        match way {
            Way::Live => self.live.push(sample, now),
            Way::Backfill => self.filled.push(sample, now),
        }
    }

    /// Something was heard of ingest; none: it is not known how it is.
    pub(crate) fn ingest_is(&mut self, health: Option<&ServiceHealth>, now: Duration) {
        let is_well = health.is_some_and(|health| health.state == ServiceState::Running);
        if self.ingest.is_none_or(|(was_well, _)| was_well != is_well) {
            self.ingest = Some((is_well, now));
        }
        if let Some(ms) = health.and_then(|health| health.commit_interval_ms) {
            self.commit_interval = Duration::from_millis(ms);
            let commits = self.commit_interval.saturating_mul(KEPT_COMMITS);
            self.kept = commits.max(KEPT_AT_LEAST);
        }
    }

    /// Forgets what is surely stored: what ingest has had for longer than it takes. Nothing while
    /// it writes nothing, nor until it has made up for that.
    pub(crate) fn forget(&mut self, now: Duration) {
        let Some((true, since)) = self.ingest else {
            return;
        };
        if now.saturating_sub(since) < self.kept {
            return;
        }
        let before = now.saturating_sub(self.kept);
        self.live.forget(before);
        self.filled.forget(before);
    }

    /// How long samples are kept while ingest is well.
    pub(crate) fn kept(&self) -> Duration {
        self.kept
    }

    /// Whether ingest is well, and has committed what it had at `at`.
    pub(crate) fn is_committed(&self, at: Duration, now: Duration) -> bool {
        matches!(self.ingest, Some((true, since)) if now >= since.max(at) + self.commit_interval)
    }

    /// Moves all samples in time, because the clock that they were placed by was not set. Returns
    /// whose they are.
    pub(crate) fn shift(&mut self, by: SignedDuration) -> BTreeSet<DeviceId> {
        let mut moved = BTreeSet::new();
        for part in [&mut self.live, &mut self.filled] {
            part.bytes = 0;
            part.devices.clear();
            for (arrived, _, sample) in std::mem::take(&mut part.arrived) {
                let mut sample = NewSample::clone(&sample);
                sample.at = sample.at.saturating_add(by).unwrap_or(sample.at);
                moved.insert(sample.device.clone());
                part.push(sample, arrived);
            }
        }
        moved
    }

    /// The samples of a device between two moments, and those shortly before.
    pub(crate) fn of(&self, device: &DeviceId, from: Timestamp, to: Timestamp) -> Vec<NewSample> {
        let from = from.saturating_sub(MARGIN).unwrap_or(Timestamp::MIN);
        let is_asked = |sample: &&Arc<NewSample>| from <= sample.at && sample.at <= to;
        let parts = [&self.live, &self.filled].into_iter();
        parts
            .filter_map(|part| part.devices.get(device))
            .flat_map(BTreeMap::values)
            .filter(is_asked)
            .map(|sample| NewSample::clone(sample))
            .collect()
    }

    /// How many there are.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.live.arrived.len() + self.filled.arrived.len()
    }
}

impl Part {
    fn new(limit: Limit) -> Self {
        Self {
            limit,
            bytes: 0,
            arrived: VecDeque::new(),
            devices: HashMap::new(),
        }
    }

    fn has(&self, sample: &NewSample) -> bool {
        let of_device = self.devices.get(&sample.device);
        of_device.is_some_and(|samples| samples.contains_key(&(sample.session, sample.seq)))
    }

    fn push(&mut self, sample: NewSample, now: Duration) -> Pushed {
        let bytes = self.bytes_of(&sample);
        let mut dropped = 0;
        while self.arrived.len() >= self.limit.samples
            || (self.bytes + bytes > self.limit.bytes && !self.arrived.is_empty())
        {
            self.drop_oldest();
            dropped += 1;
        }
        let sample = Arc::new(sample);
        let of_device = self.devices.entry(sample.device.clone()).or_default();
        of_device.insert((sample.session, sample.seq), sample.clone());
        self.arrived.push_back((now, bytes, sample));
        self.bytes += bytes;
        match dropped {
            0 => Pushed::Kept,
            _ => Pushed::KeptForOlder(dropped),
        }
    }

    /// What a sample takes in memory. Its names count with the first sample that has them.
    fn bytes_of(&self, sample: &NewSample) -> usize {
        let of_device = self.devices.get(&sample.device);
        let before = of_device.and_then(|samples| samples.values().next_back());
        let is_shared = before.is_some_and(|before| Arc::ptr_eq(&before.layout, &sample.layout));
        let names = if is_shared { 0 } else { sample.layout.bytes() };
        SAMPLE_BYTES + size_of_val(&*sample.values) + names
    }

    fn forget(&mut self, before: Duration) {
        while self.arrived.front().is_some_and(|(at, ..)| *at < before) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let Some((_, bytes, sample)) = self.arrived.pop_front() else {
            return;
        };
        self.bytes -= bytes;
        let Some(of_device) = self.devices.get_mut(&sample.device) else {
            return;
        };
        of_device.remove(&(sample.session, sample.seq));
        if of_device.is_empty() {
            self.devices.remove(&sample.device);
        }
    }
}

#[cfg(test)]
mod tests {
    use netmonitor_protocol::payload::{Cpu, Memory, Metrics};
    use netmonitor_store::history::Layouts;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn second(second: u64) -> Duration {
        Duration::from_secs(1_000 + second)
    }

    fn sample(device: &str, seq: u64) -> NewSample {
        let taken = at(i64::try_from(seq).unwrap());
        let metrics = Metrics {
            uptime_secs: 1,
            cpu: Cpu {
                usage_percent: 5.0,
                ..Cpu::default()
            },
            memory: Memory {
                total_bytes: 100,
                used_bytes: 50,
                ..Memory::default()
            },
            ..Metrics::blank(SessionId(1), seq, taken)
        };
        let device = device.parse().unwrap();
        NewSample::new(device, taken, &metrics, &mut Layouts::default())
    }

    fn samples(samples: usize) -> Limit {
        let bytes = usize::MAX;
        Limit { samples, bytes }
    }

    fn ingest(state: ServiceState, commit_interval_ms: u64) -> ServiceHealth {
        ServiceHealth {
            state,
            reason: None,
            since: at(0),
            version: "1".to_owned(),
            commit_interval_ms: Some(commit_interval_ms),
            counters: BTreeMap::new(),
        }
    }

    fn seqs(recent: &Recent, device: &str) -> Vec<u64> {
        let samples = recent.of(&device.parse().unwrap(), at(-1_000_000), at(1_000_000));
        samples.iter().map(|sample| sample.seq).collect()
    }

    #[test]
    fn samples_are_found_by_device_and_time_and_each_once() {
        let mut recent = Recent::default();
        for seq in [10, 300, 310] {
            recent.push(sample("ws", seq), Way::Live, second(seq));
        }
        recent.push(sample("nas", 300), Way::Live, second(300));
        // Sent again, because its acknowledgement was lost.
        let again = recent.push(sample("ws", 300), Way::Backfill, second(311));
        assert_eq!(again, Pushed::Known);
        recent.push(sample("ws", 5), Way::Backfill, second(311));
        recent.push(sample("ws", 5), Way::Backfill, second(311));
        assert_eq!(seqs(&recent, "ws"), [10, 300, 310, 5]);
        let ws = "ws".parse().unwrap();
        let asked = recent.of(&ws, at(305), at(320));
        // The one before as well, for the rates.
        assert_eq!(
            asked.iter().map(|it| it.seq).collect::<Vec<_>>(),
            [300, 310]
        );
        assert_eq!(seqs(&recent, "nobody"), [] as [u64; 0]);
    }

    #[test]
    fn what_ingest_has_had_for_several_commits_is_forgotten() {
        let mut recent = Recent::default();
        recent.ingest_is(Some(&ingest(ServiceState::Running, 100_000)), second(0));
        for seq in [0, 100, 290, 310] {
            recent.push(sample("ws", seq), Way::Live, second(seq));
        }
        assert_eq!(seqs(&recent, "ws"), [100, 290, 310]);
        recent.forget(second(401));
        assert_eq!(seqs(&recent, "ws"), [290, 310]);
        recent.forget(second(10_000));
        assert_eq!((recent.len(), recent.live.devices.len()), (0, 0));
    }

    #[test]
    fn a_quick_ingest_is_waited_for_three_minutes_all_the_same() {
        let mut recent = Recent::default();
        recent.ingest_is(Some(&ingest(ServiceState::Running, 200)), second(0));
        recent.push(sample("ws", 1000), Way::Live, second(1000));
        recent.forget(second(1180));
        assert_eq!(recent.len(), 1);
        recent.forget(second(1181));
        assert_eq!(recent.len(), 0);
    }

    #[test]
    fn nothing_is_forgotten_while_ingest_is_away_nor_before_it_has_made_up_for_that() {
        let running = ingest(ServiceState::Running, 60_000);
        for away in [
            Some(ingest(ServiceState::Degraded, 60_000)),
            Some(ingest(ServiceState::Stopped, 60_000)),
            None,
        ] {
            let mut recent = Recent::default();
            recent.ingest_is(Some(&running), second(0));
            recent.ingest_is(away.as_ref(), second(1000));
            recent.push(sample("ws", 1010), Way::Live, second(1010));
            recent.push(sample("ws", 3000), Way::Live, second(3000));
            recent.ingest_is(Some(&running), second(3010));
            recent.ingest_is(Some(&running), second(3040));
            recent.forget(second(3189));
            assert_eq!(seqs(&recent, "ws"), [1010, 3000]);
            recent.forget(second(3190));
            assert_eq!(recent.len(), 0);
        }
    }

    #[test]
    fn when_there_are_too_many_the_oldest_go_and_are_counted() {
        let mut recent = Recent {
            live: Part::new(samples(3)),
            filled: Part::new(samples(2)),
            ..Recent::default()
        };
        let (kept, older) = (Pushed::Kept, Pushed::KeptForOlder(1));
        let live = (100..105).map(|seq| recent.push(sample("ws", seq), Way::Live, second(seq)));
        assert_eq!(live.collect::<Vec<_>>(), [kept, kept, kept, older, older]);
        // What is made up for pushes out nothing that was just taken.
        let filled = (0..5).map(|seq| recent.push(sample("ws", seq), Way::Backfill, second(200)));
        assert_eq!(
            filled.collect::<Vec<_>>(),
            [kept, kept, older, older, older]
        );
        assert_eq!(seqs(&recent, "ws"), [102, 103, 104, 3, 4]);
        assert_eq!(recent.filled.devices.len(), 1);
    }
    #[test]
    fn samples_that_take_much_memory_are_fewer() {
        let mut recent = Recent {
            live: Part::new(Limit {
                samples: 1000,
                bytes: 105_000,
            }),
            ..Recent::default()
        };
        let mut large = |seq: u64| {
            let mut sample = sample("ws", seq);
            sample.values = vec![1; 1000].into();
            recent.push(sample, Way::Live, second(seq))
        };
        assert!((0..12).all(|seq| large(seq) == Pushed::Kept));
        assert_eq!(large(12), Pushed::KeptForOlder(1));
        assert_eq!(recent.len(), 12);
        // One that is larger than all may be is here alone.
        let mut largest = sample("ws", 13);
        largest.values = vec![1; 100_000].into();
        let pushed = recent.push(largest, Way::Live, second(13));
        assert_eq!(pushed, Pushed::KeptForOlder(12));
        assert_eq!(seqs(&recent, "ws"), [13]);
        recent.push(sample("ws", 14), Way::Live, second(14));
        assert_eq!(seqs(&recent, "ws"), [14]);
    }
}
