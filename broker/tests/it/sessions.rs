//! What is kept for a client that is away, and what it finds when it is back.

use netmonitor_broker::Config;

use crate::support::{Options, Raw, TestBroker, packet, start, start_with, subscriber, text};

const LEVELS: [u8; 2] = [4, 5];

fn device(level: u8) -> Options {
    Options::new(level, "free", "device").persistent()
}

/// Waits until the session of the only client that leaves is kept.
async fn parked(broker: &TestBroker, sessions: u64) {
    broker
        .eventually("the session is not kept", |broker| {
            broker.counter("sessions_parked") == sessions
        })
        .await;
}

async fn publisher(broker: &TestBroker) -> Raw {
    Raw::connect(broker, &Options::new(5, "free", "publisher")).await
}

fn ack(first: u8, id: u16) -> Vec<u8> {
    packet(first, &id.to_be_bytes())
}

/// A DISCONNECT that says how long the session is to be kept.
fn goodbye(secs: u32) -> Vec<u8> {
    packet(0xE0, &[&[0, 5, 17][..], &secs.to_be_bytes()].concat())
}

#[tokio::test]
async fn what_comes_while_a_client_is_away_waits_for_it_in_order() {
    let broker = start().await;
    let mut publisher = publisher(&broker).await;
    for level in LEVELS {
        let raw = Raw::connect(&broker, &device(level).clean()).await;
        assert!(!raw.session_present);
        raw.leave().await;
        let mut raw = Raw::connect(&broker, &device(level)).await;
        // A clean session of 3.1.1 leaves nothing.
        assert_eq!(raw.session_present, level == 5);
        raw.subscribe("a/#", 2).await;
        raw.subscribe("b", 0).await;
        raw.leave().await;
        parked(&broker, 1).await;
        assert_eq!(broker.counter("clients"), 1);

        publisher.publish_acked("a/1", "one", false).await;
        publisher.publish("a/2", "lost", 0).await;
        publisher.publish_acked("b", "lost", false).await;
        publisher.publish_acked("a/3", "three", true).await;
        broker
            .eventually("both are queued", |broker| {
                broker.counter("sessions_bytes") > 2 * 192
            })
            .await;
        let mut raw = Raw::connect(&broker, &device(level)).await;
        assert!(raw.session_present);
        let message = raw.message().await;
        assert_eq!((&message.payload[..], message.dup), ("one", false));
        let message = raw.message().await;
        // Not from the retained store: it was there when the message came.
        assert_eq!((&message.payload[..], message.retain), ("three", false));
        publisher.publish_acked("a/4", "live", false).await;
        assert_eq!(raw.said().await.1, "live");
        raw.leave().await;
        drop(Raw::connect(&broker, &Options::new(4, "free", "device")).await);
        broker
            .eventually("all is gone", |b| b.counter("clients") == 1)
            .await;
        broker.handle.clear_retained("#");
    }
    assert_eq!(broker.counter("sessions_bytes"), 0);
}

#[tokio::test]
async fn what_was_not_acknowledged_comes_again_with_dup_in_order_under_its_identifiers() {
    let broker = start().await;
    let mut publisher = publisher(&broker).await;
    for level in LEVELS {
        let mut raw = Raw::connect(&broker, &device(level)).await;
        raw.subscribe("a", 2).await;
        for (payload, qos) in [("1", 1), ("2", 2), ("3", 1), ("4", 2)] {
            publisher.publish("a", payload, qos << 1).await;
            publisher.recv().await;
            if qos == 2 {
                publisher.send(&[0x62, 2, 0, 1]).await;
                publisher.expect(0x70, &[0, 1]).await;
            }
        }
        let mut ids = Vec::new();
        for payload in ["1", "2", "3", "4"] {
            let message = raw.message_unacknowledged().await;
            assert_eq!((&message.payload[..], message.dup), (payload, false));
            ids.push(message.id);
        }
        // The third is settled, the second half-way.
        raw.send(&[ack(0x40, ids[2]), ack(0x50, ids[1])].concat())
            .await;
        raw.expect(0x62, &ids[1].to_be_bytes()).await;
        drop(raw);
        publisher.publish_acked("a", "5", false).await;

        let mut raw = Raw::connect(&broker, &device(level)).await;
        let message = raw.message_unacknowledged().await;
        assert_eq!(
            (&message.payload[..], message.dup, message.id),
            ("1", true, ids[0])
        );
        raw.expect(0x62, &ids[1].to_be_bytes()).await;
        raw.send(&ack(0x70, ids[1])).await;
        let message = raw.message_unacknowledged().await;
        assert_eq!(
            (&message.payload[..], message.dup, message.id),
            ("4", true, ids[3])
        );
        let message = raw.message_unacknowledged().await;
        assert_eq!((&message.payload[..], message.dup), ("5", false));
        // Once more, all that is left; and the clean one finds nothing.
        drop(raw);
        let mut raw = Raw::connect(&broker, &device(level)).await;
        for payload in ["1", "4", "5"] {
            let message = raw.message().await;
            assert_eq!((&message.payload[..], message.dup), (payload, true));
        }
        raw.expect(0x62, &ids[3].to_be_bytes()).await;
        drop(raw);
        let mut raw = Raw::connect(&broker, &device(level).clean()).await;
        assert!(!raw.session_present);
        publisher.publish_acked("a", "unheard", false).await;
        raw.ping().await;
        raw.leave().await;
    }
}

#[tokio::test]
async fn a_qos_2_message_sent_again_after_a_return_is_published_once() {
    let broker = start().await;
    let mut watcher = subscriber(&broker, "watcher", "a").await;
    for level in LEVELS {
        let mut raw = Raw::connect(&broker, &device(level)).await;
        raw.publish("a", "once", 4).await;
        raw.expect(0x50, &[0, 1]).await;
        drop(raw);
        let mut raw = Raw::connect(&broker, &device(level)).await;
        raw.publish("a", "once", 4 | 8).await;
        raw.expect(0x50, &[0, 1]).await;
        raw.send(&[0x62, 2, 0, 1]).await;
        raw.expect(0x70, &[0, 1]).await;
        raw.publish("a", "next", 4).await;
        raw.expect(0x50, &[0, 1]).await;
        assert_eq!(watcher.said().await.1, "once");
        assert_eq!(watcher.said().await.1, "next");
        drop(raw);
        drop(Raw::connect(&broker, &device(level).clean()).await);
    }
}

#[tokio::test]
async fn a_takeover_goes_on_with_the_session() {
    let broker = start().await;
    let mut publisher = publisher(&broker).await;
    for (old, new) in [(4, 5), (5, 4)] {
        let mut first = Raw::connect(&broker, &device(old)).await;
        first.subscribe("a", 1).await;
        publisher.publish_acked("a", "one", false).await;
        assert_eq!(first.message_unacknowledged().await.payload, "one");
        let mut second = Raw::connect(&broker, &device(new)).await;
        assert!(second.session_present);
        if old == 5 {
            first.expect(0xE0, &[0x8E, 0]).await;
        }
        first.expect_closed().await;
        let message = second.message().await;
        assert_eq!((&message.payload[..], message.dup), ("one", true));
        publisher.publish_acked("a", "two", false).await;
        assert_eq!(second.said().await.1, "two");
        drop(Raw::connect(&broker, &device(new).clean()).await);
        second.recv().await;
    }
    assert_eq!(broker.counter("takeovers"), 4);
}

#[tokio::test]
async fn a_session_ends_when_its_time_is_over_and_not_before() {
    let broker = start().await;
    let mut raw = Raw::connect(&broker, &device(5).expiry(1)).await;
    raw.subscribe("a", 1).await;
    raw.leave().await;
    parked(&broker, 1).await;
    parked(&broker, 0).await;
    assert_eq!(broker.counter("sessions_expired"), 1);
    let raw = Raw::connect(&broker, &device(5)).await;
    assert!(!raw.session_present);
}

#[tokio::test]
async fn a_goodbye_may_change_how_long_the_session_is_kept() {
    let broker = start().await;
    let mut raw = Raw::connect(&broker, &device(5).expiry(1000)).await;
    raw.send(&goodbye(0)).await;
    raw.expect_closed().await;
    let mut raw = Raw::connect(&broker, &device(5).expiry(1)).await;
    assert!(!raw.session_present);
    raw.send(&goodbye(1000)).await;
    raw.expect_closed().await;
    let raw = Raw::connect(&broker, &device(5).expiry(0)).await;
    assert!(raw.session_present);
    drop(raw);
    // What was to end with the connection cannot be kept after all.
    let mut raw = Raw::connect(&broker, &device(5).expiry(0)).await;
    assert!(!raw.session_present);
    raw.send(&goodbye(1000)).await;
    raw.expect(0xE0, &[0x82, 0]).await;
    raw.expect_closed().await;
}

#[tokio::test]
async fn the_longest_time_is_ours_to_say() {
    let config = Config {
        session_expiry_max_secs: 1,
        ..Config::default()
    };
    let broker = start_with(config).await;
    let mut raw = Raw::open(&broker).await;
    raw.send(&device(5).packet()).await;
    let (_, body) = raw.recv().await.unwrap();
    let told = body.windows(5).any(|window| window == [17, 0, 0, 0, 1]);
    assert!(told, "{body:?}");
    drop(raw);
    drop(Raw::connect(&broker, &Options::new(4, "free", "four").persistent()).await);
    broker
        .eventually("both expire", |b| b.counter("sessions_expired") == 2)
        .await;
}

#[tokio::test]
async fn a_full_queue_keeps_what_is_newest_and_counts_the_rest() {
    let config = Config {
        session_queue_max_messages: 3,
        ..Config::default()
    };
    let broker = start_with(config).await;
    let mut raw = Raw::connect(&broker, &device(4)).await;
    raw.subscribe("a", 1).await;
    raw.leave().await;
    let mut publisher = publisher(&broker).await;
    for n in 1..=10 {
        publisher.publish_acked("a", &n.to_string(), false).await;
    }
    broker
        .eventually("the rest is counted", |broker| {
            broker.counter("dropped_offline_queue_full") == 7
        })
        .await;
    let mut raw = Raw::connect(&broker, &device(4)).await;
    for expected in ["8", "9", "10"] {
        assert_eq!(raw.said().await.1, expected);
    }
}

#[tokio::test]
async fn what_has_expired_meanwhile_is_not_delivered() {
    let broker = start().await;
    let mut raw = Raw::connect(&broker, &device(5)).await;
    raw.subscribe("a", 1).await;
    raw.leave().await;
    let mut publisher = publisher(&broker).await;
    let since = tokio::time::Instant::now();
    for (expiry, payload) in [(1, "short"), (100, "long")] {
        let expiry = [0, 1, 5, 2, 0, 0, 0, expiry];
        let body = [&text("a")[..], &expiry, payload.as_bytes()].concat();
        publisher.send(&packet(0x32, &body)).await;
        publisher.expect(0x40, &[0, 1]).await;
    }
    tokio::time::sleep_until(since + std::time::Duration::from_millis(1_100)).await;
    let mut raw = Raw::connect(&broker, &device(5)).await;
    assert_eq!(raw.said().await.1, "long");
    assert_eq!(broker.counter("dropped_expired"), 1);
}

#[tokio::test]
async fn the_session_that_has_waited_longest_makes_room_for_the_next() {
    let config = Config {
        sessions_parked_max: 3,
        sessions_parked_per_user_max: 2,
        ..Config::default()
    };
    let broker = start_with(config).await;
    let session = |user, client_id: &str| Options::new(4, user, client_id).persistent();
    for (user, client_id, evicted) in [
        ("free", "1", 0),
        ("free", "2", 0),
        ("free", "3", 1),
        ("other", "1", 1),
        ("other", "2", 2),
    ] {
        Raw::connect(&broker, &session(user, client_id))
            .await
            .leave()
            .await;
        broker
            .eventually("evicted", |b| b.counter("sessions_evicted") == evicted)
            .await;
    }
    let mut back = Vec::new();
    for (user, client_id, present) in [
        ("free", "1", false),
        ("free", "2", false),
        ("free", "3", true),
        ("other", "1", true),
    ] {
        let raw = Raw::connect(&broker, &session(user, client_id)).await;
        assert_eq!(raw.session_present, present, "{user} {client_id}");
        back.push(raw);
    }
}

#[tokio::test]
async fn a_revoked_user_leaves_nothing_behind() {
    let broker = start().await;
    let options = Options::new(5, "ws-14", "ws-14").persistent();
    let will = ("netmonitor/v1/device/ws-14/status", "offline");
    let raw = Raw::connect(
        &broker,
        &options.clone().will(will.0, will.1).will_delay(100),
    )
    .await;
    drop(raw);
    parked(&broker, 1).await;
    assert_eq!(broker.counter("wills_published"), 0);
    // None of them is connected.
    assert_eq!(broker.handle.disconnect_user("ws-14").await, 0);
    assert_eq!(broker.counter("sessions_parked"), 0);
    assert_eq!(broker.counter("wills_published"), 1);
    assert!(!Raw::connect(&broker, &options).await.session_present);
}

#[tokio::test]
async fn no_local_holds_across_a_return() {
    let broker = start().await;
    let mut raw = Raw::connect(&broker, &device(5)).await;
    raw.subscribe("a", 1 | 4).await;
    raw.publish_acked("a", "mine", false).await;
    raw.leave().await;
    let mut publisher = publisher(&broker).await;
    publisher.publish_acked("a", "yours", false).await;
    let mut raw = Raw::connect(&broker, &device(5)).await;
    assert_eq!(raw.said().await.1, "yours");
    raw.publish("a", "mine", 0).await;
    raw.ping().await;
}

#[tokio::test]
async fn a_returning_client_unsubscribes_and_what_waited_is_within_its_receive_maximum() {
    let broker = start().await;
    let mut raw = Raw::connect(&broker, &device(5)).await;
    raw.subscribe("a", 1).await;
    let mut publisher = publisher(&broker).await;
    for payload in ["1", "2", "3"] {
        publisher.publish_acked("a", payload, false).await;
        raw.message_unacknowledged().await;
    }
    drop(raw);
    publisher.publish_acked("a", "4", false).await;
    let mut options = device(5);
    options.receive_maximum = Some(2);
    let mut raw = Raw::connect(&broker, &options).await;
    let first = raw.message_unacknowledged().await;
    assert_eq!(raw.message_unacknowledged().await.payload, "2");
    raw.ping().await;
    raw.send(&ack(0x40, first.id)).await;
    assert_eq!(raw.message().await.payload, "3");
    raw.send(&packet(0xA2, &[&[0, 2, 0][..], &text("a")].concat()))
        .await;
    // What was on its way when it unsubscribed may still come.
    let (first, body) = raw.recv().await.unwrap();
    if first >> 4 == 3 {
        raw.expect(0xB0, &[0, 2, 0, 0]).await;
    } else {
        assert_eq!((first, &body[..]), (0xB0, &[0, 2, 0, 0][..]));
    }
    publisher.publish_acked("a", "unheard", false).await;
}

/// Many clients subscribe whenever they connect, whether they have a session or not.
#[tokio::test]
async fn subscribing_again_after_a_return_loses_nothing_that_waited() {
    let broker = start().await;
    let mut publisher = publisher(&broker).await;
    publisher.publish_acked("a", "0", true).await;
    let mut raw = Raw::connect(&broker, &device(4)).await;
    raw.subscribe("a", 1).await;
    assert_eq!(raw.said().await.1, "0");
    raw.leave().await;
    for n in 1..=300 {
        publisher.publish_acked("a", &n.to_string(), true).await;
    }
    let mut raw = Raw::open(&broker).await;
    raw.send(&device(4).packet()).await;
    let subscribe = packet(0x82, &[&[0, 9][..], &text("a"), &[1]].concat());
    raw.send(&subscribe).await;
    raw.expect(0x20, &[1, 0]).await;
    let (mut seen, mut retained) = (Vec::new(), Vec::new());
    while seen.len() < 300 || retained.is_empty() {
        let (first, body) = raw.recv().await.unwrap();
        if first == 0x90 {
            continue;
        }
        let message = raw.acknowledge(first, &body).await;
        if message.retain {
            retained.push(message.payload);
        } else {
            seen.push(message.payload);
        }
    }
    let expected: Vec<String> = (1..=300).map(|n| n.to_string()).collect();
    assert_eq!(seen, expected);
    assert_eq!(retained, ["300"]);
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_of_retained_messages_gets_them_all() {
    let broker = start().await;
    let mut publisher = publisher(&broker).await;
    for n in 0..300 {
        publisher
            .publish_acked(&format!("a/{n:03}"), "old", true)
            .await;
    }
    let mut raw = Raw::connect(&broker, &device(5)).await;
    raw.subscribe("a/#", 1).await;
    assert_eq!(raw.said().await.0, "a/000");
    drop(raw);
    parked(&broker, 1).await;
    // QoS 0 does not wait for it, and is what is retained now.
    publisher.publish("a/299", "new", 1).await;
    publisher.ping().await;
    let mut raw = Raw::connect(&broker, &device(5)).await;
    let mut topics = std::collections::BTreeSet::new();
    loop {
        let message = raw.message().await;
        topics.insert(message.topic);
        if message.payload == "new" {
            break;
        }
    }
    // All but the one that it has acknowledged, which may come again.
    topics.insert("a/000".to_owned());
    assert_eq!(topics.len(), 300);
}

#[tokio::test]
async fn what_waits_for_one_user_leaves_room_for_what_waits_for_others() {
    let config = Config {
        sessions_total_max_bytes: 100_000,
        sessions_per_user_max_bytes: 50_000,
        ..Config::default()
    };
    let broker = start_with(config).await;
    let session = |user, id: &str| Options::new(5, user, id).persistent();
    let greedy = session("free", "greedy");
    for (options, topic) in [(&greedy, "much"), (&session("other", "modest"), "little")] {
        let mut raw = Raw::connect(&broker, options).await;
        raw.subscribe(topic, 1).await;
        raw.leave().await;
    }
    parked(&broker, 2).await;
    let mut publisher = publisher(&broker).await;
    let payload = "x".repeat(1_000);
    publisher.publish_acked("little", "first", false).await;
    for n in 0..200 {
        let payload = format!("{n} {payload}");
        publisher.publish_acked("much", &payload, false).await;
    }
    broker
        .eventually("the oldest are dropped", |broker| {
            broker.counter("dropped_offline_queue_full") > 150
        })
        .await;
    assert!(broker.counter("sessions_bytes") < 51_000);
    publisher.publish_acked("little", "second", false).await;
    let mut modest = Raw::connect(&broker, &session("other", "modest")).await;
    assert_eq!(modest.said().await.1, "first");
    assert_eq!(modest.said().await.1, "second");
    // And of the others the newest are there.
    let mut greedy = Raw::connect(&broker, &greedy).await;
    let mut last = String::new();
    while !last.starts_with("199 ") {
        last = greedy.said().await.1;
    }
}
