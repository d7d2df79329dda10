//! Shared subscriptions: each message for one member of a group.

use netmonitor_broker::Config;

use crate::support::{Options, Raw, TestBroker, packet, start, start_with, subscriber, text};

const GROUP: &str = "$share/g/a/#";

async fn member(broker: &TestBroker, options: &Options) -> Raw {
    let mut raw = Raw::connect(broker, options).await;
    assert_eq!(raw.subscribe(GROUP, 2).await, 2);
    raw
}

async fn publisher(broker: &TestBroker) -> Raw {
    Raw::connect(broker, &Options::new(5, "free", "publisher")).await
}

/// All payloads that have come until now.
async fn drain(raw: &mut Raw) -> Vec<String> {
    let mut all = Vec::new();
    raw.send(&[0xC0, 0]).await;
    loop {
        let (first, body) = raw.recv().await.expect("closed");
        if first == 0xD0 {
            return all;
        }
        all.push(raw.acknowledge(first, &body).await.payload);
    }
}

#[tokio::test]
async fn each_message_goes_to_one_member_and_every_member_has_its_turn() {
    let broker = start().await;
    let mut members = Vec::new();
    for (level, id) in [(4, "one"), (5, "two"), (5, "three")] {
        members.push(member(&broker, &Options::new(level, "free", id)).await);
    }
    let mut everything = subscriber(&broker, "watcher", "#").await;
    let mut publisher = publisher(&broker).await;
    for n in 0..90 {
        publisher.publish_acked("a/b", &n.to_string(), false).await;
        assert_eq!(everything.said().await.1, n.to_string());
    }
    let mut received = Vec::new();
    broker
        .eventually("all are sent", |broker| {
            broker.counter("messages_sent") == 2 * 90
        })
        .await;
    for raw in &mut members {
        let share = drain(raw).await;
        assert!(share.len() > 10, "{} of 90", share.len());
        received.extend(share);
    }
    received.sort_by_key(|n| n.parse::<u32>().unwrap());
    assert_eq!(received, (0..90).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_member_without_room_is_passed_over() {
    let broker = start().await;
    let mut full = Options::new(5, "free", "full");
    full.receive_maximum = Some(1);
    let mut full = member(&broker, &full).await;
    let mut publisher = publisher(&broker).await;
    publisher.publish_acked("a", "first", false).await;
    let first = full.message_unacknowledged().await;
    assert_eq!(first.payload, "first");
    let mut other = member(&broker, &Options::new(5, "free", "other")).await;
    for n in 0..20 {
        publisher.publish_acked("a", &n.to_string(), false).await;
        assert_eq!(other.said().await.1, n.to_string());
    }
    full.ping().await;
}

#[tokio::test]
async fn what_a_member_has_not_acknowledged_when_its_session_ends_goes_to_another() {
    let broker = start().await;
    let mut publisher = publisher(&broker).await;
    for level in [4, 5] {
        let mut first = member(&broker, &Options::new(level, "free", "first")).await;
        publisher.publish_acked("a", "one", false).await;
        publisher.publish("a", "exactly once", 4).await;
        publisher.expect(0x50, &[0, 1]).await;
        publisher.send(&[0x62, 2, 0, 1]).await;
        publisher.expect(0x70, &[0, 1]).await;
        publisher.publish_acked("a", "three", false).await;
        for expected in ["one", "exactly once", "three"] {
            assert_eq!(first.message_unacknowledged().await.payload, expected);
        }
        let mut second = member(&broker, &Options::new(level, "free", "second")).await;
        drop(first);
        assert_eq!(second.said().await.1, "one");
        // Of QoS 2 it could arrive twice.
        assert_eq!(second.said().await.1, "three");
        publisher.publish_acked("a", "live", false).await;
        assert_eq!(second.said().await.1, "live");
    }
}

#[tokio::test]
async fn members_that_are_away_get_messages_only_while_none_is_connected() {
    let broker = start().await;
    let away = Options::new(5, "free", "away").persistent();
    member(&broker, &away).await.leave().await;
    let mut there = member(&broker, &Options::new(5, "free", "there")).await;
    let mut publisher = publisher(&broker).await;
    for n in 0..20 {
        publisher.publish_acked("a", &n.to_string(), false).await;
        assert_eq!(there.said().await.1, n.to_string());
    }
    there.leave().await;
    broker
        .eventually("gone", |broker| broker.counter("clients") == 1)
        .await;
    publisher.publish_acked("a", "waits", false).await;
    broker
        .eventually("queued", |broker| broker.counter("sessions_bytes") > 0)
        .await;
    // Whoever comes now does not get what another has been given.
    let mut there = member(&broker, &Options::new(5, "free", "there")).await;
    there.ping().await;
    let mut back = Raw::connect(&broker, &away).await;
    assert!(back.session_present);
    assert_eq!(back.said().await.1, "waits");
    there.leave().await;
    publisher.publish_acked("a", "live", false).await;
    assert_eq!(back.said().await.1, "live");
    // Unless its session ends: then the others have it.
    back.leave().await;
    broker
        .eventually("gone", |broker| broker.counter("clients") == 1)
        .await;
    publisher.publish_acked("a", "inherited", false).await;
    broker
        .eventually("queued", |broker| broker.counter("sessions_bytes") > 0)
        .await;
    let mut there = member(&broker, &Options::new(5, "free", "there")).await;
    drop(Raw::connect(&broker, &away.clone().clean().expiry(0)).await);
    assert_eq!(there.said().await.1, "inherited");
}

#[tokio::test]
async fn a_group_is_its_name_and_its_filter_and_begins_without_retained_messages() {
    let broker = start().await;
    let mut publisher = publisher(&broker).await;
    publisher.publish_acked("a/b", "retained", true).await;
    let mut one = Raw::connect(&broker, &Options::new(5, "free", "one")).await;
    let mut other = Raw::connect(&broker, &Options::new(4, "free", "other")).await;
    assert_eq!(one.subscribe("$share/g/a/b", 1).await, 1);
    assert_eq!(other.subscribe("$share/g/a/+", 1).await, 1);
    for n in 0..10 {
        publisher.publish_acked("a/b", &n.to_string(), true).await;
        assert_eq!(one.said().await.1, n.to_string());
        assert_eq!(other.said().await.1, n.to_string());
    }
    // A subscription of its own beside it has messages of its own.
    assert_eq!(one.subscribe("a/c", 1).await, 1);
    assert_eq!(one.subscribe("$share/g/a/c", 1).await, 1);
    publisher.publish_acked("a/c", "twice", false).await;
    assert_eq!(one.said().await.1, "twice");
    assert_eq!(one.said().await.1, "twice");
    // Each is given up by its whole name.
    for (filter, reason) in [("$share/g/a/b", 0), ("$share/h/a/b", 0x11), ("a/c", 0)] {
        one.send(&packet(0xA2, &[&[0, 2, 0][..], &text(filter)].concat()))
            .await;
        one.expect(0xB0, &[0, 2, 0, reason]).await;
    }
    publisher.publish_acked("a/b", "not for one", false).await;
    publisher.publish_acked("a/c", "once", false).await;
    assert_eq!(one.said().await.1, "once");
}

#[tokio::test]
async fn a_member_may_ask_for_no_more_than_any_subscriber() {
    let config = Config {
        subscriptions_per_client_max: 2,
        shared_groups_max: 2,
        ..Config::default()
    };
    let broker = start_with(config).await;
    let mut five = Raw::connect(&broker, &Options::new(5, "free", "five")).await;
    for (filter, reason) in [
        ("$share/g", 0x8F),
        ("$share//a", 0x8F),
        ("$share/+/a", 0x8F),
        ("$share/g/a/#/b", 0x8F),
        ("$share/g/a", 1),
        ("$share/g/a", 1),
        ("b", 1),
        ("$share/h/a", 0x97),
    ] {
        assert_eq!(five.subscribe(filter, 1).await, reason, "{filter}");
    }
    let mut four = Raw::connect(&broker, &Options::new(4, "free", "four")).await;
    assert_eq!(four.subscribe("$share/h/a", 1).await, 1);
    assert_eq!(four.subscribe("$share/i/a", 1).await, 0x80);
    four.leave().await;
    // A group goes with its last member.
    let mut four = Raw::connect(&broker, &Options::new(4, "free", "four")).await;
    assert_eq!(four.subscribe("$share/i/a", 1).await, 1);

    let mut agent = Raw::connect(&broker, &Options::new(5, "ws-14", "ws-14")).await;
    assert_eq!(agent.subscribe("$share/g/b", 1).await, 0x87);
    // No local makes no sense there.
    let body = [&[0, 1, 0][..], &text("$share/g/a"), &[1 | 4]].concat();
    five.send(&packet(0x82, &body)).await;
    five.expect(0xE0, &[0x82, 0]).await;
    five.expect_closed().await;
}

#[tokio::test]
async fn a_group_belongs_to_one_user_and_others_take_nothing_from_it() {
    let broker = start().await;
    let mut own = member(&broker, &Options::new(5, "free", "c")).await;
    let mut other = member(&broker, &Options::new(5, "other", "c")).await;
    let mut publisher = publisher(&broker).await;
    for n in 0..20 {
        publisher.publish_acked("a", &n.to_string(), false).await;
        assert_eq!(own.said().await.1, n.to_string());
        assert_eq!(other.said().await.1, n.to_string());
    }
    // Least of all somebody who may not read what it takes.
    let group = "$share/g/netmonitor/v1/#";
    let mut agent = Raw::connect(&broker, &Options::new(5, "ws-14", "ws-14")).await;
    assert_eq!(agent.subscribe(group, 1).await, 1);
    let mut reader = Raw::connect(&broker, &Options::new(5, "reader", "reader")).await;
    assert_eq!(reader.subscribe(group, 1).await, 1);
    let mut source = Raw::connect(&broker, &Options::new(5, "ws-15", "ws-15")).await;
    let topic = "netmonitor/v1/device/ws-15/services";
    for n in 0..20 {
        assert_eq!(source.publish_acked(topic, &n.to_string(), false).await, 0);
        assert_eq!(reader.said().await, (topic.to_owned(), n.to_string()));
    }
    broker
        .eventually("withheld", |broker| {
            broker.counter("deliveries_withheld") == 20
        })
        .await;
    agent.ping().await;
}

#[tokio::test]
async fn one_user_cannot_take_all_groups() {
    let config = Config {
        shared_groups_max: 8,
        shared_groups_per_user_max: 3,
        ..Config::default()
    };
    let broker = start_with(config).await;
    let mut connected = Vec::new();
    for (user, groups) in [("free", 3), ("other", 3), ("reader", 0), ("ingest", 2)] {
        // However many connections it has.
        let mut granted = 0;
        for n in 0..4 {
            let mut raw = Raw::connect(&broker, &Options::new(5, user, &format!("{n}"))).await;
            let filter = match user {
                "free" | "other" => "a",
                _ => "netmonitor/v1/#",
            };
            let reason = raw.subscribe(&format!("$share/{n}/{filter}"), 1).await;
            granted += u32::from(reason == 1);
            connected.push(raw);
        }
        assert_eq!(granted, groups, "{user}");
    }
}

#[tokio::test]
async fn what_comes_back_to_a_group_is_bounded_and_the_rest_is_counted() {
    let config = Config {
        session_queue_max_messages: 10,
        ..Config::default()
    };
    let broker = start_with(config).await;
    let mut publisher = publisher(&broker).await;
    let mut hoarder = member(&broker, &Options::new(5, "free", "hoarder")).await;
    for n in 0..60 {
        publisher.publish_acked("a", &n.to_string(), false).await;
        let message = hoarder.message_unacknowledged().await;
        assert_eq!(message.payload, n.to_string());
    }
    // Another keeps the group, and has no room.
    let mut full = Options::new(5, "free", "full");
    full.receive_maximum = Some(1);
    let mut full = member(&broker, &full).await;
    drop(hoarder);
    assert_eq!(full.message_unacknowledged().await.payload, "50");
    assert_eq!(broker.counter("dropped_offline_queue_full"), 50);
    let mut next = member(&broker, &Options::new(5, "free", "next")).await;
    for n in 51..60 {
        assert_eq!(next.said().await.1, n.to_string());
    }
}
