//! What the router keeps for slow subscribers is bounded in all, and what they lose is counted.

use netmonitor_broker::Config;
use netmonitor_protocol::Topic;
use tokio::time::Instant;

use crate::support::{DEADLINE, Options, Raw, TestBroker, start_with};

const MIB: usize = 1024 * 1024;

async fn start(backlog_total_bytes: usize) -> TestBroker {
    start_with(Config {
        backlog_total_bytes,
        sys_interval_secs: 0,
        ..Config::default()
    })
    .await
}

/// Publishes, and says whether it was taken.
async fn takes(publisher: &mut Raw, topic: &str, payload: &str) -> bool {
    let reason = publisher.publish_acked(topic, payload, false).await;
    assert!([0, 0x97].contains(&reason), "{reason:#x}");
    reason == 0
}

#[tokio::test(flavor = "multi_thread")]
async fn large_messages_on_many_filters_do_not_fill_the_memory_and_no_reader_loses_any() {
    const FILTERS: usize = 60;
    let broker = start(4 * MIB).await;
    let mut watcher = Raw::connect(&broker, &Options::new(5, "free", "watcher")).await;
    for n in 0..FILTERS {
        watcher.subscribe(&format!("own/{n}"), 0).await;
    }
    let mut publisher = Raw::connect(&broker, &Options::new(5, "free", "p")).await;
    let mut agent = Raw::connect(&broker, &Options::new(5, "ws-14", "a")).await;
    let status = Topic::DeviceStatus("ws-14".parse().unwrap()).to_string();
    let payload = "x".repeat(100_000);
    let publish = async {
        let (mut taken, mut most) = (0, 0);
        // Each log alone would keep 1 MiB of it, all together 60.
        for n in 0..10 * FILTERS {
            let topic = format!("own/{}", n % FILTERS);
            taken += usize::from(takes(&mut publisher, &topic, &payload).await);
            most = most.max(broker.counter("router_bytes"));
            let word = if n % 2 == 0 { "online" } else { "offline" };
            assert_eq!(agent.publish_acked(&status, word, true).await, 0);
        }
        while !takes(&mut publisher, "own/0", "end").await {}
        (taken + 1, most)
    };
    let read = async {
        let mut read = 1;
        while watcher.message().await.payload != "end" {
            read += 1;
        }
        read
    };
    let ((taken, most), mut read) = tokio::join!(publish, read);
    // Other filters may have had more in their logs.
    while read < taken {
        watcher.message().await;
        read += 1;
    }
    watcher.ping().await;
    assert!(most <= 3 * MIB as u64 + 200_000, "{most} bytes at most");
    assert!(broker.counter("router_renewals") >= 1);
    assert!(taken > FILTERS, "only {taken} were taken");
    assert_eq!(broker.counter("dropped_slow_subscriber"), 0);
    assert_eq!(broker.counter("router_replacements"), 0);
}

/// The bytes of a message are kept once, but each log that has it takes memory for it.
#[tokio::test(flavor = "multi_thread")]
async fn small_messages_that_many_filters_match_count_for_each() {
    let broker = start(4 * MIB).await;
    let mut watcher = Raw::connect(&broker, &Options::new(5, "free", "watcher")).await;
    let topic = "a/b/c/d/e/f";
    for n in 0..60 {
        let level = |(index, level)| if n >> index & 1 == 1 { "+" } else { level };
        let levels: Vec<_> = topic.split('/').enumerate().map(level).collect();
        watcher.subscribe(&levels.join("/"), 0).await;
    }
    let mut publisher = Raw::connect(&broker, &Options::new(5, "free", "p")).await;
    let before = broker.counter("router_bytes");
    assert!(takes(&mut publisher, topic, "x").await);
    let one = broker.counter("router_bytes") - before;
    assert!(one > 60 * 100, "{one} bytes for a message in 60 logs");
    let mut is_refused = false;
    for _ in 0..2_000 {
        is_refused |= !takes(&mut publisher, topic, "x").await;
        let held = broker.counter("router_bytes");
        assert!(held <= 3 * MIB as u64 + 100_000, "{held} bytes");
    }
    assert!(is_refused || broker.counter("router_renewals") >= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_subscriber_had_not_read_when_its_router_was_ended_is_counted() {
    let broker = start(2 * MIB).await;
    let mut slow = Raw::connect(&broker, &Options::new(5, "free", "slow")).await;
    slow.subscribe("n", 0).await;
    let mut publisher = Raw::connect(&broker, &Options::new(5, "free", "p")).await;
    let ballast = "x".repeat(4_000);
    let mut taken = 0;
    // Until a second renewal has ended the router that it still reads from.
    let since = Instant::now();
    while broker.counter("router_renewals") < 2 {
        assert!(since.elapsed() < 3 * DEADLINE, "no second renewal");
        let payload = format!("{taken} {ballast}");
        taken += u64::from(takes(&mut publisher, "n", &payload).await);
    }
    while !takes(&mut publisher, "n", "end").await {}
    let mut read = 0;
    while slow.message().await.payload != "end" {
        read += 1;
    }
    assert!(read < taken, "it has read all {taken}");
    assert_eq!(read + broker.counter("dropped_slow_subscriber"), taken);
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_with_and_without_messages_go_on_in_the_next_router_in_order() {
    let broker = start(2 * MIB).await;
    let mut reader = Raw::connect(&broker, &Options::new(5, "free", "reader")).await;
    for filter in ["used", "unused/+", "unused"] {
        reader.subscribe(filter, 0).await;
    }
    let mut publisher = Raw::connect(&broker, &Options::new(5, "free", "p")).await;
    let ballast = "x".repeat(4_000);
    let (mut sent, mut read) = (0_u32, 0_u32);
    for router in 1..=2 {
        let since = Instant::now();
        while broker.counter("router_renewals") < router {
            assert!(since.elapsed() < DEADLINE, "not renewed");
            assert!(takes(&mut publisher, "used", &format!("{sent} {ballast}")).await);
            sent += 1;
            // Some are on their way when the router changes.
            if sent - read > 20 {
                expect(&mut reader, &mut read).await;
            }
        }
        // The router before had no message of these; this one has.
        for topic in ["unused/1", "unused"] {
            assert!(takes(&mut publisher, topic, "x").await);
        }
        while read < sent {
            expect(&mut reader, &mut read).await;
        }
        let mut rest = [reader.message().await.topic, reader.message().await.topic];
        rest.sort();
        assert_eq!(rest, ["unused", "unused/1"]);
    }
    assert_eq!(broker.counter("dropped_slow_subscriber"), 0);
}

async fn expect(reader: &mut Raw, number: &mut u32) {
    let message = reader.message().await;
    assert_eq!(message.topic, "used");
    assert!(message.payload.starts_with(&format!("{number} ")));
    *number += 1;
}
