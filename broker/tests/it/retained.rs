//! Retained messages.

use tokio::task::JoinSet;

use crate::support::{Options, Raw, packet, start, text};

#[tokio::test]
async fn a_late_subscriber_gets_every_one_of_a_thousand_topics() {
    let broker = start().await;
    let mut publisher = Raw::connect(&broker, &Options::new(4, "free", "p")).await;
    for n in 0..1_000 {
        publisher
            .publish(&format!("a/{n}"), &n.to_string(), 4 | 1)
            .await;
        publisher.expect(0x50, &[0, 1]).await;
        publisher.send(&[0x62, 2, 0, 1]).await;
        publisher.expect(0x70, &[0, 1]).await;
    }
    for level in [4, 5] {
        for qos in 0..=2 {
            let mut late = Raw::connect(&broker, &Options::new(level, "free", "late")).await;
            late.subscribe("#", qos).await;
            let mut seen = vec![false; 1_000];
            for _ in 0..1_000 {
                let message = late.message().await;
                assert_eq!((message.qos, message.retain), (qos, true));
                seen[message.payload.parse::<usize>().unwrap()] = true;
            }
            assert!(seen.iter().all(|seen| *seen));
            late.publish("b", "afterwards", 0).await;
            assert_eq!(late.message().await.payload, "afterwards");
        }
    }
    assert_eq!(broker.counter("retained_messages"), 1_000);
}

#[tokio::test]
async fn only_an_empty_retained_message_clears() {
    let broker = start().await;
    let mut raw = Raw::connect(&broker, &Options::new(4, "free", "c")).await;
    raw.publish_acked("a", "kept", true).await;
    raw.publish_acked("a", "passing", false).await;
    raw.publish_acked("a", "", false).await;
    raw.subscribe("a", 0).await;
    assert_eq!(raw.message().await.payload, "kept");
    raw.publish("a", "", 1).await;
    let cleared = raw.message().await;
    assert_eq!((&cleared.payload[..], cleared.retain), ("", false));
    assert_eq!(broker.counter("retained_messages"), 0);
    raw.subscribe("a", 0).await;
    raw.ping().await;
}

#[tokio::test]
async fn mqtt_5_chooses_when_retained_messages_are_sent() {
    const IF_NEW: u8 = 0x10;
    const NEVER: u8 = 0x20;
    let broker = start().await;
    let mut raw = Raw::connect(&broker, &Options::new(5, "free", "c")).await;
    raw.publish_acked("a", "kept", true).await;
    raw.subscribe("a", NEVER).await;
    raw.ping().await;
    raw.subscribe("a", IF_NEW).await;
    raw.ping().await;
    raw.send(&packet(0xA2, &[&[0, 2, 0][..], &text("a")].concat()))
        .await;
    raw.expect(0xB0, &[0, 2, 0, 0]).await;
    raw.subscribe("a", IF_NEW).await;
    assert_eq!(raw.message().await.payload, "kept");
    raw.subscribe("a", 0).await;
    assert_eq!(raw.message().await.payload, "kept");
}

/// Somebody subscribes in the middle of changes: no change is seen twice or out of order, and
/// the last one is always seen.
#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_among_changes_sees_them_in_order_and_the_last_one() {
    const LAST: u32 = 3_000;
    let broker = start().await;
    let mut watchers = JoinSet::new();
    let mut publishers = Vec::new();
    for name in ["p0", "p1", "p2"] {
        publishers.push(Raw::connect(&broker, &Options::new(4, "free", name)).await);
    }
    for n in 1..=LAST {
        // By different connections in turn.
        let publisher = &mut publishers[usize::try_from(n % 3).unwrap()];
        publisher.publish_acked("n", &n.to_string(), true).await;
        if n % 100 == 0 {
            let options = Options::new(4, "free", &format!("w{n}"));
            let mut watcher = Raw::connect(&broker, &options).await;
            watcher.send(&packet(0x82, b"\0\x01\0\x01n\x01")).await;
            watchers.spawn(async move {
                watcher.expect(0x90, &[0, 1, 1]).await;
                let mut before = 0;
                while before < LAST {
                    let now = watcher.message().await.payload.parse().unwrap();
                    assert!(now > before, "{now} after {before}");
                    before = now;
                }
            });
        }
    }
    while let Some(ended) = watchers.join_next().await {
        ended.unwrap();
    }
}
