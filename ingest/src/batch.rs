//! What waits for the next commit.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::SignedDuration;
use netmonitor_protocol::payload::Event;
use netmonitor_protocol::{DeviceId, SessionId};
use netmonitor_store::history::{NewSample, Way};

/// What samples may take in memory, those in the commit under way included: about 80,000 of 20
/// numbers each. When it is full the newest are refused: they are not acknowledged, so their
/// agents keep them and send them again.
const MAX_BYTES: usize = 24 * 1024 * 1024;

/// Backfill is refused from here on, so that it never takes the room of what is live.
const MAX_BYTES_WITH_BACKFILL: usize = MAX_BYTES / 4 * 3;

/// So much is committed without waiting for more.
const LARGE_BYTES: usize = MAX_BYTES / 4;

/// Events that may wait. When it is full the newest are refused.
const MAX_EVENTS: usize = 10_000;

/// What became of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It waits for the next commit.
    Waits,
    /// It waits already, or is being committed: it was sent again.
    Twice,
    /// There is no room.
    Refused,
}

/// Samples and events in the order in which they came, bounded.
#[derive(Debug, Default)]
pub struct Batch {
    waiting: Entries,
    contents: Contents,
    /// What the entries that are being committed are and take.
    out: Contents,
    /// How far the hub's clock was moved since they were taken out.
    out_shift: SignedDuration,
}

/// What is committed together.
#[derive(Debug, Default)]
pub struct Entries {
    samples: Vec<NewSample>,
    events: Vec<Event>,
}

/// Which samples, and how much.
#[derive(Debug, Default)]
struct Contents {
    numbers: HashMap<(DeviceId, SessionId), HashSet<u64>>,
    /// Where the layouts of the samples are: each takes its room once.
    layouts: HashSet<usize>,
    bytes: usize,
    events: usize,
}

impl Contents {
    fn has(&self, of_session: &(DeviceId, SessionId), seq: u64) -> bool {
        let numbers = self.numbers.get(of_session);
        numbers.is_some_and(|numbers| numbers.contains(&seq))
    }
}

impl Batch {
    /// Adds a sample, if there is room and it is not there already.
    pub fn push_sample(&mut self, sample: NewSample, way: Way) -> Taken {
        let of_session = (sample.device.clone(), sample.session);
        if self.out.has(&of_session, sample.seq) {
            return Taken::Twice;
        }
        let layout = Arc::as_ptr(&sample.layout).addr();
        let mut bytes = bytes(&sample);
        if !self.contents.layouts.contains(&layout) {
            bytes += sample.layout.bytes();
        }
        let room = match way {
            Way::Live => MAX_BYTES,
            Way::Backfill => MAX_BYTES_WITH_BACKFILL,
        };
        let contents = &mut self.contents;
        if self.out.bytes + contents.bytes + bytes > room {
            return if contents.has(&of_session, sample.seq) {
                Taken::Twice
            } else {
                Taken::Refused
            };
        }
        let numbers = contents.numbers.entry(of_session).or_default();
        if !numbers.insert(sample.seq) {
            return Taken::Twice;
        }
        contents.bytes += bytes;
        contents.layouts.insert(layout);
        self.waiting.samples.push(sample);
        Taken::Waits
    }

    /// Adds an event. False if there is no room.
    pub fn push_event(&mut self, event: Event) -> bool {
        let has_room = self.out.events + self.contents.events < MAX_EVENTS;
        if has_room {
            self.contents.events += 1;
            self.waiting.events.push(event);
        }
        has_room
    }

    /// All that waits, to be committed. Its room is not free before it is [`Self::settled`] or
    /// [`Self::put_back`].
    pub fn take(&mut self) -> Entries {
        self.out = std::mem::take(&mut self.contents);
        self.out_shift = SignedDuration::ZERO;
        std::mem::take(&mut self.waiting)
    }

    /// What was taken out is on disk.
    pub fn settled(&mut self) {
        self.out = Contents::default();
    }

    /// What was taken out could not be committed: it comes first again.
    pub fn put_back(&mut self, mut older: Entries) {
        older.shift(self.out_shift);
        let mut newer = std::mem::replace(&mut self.waiting, older);
        self.waiting.samples.append(&mut newer.samples);
        self.waiting.events.append(&mut newer.events);
        let newer = std::mem::replace(&mut self.contents, std::mem::take(&mut self.out));
        let contents = &mut self.contents;
        contents.bytes += newer.bytes;
        contents.events += newer.events;
        contents.layouts.extend(newer.layouts);
        for (of_session, numbers) in newer.numbers {
            contents
                .numbers
                .entry(of_session)
                .or_default()
                .extend(numbers);
        }
    }

    /// The hub's clock was moved: what waits was dated by the old one.
    pub fn shift(&mut self, by: SignedDuration) {
        self.waiting.shift(by);
        self.out_shift = self.out_shift.saturating_add(by);
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.samples.is_empty() && self.waiting.events.is_empty()
    }

    /// Whether it is time to make room.
    pub fn is_large(&self) -> bool {
        self.contents.bytes >= LARGE_BYTES || self.contents.events >= MAX_EVENTS / 4
    }
}

impl Entries {
    /// In the order in which they came.
    pub fn samples(&self) -> &[NewSample] {
        &self.samples
    }

    /// In the order in which they came.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// What cannot be moved stays where it is: nothing is that far away.
    fn shift(&mut self, by: SignedDuration) {
        let samples = self.samples.iter_mut().map(|sample| &mut sample.at);
        let events = self.events.iter_mut().map(|event| &mut event.time);
        for time in samples.chain(events) {
            *time = time.checked_add(by).unwrap_or(*time);
        }
    }
}

/// What a sample takes in memory, roughly: itself, its numbers, its device's name. Not its layout,
/// which others have as well.
fn bytes(sample: &NewSample) -> usize {
    size_of::<NewSample>() + size_of_val(&*sample.values) + 48
}

#[cfg(test)]
pub(crate) mod tests {
    use jiff::Timestamp;
    use netmonitor_protocol::payload::{Cpu, EventKind, Memory, Metrics, Severity, Temperature};
    use netmonitor_store::history::Layouts;

    use super::*;

    const AT: Timestamp = Timestamp::UNIX_EPOCH;
    const HOUR: SignedDuration = SignedDuration::from_hours(1);

    fn event(number: usize) -> Event {
        let parameters = [("number", number.to_string())];
        Event::new(AT, EventKind::LoggedIn, Severity::Info, parameters)
    }

    pub(crate) fn metrics() -> Metrics {
        Metrics {
            uptime_secs: 1,
            cpu: Cpu {
                usage_percent: 1.0,
                ..Cpu::default()
            },
            memory: Memory {
                total_bytes: 1,
                used_bytes: 1,
                ..Memory::default()
            },
            ..Metrics::blank(SessionId(0xc0ff_ee00), 1, AT)
        }
    }

    fn sample(seq: u64) -> NewSample {
        let device = "ws-14".parse().unwrap();
        let sample = NewSample::new(device, AT, &metrics(), &mut Layouts::default());
        NewSample { seq, ..sample }
    }

    fn numbers(entries: &Entries) -> Vec<u64> {
        entries.samples().iter().map(|sample| sample.seq).collect()
    }

    #[test]
    fn what_could_not_be_committed_comes_first_again() {
        let mut batch = Batch::default();
        batch.push_sample(sample(1), Way::Live);
        batch.push_event(event(1));
        let failed = batch.take();
        batch.push_sample(sample(2), Way::Live);
        batch.push_event(event(2));
        batch.put_back(failed);
        let entries = batch.take();
        assert_eq!(numbers(&entries), [1, 2]);
        assert_eq!(entries.events(), [event(1), event(2)]);
    }

    #[test]
    fn a_sample_that_is_sent_again_waits_once() {
        let mut batch = Batch::default();
        let push = |batch: &mut Batch| batch.push_sample(sample(1), Way::Backfill);
        assert_eq!(push(&mut batch), Taken::Waits);
        assert_eq!(push(&mut batch), Taken::Twice);
        let entries = batch.take();
        assert_eq!(push(&mut batch), Taken::Twice, "it is being committed");
        batch.put_back(entries);
        assert_eq!(push(&mut batch), Taken::Twice);
        let entries = batch.take();
        assert_eq!(numbers(&entries), [1]);
        batch.settled();
        assert_eq!(push(&mut batch), Taken::Waits, "its ack may be lost");
    }

    #[test]
    fn the_newest_are_refused_when_the_database_is_away_for_long_and_live_ones_last() {
        let mut batch = Batch::default();
        let (one, mut seqs) = (sample(0), 1..1_000_000);
        let mut fill = |batch: &mut Batch, way| {
            let samples = seqs.by_ref().map(|seq| NewSample { seq, ..one.clone() });
            let taken = samples.map(|sample| batch.push_sample(sample, way));
            taken.take_while(|taken| *taken == Taken::Waits).count()
        };
        let backfill = fill(&mut batch, Way::Backfill);
        let live = fill(&mut batch, Way::Live);
        assert!(backfill > 2 * live && live > 1000, "{backfill}, {live}");
        assert!(batch.is_large());
        // Those under way take their room as long as they are.
        let entries = batch.take();
        assert_eq!(fill(&mut batch, Way::Live), 0);
        batch.put_back(entries);
        assert_eq!(fill(&mut batch, Way::Live), 0);
        batch.take();
        batch.settled();
        assert_eq!(fill(&mut batch, Way::Backfill), backfill);
    }

    #[test]
    fn names_that_each_sample_has_for_itself_take_their_room() {
        let (mut batch, mut layouts) = (Batch::default(), Layouts::default());
        let mut names = 0;
        for seq in 0..100_000 {
            let mut metrics = metrics();
            metrics.temperatures = (0..500)
                .map(|sensor| Temperature {
                    sensor: format!("{seq}-{sensor}"),
                    celsius: 1.0,
                    ..Temperature::default()
                })
                .collect();
            // Of one device there would be too many.
            let device = format!("ws-{seq}").parse().unwrap();
            let sample = NewSample::new(device, AT, &metrics, &mut layouts);
            let bytes = sample.layout.bytes();
            match batch.push_sample(NewSample { seq, ..sample }, Way::Live) {
                Taken::Refused => break,
                _ => names += bytes,
            }
        }
        assert!((MAX_BYTES / 2..MAX_BYTES).contains(&names), "{names}");
    }

    #[test]
    fn events_are_refused_when_there_are_too_many() {
        let mut batch = Batch::default();
        let taken = (0..25_000).filter(|number| batch.push_event(event(*number)));
        assert_eq!(taken.count(), MAX_EVENTS);
        let entries = batch.take();
        assert_eq!(entries.events()[0], event(0));
        assert!(!batch.push_event(event(0)), "those under way count");
    }

    #[test]
    fn what_waits_follows_the_hubs_clock_and_so_does_what_comes_back() {
        let mut batch = Batch::default();
        batch.push_sample(sample(1), Way::Live);
        batch.push_event(event(1));
        batch.shift(HOUR);
        let out = batch.take();
        assert_eq!(out.samples()[0].at, AT + HOUR);
        assert_eq!(out.events()[0].time, AT + HOUR);
        batch.push_sample(sample(2), Way::Live);
        batch.shift(HOUR);
        batch.put_back(out);
        let entries = batch.take();
        assert_eq!(entries.samples()[0].at, AT + HOUR + HOUR);
        assert_eq!(entries.samples()[1].at, AT + HOUR);
    }
}
