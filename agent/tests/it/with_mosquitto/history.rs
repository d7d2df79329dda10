//! No sample is forgotten before ingest has acknowledged it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use netmonitor_protocol::payload::{Ack, Backfill, Metrics, ServiceHealth, ServiceState, Status};
use netmonitor_protocol::{Message, ServiceName, SessionId};
use nix::sys::signal::Signal;

use super::hub::Hub;
use super::{Joined, join};
use crate::program::{Running, output, until, until_within};

/// What stands for ingest.
#[derive(Default)]
struct Ingest {
    /// How often it has started.
    starts: i64,
    stored: BTreeMap<SessionId, BTreeSet<u64>>,
}

impl Ingest {
    /// Says that it runs, after a start.
    async fn start(&mut self, hub: &Hub) {
        self.starts += 1;
        let health = ServiceHealth {
            state: ServiceState::Running,
            since: Timestamp::from_second(self.starts).unwrap(),
            version: "1".to_owned(),
            reason: None,
            commit_interval_ms: Some(1000),
            counters: BTreeMap::new(),
        };
        hub.say(Message::HubService(ServiceName::Ingest, health))
            .await;
    }

    /// Stores samples and acknowledges them.
    async fn store(&mut self, hub: &Hub, session: SessionId, numbers: &[u64]) {
        let stored = self.stored.entry(session).or_default();
        stored.extend(numbers);
        let ranges = numbers.iter().map(|seq| (*seq, *seq)).collect();
        let ack = Ack { session, ranges };
        hub.say(Message::DeviceAck("ws-14".parse().unwrap(), ack))
            .await;
    }
}

async fn next_backfill(hub: &mut Hub) -> Backfill {
    hub.next_of(|message| match message {
        Message::DeviceBackfill(_, batch) => Some(batch),
        _ => None,
    })
    .await
}

fn numbers(samples: &[Metrics]) -> Vec<u64> {
    samples.iter().map(|sample| sample.seq).collect()
}

#[tokio::test]
async fn what_ingest_does_not_acknowledge_comes_again_and_nothing_else() {
    let mut joined = join().await;
    let mut ingest = Ingest::default();
    ingest.start(&joined.hub).await;
    let _running = joined.run();
    let session = joined.birth().await.session;
    let first = joined.hub.next_sample().await;
    assert_eq!((first.seq, first.oldest_seq), (1, Some(1)));
    assert!(first.monotonic_ms.is_some());
    assert!(first.age_ms < 1000, "{}", first.age_ms);
    assert_eq!(joined.hub.next_sample().await.seq, 2);
    ingest.store(&joined.hub, session, &[1]).await;
    let third = joined.hub.next_sample().await;
    assert_eq!((third.seq, third.oldest_seq), (3, Some(2)));
    ingest.store(&joined.hub, session, &[3]).await;

    let batch = next_backfill(&mut joined.hub).await;
    assert_eq!((batch.session, batch.oldest_seq), (session, 2));
    let again = &batch.samples[0];
    assert_eq!(again.seq, 2);
    assert!(again.age_ms >= 1500, "{}", again.age_ms);
    assert!(!numbers(&batch.samples).contains(&3));
}

#[tokio::test]
async fn an_ingest_that_starts_anew_gets_everything_that_it_had_not_acknowledged() {
    let mut joined = join().await;
    let mut ingest = Ingest::default();
    ingest.start(&joined.hub).await;
    let _running = joined.run();
    let session = joined.birth().await.session;
    while joined.hub.next_sample().await.seq < 3 {}
    ingest.store(&joined.hub, session, &[1]).await;
    ingest.start(&joined.hub).await;
    let batch = next_backfill(&mut joined.hub).await;
    assert_eq!(numbers(&batch.samples)[..2], [2, 3]);
}

#[tokio::test]
async fn samples_taken_without_a_hub_come_when_it_is_back_in_order_with_their_age() {
    let mut joined = join().await;
    // The agent may be back before the hub, and its batch reach nobody: it comes again soon, when
    // it knows how often this ingest commits.
    Ingest::default().start(&joined.hub).await;
    let _running = joined.run();
    let session = joined.birth().await.session;
    while joined.hub.next_sample().await.seq < 2 {}
    joined.stop_broker();
    let before = joined.tail_bytes();
    until("some samples wait", || joined.tail_bytes() > before + 3500).await;
    joined.restart_broker().await;
    let mut most = 0;
    // Beside a batch that reached nobody, a young sample may be due before it is again.
    while most < 3 {
        let batch = next_backfill(&mut joined.hub).await;
        assert_eq!(batch.session, session);
        let numbers = numbers(&batch.samples);
        assert!(numbers.is_sorted(), "{numbers:?}");
        for pair in batch.samples.windows(2) {
            let apart = pair[1].monotonic_ms.unwrap() - pair[0].monotonic_ms.unwrap();
            assert_eq!(pair[0].age_ms - pair[1].age_ms, apart);
        }
        most = most.max(numbers.len());
    }
}

#[tokio::test]
async fn an_agent_that_is_killed_again_and_again_loses_nothing() {
    let mut joined = join().await;
    let mut ingest = Ingest::default();
    ingest.start(&joined.hub).await;
    let mut seen: BTreeMap<SessionId, u64> = BTreeMap::new();
    let mut order = Vec::new();
    for kill in 0..5 {
        let mut running = joined.run();
        let session = joined.birth().await.session;
        order.push(session);
        while joined.hub.next_sample().await.seq < 2 {}
        // At another moment each time.
        tokio::time::sleep(Duration::from_millis(190 * kill)).await;
        running.signal(Signal::SIGKILL);
        running.ended();
        joined.hub.next_status(Status::Offline).await;
        seen.insert(session, 2);
    }
    for message in joined.hub.everything_seen() {
        if let Message::DeviceMetrics(_, sample) = message {
            let last = seen.entry(sample.session).or_default();
            *last = sample.seq.max(*last);
        }
    }
    let _running = joined.run();
    let all = |ingest: &Ingest| {
        seen.iter().all(|(session, last)| {
            let stored = ingest.stored.get(session);
            stored.is_some_and(|stored| (1..=*last).all(|seq| stored.contains(&seq)))
        })
    };
    let mut came = Vec::new();
    while !all(&ingest) {
        let batch = next_backfill(&mut joined.hub).await;
        assert!(numbers(&batch.samples).is_sorted());
        came.push(batch.session);
        ingest
            .store(&joined.hub, batch.session, &numbers(&batch.samples))
            .await;
    }
    came.dedup();
    assert_eq!(came, order, "the oldest first");
}

#[tokio::test]
async fn what_waits_is_on_disk_when_the_hub_has_been_away_for_half_a_minute() {
    let mut joined = join().await;
    let mut running = joined.run();
    let session = joined.birth().await.session;
    joined.hub.next_sample().await;
    joined.stop_broker();
    let has_block = || !joined.blocks().is_empty();
    until_within(Duration::from_secs(90), "there is a block", has_block).await;

    // The machine loses its power, and with it what was in memory.
    running.signal(Signal::SIGKILL);
    running.ended();
    std::fs::remove_dir_all(joined.state.path().join("run")).unwrap();
    let (_, stdout, _) = output(&mut joined.command(&["status"]));
    let line = stdout
        .lines()
        .find(|it| it.starts_with("samples "))
        .unwrap();
    let waiting: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(waiting >= 20, "{stdout}");
    assert!(line.contains("the oldest since 2"), "{stdout}");

    joined.restart_broker().await;
    let _running = joined.run();
    let batch = next_backfill(&mut joined.hub).await;
    assert_eq!(batch.session, session);
    assert_eq!(
        numbers(&batch.samples),
        (1..=waiting as u64).collect::<Vec<_>>()
    );
    let ranges = vec![(1, waiting as u64)];
    let ack = Ack { session, ranges };
    let ack = Message::DeviceAck("ws-14".parse().unwrap(), ack);
    joined.hub.say(ack).await;
    until("the block is gone", || joined.blocks().is_empty()).await;
}

#[tokio::test]
async fn two_agents_on_one_machine_keep_their_samples_apart() {
    let mut agents = [join().await, join().await];
    let shared = tempfile::tempdir().unwrap();
    let run = |joined: &Joined| {
        let mut command = joined.command(&["run", "--interval", "1s"]);
        Running::start(command.env("XDG_RUNTIME_DIR", shared.path()))
    };
    let mut sessions = Vec::new();
    for joined in &mut agents {
        let mut running = run(joined);
        sessions.push(joined.birth().await.session);
        while joined.hub.next_sample().await.seq < 2 {}
        running.signal(Signal::SIGKILL);
        running.ended();
    }
    for (joined, session) in agents.iter_mut().zip(sessions) {
        let _running = run(joined);
        let batch = next_backfill(&mut joined.hub).await;
        assert_eq!(batch.session, session);
        assert_eq!(numbers(&batch.samples)[..2], [1, 2]);
    }
}
