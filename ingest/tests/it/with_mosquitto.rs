//! Samples over a real broker (Debian's mosquitto).

mod full_disk;
mod retention;
mod storm;

use std::time::Duration;

use netmonitor_protocol::Message;
use netmonitor_protocol::payload::{Event, EventKind, Severity, Temperature};
use netmonitor_service::clock;

use crate::support::{SESSION, Site, sample, until};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_is_acknowledged_when_it_is_on_disk() {
    let site = Site::start().await;
    let ingest = site.ingest(0.2).await;
    let mut agent = site.agent("ws-14").await;
    for seq in 1..=3 {
        agent.live(sample(seq, Duration::ZERO)).await;
        let (ack, _) = agent.ack().await;
        assert_eq!((ack.session, ack.ranges), (SESSION, vec![(seq, seq)]));
        assert_eq!(site.stored("ws-14").len() as u64, seq);
    }
    ingest.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn live_samples_wait_for_the_interval_and_backfill_and_events_for_a_second() {
    let site = Site::start().await;
    let ingest = site.ingest(60.0).await;
    let (mut steady, mut back) = (site.agent("steady").await, site.agent("back").await);
    steady.live(sample(1, Duration::ZERO)).await;
    let old = (1..=100).map(|seq| sample(seq, SECOND * (200 - u32::try_from(seq).unwrap())));
    back.backfill(1, old.collect()).await;
    let (ack, took) = back.ack().await;
    assert_eq!(ack.ranges, [(1, 100)]);
    assert!(took < MINUTE / 2, "{took:?}");
    // The others are committed with it: it is one sync.
    assert_eq!(steady.ack().await.0.ranges, [(1, 1)]);

    steady.live(sample(2, Duration::ZERO)).await;
    let line = Event::new(clock::now(), EventKind::LoggedIn, Severity::Info, []);
    ingest.watcher.publish(Message::Event(line)).await;
    let (ack, took) = steady.ack().await;
    assert_eq!(ack.ranges, [(2, 2)]);
    assert!(took < MINUTE / 2, "{took:?}");
    ingest.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_that_comes_again_is_stored_once_and_acknowledged_each_time() {
    let site = Site::start().await;
    let ingest = site.ingest(0.2).await;
    let mut agent = site.agent("ws-14").await;
    agent.live(sample(1, Duration::ZERO)).await;
    assert_eq!(agent.ack().await.0.ranges, [(1, 1)]);
    // Twice in one batch, and once more than before.
    let again = || (1..=3).map(|seq| sample(seq, SECOND)).collect::<Vec<_>>();
    agent.backfill(1, [again(), again()].concat()).await;
    assert_eq!(agent.ack().await.0.ranges, [(1, 3)]);
    assert_eq!(site.stored("ws-14").len(), 3);

    ingest.kill().await;
    let ingest = site.ingest(0.2).await;
    agent.backfill(1, again()).await;
    assert_eq!(agent.ack().await.0.ranges, [(1, 3)]);
    assert_eq!(site.stored("ws-14").len(), 3);
    ingest.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_committed_when_ingest_died_is_not_acknowledged_and_comes_again() {
    let site = Site::start().await;
    let ingest = site.ingest(60.0).await;
    let mut agent = site.agent("ws-14").await;
    agent.live(sample(1, Duration::ZERO)).await;
    ingest.kill().await;
    assert_eq!(site.stored("ws-14").len(), 0);

    let ingest = site.ingest(60.0).await;
    agent
        .backfill(1, vec![sample(1, SECOND), sample(2, Duration::ZERO)])
        .await;
    assert_eq!(agent.ack().await.0.ranges, [(1, 2)]);
    assert_eq!(site.stored("ws-14").len(), 2);
    ingest.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_stop_commits_and_acknowledges_what_waits() {
    let site = Site::start().await;
    let ingest = site.ingest(60.0).await;
    let mut agent = site.agent("ws-14").await;
    // The last ones may still be on their way to ingest, the first ones are not.
    for seq in 1..=100 {
        agent.live(sample(seq, Duration::ZERO)).await;
    }
    ingest.stop().await;
    let (ack, _) = agent.ack().await;
    let [(1, last)] = ack.ranges[..] else {
        panic!("{ack:?}")
    };
    assert!(site.stored("ws-14").len() as u64 >= last);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retained_sample_is_passed_over_since_nobody_knows_how_old_it_is() {
    let site = Site::start().await;
    let mut agent = site.agent("ws-14").await;
    agent.live(sample(1, Duration::ZERO)).await;
    let ingest = site.ingest(0.2).await;
    agent.live(sample(2, Duration::ZERO)).await;
    assert_eq!(agent.ack().await.0.ranges, [(2, 2)]);
    agent.backfill(1, vec![sample(1, MINUTE)]).await;
    assert_eq!(agent.ack().await.0.ranges, [(1, 1)]);
    let times = site.stored("ws-14");
    let apart = times[1] - times[0];
    assert!((55_000..65_000).contains(&apart), "{times:?}");
    ingest.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_that_waited_are_placed_where_they_were_taken() {
    let site = Site::start().await;
    let ingest = site.ingest(0.2).await;
    let mut agent = site.agent("ws-14").await;
    let began = clock::now().as_millisecond();
    agent.live(sample(100, Duration::ZERO)).await;
    let old = (1..=60).map(|seq| sample(seq, SECOND * (3600 - 60 * u32::try_from(seq).unwrap())));
    agent.backfill(1, old.collect()).await;
    until("all are stored", || site.stored("ws-14").len() == 61).await;
    let times = site.stored("ws-14");
    for (minute, time) in (1..60).zip(times) {
        let expected = began - (60 - minute) * 60_000;
        assert!(
            (time - expected).abs() < 5_000,
            "{minute}: {}",
            time - expected
        );
    }
    ingest.stop().await;
    let _last = agent.ack().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lost_for_good_is_said_once() {
    let site = Site::start().await;
    let ingest = site.ingest(0.2).await;
    let mut log = site.client("log", "netmonitor/v1/event").await;
    let mut agent = site.agent("ws-14").await;
    let kept = |from: u64| {
        (from..=20)
            .map(|seq| sample(seq, SECOND))
            .collect::<Vec<_>>()
    };
    agent.backfill(1, vec![sample(1, SECOND)]).await;
    assert_eq!(agent.ack().await.0.ranges, [(1, 1)]);
    agent.backfill(11, kept(11)).await;
    assert_eq!(agent.ack().await.0.ranges, [(11, 20)]);
    agent.backfill(11, kept(15)).await;
    assert_eq!(agent.ack().await.0.ranges, [(15, 20)]);
    // Another line ends the wait for those that must not come.
    let end = Event::new(clock::now(), EventKind::LoggedOut, Severity::Info, []);
    ingest.watcher.publish(Message::Event(end)).await;
    let mut lost = Vec::new();
    loop {
        match log.message().await {
            Message::Event(event) if event.kind == EventKind::LoggedOut => break,
            Message::Event(event) if event.kind == EventKind::SamplesLost => lost.push(event),
            _ => {}
        }
    }
    let [event] = &lost[..] else {
        panic!("{lost:?}")
    };
    assert_eq!(event.device, Some("ws-14".parse().unwrap()));
    assert_eq!(event.parameters["samples"], "9");
    ingest.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_no_agent_has_harm_nobody() {
    let site = Site::start().await;
    let ingest = site.ingest(0.2).await;
    let mut log = site.client("log", "netmonitor/v1/event").await;
    let mut agent = site.agent("ws-14").await;
    for seq in [u64::MAX - 1, u64::MAX, i64::MAX as u64 + 1] {
        agent.live(sample(seq, Duration::ZERO)).await;
    }
    let mut many = sample(1, Duration::ZERO);
    many.temperatures = (0..5000)
        .map(|number| Temperature {
            sensor: number.to_string(),
            celsius: 20.0,
            critical_celsius: None,
        })
        .collect();
    many.oldest_seq = Some(u64::MAX);
    agent.live(many).await;
    agent.live(sample(2, Duration::ZERO)).await;
    let mut acknowledged = 0;
    while acknowledged < 2 {
        let ranges = agent.ack().await.0.ranges;
        acknowledged = ranges.last().unwrap().1;
    }
    assert_eq!(site.stored("ws-14").len(), 2);
    // Nothing is lost: the first line of the log is this.
    let line = Event::new(clock::now(), EventKind::LoggedIn, Severity::Info, []);
    ingest.watcher.publish(Message::Event(line)).await;
    let Message::Event(first) = log.message().await else {
        panic!("a line")
    };
    assert_eq!(first.kind, EventKind::LoggedIn);
    ingest.stop().await;
}
