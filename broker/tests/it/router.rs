//! The router dies, hangs or knows too much, and no client notices.

use std::collections::BTreeMap;
use std::time::Duration;

use netmonitor_broker::{Break, Config};
use tokio::time::timeout;

use crate::support::{DEADLINE, Options, Raw, TestBroker, packet, start, start_with, text};

async fn break_router(broker: &TestBroker, how: Break) {
    let before = broker.counter("router_replacements");
    broker.handle.break_router(how);
    broker
        .eventually("the router was not replaced", |broker| {
            broker.counter("router_replacements") == before + 1
        })
        .await;
}

/// Clients with wills and two subscriptions each, one of them a wildcard.
async fn crowd(broker: &TestBroker) -> Vec<Raw> {
    let mut clients = Vec::new();
    for number in 0..20 {
        let id = format!("c{number}");
        let options = Options::new(4 + number % 2, "free", &id).will("wills", "it died");
        let mut raw = Raw::connect(broker, &options).await;
        assert_eq!(raw.subscribe(&format!("own/{id}"), 1).await, 1);
        assert_eq!(raw.subscribe("all/#", 1).await, 1);
        clients.push(raw);
    }
    clients
}

async fn assert_served(publisher: &mut Raw, clients: &mut [Raw], payload: &str) {
    for number in 0..clients.len() {
        let topic = format!("own/c{number}");
        assert_eq!(publisher.publish_acked(&topic, payload, false).await, 0);
    }
    publisher.publish_acked("all/x", payload, false).await;
    for raw in clients {
        assert_eq!(raw.said().await.1, payload);
        assert_eq!(raw.said().await, ("all/x".to_owned(), payload.to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_client_notices_when_the_router_dies() {
    let broker = start().await;
    let mut clients = crowd(&broker).await;
    let mut publisher = Raw::connect(&broker, &Options::new(4, "free", "p")).await;
    assert_served(&mut publisher, &mut clients, "before").await;

    break_router(&broker, Break::Panic).await;
    assert_served(&mut publisher, &mut clients, "after").await;
    // What was subscribed can be unsubscribed, and more can be subscribed.
    let body = [&[0, 2][..], &text("all/#")].concat();
    clients[0].send(&packet(0xA2, &body)).await;
    clients[0].expect(0xB0, &[0, 2]).await;
    assert_eq!(clients[0].subscribe("own/new", 1).await, 1);
    publisher.publish_acked("all/x", "unheard", false).await;
    publisher.publish_acked("own/new", "heard", false).await;
    assert_eq!(clients[0].said().await.1, "heard");

    assert_eq!(broker.counter("clients"), 21);
    assert_eq!(broker.counter("wills_published"), 0);
    assert_eq!(broker.counter("dropped_slow_subscriber"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_hangs_is_replaced_and_what_waited_for_it_is_delivered() {
    let broker = start().await;
    let mut clients = crowd(&broker).await;
    let mut publisher = Raw::connect(&broker, &Options::new(4, "free", "p")).await;
    broker.handle.break_router(Break::Hang);
    assert_served(&mut publisher, &mut clients, "while it hangs").await;
    assert_eq!(broker.counter("router_replacements"), 1);
    assert_served(&mut publisher, &mut clients, "after").await;
    assert_eq!(broker.counter("clients"), 21);
    assert_eq!(broker.counter("wills_published"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_state_of_each_retained_topic_survives_the_router() {
    let broker = start().await;
    let mut slow = Raw::connect(&broker, &Options::new(5, "free", "slow")).await;
    slow.subscribe("state/#", 1).await;
    let mut publisher = Raw::connect(&broker, &Options::new(4, "free", "p")).await;
    let ballast = "x".repeat(1_000);
    for n in 0..4_000 {
        let topic = format!("state/{}", n % 10);
        let payload = format!("{n} {ballast}");
        publisher.publish(&topic, &payload, 1).await;
        if n % 50 == 0 {
            publisher.ping().await;
        }
    }
    publisher.ping().await;
    break_router(&broker, Break::Panic).await;
    publisher.publish_acked("state/end", "end", true).await;
    let mut last = BTreeMap::new();
    loop {
        let message = slow.message().await;
        assert!(!message.retain);
        if message.payload == "end" {
            break;
        }
        let number = message.payload.split(' ').next().unwrap().parse::<u32>();
        last.insert(message.topic, number.unwrap());
    }
    let expected = (0..10).map(|n| (format!("state/{n}"), 3_990 + n));
    assert_eq!(last, expected.collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_third_death_within_a_minute_ends_the_broker_with_a_message() {
    let mut broker = start().await;
    let mut witness = Raw::connect(&broker, &Options::new(4, "free", "w")).await;
    witness.subscribe("wills", 1).await;
    for _ in 0..2 {
        break_router(&broker, Break::Panic).await;
        witness.ping().await;
    }
    broker.handle.break_router(Break::Panic);
    let ended = timeout(DEADLINE, broker.task.join_next()).await.unwrap();
    let error = ended.unwrap().unwrap().unwrap_err();
    assert!(error.is::<netmonitor_broker::RouterLost>(), "{error:#}");
    witness.expect_closed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_and_topics_that_are_gone_are_forgotten_and_no_message_is_lost_by_it() {
    const ROUNDS: u32 = 2_500;
    let broker = start_with(Config {
        router_filters_max: 400,
        router_topics_max: 1_000,
        new_filters_per_minute: 1_000_000,
        backlog_foreign_bytes: 16 * 1024 * 1024,
        ..Config::default()
    })
    .await;
    let mut watcher = Raw::connect(&broker, &Options::new(4, "free", "watcher")).await;
    watcher.subscribe("n/#", 0).await;
    let mut passing = Raw::connect(&broker, &Options::new(5, "free", "passing")).await;
    let mut publisher = Raw::connect(&broker, &Options::new(5, "free", "p")).await;
    let watch = async {
        for n in 0..ROUNDS {
            assert_eq!(watcher.message().await.topic, format!("n/{n}"));
        }
        watcher
    };
    let pass = async {
        let mut most = (0, 0);
        for n in 0..ROUNDS {
            let filter = format!("n/{n}");
            // What cannot be taken now is taken a little later.
            while passing.subscribe(&filter, 0).await != 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            while publisher.publish_acked(&filter, "x", false).await != 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            assert_eq!(passing.message().await.topic, filter);
            let body = [&[0, 2, 0][..], &text(&filter)].concat();
            passing.send(&packet(0xA2, &body)).await;
            passing.expect(0xB0, &[0, 2, 0, 0]).await;
            if n % 100 == 0 {
                most.0 = most.0.max(broker.counter("router_filters"));
                most.1 = most.1.max(broker.counter("router_topics"));
            }
        }
        most
    };
    let (mut watcher, most) = tokio::join!(watch, pass);
    assert!(most.0 <= 400 && most.1 <= 1_000, "{most:?}");
    assert!(broker.counter("router_renewals") >= 3);
    assert_eq!(broker.counter("router_replacements"), 0);
    assert_eq!(broker.counter("dropped_slow_subscriber"), 0);
    // Nothing came twice.
    watcher.ping().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_for_the_router_keeps_nobody_else_waiting() {
    let broker = start().await;
    let mut other = Raw::connect(&broker, &Options::new(4, "other", "other")).await;
    let mut publisher = Raw::connect(&broker, &Options::new(4, "free", "publisher")).await;
    let mut subscribers = Vec::new();
    for number in 0..6 {
        let id = format!("c{number}");
        subscribers.push(Raw::connect(&broker, &Options::new(4, "free", &id)).await);
    }
    broker.handle.break_router(Break::Hang);
    for raw in &mut subscribers {
        let body = [&[0, 1][..], &text("a"), &[0]].concat();
        raw.send(&packet(0x82, &body)).await;
    }
    for _ in 0..1_000 {
        publisher.publish("b", "too much", 0).await;
    }
    // Without a PUBLISH nobody pauses, and whoever pauses can be taken over.
    other.ping().await;
    let mut again = Raw::connect(&broker, &Options::new(4, "free", "publisher")).await;
    again.ping().await;
    assert_eq!(broker.counter("router_replacements"), 0);
    for raw in &mut subscribers {
        raw.expect(0x90, &[0, 1, 0]).await;
    }
    assert_eq!(broker.counter("router_replacements"), 1);
}
