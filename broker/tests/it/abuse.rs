//! What strangers and broken clients do, and that nobody else notices.

use std::time::Duration;

use netmonitor_broker::Config;
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

/// A small generator, so that a failure can be repeated (Steele and Vigna's `SplitMix64`).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    fn bytes(&mut self, max: usize) -> Vec<u8> {
        let length = self.below(max);
        (0..length).map(|_| self.next().to_le_bytes()[0]).collect()
    }

    /// A valid conversation with a few bytes changed, or noise.
    fn attempt(&mut self) -> Vec<u8> {
        if self.below(8) == 0 {
            return self.bytes(200);
        }
        let level = 4 + u8::try_from(self.below(2)).unwrap();
        let id = format!("fuzz{}", self.below(3));
        let mut bytes = Options::new(level, "free", &id).will("w", "w").packet();
        let connect = bytes.len();
        for _ in 0..self.below(6) {
            let kind = u8::try_from(self.below(16)).unwrap();
            let flags = u8::try_from(self.below(16)).unwrap();
            let sound: [&[u8]; 6] = [
                b"\x82\x06\0\x01\0\x01#\x02",
                b"\x82\x07\0\x01\0\0\x01#\x01",
                b"\x33\x08\0\x03\xC3\xA4b\0\x01x",
                b"\x35\x09\0\x02ab\0\x01\0xy",
                b"\x62\x02\0\x01",
                b"\xA2\x05\0\x01\0\x01#",
            ];
            if self.below(2) == 0 {
                bytes.extend(sound[self.below(6)]);
            } else {
                let body = self.bytes(60);
                bytes.extend(crate::support::packet(kind << 4 | flags, &body));
            }
        }
        for _ in 0..self.below(4) {
            // Mostly behind CONNECT, so that most attempts get in.
            let from = if self.below(4) == 0 { 0 } else { connect };
            if bytes.len() > from {
                let at = from + self.below(bytes.len() - from);
                bytes[at] = self.next().to_le_bytes()[0];
            }
        }
        bytes
    }
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
        let bytes = Random(seed).attempt();
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
