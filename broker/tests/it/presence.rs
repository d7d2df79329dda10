//! Deaths are announced, each once, and never after a return.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep};

use crate::support::{Options, Raw, TestBroker, packet, start, subscriber, text};

fn agent(level: u8) -> Options {
    Options::new(level, "free", "agent").will("status", "offline")
}

#[tokio::test]
async fn a_lost_connection_publishes_the_will_at_once_and_a_clean_end_does_not() {
    let broker = start().await;
    let mut watcher = subscriber(&broker, "watcher", "status").await;
    for level in [4, 5] {
        let lost = Raw::connect(&broker, &agent(level)).await;
        let since = Instant::now();
        drop(lost);
        assert_eq!(watcher.said().await.1, "offline");
        assert!(since.elapsed() < Duration::from_millis(250));

        let mut clean = Raw::connect(&broker, &agent(level)).await;
        clean.send(&[0xE0, 0]).await;
        clean.expect_closed().await;
        broker
            .eventually("it left", |broker| broker.counter("clients") == 1)
            .await;
    }
    assert_eq!(broker.counter("wills_published"), 2);

    // MQTT 5 may ask for the will.
    let mut asks = Raw::connect(&broker, &agent(5)).await;
    asks.send(&[0xE0, 1, 4]).await;
    assert_eq!(watcher.said().await.1, "offline");
}

#[tokio::test]
async fn the_will_is_kept_for_those_who_come_later() {
    let broker = start().await;
    drop(Raw::connect(&broker, &agent(4)).await);
    broker
        .eventually("the will", |broker| broker.counter("wills_published") == 1)
        .await;
    let mut late = subscriber(&broker, "late", "#").await;
    let message = late.message().await;
    assert_eq!((&message.payload[..], message.retain), ("offline", true));
}

#[tokio::test]
async fn a_takeover_ends_in_online_and_the_next_death_is_announced() {
    let broker = start().await;
    let mut watcher = subscriber(&broker, "watcher", "status").await;
    for round in 0..20 {
        let level = 4 + round % 2;
        let mut old = Raw::connect(&broker, &agent(level)).await;
        old.publish_acked("status", "online", true).await;
        assert_eq!(watcher.said().await.1, "online");

        let mut new = Raw::connect(&broker, &agent(9 - level)).await;
        new.publish_acked("status", "online", true).await;
        assert_eq!(watcher.said().await.1, "offline");
        assert_eq!(watcher.said().await.1, "online");
        if level == 5 {
            old.expect(0xE0, &[0x8E, 0]).await;
        }
        old.expect_closed().await;

        drop(new);
        assert_eq!(watcher.said().await.1, "offline");
    }
    assert_eq!(broker.counter("takeovers"), 20);
    assert_eq!(broker.counter("wills_published"), 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_back_within_a_millisecond_loses_no_death() {
    const ROUNDS: u64 = 60;
    let broker = start().await;
    let mut watcher = subscriber(&broker, "watcher", "status").await;
    for _ in 0..ROUNDS {
        let mut client = Raw::connect(&broker, &agent(4)).await;
        client.publish_acked("status", "online", true).await;
        drop(client);
    }
    for _ in 0..ROUNDS {
        assert_eq!(watcher.said().await.1, "online");
        assert_eq!(watcher.said().await.1, "offline");
    }
    assert_eq!(broker.counter("wills_published"), ROUNDS);
}

#[tokio::test]
async fn many_takeovers_at_once_leave_one_client_and_no_other() {
    let broker = start().await;
    let mut sockets = Vec::new();
    for _ in 0..30 {
        let mut raw = Raw::open(&broker).await;
        raw.send(&agent(4).packet()).await;
        sockets.push(raw);
    }
    broker
        .eventually("all but one went", |broker| {
            broker.counter("wills_published") == 29 && broker.counter("clients") == 1
        })
        .await;
}

#[tokio::test]
async fn a_client_that_says_nothing_is_gone_after_one_and_a_half_keepalives() {
    let broker = start().await;
    let mut watcher = subscriber(&broker, "watcher", "status").await;
    let since = Instant::now();
    let mut silent = Raw::connect(&broker, &agent(5).keepalive(1)).await;
    assert_eq!(watcher.said().await.1, "offline");
    let after = since.elapsed();
    assert!(after >= Duration::from_millis(1_500), "{after:?}");
    assert!(after < Duration::from_millis(2_500), "{after:?}");
    silent.expect(0xE0, &[0x8D, 0]).await;
}

#[tokio::test]
async fn what_a_client_receives_does_not_count_as_a_sign_of_life() {
    let broker = start().await;
    let mut watcher = subscriber(&broker, "watcher", "status").await;
    let mut reads = Raw::connect(&broker, &agent(4).keepalive(1)).await;
    reads.subscribe("stream", 0).await;
    let since = Instant::now();
    while broker.counter("wills_published") == 0 {
        watcher.publish("stream", "tick", 0).await;
        sleep(Duration::from_millis(50)).await;
        assert!(since.elapsed() < Duration::from_secs(5));
    }
    assert_eq!(watcher.said().await.1, "offline");
}

#[tokio::test]
async fn a_client_that_pings_lives_on() {
    let broker = start().await;
    let mut alive = Raw::connect(&broker, &agent(4).keepalive(1)).await;
    let since = Instant::now();
    while since.elapsed() < Duration::from_millis(2_500) {
        alive.ping().await;
        sleep(Duration::from_millis(300)).await;
    }
    assert_eq!(broker.counter("keepalives_expired"), 0);
}

#[tokio::test]
async fn a_client_that_has_stopped_reading_is_dropped_though_it_still_pings() {
    let broker = start().await;
    let mut watcher = subscriber(&broker, "watcher", "status").await;
    let mut deaf = Raw::connect(&broker, &agent(4).keepalive(1)).await;
    deaf.subscribe("stream", 0).await;
    let mut source = Raw::connect(&broker, &Options::new(4, "free", "source")).await;
    let payload = "x".repeat(100_000);
    let since = Instant::now();
    while broker.counter("wills_published") == 0 {
        source.publish("stream", &payload, 0).await;
        source.ping().await;
        // An error is what this test waits for.
        drop(deaf.stream.write_all(&[0xC0, 0]).await);
        sleep(Duration::from_millis(10)).await;
        assert!(since.elapsed() < Duration::from_secs(15));
    }
    assert_eq!(watcher.said().await.1, "offline");
    assert_eq!(broker.counter("keepalives_expired"), 1);
}

/// The process may stand still for a while: swapped out, or stopped. Whoever has pinged in time
/// must not be declared dead when it goes on.
#[tokio::test]
async fn a_stall_of_the_broker_kills_nobody() {
    use std::io::{Read as _, Write as _};
    let broker = start().await;
    let mut watcher = Raw::connect(&broker, &Options::new(4, "free", "watcher")).await;
    watcher.subscribe("wills/#", 0).await;
    let options = Options {
        keepalive_secs: 1,
        will: Some(("wills/device", "gone")),
        ..Options::new(4, "free", "device")
    };
    let address = broker.tcp;
    let (connected, is_connected) = std::sync::mpsc::channel();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let device = std::thread::spawn(move || {
        let mut socket = std::net::TcpStream::connect(address).unwrap();
        socket.write_all(&options.packet()).unwrap();
        socket.read_exact(&mut [0; 4]).unwrap();
        connected.send(()).unwrap();
        // Pings all the time, whether it is answered or not.
        while stopped.recv_timeout(Duration::from_millis(200)).is_err() {
            socket.write_all(&[0xC0, 0]).unwrap();
        }
        socket.write_all(&[0xE0, 0]).unwrap();
    });
    broker
        .eventually("the device is not connected", |_| {
            is_connected.try_recv().is_ok()
        })
        .await;
    // The broker runs on this very thread.
    std::thread::sleep(Duration::from_secs(4));
    // Two keepalives later everybody who is to be declared dead has been.
    let until = tokio::time::Instant::now() + Duration::from_secs(2);
    while tokio::time::Instant::now() < until {
        watcher.ping().await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    stop.send(()).unwrap();
    tokio::task::spawn_blocking(|| device.join().unwrap())
        .await
        .unwrap();
    watcher.ping().await;
}

/// Whoever leaves while much is being sent to it closes a socket that we still write to.
#[tokio::test]
async fn a_goodbye_is_heard_although_nothing_can_be_written_any_more() {
    let broker = start().await;
    for level in [4, 5] {
        let mut leaves = Raw::connect(&broker, &agent(level)).await;
        leaves.subscribe("stream", 0).await;
        let mut source = Raw::connect(&broker, &Options::new(4, "free", "source")).await;
        let payload = "x".repeat(100_000);
        // Until its socket is full.
        let mut sent = u64::MAX;
        while broker.counter("messages_sent") != sent {
            sent = broker.counter("messages_sent");
            for _ in 0..10 {
                source.publish("stream", &payload, 0).await;
            }
            source.ping().await;
            source.ping().await;
        }
        leaves.send(&[0xE0, 0]).await;
        drop(leaves);
        broker
            .eventually("it left", |broker| broker.counter("clients") == 1)
            .await;
    }
    assert_eq!(broker.counter("wills_published"), 0);
}

fn delayed(expiry_secs: u32, will_delay_secs: u8) -> Options {
    agent(5)
        .persistent()
        .expiry(expiry_secs)
        .will_delay(will_delay_secs)
}

#[tokio::test]
async fn a_will_waits_for_its_delay_or_the_end_of_the_session_whichever_is_first() {
    let broker = start().await;
    let mut watcher = subscriber(&broker, "watcher", "status").await;
    for (expiry_secs, delay_secs) in [(100, 1), (1, 100)] {
        let since = Instant::now();
        drop(Raw::connect(&broker, &delayed(expiry_secs, delay_secs)).await);
        assert_eq!(watcher.said().await.1, "offline");
        assert!(since.elapsed() >= Duration::from_secs(1));
    }
    // Without a session there is nothing to wait for.
    let since = Instant::now();
    drop(Raw::connect(&broker, &delayed(0, 100).clean()).await);
    assert_eq!(watcher.said().await.1, "offline");
    assert!(since.elapsed() < Duration::from_secs(1));
    assert_eq!(broker.counter("wills_published"), 3);
}

#[tokio::test]
async fn a_client_that_is_back_before_its_will_is_due_has_not_died() {
    let broker = start().await;
    let parked = |n| move |broker: &TestBroker| broker.counter("sessions_parked") == n;
    drop(Raw::connect(&broker, &delayed(100, 1)).await);
    broker.eventually("away", parked(1)).await;
    // Back after a loss, and then over a connection that is still there.
    let first = Raw::connect(&broker, &delayed(100, 1)).await;
    let mut second = Raw::connect(&broker, &delayed(100, 1)).await;
    assert!(first.session_present && second.session_present);
    let until = Instant::now() + Duration::from_millis(1_500);
    while Instant::now() < until {
        second.ping().await;
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(broker.counter("wills_published"), 0);

    // A new beginning is the end of the old session: its death is announced at once.
    let mut watcher = subscriber(&broker, "watcher", "status").await;
    let mut third = Raw::connect(&broker, &delayed(100, 100).clean()).await;
    assert_eq!(watcher.said().await.1, "offline");
    third.ping().await;
    drop(third);
    broker.eventually("away", parked(1)).await;
    let _fourth = Raw::connect(&broker, &delayed(100, 100).clean()).await;
    assert_eq!(watcher.said().await.1, "offline");
    assert_eq!(broker.counter("wills_published"), 2);
}

/// A slow line: a whole packet takes longer than one and a half keepalives.
#[tokio::test]
async fn a_large_packet_on_a_slow_line_is_a_sign_of_life_all_the_while() {
    let broker = start().await;
    let mut watcher = subscriber(&broker, "watcher", "big").await;
    let mut slow = Raw::connect(&broker, &agent(4).keepalive(1)).await;
    let body = [text("big"), vec![b'x'; 60_000]].concat();
    for piece in packet(0x30, &body).chunks(2_000) {
        slow.send(piece).await;
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(watcher.said().await.1.len(), 60_000);
    slow.ping().await;
    assert_eq!(broker.counter("keepalives_expired"), 0);
}

/// The will of a device is true, and cleared with the device.
#[tokio::test]
async fn the_will_of_a_user_that_was_revoked_is_not_published() {
    let broker = start().await;
    let connected = Raw::connect(&broker, &agent(5)).await;
    let away = Options {
        client_id: "away".to_owned(),
        ..delayed(100, 100)
    };
    drop(Raw::connect(&broker, &away).await);
    broker
        .eventually("away", |broker| broker.counter("sessions_parked") == 1)
        .await;
    assert_eq!(broker.handle.disconnect_user("free").await, 1);
    assert_eq!(broker.counter("wills_published"), 0);
    assert_eq!(broker.counter("wills_refused"), 2);
    drop(connected);
}
