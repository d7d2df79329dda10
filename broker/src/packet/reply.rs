//! What the broker sends: packets written straight into the connection's buffer.

use bytes::{BufMut, BytesMut};

use crate::packet::properties::id;
use crate::packet::wire::{put_string, put_varint, varint_len};
use crate::packet::{AckKind, QoS, Version};

/// Reason codes of MQTT 5 (section 2.4).
pub(crate) mod reason {
    pub(crate) const SUCCESS: u8 = 0x00;
    pub(crate) const NO_SUBSCRIPTION_EXISTED: u8 = 0x11;
    pub(crate) const UNSPECIFIED: u8 = 0x80;
    pub(crate) const MALFORMED: u8 = 0x81;
    pub(crate) const PROTOCOL_ERROR: u8 = 0x82;
    pub(crate) const UNSUPPORTED_VERSION: u8 = 0x84;
    pub(crate) const CLIENT_ID_INVALID: u8 = 0x85;
    pub(crate) const NOT_AUTHORIZED: u8 = 0x87;
    pub(crate) const SERVER_UNAVAILABLE: u8 = 0x88;
    pub(crate) const SHUTTING_DOWN: u8 = 0x8B;
    pub(crate) const BAD_AUTH_METHOD: u8 = 0x8C;
    pub(crate) const KEEPALIVE_TIMEOUT: u8 = 0x8D;
    pub(crate) const TAKEN_OVER: u8 = 0x8E;
    pub(crate) const FILTER_INVALID: u8 = 0x8F;
    pub(crate) const TOPIC_INVALID: u8 = 0x90;
    pub(crate) const PACKET_ID_NOT_FOUND: u8 = 0x92;
    pub(crate) const RECEIVE_MAXIMUM_EXCEEDED: u8 = 0x93;
    pub(crate) const TOPIC_ALIAS_INVALID: u8 = 0x94;
    pub(crate) const PACKET_TOO_LARGE: u8 = 0x95;
    pub(crate) const QUOTA_EXCEEDED: u8 = 0x97;
    pub(crate) const ADMINISTRATIVE: u8 = 0x98;
}

/// Topic aliases that a client may set.
pub(crate) const TOPIC_ALIAS_MAX: u16 = 16;

/// What CONNACK tells a client that is let in (MQTT 5 only; 3.1.1 has no room for it).
#[derive(Debug, Default)]
pub(crate) struct Welcome<'a> {
    pub(crate) assigned_client_id: Option<&'a str>,
    pub(crate) server_keepalive_secs: Option<u16>,
    pub(crate) maximum_packet_size: u32,
    /// How long its session is kept, if that is not what the client asked for.
    pub(crate) session_expiry_secs: Option<u32>,
    /// The client goes on with the session that it had.
    pub(crate) session_present: bool,
    /// Messages that the client may have under way at a time.
    pub(crate) receive_maximum: u16,
}

/// CONNACK for a client that is let in.
pub(crate) fn welcome(out: &mut BytesMut, version: Version, welcome: &Welcome<'_>) {
    if version == Version::V4 {
        out.put_slice(&[0x20, 2, u8::from(welcome.session_present), 0]);
        return;
    }
    let mut properties = BytesMut::new();
    if let Some(client_id) = welcome.assigned_client_id {
        properties.put_u8(id::ASSIGNED_CLIENT_ID);
        put_string(&mut properties, client_id);
    }
    if let Some(secs) = welcome.server_keepalive_secs {
        properties.put_u8(id::SERVER_KEEP_ALIVE);
        properties.put_u16(secs);
    }
    if let Some(secs) = welcome.session_expiry_secs {
        properties.put_u8(id::SESSION_EXPIRY);
        properties.put_u32(secs);
    }
    properties.put_u8(id::RECEIVE_MAXIMUM);
    properties.put_u16(welcome.receive_maximum);
    properties.put_u8(id::MAXIMUM_PACKET_SIZE);
    properties.put_u32(welcome.maximum_packet_size);
    properties.put_u8(id::TOPIC_ALIAS_MAXIMUM);
    properties.put_u16(TOPIC_ALIAS_MAX);
    // All that is optional is available, which is what a client assumes when it is not told.
    out.put_u8(0x20);
    put_varint(out, 2 + varint_len(properties.len()) + properties.len());
    out.put_slice(&[u8::from(welcome.session_present), reason::SUCCESS]);
    put_varint(out, properties.len());
    out.put_slice(&properties);
}

/// CONNACK for a client that is not let in, by its MQTT 5 reason. A 3.1.1 client gets the
/// nearest of its five codes, or nothing where it has none.
pub(crate) fn refusal(out: &mut BytesMut, version: Version, reason: u8) {
    let code = match (version, reason) {
        (Version::V5, reason) => {
            out.put_slice(&[0x20, 3, 0, reason, 0]);
            return;
        }
        (_, reason::UNSUPPORTED_VERSION) => 1,
        (_, reason::CLIENT_ID_INVALID) => 2,
        (_, reason::SERVER_UNAVAILABLE | reason::QUOTA_EXCEEDED) => 3,
        (_, reason::NOT_AUTHORIZED | reason::TOPIC_INVALID) => 5,
        _ => return,
    };
    out.put_slice(&[0x20, 2, 0, code]);
}

/// A message on its way to one subscriber.
#[derive(Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) topic: &'a str,
    pub(crate) payload: &'a [u8],
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
    /// It has been sent before.
    pub(crate) dup: bool,
    /// 0 with `QoS` 0.
    pub(crate) id: u16,
    /// As they came from the publisher.
    pub(crate) properties: &'a [u8],
    pub(crate) expiry_secs: Option<u32>,
    pub(crate) subscription_ids: &'a [usize],
}

impl Outgoing<'_> {
    fn properties_len(&self) -> usize {
        self.properties.len()
            + self.expiry_secs.map_or(0, |_| 5)
            + self
                .subscription_ids
                .iter()
                .map(|id| 1 + varint_len(*id))
                .sum::<usize>()
    }

    fn body_len(&self, version: Version) -> usize {
        let properties = match version {
            Version::V4 => 0,
            Version::V5 => varint_len(self.properties_len()) + self.properties_len(),
        };
        let id = if self.id == 0 { 0 } else { 2 };
        2 + self.topic.len() + id + properties + self.payload.len()
    }

    /// How many bytes `write` will write.
    pub(crate) fn packet_len(&self, version: Version) -> usize {
        let body = self.body_len(version);
        1 + varint_len(body) + body
    }

    /// Writes PUBLISH. Properties are left out for a 3.1.1 subscriber.
    pub(crate) fn write(&self, out: &mut BytesMut, version: Version) {
        let dup = u8::from(self.dup) << 3;
        out.put_u8(0x30 | dup | self.qos.bits() << 1 | u8::from(self.retain));
        put_varint(out, self.body_len(version));
        put_string(out, self.topic);
        if self.id != 0 {
            out.put_u16(self.id);
        }
        if version == Version::V5 {
            put_varint(out, self.properties_len());
            out.put_slice(self.properties);
            if let Some(secs) = self.expiry_secs {
                out.put_u8(id::MESSAGE_EXPIRY);
                out.put_u32(secs);
            }
            for subscription_id in self.subscription_ids {
                out.put_u8(id::SUBSCRIPTION_ID);
                put_varint(out, *subscription_id);
            }
        }
        out.put_slice(self.payload);
    }
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP.
pub(crate) fn ack(out: &mut BytesMut, version: Version, kind: AckKind, id: u16, reason: u8) {
    let flags = if kind == AckKind::Rel { 2 } else { 0 };
    out.put_u8((kind as u8) << 4 | flags);
    if version == Version::V4 || reason == reason::SUCCESS {
        out.put_u8(2);
        out.put_u16(id);
    } else {
        out.put_u8(3);
        out.put_u16(id);
        out.put_u8(reason);
    }
}

/// SUBACK: a granted `QoS` or a reason for each filter, which 3.1.1 knows only as failure.
pub(crate) fn suback(out: &mut BytesMut, version: Version, id: u16, reasons: &[u8]) {
    list(out, version, 0x90, id, reasons.len());
    for &code in reasons {
        out.put_u8(match version {
            Version::V4 => code.min(reason::UNSPECIFIED),
            Version::V5 => code,
        });
    }
}

/// UNSUBACK: 3.1.1 has no reasons in it.
pub(crate) fn unsuback(out: &mut BytesMut, version: Version, id: u16, reasons: &[u8]) {
    match version {
        Version::V4 => list(out, version, 0xB0, id, 0),
        Version::V5 => {
            list(out, version, 0xB0, id, reasons.len());
            out.put_slice(reasons);
        }
    }
}

fn list(out: &mut BytesMut, version: Version, first: u8, id: u16, reasons: usize) {
    out.put_u8(first);
    let properties = usize::from(version == Version::V5);
    put_varint(out, 2 + properties + reasons);
    out.put_u16(id);
    out.put_bytes(0, properties);
}

/// PINGRESP.
pub(crate) fn pong(out: &mut BytesMut) {
    out.put_slice(&[0xD0, 0]);
}

/// DISCONNECT, which only MQTT 5 lets a server send.
pub(crate) fn disconnect(out: &mut BytesMut, version: Version, reason: u8) {
    if version == Version::V5 {
        out.put_slice(&[0xE0, 2, reason, 0]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish(version: Version) -> BytesMut {
        let mut out = BytesMut::new();
        let message = Outgoing {
            topic: "a",
            payload: b"hi",
            qos: QoS::AtLeastOnce,
            retain: true,
            dup: false,
            id: 7,
            properties: b"\x26\0\x01k\0\x01v",
            expiry_secs: Some(9),
            subscription_ids: &[200],
        };
        message.write(&mut out, version);
        assert_eq!(out.len(), message.packet_len(version));
        out
    }

    #[test]
    fn properties_reach_only_those_who_know_them() {
        assert_eq!(&publish(Version::V4)[..], b"\x33\x07\0\x01a\0\x07hi");
        let expected = b"\x33\x17\0\x01a\0\x07\x0F\x26\0\x01k\0\x01v\x02\0\0\0\x09\x0B\xC8\x01hi";
        assert_eq!(&publish(Version::V5)[..], expected);
    }

    #[test]
    fn a_refusal_speaks_the_clients_version() {
        let check = |version, reason, expected: &[u8]| {
            let mut out = BytesMut::new();
            refusal(&mut out, version, reason);
            assert_eq!(&out[..], expected);
        };
        check(Version::V4, reason::NOT_AUTHORIZED, &[0x20, 2, 0, 5]);
        check(Version::V4, reason::MALFORMED, &[]);
        check(Version::V5, reason::NOT_AUTHORIZED, &[0x20, 3, 0, 0x87, 0]);
    }

    #[test]
    fn suback_codes_are_reduced_to_failure_for_3_1_1() {
        let codes = [1, reason::NOT_AUTHORIZED];
        let mut out = BytesMut::new();
        suback(&mut out, Version::V4, 5, &codes);
        suback(&mut out, Version::V5, 5, &codes);
        assert_eq!(&out[..6], &[0x90, 4, 0, 5, 1, 0x80]);
        assert_eq!(&out[6..], &[0x90, 5, 0, 5, 0, 1, 0x87]);
    }
}
