//! How messages reach subscribers.

use std::time::Duration;

use netmonitor_broker::Config;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::support::{Options, Raw, packet, start, start_with, subscriber, text};

#[tokio::test]
async fn a_message_is_delivered_with_the_lower_of_both_qualities_of_service() {
    let broker = start().await;
    for level in [4, 5] {
        for granted in 0..=2 {
            let mut raw = Raw::connect(&broker, &Options::new(level, "free", "s")).await;
            assert_eq!(raw.subscribe("a", granted).await, granted);
            for sent in 0..=2 {
                let mut publisher = Raw::connect(&broker, &Options::new(4, "free", "p")).await;
                publisher.publish("a", "x", sent << 1).await;
                let message = raw.message().await;
                assert_eq!((message.qos, message.retain), (sent.min(granted), false));
            }
        }
    }
}

#[tokio::test]
async fn a_qos_2_message_sent_again_is_published_once() {
    let broker = start().await;
    let mut watcher = subscriber(&broker, "watcher", "a").await;
    let mut raw = Raw::connect(&broker, &Options::new(4, "free", "c")).await;
    for _ in 0..3 {
        raw.publish("a", "once", 4).await;
        raw.expect(0x50, &[0, 1]).await;
    }
    for _ in 0..2 {
        raw.send(&[0x62, 2, 0, 1]).await;
        raw.expect(0x70, &[0, 1]).await;
    }
    raw.publish("a", "the next", 4).await;
    assert_eq!(watcher.said().await.1, "once");
    assert_eq!(watcher.said().await.1, "the next");
}

#[tokio::test]
async fn what_one_client_sends_arrives_in_its_order() {
    let broker = start().await;
    let mut watcher = subscriber(&broker, "watcher", "n/#").await;
    let mut raw = Raw::connect(&broker, &Options::new(4, "free", "c")).await;
    for n in 0..2_000 {
        raw.publish(&format!("n/{}", n % 7), &n.to_string(), 0)
            .await;
    }
    for n in 0..2_000 {
        assert_eq!(watcher.message().await.payload, n.to_string());
    }
}

#[tokio::test]
async fn no_more_than_the_receive_maximum_is_in_flight_and_acknowledgements_may_swap() {
    let broker = start().await;
    let mut options = Options::new(5, "free", "s");
    options.receive_maximum = Some(2);
    let mut raw = Raw::connect(&broker, &options).await;
    raw.subscribe("a", 1).await;
    let mut publisher = Raw::connect(&broker, &Options::new(4, "free", "p")).await;
    for payload in ["1", "2", "3", "4"] {
        publisher.publish_acked("a", payload, false).await;
    }
    for id in [1_u8, 2] {
        let (first, body) = raw.recv().await.unwrap();
        assert_eq!((first, &body[3..5]), (0x32, &[0, id][..]));
    }
    // Only the answer comes: the third message waits.
    raw.ping().await;
    raw.send(&[0x40, 2, 0, 2, 0x40, 2, 0, 1]).await;
    assert_eq!(raw.message().await.payload, "3");
    assert_eq!(raw.message().await.payload, "4");
}

/// Each holds an identifier, of which there are not so many.
#[tokio::test]
async fn whoever_never_completes_what_it_has_received_gets_no_more() {
    let broker = start_with(Config {
        inflight_max_messages: 3,
        ..Config::default()
    })
    .await;
    let mut publisher = Raw::connect(&broker, &Options::new(4, "free", "p")).await;
    let options = Options::new(5, "free", "s").persistent();
    let mut raw = Raw::connect(&broker, &options).await;
    raw.subscribe("a", 2).await;
    for payload in ["1", "2", "3", "4"] {
        publisher.publish("a", payload, 4).await;
        publisher.expect(0x50, &[0, 1]).await;
        publisher.send(&[0x62, 2, 0, 1]).await;
        publisher.expect(0x70, &[0, 1]).await;
    }
    for _ in 0..3 {
        raw.message_unacknowledged().await;
    }
    for id in 1..=3 {
        raw.send(&[0x50, 2, 0, id]).await;
        raw.expect(0x62, &[0, id]).await;
    }
    let mut raw = Raw::connect(&broker, &options).await;
    for id in 1..=3 {
        raw.expect(0x62, &[0, id]).await;
    }
    raw.ping().await;
    raw.send(&[0x70, 2, 0, 2]).await;
    assert_eq!(raw.message().await.payload, "4");
}

#[tokio::test]
async fn properties_reach_mqtt_5_and_not_3_1_1() {
    let broker = start().await;
    let mut four = subscriber(&broker, "four", "a").await;
    let mut five = Raw::connect(&broker, &Options::new(5, "free", "five")).await;
    // With a subscription identifier of its own.
    let body = [&[0, 1, 2, 0x0B, 7][..], &text("a"), &[1]].concat();
    five.send(&packet(0x82, &body)).await;
    five.expect(0x90, &[0, 1, 0, 1]).await;

    let mut publisher = Raw::connect(&broker, &Options::new(5, "free", "p")).await;
    // Topic alias 3, a user property, an expiry of 60 s; then the alias alone.
    let travelling = b"\x26\0\x01k\0\x01v";
    let properties = [&b"\x0F\x23\0\x03"[..], travelling, b"\x02\0\0\0\x3C"].concat();
    let body = [&text("a")[..], &properties, b"first"].concat();
    publisher.send(&packet(0x30, &body)).await;
    publisher
        .send(&packet(0x30, b"\0\0\x03\x23\0\x03second"))
        .await;

    assert_eq!(four.said().await.1, "first");
    assert_eq!(four.said().await, ("a".to_owned(), "second".to_owned()));
    let first = five.message().await;
    let expected = [&travelling[..], b"\x02\0\0\0\x3C", b"\x0B\x07"].concat();
    assert_eq!((&first.payload[..], first.properties), ("first", expected));
    assert_eq!(five.message().await.properties, b"\x0B\x07");
}

#[tokio::test]
async fn own_messages_are_left_out_on_request_and_the_retain_flag_is_kept_on_request() {
    let broker = start().await;
    let mut own = Raw::connect(&broker, &Options::new(5, "free", "own")).await;
    // No local, retain as published.
    own.subscribe("a/#", 1 | 4 | 8).await;
    own.publish_acked("a/1", "mine", false).await;
    let mut other = Raw::connect(&broker, &Options::new(4, "free", "other")).await;
    other.publish_acked("a/2", "yours", true).await;
    let message = own.message().await;
    assert_eq!((&message.payload[..], message.retain), ("yours", true));
}

#[tokio::test]
async fn after_unsubscribing_nothing_comes_until_subscribed_again() {
    let broker = start().await;
    let mut raw = Raw::connect(&broker, &Options::new(4, "free", "c")).await;
    for round in 0..20 {
        assert_eq!(raw.subscribe("a", 0).await, 0);
        raw.publish("a", &round.to_string(), 0).await;
        assert_eq!(raw.message().await.payload, round.to_string());
        raw.send(&packet(0xA2, &[&[0, 2][..], &text("a")].concat()))
            .await;
        raw.expect(0xB0, &[0, 2]).await;
        raw.publish("a", "unheard", 0).await;
        raw.ping().await;
    }
}

#[tokio::test]
async fn a_message_that_waits_too_long_expires() {
    let broker = start().await;
    let mut options = Options::new(5, "free", "s");
    options.receive_maximum = Some(1);
    let mut raw = Raw::connect(&broker, &options).await;
    raw.subscribe("a", 1).await;
    let mut publisher = Raw::connect(&broker, &Options::new(5, "free", "p")).await;
    publisher.publish_acked("a", "first", false).await;
    for (expiry, payload) in [(1, "short"), (100, "long")] {
        let body = [
            &b"\0\x01a\0\x01\x05\x02\0\0\0"[..],
            &[expiry],
            payload.as_bytes(),
        ]
        .concat();
        publisher.send(&packet(0x32, &body)).await;
        publisher.expect(0x40, &[0, 1]).await;
    }
    let (_, first) = raw.recv().await.unwrap();
    sleep(Duration::from_millis(1_100)).await;
    raw.send(&[0x40, 2, first[3], first[4]]).await;
    assert_eq!(raw.message().await.payload, "long");
    assert_eq!(broker.counter("dropped_expired"), 1);
}

#[tokio::test]
async fn a_subscriber_that_does_not_read_blocks_nobody_and_its_loss_is_counted() {
    let config = Config {
        backlog_foreign_bytes: 256 * 1024,
        ..Config::default()
    };
    let broker = start_with(config).await;
    let mut slow = subscriber(&broker, "slow", "a/#").await;
    let mut quick = subscriber(&broker, "quick", "a/+").await;
    let mut publisher = Raw::connect(&broker, &Options::new(4, "free", "p")).await;
    let payload = "x".repeat(1_000);
    for n in 0..20_000 {
        publisher.publish("a/b", &format!("{n} {payload}"), 0).await;
        if n % 50 == 0 {
            publisher.ping().await;
        }
    }
    publisher.publish_acked("a/b", "last", false).await;
    // The quick one may have lost some, and is never held up.
    while quick.message().await.payload != "last" {}
    // The slow one continues with what is left.
    let mut received = 1;
    while slow.message().await.payload != "last" {
        received += 1;
    }
    let lost = broker.counter("dropped_slow_subscriber");
    assert!(lost > 0, "{received} arrived");
    assert!(received < 20_001);
}

/// Under load, a message could pass a subscription in the router's queues.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_after_the_suback_always_arrives_and_nothing_from_before() {
    let broker = start().await;
    let mut load = JoinSet::new();
    for name in ["l0", "l1"] {
        let mut raw = Raw::connect(&broker, &Options::new(4, "free", name)).await;
        load.spawn(async move {
            loop {
                for _ in 0..200 {
                    raw.publish("load", "x", 0).await;
                }
                raw.ping().await;
            }
        });
    }
    let mut publisher = Raw::connect(&broker, &Options::new(4, "free", "p")).await;
    for round in 0..50 {
        let topic = format!("a/{round}");
        publisher.publish_acked(&topic, "before", false).await;
        let mut raw = subscriber(&broker, "s", &topic).await;
        publisher.publish_acked(&topic, "after", false).await;
        assert_eq!(raw.said().await.1, "after");
    }
    load.shutdown().await;
}

#[tokio::test]
async fn subscribing_again_hides_nothing_that_is_on_its_way() {
    let broker = start().await;
    let mut options = Options::new(5, "free", "s");
    options.receive_maximum = Some(1);
    let mut raw = Raw::connect(&broker, &options).await;
    raw.subscribe("a", 1).await;
    let mut publisher = Raw::connect(&broker, &Options::new(4, "free", "p")).await;
    for n in 1..=5 {
        publisher.publish_acked("a", &n.to_string(), true).await;
    }
    let first = raw.message_unacknowledged().await;
    assert_eq!(raw.subscribe("a", 1).await, 1);
    raw.send(&packet(0x40, &first.id.to_be_bytes())).await;
    let (mut live, mut retained) = (vec![first.payload], Vec::new());
    while live.len() + retained.len() < 6 {
        let message = raw.message().await;
        let kind = if message.retain {
            &mut retained
        } else {
            &mut live
        };
        kind.push(message.payload);
    }
    assert_eq!(live, ["1", "2", "3", "4", "5"]);
    assert_eq!(retained, ["5"]);
}

#[tokio::test]
async fn what_several_filters_match_comes_once_with_the_highest_quality_of_service() {
    let broker = start().await;
    let mut publisher = Raw::connect(&broker, &Options::new(4, "free", "p")).await;
    for level in [4, 5] {
        let mut raw = Raw::connect(&broker, &Options::new(level, "free", "s")).await;
        for (filter, qos, identifier) in [("a/#", 0, 2), ("a/b", 2, 3), ("+/b", 1, 4)] {
            let properties: &[u8] = match level {
                5 => &[2, 0x0B, identifier],
                _ => &[],
            };
            let body = [&[0, 1], properties, &text(filter), &[qos]].concat();
            raw.send(&packet(0x82, &body)).await;
            assert_eq!(raw.recv().await.unwrap().0, 0x90);
        }
        for n in 0..500 {
            publisher.publish_acked("a/b", &n.to_string(), false).await;
        }
        publisher.publish_acked("a/c", "last", false).await;
        for n in 0..500 {
            let message = raw.message().await;
            assert_eq!((message.payload, message.qos), (n.to_string(), 1));
            let mut identifiers = message.properties;
            identifiers.retain(|byte| *byte != 0x0B);
            identifiers.sort_unstable();
            let expected: &[u8] = if level == 5 { &[2, 3, 4] } else { &[] };
            assert_eq!(identifiers, expected);
        }
        assert_eq!(raw.said().await.1, "last");
    }
}
