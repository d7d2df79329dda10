//! How long the history is kept is what an admin has said, and nothing goes before that is known.

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use netmonitor_protocol::payload::{Event, EventKind, HistoryCommand, HistorySettings, Severity};
use netmonitor_protocol::{Message, Section, Topic};
use netmonitor_service::clock;
use netmonitor_store::history::{EventFilter, Layouts, NewSample, Retention, Tended};
use netmonitor_store::{HistoryReader, HistoryWriter};

use crate::support::{Agent, Site, sample, stored_between, until};

/// A device whose samples are older than is kept by default.
struct Old {
    from: Timestamp,
    to: Timestamp,
}

impl Old {
    /// Stores them, sealed and merged.
    fn stored_in(history: &Path) -> Self {
        let mut writer = HistoryWriter::open(history).unwrap();
        let (now, mut layouts) = (clock::now(), Layouts::default());
        let from = now - SignedDuration::from_hours(100 * 24);
        let mut to = from;
        let mut samples = Vec::new();
        for seq in 0..100 {
            let metrics = sample(seq, Duration::ZERO);
            let device = "old".parse().unwrap();
            samples.push(NewSample::new(device, to, &metrics, &mut layouts));
            to += SignedDuration::from_secs(1);
        }
        writer.commit(&samples, &[]).unwrap();
        while writer.tend(now, Retention::Nothing).unwrap() == Tended::More {}
        Self { from, to }
    }

    fn are_in(&self, site: &Site) -> bool {
        stored_between(&site.history(), "old", self.from, self.to).len() == 100
    }
}

fn keep(sample_days: u32) -> Message {
    Message::HistorySettings(HistorySettings {
        sample_days,
        ..HistorySettings::default()
    })
}

/// After each commit the history is looked after before the next one.
async fn commits(agent: &mut Agent, seqs: std::ops::Range<u64>) {
    for seq in seqs {
        agent.live(sample(seq, Duration::ZERO)).await;
        agent.ack().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_start_of_ingest_forgets_what_an_admin_wants_to_keep() {
    let mut site = Site::start().await;
    let old = Old::stored_in(&site.history());
    assert!(old.are_in(&site));
    let admin = site.client("admin", "netmonitor/v1/event").await;
    admin.publish(keep(365)).await;
    for round in 0..3 {
        let ingest = site.ingest(0.2).await;
        commits(&mut site.agent("ws-14").await, round * 10..round * 10 + 3).await;
        assert!(old.are_in(&site), "start {round}");
        ingest.kill().await;
    }

    // The broker comes later, and knows no settings.
    let ingest = site.ingest_before_the_broker(0.2).await;
    let mut agent = site.agent("ws-14").await;
    commits(&mut agent, 50..53).await;
    assert!(old.are_in(&site));
    let admin = site.client("the new admin", "netmonitor/v1/event").await;
    admin.publish(keep(365)).await;
    admin
        .publish(Message::Cleared(Topic::Settings(Section::History)))
        .await;
    commits(&mut agent, 60..65).await;
    assert!(old.are_in(&site));

    // What is to go goes.
    admin.publish(keep(90)).await;
    let mut seqs = 70..170;
    while old.are_in(&site) {
        let seq = seqs.next().expect("they go within a hundred commits");
        commits(&mut agent, seq..seq + 1).await;
    }
    assert!(site.stored("ws-14").len() > 17);
    ingest.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_the_log_are_removed_when_somebody_asks_and_the_log_says_who() {
    let site = Site::start().await;
    let ingest = site.ingest(0.2).await;
    let mut admin = site.client("admin", "netmonitor/v1/event").await;
    let (now, hour) = (clock::now(), SignedDuration::from_hours(1));
    for time in [now - hour * 2, now - hour] {
        let line = Event::new(time, EventKind::LoggedIn, Severity::Info, []);
        admin.publish(Message::Event(line)).await;
    }
    let reader = HistoryReader::new(&site.history());
    let stored = || {
        let filter = EventFilter {
            kinds: vec!["logged_in".to_owned()],
            limit: 9,
            ..EventFilter::default()
        };
        reader.events(&filter).unwrap()
    };
    until("both lines are stored", || stored().len() == 2).await;
    let command = HistoryCommand {
        id: "c0ffee".to_owned(),
        remove_events_before: now - hour,
        by: Some("ada".to_owned()),
    };
    admin.publish(Message::HistoryCommand(command)).await;
    let said = loop {
        match admin.message().await {
            Message::Event(event) if event.kind == EventKind::EventsRemoved => break event,
            _ => {}
        }
    };
    assert_eq!(said.actor.as_deref(), Some("ada"));
    assert_eq!(said.parameters["lines"], "1");
    assert_eq!(said.parameters["command"], "c0ffee");
    let left = stored();
    assert_eq!((left.len(), left[0].event.time), (1, now - hour));
    ingest.stop().await;
}
