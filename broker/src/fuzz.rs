//! Seeded conversations, sound and broken, without sockets: whatever arrives, in whatever
//! pieces, a client's state does not panic, does not grow without bound, and answers in packets
//! that another implementation can read.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use netmonitor_protocol::acl::{OwnFilters, Principal};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::client::{Client, End, Left, Terms, handle_some};
use crate::config::Config;
use crate::edge::{Authenticate, Claim, Edge};
use crate::packet::reply::{self, Outgoing};
use crate::packet::wire::{put_string, put_varint, take_frame};
use crate::packet::{AckKind, QoS, Version, read, read_hello};
use crate::session::sessions::Key;

/// Conversations of one run: some seconds in a debug build.
const CONVERSATIONS: u64 = 20_000;
/// The longest answer to a piece of a conversation, and what may be left of it unread.
const OUT_MAX: usize = 1024 * 1024;

fn pick<'a>(random: &mut StdRng, all: &[&'a str]) -> &'a str {
    all[random.random_range(0..all.len())]
}

/// A packet that may be sound, of few topics and identifiers, so that they meet.
fn packet(random: &mut StdRng, version: Version) -> BytesMut {
    let kind = if random.random_ratio(1, 15) {
        [14, 15, 0, 1, 2][random.random_range(0..5)]
    } else {
        [3, 3, 3, 3, 4, 5, 6, 7, 8, 8, 10, 12][random.random_range(0..12)]
    };
    let mut flags = match kind {
        3 => [0, 1, 2, 3, 4, 5][random.random_range(0..6)],
        6 | 8 | 10 => 2,
        _ => 0,
    };
    if random.random_ratio(1, 30) {
        flags = random.random_range(0..16);
    }
    let mut body = BytesMut::new();
    let id = if random.random_ratio(1, 30) {
        0
    } else {
        random.random_range(1..=4)
    };
    let topic = if random.random_ratio(1, 10) {
        pick(random, &["$SYS/x", "", "a/#", "x/\u{0}"])
    } else {
        pick(random, &["a", "a/b", "a/c", "ä/b"])
    };
    let filter = pick(
        random,
        &["a", "#", "+/b", "a/#", "$share/g/a/#", "a#", "$SYS/#", ""],
    );
    let properties = |random: &mut StdRng, body: &mut BytesMut| {
        if version == Version::V4 {
            return;
        }
        let sound: [&[u8]; 7] = [
            b"",
            b"\x23\0\x01",
            b"\x02\0\0\0\x05",
            b"\x26\0\x01k\0\x01v",
            b"\x0B\x07",
            b"\x01\x01\x03\0\x01t",
            b"\x23\xFF\xFF",
        ];
        let chosen = if random.random_ratio(1, 4) {
            sound[random.random_range(0..7)]
        } else {
            b""
        };
        put_varint(body, chosen.len());
        body.put_slice(chosen);
    };
    match kind {
        3 => {
            put_string(&mut body, topic);
            if flags & 6 != 0 {
                body.put_u16(id);
            }
            properties(random, &mut body);
            body.put_bytes(b'x', random.random_range(0..50));
        }
        4..=7 => {
            body.put_u16(id);
            if version == Version::V5 && random.random_ratio(1, 2) {
                body.put_u8([0, 0x10, 0x80, 0x92][random.random_range(0..4)]);
            }
        }
        8 | 10 => {
            body.put_u16(id);
            if version == Version::V5 {
                let of_subscription: &[u8] = if kind == 8 && random.random_ratio(1, 3) {
                    b"\x0B\x03"
                } else {
                    b""
                };
                put_varint(&mut body, of_subscription.len());
                body.put_slice(of_subscription);
            }
            for _ in 0..=random.random_range(0..3) {
                put_string(&mut body, filter);
                if kind == 8 {
                    let options = [0, 1, 2, 0x21, 3];
                    let sound = if random.random_ratio(1, 8) {
                        options.len()
                    } else {
                        3
                    };
                    body.put_u8(options[random.random_range(0..sound)]);
                }
            }
        }
        14 if version == Version::V5 && random.random_ratio(1, 2) => body.put_slice(&[4, 0]),
        _ => {}
    }
    let mut packet = BytesMut::new();
    packet.put_u8(kind << 4 | flags);
    put_varint(&mut packet, body.len());
    packet.put_slice(&body);
    packet
}

fn mutate(random: &mut StdRng, bytes: &mut BytesMut) {
    for _ in 0..random.random_range(0..4) {
        if bytes.is_empty() {
            return;
        }
        let at = random.random_range(0..bytes.len());
        match random.random_range(0..4) {
            0 => bytes[at] ^= 1 << random.random_range(0..8),
            1 => bytes[at] = random.random(),
            2 => bytes.truncate(at),
            _ => {
                let tail = bytes.split_off(at);
                bytes.put_u8(random.random());
                bytes.unsplit(tail);
            }
        }
    }
}

struct Nobody;

impl Authenticate for Nobody {
    fn claim(&self, _: &str) -> Claim {
        Claim::Nobody
    }

    fn authenticate(&self, _: &str, _: &[u8], _: &str) -> Option<Principal> {
        None
    }
}

async fn client(edge: &Arc<Edge>, version: Version, seed: u64) -> Client {
    let mut own = OwnFilters::default();
    own.publish.push("#".to_owned());
    own.subscribe.push("#".to_owned());
    let principal = Principal {
        user: "fuzz".to_owned(),
        role: None,
        own,
    };
    let key = Key {
        user: "fuzz".to_owned(),
        client_id: seed.to_string(),
    };
    let taken = edge.sessions.take(key, 0, false).await.ok().unwrap();
    let terms = Terms {
        version,
        peer: SocketAddr::from(([127, 0, 0, 1], 1)),
        will: None,
        will_delay: Duration::ZERO,
        expiry: Duration::ZERO,
        receive_maximum: 10,
        packet_max: 1000,
    };
    Client::new(edge.clone(), terms, principal, taken.lease, taken.session)
}

fn handle_all(client: &mut Client, incoming: &mut BytesMut) -> Result<(), End> {
    while handle_some(client, incoming, true)?.left != Left::Part {}
    Ok(())
}

/// Reads what was written with the decoder of rumqttc.
fn assert_readable(out: &mut BytesMut, version: Version, seed: u64) {
    while !out.is_empty() {
        let before = out.len();
        match version {
            Version::V4 => {
                let packet = rumqttc::mqttbytes::v4::Packet::read(out, OUT_MAX);
                assert!(packet.is_ok(), "seed {seed}: {packet:?}");
            }
            Version::V5 => {
                let packet = rumqttc::v5::mqttbytes::v5::Packet::read(out, Some(1024 * 1024));
                assert!(packet.is_ok(), "seed {seed}: {packet:?}");
            }
        }
        assert!(out.len() < before, "seed {seed}");
    }
}

#[tokio::test]
async fn whatever_arrives_a_client_goes_on_or_ends_and_answers_in_sound_packets() {
    let edge = Arc::new(Edge::new(Config::default(), Arc::new(Nobody)).ok().unwrap());
    let (mut ended, mut went_on, mut answered) = (0_u64, 0_u64, 0_u64);
    for seed in 0..CONVERSATIONS {
        let mut random = StdRng::seed_from_u64(seed);
        let version = [Version::V4, Version::V5][random.random_range(0..2)];
        let mut client = client(&edge, version, seed).await;
        let mut bytes = BytesMut::new();
        for _ in 0..random.random_range(0..12) {
            let mut packet = packet(&mut random, version);
            if random.random_ratio(1, 6) {
                mutate(&mut random, &mut packet);
            }
            bytes.unsplit(packet);
        }
        let mut incoming = BytesMut::new();
        let mut end = None;
        while end.is_none() && !bytes.is_empty() {
            let piece = bytes.split_to(1 + random.random_range(0..bytes.len()));
            incoming.put_slice(&piece);
            end = handle_all(&mut client, &mut incoming).err();
            if end.is_none() {
                client.pump();
                end = client.deliver_ready().err();
            }
            assert!(client.out.len() < OUT_MAX, "seed {seed}");
            answered += u64::from(!client.out.is_empty());
            assert_readable(&mut client.out, version, seed);
        }
        assert!(incoming.len() <= client.edge.config.packet_max_bytes);
        match end {
            None => went_on += 1,
            Some(End::RouterStopped) => panic!("seed {seed}: the router has stopped"),
            Some(end) => {
                ended += 1;
                let mut words = client.end(end).last_words;
                assert_readable(&mut words, version, seed);
            }
        }
    }
    // Both kinds of conversations have been seen, and many answers.
    let many = CONVERSATIONS / 5;
    assert!(ended > many && went_on > many, "{ended} {went_on}");
    assert!(answered > many, "{answered}");
    let counted = edge.counters.all();
    assert!(counted["messages_sent"] > many, "{counted:?}");
    assert_eq!(edge.exchange.health().replacements, 0);
}

#[test]
fn noise_is_a_fault_or_a_packet_and_never_a_panic() {
    for seed in 0..100_000 {
        let mut random = StdRng::seed_from_u64(seed);
        let mut bytes: BytesMut = (0..random.random_range(0..40))
            .map(|_| random.random::<u8>())
            .collect();
        let version = [Version::V4, Version::V5][random.random_range(0..2)];
        if random.random_ratio(1, 2) {
            bytes = packet(&mut random, version);
            mutate(&mut random, &mut bytes);
        }
        let length = bytes.len();
        let Ok(Some(frame)) = take_frame(&mut bytes, 1024) else {
            continue;
        };
        assert!(frame.body.len() < length);
        if frame.first == 0x10 {
            drop(read_hello(frame));
        } else {
            drop(read(version, frame, 2));
        }
    }
}

#[test]
fn what_is_written_is_read_back_the_same() {
    for seed in 0..20_000 {
        let mut random = StdRng::seed_from_u64(seed);
        let version = [Version::V4, Version::V5][random.random_range(0..2)];
        let mut out = BytesMut::new();
        let id = random.random_range(1..=u16::MAX);
        let qos = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce][random.random_range(0..3)];
        let payload: Bytes = (0..random.random_range(0..300))
            .map(|_| random.random::<u8>())
            .collect();
        let topic = "t/".repeat(1 + random.random_range(0..100));
        let message = Outgoing {
            topic: &topic,
            payload: &payload,
            qos,
            retain: random.random_ratio(1, 2),
            dup: false,
            id: if qos == QoS::AtMostOnce { 0 } else { id },
            properties: b"",
            expiry_secs: random.random_ratio(1, 2).then_some(7),
            subscription_ids: &[],
        };
        message.write(&mut out, version);
        assert_eq!(out.len(), message.packet_len(version), "seed {seed}");
        let frame = take_frame(&mut out, OUT_MAX).unwrap().unwrap();
        let Ok(crate::packet::Packet::Publish(publish)) = read(version, frame, 2) else {
            panic!("seed {seed}");
        };
        assert_eq!(
            (&publish.topic[..], &publish.payload),
            (&topic[..], &payload)
        );
        assert_eq!((publish.qos, publish.id), (qos, message.id));
        assert_eq!(publish.retain, message.retain);

        let kind =
            [AckKind::Ack, AckKind::Rec, AckKind::Rel, AckKind::Comp][random.random_range(0..4)];
        reply::ack(&mut out, version, kind, id, 0);
        let frame = take_frame(&mut out, OUT_MAX).unwrap().unwrap();
        let expected = crate::packet::Packet::Ack {
            kind,
            id,
            reason: 0,
        };
        assert_eq!(read(version, frame, 2), Ok(expected), "seed {seed}");
        assert!(out.is_empty());
    }
}
