//! What a client may send, understood: MQTT 3.1.1 and 5 alike.

pub(crate) mod properties;
pub(crate) mod reply;
pub(crate) mod wire;

use bytes::Bytes;

use crate::packet::properties::Properties;
use crate::packet::wire::{Fault, Frame, Reader};

/// The version that a connection speaks, from the level in its CONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// MQTT 3.1.1, level 4.
    V4,
    /// MQTT 5.0, level 5.
    V5,
}

/// Quality of service, by the names that MQTT has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::enum_variant_names, reason = "the names of the specification")]
pub(crate) enum QoS {
    AtMostOnce,
    AtLeastOnce,
    ExactlyOnce,
}

impl QoS {
    pub(crate) fn from_bits(bits: u8) -> Result<Self, Fault> {
        match bits {
            0 => Ok(Self::AtMostOnce),
            1 => Ok(Self::AtLeastOnce),
            2 => Ok(Self::ExactlyOnce),
            _ => Err(Fault::Malformed("QoS 3")),
        }
    }

    pub(crate) fn bits(self) -> u8 {
        match self {
            Self::AtMostOnce => 0,
            Self::AtLeastOnce => 1,
            Self::ExactlyOnce => 2,
        }
    }
}

/// CONNECT, or why there will be no connection.
#[derive(Debug, PartialEq)]
pub(crate) enum Hello {
    /// Of a version that we speak.
    Connect(Box<Connect>),
    /// MQTT of another level.
    OtherVersion(u8),
}

#[derive(Debug, PartialEq)]
pub(crate) struct Connect {
    pub(crate) version: Version,
    pub(crate) clean: bool,
    pub(crate) keepalive_secs: u16,
    pub(crate) properties: Properties,
    pub(crate) client_id: String,
    pub(crate) will: Option<Will>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Password>,
}

/// What a client proves itself with. It cannot be printed.
#[derive(PartialEq)]
pub(crate) struct Password(pub(crate) Bytes);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}

/// The message that announces a death.
#[derive(Debug, PartialEq)]
pub(crate) struct Will {
    pub(crate) topic: String,
    pub(crate) payload: Bytes,
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
    pub(crate) properties: Properties,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Publish {
    /// Empty if the alias stands for it.
    pub(crate) topic: String,
    pub(crate) payload: Bytes,
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
    /// 0 with `QoS` 0.
    pub(crate) id: u16,
    pub(crate) properties: Properties,
}

/// PUBACK, PUBREC, PUBREL and PUBCOMP, as numbered in the fixed header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AckKind {
    Ack = 4,
    Rec = 5,
    Rel = 6,
    Comp = 7,
}

/// How a client wants what a filter matches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Options {
    pub(crate) qos: QoS,
    pub(crate) no_local: bool,
    pub(crate) retain_as_published: bool,
    pub(crate) retain_handling: RetainHandling,
}

/// When a subscription is answered with retained messages.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum RetainHandling {
    Always,
    IfNew,
    Never,
}

/// Any packet but CONNECT.
#[derive(Debug, PartialEq)]
pub(crate) enum Packet {
    Publish(Publish),
    Ack {
        kind: AckKind,
        id: u16,
        reason: u8,
    },
    Subscribe {
        id: u16,
        filters: Vec<(String, Options)>,
        /// How many more there were than the reader was to look at.
        beyond: usize,
        subscription_id: Option<usize>,
    },
    Unsubscribe {
        id: u16,
        filters: Vec<String>,
    },
    Ping,
    Disconnect {
        reason: u8,
        session_expiry_secs: Option<u32>,
    },
}

/// Reads the first packet of a connection.
pub(crate) fn read_hello(frame: Frame) -> Result<Hello, Fault> {
    if frame.first != 0x10 {
        return Err(Fault::Protocol("the first packet is not CONNECT"));
    }
    let mut reader = Reader::new(frame.body);
    let name = reader.string()?;
    let level = reader.u8()?;
    let version = match (name.as_str(), level) {
        ("MQTT", 4) => Version::V4,
        ("MQTT", 5) => Version::V5,
        ("MQTT" | "MQIsdp", level) => return Ok(Hello::OtherVersion(level)),
        _ => return Err(Fault::Protocol("the protocol is not MQTT")),
    };
    let flags = reader.u8()?;
    if flags & 1 != 0 {
        return Err(Fault::Malformed("reserved flag in CONNECT"));
    }
    let keepalive_secs = reader.u16()?;
    let properties = read_properties(version, &mut reader, properties::CONNECT)?;
    let client_id = reader.string()?;
    let will = read_will(version, flags, &mut reader)?;
    let (has_user, has_password) = (flags & 0x80 != 0, flags & 0x40 != 0);
    if version == Version::V4 && has_password && !has_user {
        return Err(Fault::Malformed("a password without a user"));
    }
    let user = has_user.then(|| reader.string()).transpose()?;
    let password = has_password.then(|| reader.binary()).transpose()?;
    let password = password.map(Password);
    reader.expect_end()?;
    Ok(Hello::Connect(Box::new(Connect {
        version,
        clean: flags & 2 != 0,
        keepalive_secs,
        properties,
        client_id,
        will,
        user,
        password,
    })))
}

fn read_will(version: Version, flags: u8, reader: &mut Reader) -> Result<Option<Will>, Fault> {
    let (qos, retain) = (QoS::from_bits(flags >> 3 & 3)?, flags & 0x20 != 0);
    if flags & 4 == 0 {
        return match (qos, retain) {
            (QoS::AtMostOnce, false) => Ok(None),
            _ => Err(Fault::Malformed("flags of a will without a will")),
        };
    }
    let properties = read_properties(version, reader, properties::WILL)?;
    let topic = reader.string()?;
    check_topic(&topic)?;
    Ok(Some(Will {
        topic,
        payload: reader.binary()?,
        qos,
        retain,
        properties,
    }))
}

/// Whether a packet with this first byte is SUBSCRIBE or UNSUBSCRIBE.
pub(crate) fn asks_router(first: u8) -> bool {
    matches!(first >> 4, 8 | 10)
}

/// Reads every later packet. `filters_max`: how many filters of one packet are looked at.
pub(crate) fn read(version: Version, frame: Frame, filters_max: usize) -> Result<Packet, Fault> {
    let (kind, flags) = (frame.first >> 4, frame.first & 0x0F);
    let expected = match kind {
        3 => flags,
        6 | 8 | 10 => 2,
        _ => 0,
    };
    if flags != expected {
        return Err(Fault::Malformed("reserved flags"));
    }
    let mut reader = Reader::new(frame.body);
    match kind {
        3 => read_publish(version, flags, reader).map(Packet::Publish),
        4 => read_ack(version, AckKind::Ack, &mut reader),
        5 => read_ack(version, AckKind::Rec, &mut reader),
        6 => read_ack(version, AckKind::Rel, &mut reader),
        7 => read_ack(version, AckKind::Comp, &mut reader),
        8 => read_subscribe(version, reader, filters_max),
        10 => read_unsubscribe(version, reader, filters_max),
        12 => reader.expect_end().map(|()| Packet::Ping),
        14 => read_disconnect(version, &mut reader),
        1 => Err(Fault::Protocol("a second CONNECT")),
        15 => Err(Fault::Protocol("AUTH without a method")),
        _ => Err(Fault::Protocol("a packet that only a server sends")),
    }
}

fn read_properties(
    version: Version,
    reader: &mut Reader,
    allowed: &[u8],
) -> Result<Properties, Fault> {
    match version {
        Version::V4 => Ok(Properties::default()),
        Version::V5 => Properties::read(reader, allowed),
    }
}

fn check_topic(topic: &str) -> Result<(), Fault> {
    if topic.is_empty() {
        return Err(Fault::Protocol("an empty topic"));
    }
    if topic.contains(['+', '#']) {
        return Err(Fault::Malformed("a topic with a wildcard"));
    }
    Ok(())
}

fn read_publish(version: Version, flags: u8, mut reader: Reader) -> Result<Publish, Fault> {
    let qos = QoS::from_bits(flags >> 1 & 3)?;
    if qos == QoS::AtMostOnce && flags & 8 != 0 {
        // MQTT-3.3.1-2.
        return Err(Fault::Malformed("DUP with QoS 0"));
    }
    let topic = reader.string()?;
    let id = match qos {
        QoS::AtMostOnce => 0,
        _ => reader.packet_id()?,
    };
    let properties = read_properties(version, &mut reader, properties::PUBLISH)?;
    if !(topic.is_empty() && properties.topic_alias.is_some()) {
        check_topic(&topic)?;
    }
    Ok(Publish {
        topic,
        payload: reader.rest(),
        qos,
        retain: flags & 1 != 0,
        id,
        properties,
    })
}

fn read_ack(version: Version, kind: AckKind, reader: &mut Reader) -> Result<Packet, Fault> {
    let id = reader.packet_id()?;
    let mut reason = 0;
    if version == Version::V5 && !reader.is_empty() {
        reason = reader.u8()?;
        if !reader.is_empty() {
            Properties::read(reader, properties::ACK)?;
        }
    }
    reader.expect_end()?;
    Ok(Packet::Ack { kind, id, reason })
}

fn read_subscribe(
    version: Version,
    mut reader: Reader,
    filters_max: usize,
) -> Result<Packet, Fault> {
    let id = reader.packet_id()?;
    let properties = read_properties(version, &mut reader, properties::SUBSCRIBE)?;
    let mut filters = Vec::new();
    let mut beyond = 0;
    while !reader.is_empty() {
        if filters.len() < filters_max {
            let filter = reader.string()?;
            filters.push((filter, read_options(version, reader.u8()?)?));
        } else {
            reader.skip_string()?;
            read_options(version, reader.u8()?)?;
            beyond += 1;
        }
    }
    if filters.is_empty() && beyond == 0 {
        return Err(Fault::Protocol("SUBSCRIBE without a filter"));
    }
    Ok(Packet::Subscribe {
        id,
        filters,
        beyond,
        subscription_id: properties.subscription_id,
    })
}

fn read_options(version: Version, bits: u8) -> Result<Options, Fault> {
    let reserved = match version {
        Version::V4 => 0xFC,
        Version::V5 => 0xC0,
    };
    if bits & reserved != 0 {
        return Err(Fault::Malformed("reserved subscription options"));
    }
    Ok(Options {
        qos: QoS::from_bits(bits & 3)?,
        no_local: bits & 4 != 0,
        retain_as_published: bits & 8 != 0,
        retain_handling: match bits >> 4 {
            0 => RetainHandling::Always,
            1 => RetainHandling::IfNew,
            2 => RetainHandling::Never,
            _ => return Err(Fault::Protocol("retain handling 3")),
        },
    })
}

fn read_unsubscribe(
    version: Version,
    mut reader: Reader,
    filters_max: usize,
) -> Result<Packet, Fault> {
    let id = reader.packet_id()?;
    read_properties(version, &mut reader, properties::UNSUBSCRIBE)?;
    let mut filters = Vec::new();
    while !reader.is_empty() {
        // UNSUBACK has no word for a filter that was not looked at, and none at all in 3.1.1.
        if filters.len() >= filters_max {
            return Err(Fault::TooManyFilters);
        }
        filters.push(reader.string()?);
    }
    if filters.is_empty() {
        return Err(Fault::Protocol("UNSUBSCRIBE without a filter"));
    }
    Ok(Packet::Unsubscribe { id, filters })
}

fn read_disconnect(version: Version, reader: &mut Reader) -> Result<Packet, Fault> {
    let (mut reason, mut session_expiry_secs) = (0, None);
    if version == Version::V5 && !reader.is_empty() {
        reason = reader.u8()?;
        if !reader.is_empty() {
            let properties = Properties::read(reader, properties::DISCONNECT)?;
            session_expiry_secs = properties.session_expiry_secs;
        }
    }
    reader.expect_end()?;
    Ok(Packet::Disconnect {
        reason,
        session_expiry_secs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(first: u8, body: &'static [u8]) -> Frame {
        Frame {
            first,
            body: Bytes::from_static(body),
        }
    }

    #[test]
    fn a_connect_says_which_version_it_is() {
        let hello = |body| read_hello(frame(0x10, body));
        let Ok(Hello::Connect(four)) = hello(b"\0\x04MQTT\x04\xC2\0\x3C\0\x01c\0\x01u\0\x01\xFF")
        else {
            panic!("not understood");
        };
        assert_eq!((four.version, four.keepalive_secs), (Version::V4, 60));
        assert_eq!(four.user.as_deref(), Some("u"));
        assert_eq!(four.password, Some(Password(Bytes::from_static(b"\xFF"))));
        assert!(!format!("{four:?}").contains("xff"));
        assert_eq!(
            hello(b"\0\x06MQIsdp\x03\x02\0\x3C\0\x01c"),
            Ok(Hello::OtherVersion(3))
        );
        assert_eq!(hello(b"\0\x04MQTT\x09"), Ok(Hello::OtherVersion(9)));
        assert!(hello(b"\0\x04HTTP\x04\x02\0\0\0\0").is_err());
        assert!(hello(b"\0\x04MQTT\x04\x03\0\0\0\0").is_err());
    }

    #[test]
    fn a_v5_disconnect_may_end_after_its_reason() {
        let check = |body, expected| {
            let packet = read(Version::V5, frame(0xE0, body), 1);
            let expected = Packet::Disconnect {
                reason: expected,
                session_expiry_secs: None,
            };
            assert_eq!(packet, Ok(expected));
        };
        check(b"", 0);
        check(b"\x04", 4);
        check(b"\x04\0", 4);
    }

    #[test]
    fn topics_with_wildcards_and_packets_out_of_place_are_faults() {
        for (first, body) in [
            (0x30, &b"\0\x01#a"[..]),
            (0x30, b"\0\0a"),
            (0x38, b"\0\x01a"),
            (0x32, b"\0\x01a\0\0"),
            (0x36, b"\0\x01a\0\x01"),
            (0x80, b"\0\x01\0\x01a\0"),
            (0x82, b"\0\x01"),
            (0x82, b"\0\x01\0\x01a\x03"),
            (0x10, b"\0\x04MQTT\x04\x02\0\0\0\0"),
            (0x20, b"\0\0"),
            (0xF0, b""),
            (0x00, b""),
        ] {
            assert!(
                read(Version::V4, frame(first, body), 1).is_err(),
                "{body:?}"
            );
        }
    }
}
