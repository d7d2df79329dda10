//! What strangers and broken clients do, and that nobody else notices.

use std::time::Duration;

use netmonitor_broker::Config;
use netmonitor_testkit::broken_conversation;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::support::{DEADLINE, Options, Raw, start, start_with};

#[tokio::test]
async fn sockets_that_say_nothing_block_nobody_and_are_closed() {
    let config = Config {
        connect_timeout_secs: 1,
        ..Config::default()
    };
    let broker = start_with(config).await;
    let mut idle = Vec::new();
    for address in [broker.tcp, broker.tls] {
        // IPv4 reaches the listener on [::], too.
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], address.port()));
        for said in [
            &b""[..],
            b"\x10",
            b"\x10\x20\0\x04MQTT",
            b"\x16\x03\x01\x02\0",
        ] {
            for _ in 0..20 {
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.write_all(said).await.unwrap();
                idle.push(stream);
            }
        }
    }
    let since = Instant::now();
    let mut client = Raw::connect(&broker, &Options::new(4, "free", "c")).await;
    client.ping().await;
    assert!(since.elapsed() < Duration::from_millis(900));
    for mut stream in idle {
        let mut answer = Vec::new();
        let closed = timeout(DEADLINE, stream.read_to_end(&mut answer)).await;
        drop(closed.expect("left open"));
    }
    client.ping().await;
}

#[tokio::test]
async fn a_packet_that_never_ends_does_not_outlive_the_keepalive() {
    let broker = start().await;
    let mut raw = Raw::connect(&broker, &Options::new(4, "free", "c").keepalive(1)).await;
    let since = Instant::now();
    raw.send(&[0x30, 0x80, 0x02]).await;
    while since.elapsed() < Duration::from_secs(5) {
        if raw.stream.write_all(b"x").await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("still connected");
}

#[tokio::test]
async fn over_the_limit_of_connections_the_others_stay() {
    let config = Config {
        connections_max: 3,
        ..Config::default()
    };
    let broker = start_with(config).await;
    let mut inside = Vec::new();
    for id in ["1", "2", "3"] {
        inside.push(Raw::connect(&broker, &Options::new(4, "ingest", id)).await);
    }
    let mut outside = Raw::open(&broker).await;
    outside.expect_closed().await;
    for raw in &mut inside {
        raw.ping().await;
    }
    inside.pop();
    broker
        .eventually("one left", |broker| broker.counter("clients") == 2)
        .await;
    // The socket is given back a moment after the seat.
    let options = Options::new(4, "free", "4");
    let since = Instant::now();
    loop {
        let mut raw = Raw::open(&broker).await;
        drop(raw.stream.write_all(&options.packet()).await);
        if raw.recv().await.is_some() {
            break;
        }
        assert!(since.elapsed() < DEADLINE);
    }
}

/// What a broken client says, in either version of the protocol.
fn attempt(seed: u64) -> Vec<u8> {
    let mut random = StdRng::seed_from_u64(seed);
    let level = random.random_range(4..=5);
    let id = format!("fuzz{}", random.random_range(0..3));
    let connect = Options::new(level, "free", &id).will("w", "w").packet();
    broken_conversation(&mut random, &connect)
}

#[tokio::test(flavor = "multi_thread")]
async fn four_thousand_broken_conversations_leave_the_broker_serving() {
    let config = Config {
        // Some break the password.
        login_failures_per_minute: 10_000,
        ..Config::default()
    };
    let broker = start_with(config).await;
    let mut witness = Raw::connect(&broker, &Options::new(5, "other", "witness")).await;
    witness.subscribe("safe/#", 1).await;
    let mut attempts = JoinSet::new();
    for seed in 0..4_000 {
        let bytes = attempt(seed);
        let address = broker.tcp;
        attempts.spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            // The broker may hang up at any byte.
            drop(stream.write_all(&bytes).await);
            drop(stream.shutdown().await);
            let mut answer = Vec::new();
            let read = timeout(DEADLINE, stream.read_to_end(&mut answer)).await;
            assert!(read.is_ok(), "seed {seed}: left open");
        });
        if attempts.len() >= 64 {
            attempts.join_next().await.unwrap().unwrap();
        }
    }
    while let Some(ended) = attempts.join_next().await {
        ended.unwrap();
    }
    let mut client = Raw::connect(&broker, &Options::new(4, "free", "c")).await;
    client.publish_acked("safe/1", "still here", false).await;
    assert_eq!(witness.said().await.1, "still here");
    broker
        .eventually("all left", |broker| broker.counter("clients") == 2)
        .await;
    assert!(broker.counter("protocol_faults") > 500);
    assert!(broker.counter("messages_received") > 100);
}
