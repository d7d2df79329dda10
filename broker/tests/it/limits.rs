//! Limits: who meets one is told and counted, and others do not notice.

use std::time::Duration;

use netmonitor_broker::Config;
use netmonitor_protocol::Topic;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::support::{DEADLINE, Options, Raw, TestBroker, packet, start, start_with, text};

fn wrong(level: u8, user: &'static str) -> Vec<u8> {
    let mut packet = Options::new(level, user, "c").packet();
    *packet.last_mut().unwrap() = b'?';
    packet
}

/// Also those who come through the same proxy or router, and are all one address to us.
#[tokio::test]
async fn silent_strangers_keep_nobody_out() {
    let config = Config {
        connections_unauthenticated_max: 5,
        ..Config::default()
    };
    let broker = start_with(config).await;
    let mut known = Raw::connect(&broker, &Options::new(4, "free", "c")).await;
    let mut idle = Vec::new();
    for n in 0..20 {
        let mut raw = Raw::open(&broker).await;
        // Half of a CONNECT is no word, either.
        raw.send(&[0x10, 0x20, 0, 4][..n % 5]).await;
        idle.push(raw);
    }
    let options = Options::new(4, "free", "newcomer");
    let mut newcomer = Raw::connect(&broker, &options).await;
    for mut first in idle.drain(..10) {
        first.expect_closed().await;
    }
    let is_counted =
        |broker: &TestBroker| broker.counter("connections_unauthenticated_over_limit") >= 15;
    broker.eventually("they are counted", is_counted).await;
    // Whoever is in takes no place of a stranger.
    for n in 0..20 {
        let options = Options::new(4, "free", &format!("n{n}"));
        Raw::connect(&broker, &options).await.ping().await;
    }
    known.ping().await;
    newcomer.ping().await;
}

#[tokio::test]
async fn a_connect_that_is_too_long_is_not_waited_for() {
    let broker = start().await;
    let mut raw = Raw::open(&broker).await;
    // It announces 20 kB, which a PUBLISH may have.
    raw.send(&[0x10, 0xA0, 0x9C, 0x01]).await;
    raw.expect_closed().await;
    let options = Options::new(4, "free", "c");
    let mut raw = Raw::connect(&broker, &options).await;
    assert_eq!(raw.publish_acked("a", &"x".repeat(20_000), false).await, 0);
}

#[tokio::test]
async fn a_user_has_a_share_of_the_connections() {
    let config = Config {
        connections_per_user_max: 2,
        ..Config::default()
    };
    let broker = start_with(config).await;
    let mut one = Raw::connect(&broker, &Options::new(4, "free", "1")).await;
    let mut two = Raw::connect(&broker, &Options::new(4, "free", "2")).await;
    for (level, answer) in [(4, &[0, 3][..]), (5, &[0, 0x97, 0][..])] {
        let mut third = Raw::open(&broker).await;
        third.send(&Options::new(level, "free", "3").packet()).await;
        third.expect(0x20, answer).await;
        third.expect_closed().await;
    }
    assert_eq!(broker.counter("connections_of_user_over_limit"), 2);
    Raw::connect(&broker, &Options::new(4, "other", "1")).await;
    one.ping().await;
    // The same client again takes its own place.
    let mut again = Raw::connect(&broker, &Options::new(4, "free", "2")).await;
    again.ping().await;
    two.expect_closed().await;
}

#[tokio::test]
async fn users_leave_places_for_services_and_devices_and_a_device_takes_few() {
    let config = Config {
        connections_max: 16,
        ..Config::default()
    };
    let broker = start_with(config).await;
    let mut inside = Vec::new();
    let refused = async |user: &'static str| {
        let mut raw = Raw::open(&broker).await;
        raw.send(&Options::new(5, user, "one more").packet()).await;
        raw.expect(0x20, &[0, 0x97, 0]).await;
    };
    for n in 0..4 {
        let options = Options::new(5, "ws-14", &n.to_string());
        inside.push(Raw::connect(&broker, &options).await);
    }
    refused("ws-14").await;
    assert_eq!(broker.counter("connections_of_user_over_limit"), 1);
    for n in 0..8 {
        let options = Options::new(5, "free", &n.to_string());
        inside.push(Raw::connect(&broker, &options).await);
    }
    refused("free").await;
    refused("reader").await;
    assert_eq!(broker.counter("connections_over_limit"), 2);
    // The same client again takes its own place.
    let mut again = Raw::connect(&broker, &Options::new(5, "free", "0")).await;
    again.ping().await;
    for user in ["ingest", "ws-15"] {
        inside.push(Raw::connect(&broker, &Options::new(5, user, user)).await);
    }
}

#[tokio::test]
async fn wrong_passwords_slow_down_and_are_turned_away_and_good_ones_are_not() {
    let config = Config {
        login_failures_per_minute: 5,
        ..Config::default()
    };
    let broker = start_with(config).await;
    let options = Options::new(4, "free", "known");
    Raw::connect(&broker, &options).await;
    let mut guesses = JoinSet::new();
    for _ in 0..100 {
        let mut raw = Raw::open(&broker).await;
        guesses.spawn(async move {
            raw.send(&wrong(4, "admin")).await;
            raw.recv().await.map(|(_, body)| body[1])
        });
    }
    let mut answers = Vec::new();
    while let Some(answer) = guesses.join_next().await {
        answers.push(answer.unwrap().unwrap());
        // Somebody behind the same address is served meanwhile.
        Raw::connect(&broker, &options).await.ping().await;
    }
    answers.sort_unstable();
    let turned_away = answers.partition_point(|code| *code == 3);
    assert!(answers[turned_away..].iter().all(|code| *code == 5));
    assert_eq!(turned_away as u64, broker.counter("logins_turned_away"));
    assert!(broker.counter("logins_slowed") > 0);
    assert!(turned_away > 0);
    // So is somebody whom it has never seen, and who waits for nobody.
    let slowed = broker.counter("logins_slowed");
    let newcomer = Options::new(4, "other", "newcomer");
    Raw::connect(&broker, &newcomer).await;
    // And nobody locks out a service of the hub, or a user that was there before.
    let mut raws = Vec::new();
    for user in ["ingest", "free"] {
        for _ in 0..20 {
            let mut raw = Raw::open(&broker).await;
            raw.send(&wrong(4, user)).await;
            assert_eq!(raw.recv().await, Some((0x20, vec![0, 5])));
        }
        raws.push(Raw::connect(&broker, &Options::new(4, user, "x")).await);
    }
    assert_eq!(broker.counter("logins_slowed"), slowed);
}

/// A hub that has started anew knows nobody yet, and machines that were revoked try as well.
#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_machines_behind_one_address_come_in_at_once_beside_revoked_ones() {
    const MACHINES: usize = 300;
    let config = Config {
        login_failures_per_minute: 5,
        connections_unauthenticated_max: 50,
        ..Config::default()
    };
    let broker = start_with(config).await;
    let (address, deadline) = (broker.tcp, Instant::now() + DEADLINE);
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(Raw::open(&broker).await);
    }
    let mut machines = JoinSet::new();
    for n in 0..MACHINES {
        machines.spawn(async move {
            if n % 10 == 0 {
                let mut raw = Raw::open_at(address).await;
                raw.try_send(&wrong(4, "revoked")).await;
            }
            let user: &str = format!("ws-{n}").leak();
            let options = Options::new(5, user, user);
            // As agents do: again a moment later.
            while Instant::now() < deadline {
                let mut raw = Raw::open_at(address).await;
                raw.try_send(&options.packet()).await;
                match raw.recv().await {
                    Some((0x20, body)) if body[1] == 0 => return Some(raw),
                    _ => sleep(Duration::from_millis(50)).await,
                }
            }
            None
        });
    }
    let inside = machines.join_all().await;
    assert!(inside.iter().all(Option::is_some));
    assert_eq!(broker.counter("clients"), MACHINES as u64);
}

#[tokio::test]
async fn a_user_with_many_retained_topics_leaves_room_for_devices() {
    let config = Config {
        retained_max_messages: 40,
        retained_per_user_max: 20,
        sys_interval_secs: 0,
        ..Config::default()
    };
    let broker = start_with(config).await;
    let mut greedy = Raw::connect(&broker, &Options::new(5, "free", "g")).await;
    let mut other = Raw::connect(&broker, &Options::new(5, "other", "o")).await;
    let mut watcher = Raw::connect(&broker, &Options::new(5, "other", "w")).await;
    watcher.subscribe("other/29", 0).await;
    let mut kept = 0;
    for (client, name, share) in [(&mut greedy, "greedy", 20), (&mut other, "other", 10)] {
        for n in 0..30 {
            // What is not kept is delivered: it is not to be sent again.
            let topic = format!("{name}/{n}");
            assert_eq!(client.publish_acked(&topic, "x", true).await, 0);
        }
        let others = broker.counter("retained_messages") - kept;
        assert_eq!(others, share);
        kept += share;
    }
    assert_eq!(broker.counter("retained_not_kept"), 30);
    assert_eq!(watcher.said().await.0, "other/29");
    let status = Topic::DeviceStatus("ws-14".parse().unwrap()).to_string();
    let mut agent = Raw::connect(&broker, &Options::new(5, "ws-14", "a")).await;
    assert_eq!(agent.publish_acked(&status, "online", true).await, 0);
    assert_eq!(broker.counter("retained_messages"), 31);
}

#[tokio::test]
async fn a_user_with_many_topics_leaves_room_for_others_and_for_devices() {
    let config = Config {
        router_topics_max: 400,
        topics_per_user_max: 20,
        sys_interval_secs: 0,
        ..Config::default()
    };
    let broker = start_with(config).await;
    let mut greedy = Raw::connect(&broker, &Options::new(5, "free", "g")).await;
    // A user that has met its limit is helped by a new router, once in a minute.
    for n in 0..50 {
        let expected = if n < 40 { 0 } else { 0x97 };
        let topic = format!("greedy/{n}");
        assert_eq!(greedy.publish_acked(&topic, "x", false).await, expected);
    }
    assert_eq!(greedy.publish_acked("greedy/39", "x", false).await, 0);
    assert_eq!(broker.counter("router_renewals"), 1);
    assert_eq!(broker.counter("dropped_router_full"), 10);
    let mut other = Raw::connect(&broker, &Options::new(5, "other", "o")).await;
    assert_eq!(other.publish_acked("greedy/49", "x", false).await, 0);
    let status = Topic::DeviceStatus("ws-14".parse().unwrap()).to_string();
    let mut agent = Raw::connect(&broker, &Options::new(5, "ws-14", "a")).await;
    assert_eq!(agent.publish_acked(&status, "online", true).await, 0);
}

#[tokio::test]
async fn a_will_for_which_there_is_no_room_is_delivered_and_counted() {
    let config = Config {
        retained_max_messages: 4,
        sys_interval_secs: 0,
        ..Config::default()
    };
    let broker = start_with(config).await;
    let mut raw = Raw::connect(&broker, &Options::new(5, "free", "c")).await;
    for n in 0..4 {
        raw.publish_acked(&n.to_string(), "x", true).await;
    }
    let mut watcher = Raw::connect(&broker, &Options::new(5, "other", "w")).await;
    watcher.subscribe("will", 1).await;
    let options = Options::new(5, "free", "dying").will("will", "dead");
    drop(Raw::connect(&broker, &options).await);
    assert_eq!(watcher.said().await.1, "dead");
    assert_eq!(broker.counter("wills_not_kept"), 1);
}

#[tokio::test]
async fn one_filter_too_many_is_refused_and_counted() {
    let broker = start().await;
    let mut raw = Raw::connect(&broker, &Options::new(5, "free", "c")).await;
    for n in 0..64 {
        assert_eq!(raw.subscribe(&format!("a/{n}"), 1).await, 1);
    }
    assert_eq!(raw.subscribe("a/64", 1).await, 0x97);
    assert_eq!(raw.subscribe("a/63", 0).await, 0);
    assert_eq!(broker.counter("subscriptions_over_limit"), 1);
}

#[tokio::test]
async fn a_user_has_a_share_of_the_subscriptions_with_all_its_clients() {
    let config = Config {
        subscriptions_per_user_max: 3,
        ..Config::default()
    };
    let broker = start_with(config).await;
    let mut one = Raw::connect(&broker, &Options::new(5, "free", "1")).await;
    let mut two = Raw::connect(&broker, &Options::new(5, "free", "2")).await;
    for filter in ["a", "b"] {
        assert_eq!(one.subscribe(filter, 0).await, 0);
    }
    assert_eq!(two.subscribe("c", 0).await, 0);
    assert_eq!(two.subscribe("d", 0).await, 0x97);
    assert_eq!(two.subscribe("c", 1).await, 1, "it has that one");
    let mut other = Raw::connect(&broker, &Options::new(5, "other", "1")).await;
    assert_eq!(other.subscribe("d", 0).await, 0);
    let mut service = Raw::connect(&broker, &Options::new(5, "ingest", "i")).await;
    for row in ["status", "info", "metrics", "services"] {
        let filter = format!("netmonitor/v1/device/+/{row}");
        assert_eq!(service.subscribe(&filter, 0).await, 0);
    }
    drop(one);
    let is_less = |broker: &TestBroker| broker.counter("clients") == 3;
    broker.eventually("one has left", is_less).await;
    assert_eq!(two.subscribe("d", 0).await, 0);
}

#[tokio::test]
async fn whoever_subscribes_to_ever_new_filters_is_refused_after_a_while_and_others_are_not() {
    let config = Config {
        subscriptions_per_client_max: 10,
        subscriptions_per_user_max: 10,
        new_filters_per_minute: 1,
        ..Config::default()
    };
    let broker = start_with(config).await;
    let mut busy = Raw::connect(&broker, &Options::new(5, "free", "b")).await;
    let mut subscribe_once = async |filter: &str| {
        let reason = busy.subscribe(filter, 0).await;
        let body = [&[0, 2, 0][..], &text(filter)].concat();
        busy.send(&packet(0xA2, &body)).await;
        let (first, _) = busy.recv().await.unwrap();
        assert_eq!(first, 0xB0);
        reason
    };
    for n in 0..20 {
        let expected = if n < 10 { 0 } else { 0x97 };
        assert_eq!(subscribe_once(&format!("new/{n}")).await, expected);
        assert_eq!(subscribe_once("new/0").await, 0, "it is not new");
    }
    assert_eq!(broker.counter("subscriptions_over_limit"), 10);
    assert_eq!(broker.counter("router_filters"), 10);
    let mut other = Raw::connect(&broker, &Options::new(5, "other", "o")).await;
    assert_eq!(other.subscribe("new/19", 0).await, 0);
}

/// Each of them would have been a copy of all that is retained.
#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_wide_subscriptions_that_nobody_reads_hold_up_nobody() {
    const TOPICS: usize = 20_000;
    // Each finds all; the others look through all and find nothing.
    const FINDING: [&str; 4] = ["#", "+/+", "t/#", "+/#"];
    let broker = start_with(Config {
        retained_per_user_max: TOPICS,
        sys_interval_secs: 0,
        ..Config::default()
    })
    .await;
    let mut publisher = Raw::connect(&broker, &Options::new(4, "free", "p")).await;
    for n in 0..TOPICS {
        publisher.publish(&format!("t/{n}"), "0123456789", 1).await;
    }
    publisher.ping().await;
    let mut wide = Vec::new();
    for client in 0..4 {
        let options = Options::new(4, "free", &format!("w{client}"));
        let mut raw = Raw::connect(&broker, &options).await;
        let mut body = vec![0, 1];
        let looking: Vec<_> = (0..60).map(|n| format!("+/+/+/{n}")).collect();
        let all = FINDING
            .into_iter()
            .chain(looking.iter().map(String::as_str));
        for filter in all {
            body.extend(text(filter));
            body.push(0);
        }
        raw.send(&packet(0x82, &body)).await;
        wide.push(raw);
    }
    let mut witness = Raw::connect(&broker, &Options::new(5, "other", "w")).await;
    witness.subscribe("witness", 1).await;
    for n in 0..200 {
        witness.publish("witness", &n.to_string(), 0).await;
        assert_eq!(witness.said().await.1, n.to_string());
    }
    // They still get all of it, each topic once for each filter.
    let mut raw = wide.pop().unwrap();
    raw.expect(0x90, &[&[0, 1][..], &[0; 64]].concat()).await;
    let mut seen = vec![0; TOPICS];
    for _ in 0..FINDING.len() * TOPICS {
        let topic = raw.message().await.topic;
        seen[topic[2..].parse::<usize>().unwrap()] += 1;
    }
    assert!(seen.iter().all(|times| *times == FINDING.len()));
}

/// Five hundred connections of one user could otherwise have taken all of a small machine.
#[tokio::test]
async fn large_packets_of_one_user_wait_for_each_other_and_for_nobody_else() {
    const PAYLOAD: usize = 250_000;
    let broker = start().await;
    let body = [text("a"), vec![0, 1], vec![b'x'; PAYLOAD]].concat();
    let (large, last) = packet(0x32, &body)
        .split_last()
        .map(|(l, p)| (p.to_vec(), *l))
        .unwrap();
    let mut other = Raw::connect(&broker, &Options::new(4, "other", "o")).await;
    let go_on = CancellationToken::new();
    let mut sending = JoinSet::new();
    for n in 0..50 {
        let mut raw = Raw::connect(&broker, &Options::new(4, "free", &n.to_string())).await;
        let (large, go_on) = (large.clone(), go_on.clone());
        sending.spawn(async move {
            raw.send(&large).await;
            go_on.cancelled().await;
            raw.send(&[last]).await;
            raw.expect(0x40, &[0, 1]).await;
        });
    }
    let are_many = |broker: &TestBroker| broker.counter("bytes_received") > 30 * PAYLOAD as u64;
    broker.eventually("some are read", are_many).await;
    for _ in 0..100 {
        assert_eq!(
            other.publish_acked("b", &"x".repeat(100_000), false).await,
            0
        );
    }
    let own = broker.counter("bytes_received") - 100 * 100_000;
    assert!(own < 36 * PAYLOAD as u64, "{own} bytes are in memory");
    // And all of them get through.
    go_on.cancel();
    sending.join_all().await;
}

#[tokio::test]
async fn topics_and_filters_that_are_too_long_are_refused() {
    let config = Config {
        topic_max_bytes: 10,
        ..Config::default()
    };
    let broker = start_with(config).await;
    let mut five = Raw::connect(&broker, &Options::new(5, "free", "five")).await;
    let mut four = Raw::connect(&broker, &Options::new(4, "free", "four")).await;
    let (fits, long) = ("a/23456789", "a/234567890");
    assert_eq!(five.subscribe("#", 0).await, 0);
    for (filter, reason) in [
        (fits, 1),
        (long, 0x8F),
        ("$share/g/#", 1),
        ("$share/g/a/", 0x8F),
    ] {
        assert_eq!(five.subscribe(filter, 1).await, reason, "{filter}");
    }
    assert_eq!(four.subscribe(long, 1).await, 0x80);
    // 3.1.1 has no word for it.
    assert_eq!(four.publish_acked(long, "too long", true).await, 0);
    let mut publisher = Raw::connect(&broker, &Options::new(5, "other", "p")).await;
    assert_eq!(publisher.publish_acked(long, "too long", true).await, 0x90);
    // Nor is it known by an alias.
    for topic in [long, ""] {
        let body = [&text(topic)[..], &[0, 1, 3, 35, 0, 1]].concat();
        publisher.send(&packet(0x32, &body)).await;
        let (first, body) = publisher.recv().await.unwrap();
        assert_eq!((first, body[2]), (0x40, 0x90));
    }
    assert_eq!(broker.counter("publishes_refused"), 4);
    assert_eq!(broker.counter("retained_messages"), 0);
    for (level, answer) in [(4, &[0, 5][..]), (5, &[0, 0x90, 0])] {
        let mut raw = Raw::open(&broker).await;
        let options = Options::new(level, "free", "w").will("a/234567890", "x");
        raw.send(&options.packet()).await;
        raw.expect(0x20, answer).await;
    }
}
