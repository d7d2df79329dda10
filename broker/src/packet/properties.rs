//! The properties of MQTT 5 packets (section 2.2.2): what the broker acts on is parsed, what
//! only travels with a message is checked and kept as bytes.

use bytes::{BufMut, Bytes, BytesMut};

use crate::packet::wire::{Fault, Reader};

/// Identifiers, as in section 2.2.2.2.
pub(crate) mod id {
    pub(crate) const PAYLOAD_FORMAT: u8 = 1;
    pub(crate) const MESSAGE_EXPIRY: u8 = 2;
    pub(crate) const CONTENT_TYPE: u8 = 3;
    pub(crate) const RESPONSE_TOPIC: u8 = 8;
    pub(crate) const CORRELATION_DATA: u8 = 9;
    pub(crate) const SUBSCRIPTION_ID: u8 = 11;
    pub(crate) const SESSION_EXPIRY: u8 = 17;
    pub(crate) const ASSIGNED_CLIENT_ID: u8 = 18;
    pub(crate) const SERVER_KEEP_ALIVE: u8 = 19;
    pub(crate) const AUTH_METHOD: u8 = 21;
    pub(crate) const AUTH_DATA: u8 = 22;
    pub(crate) const REQUEST_PROBLEM_INFO: u8 = 23;
    pub(crate) const WILL_DELAY: u8 = 24;
    pub(crate) const REQUEST_RESPONSE_INFO: u8 = 25;
    pub(crate) const REASON_STRING: u8 = 31;
    pub(crate) const RECEIVE_MAXIMUM: u8 = 33;
    pub(crate) const TOPIC_ALIAS_MAXIMUM: u8 = 34;
    pub(crate) const TOPIC_ALIAS: u8 = 35;
    pub(crate) const USER_PROPERTY: u8 = 38;
    pub(crate) const MAXIMUM_PACKET_SIZE: u8 = 39;
}

/// Allowed in CONNECT.
pub(crate) const CONNECT: &[u8] = &[
    id::SESSION_EXPIRY,
    id::AUTH_METHOD,
    id::AUTH_DATA,
    id::REQUEST_PROBLEM_INFO,
    id::REQUEST_RESPONSE_INFO,
    id::RECEIVE_MAXIMUM,
    id::TOPIC_ALIAS_MAXIMUM,
    id::USER_PROPERTY,
    id::MAXIMUM_PACKET_SIZE,
];
/// Allowed with the will.
pub(crate) const WILL: &[u8] = &[
    id::PAYLOAD_FORMAT,
    id::MESSAGE_EXPIRY,
    id::CONTENT_TYPE,
    id::RESPONSE_TOPIC,
    id::CORRELATION_DATA,
    id::WILL_DELAY,
    id::USER_PROPERTY,
];
/// Allowed in a PUBLISH from a client.
pub(crate) const PUBLISH: &[u8] = &[
    id::PAYLOAD_FORMAT,
    id::MESSAGE_EXPIRY,
    id::CONTENT_TYPE,
    id::RESPONSE_TOPIC,
    id::CORRELATION_DATA,
    id::TOPIC_ALIAS,
    id::USER_PROPERTY,
];
/// Allowed in SUBSCRIBE.
pub(crate) const SUBSCRIBE: &[u8] = &[id::SUBSCRIPTION_ID, id::USER_PROPERTY];
/// Allowed in UNSUBSCRIBE.
pub(crate) const UNSUBSCRIBE: &[u8] = &[id::USER_PROPERTY];
/// Allowed in the acknowledgements.
pub(crate) const ACK: &[u8] = &[id::REASON_STRING, id::USER_PROPERTY];
/// Allowed in DISCONNECT from a client.
pub(crate) const DISCONNECT: &[u8] = &[id::SESSION_EXPIRY, id::REASON_STRING, id::USER_PROPERTY];

/// What a client said in the properties of one packet.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Properties {
    pub(crate) session_expiry_secs: Option<u32>,
    pub(crate) receive_maximum: Option<u16>,
    pub(crate) maximum_packet_size: Option<u32>,
    pub(crate) topic_alias: Option<u16>,
    pub(crate) message_expiry_secs: Option<u32>,
    pub(crate) subscription_id: Option<usize>,
    pub(crate) will_delay_secs: Option<u32>,
    pub(crate) wants_authentication_method: bool,
    /// Those that go to subscribers unaltered, as they came.
    pub(crate) forwarded: Bytes,
}

impl Properties {
    /// Reads the length and all the properties behind it.
    pub(crate) fn read(reader: &mut Reader, allowed: &[u8]) -> Result<Self, Fault> {
        let length = reader.varint()?;
        let mut reader = Reader::new(reader.take(length)?);
        let mut found = Self::default();
        let mut forwarded = BytesMut::new();
        let mut seen = 0_u64;
        while !reader.is_empty() {
            let before = reader.clone();
            let id = reader.u8()?;
            if !allowed.contains(&id) {
                return Err(Fault::Malformed("a property that may not be here"));
            }
            let bit = 1 << id;
            if seen & bit != 0 && id != id::USER_PROPERTY {
                return Err(Fault::Protocol("a property twice"));
            }
            seen |= bit;
            if found.read_one(id, &mut reader)? {
                let length = before.as_slice().len() - reader.as_slice().len();
                forwarded.put_slice(&before.as_slice()[..length]);
            }
        }
        if seen & 1 << id::AUTH_DATA != 0 && !found.wants_authentication_method {
            return Err(Fault::Protocol("authentication data without a method"));
        }
        found.forwarded = forwarded.freeze();
        Ok(found)
    }

    /// Whether the property goes with the message to its subscribers.
    fn read_one(&mut self, id: u8, reader: &mut Reader) -> Result<bool, Fault> {
        match id {
            id::SESSION_EXPIRY => self.session_expiry_secs = Some(reader.u32()?),
            id::RECEIVE_MAXIMUM => {
                self.receive_maximum = Some(not_zero(reader.packet_id())?);
            }
            id::MAXIMUM_PACKET_SIZE => {
                let size = reader.u32()?;
                if size == 0 {
                    return Err(ZERO);
                }
                self.maximum_packet_size = Some(size);
            }
            id::TOPIC_ALIAS => {
                self.topic_alias = Some(reader.packet_id().map_err(|_| Fault::TopicAlias)?);
            }
            id::MESSAGE_EXPIRY => self.message_expiry_secs = Some(reader.u32()?),
            id::SUBSCRIPTION_ID => {
                let id = reader.varint()?;
                if id == 0 {
                    return Err(ZERO);
                }
                self.subscription_id = Some(id);
            }
            id::AUTH_METHOD => {
                reader.string()?;
                self.wants_authentication_method = true;
            }
            id::AUTH_DATA => drop(reader.binary()?),
            id::TOPIC_ALIAS_MAXIMUM => drop(reader.u16()?),
            id::WILL_DELAY => self.will_delay_secs = Some(reader.u32()?),
            id::REASON_STRING => drop(reader.string()?),
            id::REQUEST_PROBLEM_INFO | id::REQUEST_RESPONSE_INFO => {
                flag(reader)?;
            }
            id::PAYLOAD_FORMAT => {
                flag(reader)?;
                return Ok(true);
            }
            id::CONTENT_TYPE => {
                reader.string()?;
                return Ok(true);
            }
            id::RESPONSE_TOPIC => {
                if reader.string()?.contains(['+', '#']) {
                    return Err(Fault::Protocol("a wildcard in the response topic"));
                }
                return Ok(true);
            }
            id::CORRELATION_DATA => {
                reader.binary()?;
                return Ok(true);
            }
            id::USER_PROPERTY => {
                reader.string()?;
                reader.string()?;
                return Ok(true);
            }
            _ => return Err(Fault::Malformed("unknown property")),
        }
        Ok(false)
    }
}

const ZERO: Fault = Fault::Protocol("a property that may not be 0");

fn not_zero(value: Result<u16, Fault>) -> Result<u16, Fault> {
    value.map_err(|_| ZERO)
}

fn flag(reader: &mut Reader) -> Result<u8, Fault> {
    match reader.u8()? {
        value @ 0..=1 => Ok(value),
        _ => Err(Fault::Protocol("a property that is neither 0 nor 1")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &'static [u8], allowed: &[u8]) -> Result<Properties, Fault> {
        Properties::read(&mut Reader::new(Bytes::from_static(bytes)), allowed)
    }

    #[test]
    fn what_travels_with_a_message_is_kept_as_it_came() {
        let bytes = b"\x12\x02\0\0\0\x05\x26\0\x01a\0\x01b\x23\0\x07\x03\0\0";
        let found = read(bytes, PUBLISH).unwrap();
        assert_eq!(found.message_expiry_secs, Some(5));
        assert_eq!(found.topic_alias, Some(7));
        assert_eq!(&found.forwarded[..], b"\x26\0\x01a\0\x01b\x03\0\0");
    }

    #[test]
    fn properties_out_of_place_twice_or_cut_short_are_faults() {
        for bad in [
            &b"\x02\x0B\x01"[..],                // a subscription identifier in PUBLISH
            b"\x0A\x02\0\0\0\x05\x02\0\0\0\x05", // expiry twice
            b"\x05\x02\0\0",                     // shorter than it says
            b"\x03\x02\0\0",                     // ends inside a property
            b"\x02\x01\x02",                     // payload format 2
            b"\x02\x7F\0",                       // no such property
            b"\x02\xFF\0",                       // no such property, beyond 64
        ] {
            assert!(read(bad, PUBLISH).is_err(), "{bad:?}");
        }
        assert_eq!(read(b"\x03\x23\0\0", PUBLISH), Err(Fault::TopicAlias));
        // Authentication data without a method.
        assert!(read(b"\x03\x16\0\0", CONNECT).is_err());
    }
}
