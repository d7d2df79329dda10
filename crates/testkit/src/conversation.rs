//! MQTT as broken clients speak it.

use rand::Rng;

/// Bytes of noise, at most.
const NOISE_MAX: usize = 200;

/// Packets of a conversation, CONNECT left out, at most.
const PACKETS_MAX: usize = 5;

/// Bytes of a packet that means nothing. Below 128, so that its length takes one byte (MQTT 5.0,
/// section 1.5.5).
const BODY_MAX: usize = 60;

/// Bytes that are changed in the end, at most.
const CHANGES_MAX: usize = 3;

/// SUBSCRIBE, in either version; PUBLISH of `QoS` 1 and 2, PUBREL, UNSUBSCRIBE.
const SOUND: [&[u8]; 6] = [
    b"\x82\x06\0\x01\0\x01#\x02",
    b"\x82\x07\0\x01\0\0\x01#\x01",
    b"\x33\x08\0\x03\xC3\xA4b\0\x01x",
    b"\x35\x09\0\x02ab\0\x01\0xy",
    b"\x62\x02\0\x01",
    b"\xA2\x05\0\x01\0\x01#",
];

/// What a broken client says: this CONNECT and a few packets, sound and not, with a few bytes
/// changed; once in eight times mere noise. The same seed makes the same.
pub fn broken_conversation(random: &mut impl Rng, connect: &[u8]) -> Vec<u8> {
    if random.random_ratio(1, 8) {
        return noise(random, NOISE_MAX);
    }
    let mut said = connect.to_vec();
    for _ in 0..random.random_range(0..=PACKETS_MAX) {
        if random.random() {
            said.extend(SOUND[random.random_range(0..SOUND.len())]);
        } else {
            let body = noise(random, BODY_MAX);
            said.push(random.random());
            said.push(u8::try_from(body.len()).unwrap_or_default());
            said.extend(body);
        }
    }
    for _ in 0..random.random_range(0..=CHANGES_MAX) {
        // Mostly behind CONNECT, so that most get in.
        let from = if random.random_ratio(1, 4) {
            0
        } else {
            connect.len()
        };
        if said.len() > from {
            let at = random.random_range(from..said.len());
            said[at] = random.random();
        }
    }
    said
}

fn noise(random: &mut impl Rng, max: usize) -> Vec<u8> {
    let length = random.random_range(0..max);
    (0..length).map(|_| random.random()).collect()
}
