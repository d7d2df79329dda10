use jiff::SignedDuration;
use netmonitor_protocol::payload::{Metrics, Temperature};
use netmonitor_service::clock::TimeSource;
use netmonitor_service::{Secret, mqtt};

use super::*;
use crate::batch::tests::metrics;

const SECOND: Duration = Duration::from_secs(1);

/// What the loop does, by clocks that are set here.
struct Story {
    _folder: tempfile::TempDir,
    work: Work,
    boot: Instant,
    seq: u64,
}

impl Story {
    /// Begins at this moment, on a machine that has just started.
    fn begin(now: impl FnOnce(Instant) -> Now) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let boot = Instant::now();
        let ingest = Ingest::open(Config::default(), &folder.path().join("monitor.db")).unwrap();
        Self {
            work: Work::new(ingest, Counters::default(), now(boot)),
            _folder: folder,
            boot,
            seq: 0,
        }
    }

    fn sample(&mut self) -> Metrics {
        self.seq += 1;
        Metrics {
            seq: self.seq,
            ..metrics()
        }
    }

    fn hear_sample(&mut self, now: Now) {
        let sample = self.sample();
        self.hear(sample, now);
    }

    fn hear(&mut self, sample: Metrics, now: Now) {
        let message = Message::DeviceMetrics("ws-14".parse().unwrap(), Box::new(sample));
        let mut outage = Outage::default();
        self.work.hear(Event::Message(message), &mut outage, now);
    }

    /// What waits, at its times.
    fn waiting(&mut self) -> Vec<Timestamp> {
        let entries = self.work.intake.batch.take();
        entries.samples().iter().map(|sample| sample.at).collect()
    }

    /// Lets the thread end what it does, and says what that was.
    async fn done(&mut self, outbox: &Outbox) -> Option<&'static str> {
        let done = self.work.writing.done().await?.unwrap();
        let kind = match &done {
            Done::Commit(..) => "commit",
            Done::Tend(_) => "tend",
            Done::Remove(..) => "remove",
        };
        self.work.settle(done, outbox);
        Some(kind)
    }
}

/// There is no broker.
fn nobody_listens() -> Outbox {
    let dial = Dial::Fixed {
        endpoints: Vec::new(),
        user: String::new(),
        password: Secret::new(String::new()),
    };
    let (publisher, ..) = mqtt::client(mqtt::Options::new("ingest", dial));
    Outbox::start(&publisher, &Counters::default())
}

fn today() -> Timestamp {
    "2027-05-01T10:00:00Z".parse().unwrap()
}

/// So many seconds after the boot, by a clock that showed this at the boot.
fn after(seconds: u64, boot: Instant, shown: Timestamp) -> Now {
    let since_boot = SECOND * u32::try_from(seconds).unwrap();
    Now {
        moment: Moment {
            wall: shown + since_boot,
            since_boot,
        },
        instant: boot + since_boot,
    }
}

#[tokio::test]
async fn a_sample_that_is_heard_just_after_the_clock_was_set_is_where_it_belongs() {
    let mut story = Story::begin(|boot| after(5, boot, Timestamp::UNIX_EPOCH));
    let boot = story.boot;
    story.hear_sample(after(6, boot, Timestamp::UNIX_EPOCH));
    story.work.go_on(after(7, boot, Timestamp::UNIX_EPOCH));
    story.hear_sample(after(8, boot, Timestamp::UNIX_EPOCH));
    story.hear_sample(after(9, boot, today()));
    story.work.go_on(after(10, boot, today()));
    let seconds = [6, 8, 9].map(|second| today() + SignedDuration::from_secs(second));
    assert_eq!(story.waiting(), seconds);
    assert!(story.work.is_clock_set);
}

#[tokio::test]
async fn however_long_commits_take_the_history_is_looked_after_between_them() {
    let mut story = Story::begin(|boot| after(5, boot, today()));
    let (boot, outbox) = (story.boot, nobody_listens());
    story.work.trust = ClockTrust::new(Duration::ZERO, None, after(5, boot, today()).moment);
    let mut done = Vec::new();
    // Whenever something ends the next commit has been due for a while.
    for minute in 0..20 {
        let now = after(60 + minute * 60, boot, today());
        story.hear_sample(now);
        story.work.go_on(after(122 + minute * 60, boot, today()));
        done.extend(story.done(&outbox).await);
    }
    let commits = done.iter().filter(|done| **done == "commit").count();
    assert!(commits >= 9, "{done:?}");
    let in_a_row = done.windows(2).filter(|two| *two == ["commit"; 2]);
    assert_eq!(in_a_row.count(), 0, "{done:?}");
}

#[tokio::test]
async fn a_clock_that_was_moved_is_certain_an_hour_after_that() {
    let mut story = Story::begin(|boot| after(5, boot, today()));
    let boot = story.boot;
    let year = SignedDuration::from_hours(366 * 24);
    let nobody_tells = || TimeSource {
        rtc: None,
        is_synchronised: false,
    };
    let mut is_certain = |seconds, shown| {
        let now = after(seconds, boot, shown).moment;
        story.work.look_at_clock(now);
        story.work.trust.is_certain(now, nobody_tells)
    };
    assert!(!is_certain(500, today() + year));
    assert!(!is_certain(5000, today()), "it was moved");
    assert!(!is_certain(8599, today()));
    assert!(is_certain(8601, today()));
}

#[tokio::test]
async fn what_no_agent_says_is_passed_over_and_counted() {
    let mut story = Story::begin(|boot| after(5, boot, today()));
    let now = after(6, story.boot, today());
    for seq in [u64::MAX, i64::MAX as u64 + 1, i64::MAX as u64] {
        let sample = story.sample();
        story.hear(Metrics { seq, ..sample }, now);
    }
    let mut many = story.sample();
    let sensor = |number: u32| Temperature {
        sensor: number.to_string(),
        celsius: 20.0,
        critical_celsius: None,
    };
    many.temperatures = (0..5000).map(sensor).collect();
    story.hear(many, now);
    assert_eq!(story.waiting().len(), 2);
    let counted = story.work.counters.snapshot();
    assert_eq!(counted["messages_not_understood"], 2);
    assert_eq!(counted["numbers_left_out"], 5002 - 1024);
}
