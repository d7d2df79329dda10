//! What the broker says to packets at the edge of the protocol.

use netmonitor_broker::Config;

use crate::support::{Options, Raw, packet, start, start_with, text};

#[tokio::test]
async fn both_versions_are_spoken_on_one_port() {
    let broker = start().await;
    let mut four = Raw::connect(&broker, &Options::new(4, "free", "four")).await;
    let mut five = Raw::connect(&broker, &Options::new(5, "free", "five")).await;
    assert_eq!(five.subscribe("a/+", 1).await, 1);
    assert_eq!(four.publish_acked("a/b", "hello", false).await, 0);
    assert_eq!(five.said().await, ("a/b".to_owned(), "hello".to_owned()));
}

#[tokio::test]
async fn other_levels_are_refused_as_the_protocol_says() {
    let broker = start().await;
    let check = async |hello: &[u8], answer: &[u8]| {
        let mut raw = Raw::open(&broker).await;
        raw.send(&packet(0x10, hello)).await;
        raw.expect(0x20, answer).await;
        raw.expect_closed().await;
    };
    check(b"\0\x06MQIsdp\x03\x02\0\x3C\0\x01c", &[0, 1]).await;
    check(b"\0\x04MQTT\x06\x02\0\x3C\0\0\x01c", &[0, 0x84, 0]).await;
}

#[tokio::test]
async fn an_empty_client_id_is_assigned() {
    let broker = start().await;
    let mut five = Raw::open(&broker).await;
    five.send(&Options::new(5, "free", "").packet()).await;
    let (_, body) = five.recv().await.unwrap();
    let assigned = body.windows(5).any(|window| window == b"auto-");
    assert!(assigned, "{body:?}");
    Raw::connect(&broker, &Options::new(4, "free", "")).await;

    // 3.1.1 allows it only with a clean session.
    let mut connect = Options::new(4, "free", "").packet();
    connect[9] &= !2;
    let mut four = Raw::open(&broker).await;
    four.send(&connect).await;
    four.expect(0x20, &[0, 2]).await;
}

#[tokio::test]
async fn a_keepalive_of_none_is_replaced_where_the_client_can_be_told() {
    let broker = start().await;
    let mut five = Raw::open(&broker).await;
    let options = Options::new(5, "free", "five").keepalive(0);
    five.send(&options.packet()).await;
    let (_, body) = five.recv().await.unwrap();
    assert!(
        body.windows(3).any(|window| window == [19, 2, 88]),
        "{body:?}"
    );
    Raw::connect(&broker, &Options::new(4, "free", "four").keepalive(0)).await;
}

#[tokio::test]
async fn faults_end_the_connection_with_their_reason() {
    let broker = start().await;
    let check = async |level, bytes: &[u8], reason: Option<u8>| {
        let mut raw = Raw::connect(&broker, &Options::new(level, "free", "c")).await;
        raw.send(bytes).await;
        if let Some(reason) = reason {
            raw.expect(0xE0, &[reason, 0]).await;
        }
        raw.expect_closed().await;
    };
    let wildcard = packet(0x30, &[&text("a/#")[..], b"x"].concat());
    check(4, &wildcard, None).await;
    check(5, &packet(0x30, b"\0\x01#\0x"), Some(0x81)).await;
    check(5, &packet(0x30, b"\0\x02\xFF\xFE\0x"), Some(0x81)).await;
    check(5, &packet(0x30, b"\0\0\x03\x23\0\x05x"), Some(0x94)).await;
    check(5, &packet(0x30, b"\0\0\0x"), Some(0x82)).await;
    check(5, &packet(0x38, b"\0\x01a\0x"), Some(0x81)).await;
    check(5, &Options::new(5, "free", "c").packet(), Some(0x82)).await;
    check(5, &[0x30, 0xFF, 0xFF, 0xFF, 0x7F], Some(0x95)).await;
    assert_eq!(broker.counter("protocol_faults"), 8);
}

#[tokio::test]
async fn more_unreleased_messages_than_the_receive_maximum_end_the_connection() {
    let config = Config {
        receive_max_messages: 2,
        ..Config::default()
    };
    let broker = start_with(config).await;
    for level in [4, 5] {
        let mut raw = Raw::open(&broker).await;
        raw.send(&Options::new(level, "free", "c").packet()).await;
        let (_, connack) = raw.recv().await.unwrap();
        let told = connack.windows(3).any(|window| window == [33, 0, 2]);
        assert_eq!(told, level == 5, "{connack:?}");
        let mut publish = async |id: u8| {
            let none: &[u8] = if level == 5 { &[0] } else { &[] };
            raw.send(&packet(0x34, &[b"\0\x01a\0", &[id][..], none].concat()))
                .await;
            raw.recv().await
        };
        assert_eq!(publish(1).await, Some((0x50, vec![0, 1])));
        assert_eq!(publish(2).await, Some((0x50, vec![0, 2])));
        // The same again is not one more.
        assert_eq!(publish(1).await, Some((0x50, vec![0, 1])));
        let ended = (level == 5).then(|| (0xE0, vec![0x93, 0]));
        assert_eq!(publish(3).await, ended);
        broker
            .eventually("it is gone", |broker| broker.counter("clients") == 0)
            .await;
    }
    assert_eq!(broker.counter("protocol_faults"), 2);
}

/// A socket that is closed with something unread resets the connection, and the peer may never
/// read why.
#[tokio::test]
async fn a_client_that_goes_on_talking_still_hears_why_it_is_disconnected() {
    let config = Config {
        receive_max_messages: 2,
        ..Config::default()
    };
    let broker = start_with(config).await;
    for _ in 0..20 {
        let mut raw = Raw::connect(&broker, &Options::new(5, "free", "c")).await;
        for id in 1..=50 {
            raw.send(&packet(
                0x34,
                &[b"\0\x01a\0", &[id, 0][..], &[b'x'; 5_000]].concat(),
            ))
            .await;
        }
        for id in [1, 2] {
            raw.expect(0x50, &[0, id]).await;
            raw.send(&[0x62, 2, 0, id]).await;
        }
        raw.expect(0xE0, &[0x93, 0]).await;
        raw.expect_closed().await;
    }
}

#[tokio::test]
async fn a_packet_just_within_the_limit_arrives() {
    let config = Config {
        packet_max_bytes: 2_000,
        ..Config::default()
    };
    let broker = start_with(config).await;
    let mut raw = Raw::connect(&broker, &Options::new(4, "free", "c")).await;
    raw.subscribe("a", 0).await;
    let payload = "x".repeat(2_000 - 3 - 3);
    raw.publish("a", &payload, 0).await;
    assert_eq!(raw.message().await.payload, payload);
    raw.publish("a", &(payload + "x"), 0).await;
    raw.expect_closed().await;
}

#[tokio::test]
async fn malformed_filters_are_refused_and_the_rest_granted() {
    let broker = start().await;
    let mut five = Raw::connect(&broker, &Options::new(5, "free", "five")).await;
    let filters = ["a/#/b", "a+", "ä/+", "#"];
    let mut body = vec![0, 9, 0];
    for filter in filters {
        body.extend(text(filter));
        body.push(1);
    }
    five.send(&packet(0x82, &body)).await;
    five.expect(0x90, &[0, 9, 0, 0x8F, 0x8F, 1, 1]).await;
    let mut body = vec![0, 8, 0];
    body.extend([text("#"), text("never/was"), text("a#")].concat());
    five.send(&packet(0xA2, &body)).await;
    five.expect(0xB0, &[0, 8, 0, 0, 0x11, 0x8F]).await;
    five.publish("x", "not for me", 0).await;
    five.publish("ä/ö", "for me", 0).await;
    assert_eq!(five.said().await.1, "for me");
}

#[tokio::test]
async fn topics_with_a_dollar_are_not_for_clients() {
    let broker = start().await;
    let mut five = Raw::connect(&broker, &Options::new(5, "free", "five")).await;
    assert_eq!(five.publish_acked("$SYS/uptime", "1", true).await, 0x87);
    assert_eq!(broker.counter("publishes_refused"), 1);
}

#[tokio::test]
async fn mqtt_5_clients_hear_that_the_broker_stops_and_no_will_is_published() {
    let mut broker = start().await;
    let mut watcher = subscriber_with_will(&broker, "watcher").await;
    let mut other = subscriber_with_will(&broker, "other").await;
    broker.shutdown.cancel();
    for raw in [&mut watcher, &mut other] {
        raw.expect(0xE0, &[0x8B, 0]).await;
        raw.expect_closed().await;
    }
    broker.task.join_next().await.unwrap().unwrap().unwrap();
    assert_eq!(broker.counter("wills_published"), 0);
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_with_what_to_do_about_it() {
    let broker = start().await;
    let taken = broker.tcp.to_string();
    let wrong = "localhost".to_owned();
    for (mqtt, words) in [
        (
            taken.clone(),
            ["cannot listen on", &taken, "another address with --mqtt"],
        ),
        (
            wrong,
            [
                "\"localhost\" is not an address",
                "--mqtt:",
                "127.0.0.1:8080",
            ],
        ),
    ] {
        let config = Config {
            mqtt: vec![mqtt],
            ..Config::default()
        };
        let said = crate::support::bind(config)
            .await
            .err()
            .unwrap()
            .to_string();
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
    }
}

#[tokio::test]
async fn one_subscribe_cannot_ask_for_more_than_a_client_may_have() {
    let config = Config {
        subscriptions_per_client_max: 3,
        ..Config::default()
    };
    let broker = start_with(config).await;
    let mut five = Raw::connect(&broker, &Options::new(5, "free", "five")).await;
    let body = [&[0, 9, 0][..], &[text("a"), vec![1]].concat().repeat(5)].concat();
    five.send(&packet(0x82, &body)).await;
    five.expect(0x90, &[0, 9, 0, 1, 1, 1, 0x97, 0x97]).await;
    assert_eq!(five.subscribe("b", 0).await, 0);
    assert_eq!(five.subscribe("c", 0).await, 0);
    assert_eq!(five.subscribe("d", 0).await, 0x97);
    assert_eq!(five.subscribe("a", 1).await, 1);
}

/// Each filter that is looked at costs work, also one that is refused, while others wait.
#[tokio::test]
async fn of_a_subscribe_with_very_many_filters_only_the_first_are_looked_at() {
    const FILTERS: usize = 60_000;
    let broker = start().await;
    for (level, beyond) in [(4, 0x80), (5, 0x97)] {
        let mut raw = Raw::connect(&broker, &Options::new(level, "own", "c")).await;
        let mut body = [&[0, 9][..], &vec![0; usize::from(level == 5)]].concat();
        body.extend([text("a"), vec![0]].concat().repeat(FILTERS));
        raw.send(&packet(0x82, &body)).await;
        let (first, answer) = raw.recv().await.unwrap();
        let (_, reasons) = answer.split_at(answer.len() - FILTERS);
        assert_eq!(first, 0x90);
        assert!(
            reasons[..64]
                .iter()
                .all(|reason| *reason == 0x80 || *reason == 0x87)
        );
        assert!(reasons[64..].iter().all(|reason| *reason == beyond));
        raw.ping().await;
    }
    assert_eq!(broker.counter("subscriptions_refused"), 2 * 64);
    let beyond = 2 * (FILTERS - 64) as u64;
    assert_eq!(broker.counter("subscriptions_over_limit"), beyond);
}

#[tokio::test]
async fn an_unsubscribe_with_more_filters_than_a_client_can_have_ends_the_connection() {
    let broker = start().await;
    let mut raw = Raw::connect(&broker, &Options::new(5, "free", "c")).await;
    let unsubscribe =
        |filters| packet(0xA2, &[&[0, 9, 0], &text("a").repeat(filters)[..]].concat());
    raw.send(&unsubscribe(64)).await;
    raw.expect(0xB0, &[&[0, 9, 0][..], &[0x11; 64]].concat())
        .await;
    raw.send(&unsubscribe(65)).await;
    raw.expect(0xE0, &[0x97, 0]).await;
    raw.expect_closed().await;
    assert_eq!(broker.counter("protocol_faults"), 1);
}

async fn subscriber_with_will(broker: &crate::support::TestBroker, id: &str) -> Raw {
    let options = Options::new(5, "free", id).will("gone", "yes");
    let mut raw = Raw::connect(broker, &options).await;
    raw.subscribe("gone", 1).await;
    raw
}
