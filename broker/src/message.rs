//! A message inside the broker, and the envelope in which it passes through the router.
//!
//! The router knows a topic and bytes. All that a subscriber's end needs to know beside them
//! is packed in front of the payload, so that the router never sees a property or a retain flag.

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use netmonitor_protocol::Topic;

use crate::packet::{QoS, Will};

/// What a client or the broker itself publishes.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) topic: String,
    pub(crate) payload: Bytes,
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
    /// MQTT 5 properties that travel with it, as they came.
    pub(crate) properties: Bytes,
    pub(crate) expiry_secs: Option<u32>,
}

/// Whether a message with the retain flag may be kept. Not where the table of topics says that
/// it is for those who are there: it would be said again to everybody who comes. An empty one
/// keeps nothing.
pub(crate) fn may_be_kept(topic: &str, payload: &[u8]) -> bool {
    let ours = topic.parse::<Topic>();
    payload.is_empty() || ours.map_or(true, |topic| topic.row().retained.is_kept())
}

impl From<Will> for Message {
    fn from(will: Will) -> Self {
        Self {
            retain: will.retain && may_be_kept(&will.topic, &will.payload),
            topic: will.topic,
            payload: will.payload,
            qos: will.qos,
            properties: will.properties.forwarded,
            expiry_secs: will.properties.message_expiry_secs,
        }
    }
}

/// A message as a subscriber's end gets it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Envelope {
    /// Its place in the order of all messages.
    pub(crate) sequence: u64,
    /// Number of the connection that published it.
    pub(crate) publisher: u64,
    pub(crate) qos: QoS,
    /// It came with the retain flag.
    pub(crate) retain: bool,
    /// It is, or was, what the retained store has for its topic.
    pub(crate) stored: bool,
    /// Counted from the start of the broker.
    pub(crate) expires_at: Option<Duration>,
    pub(crate) properties: Bytes,
    pub(crate) payload: Bytes,
}

const HEADER: usize = 8 + 8 + 1 + 8 + 4;
const RETAIN: u8 = 4;
const STORED: u8 = 8;
const NEVER: u64 = u64::MAX;

impl Envelope {
    pub(crate) fn pack(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(HEADER + self.properties.len() + self.payload.len());
        out.put_u64(self.sequence);
        out.put_u64(self.publisher);
        let retain = if self.retain { RETAIN } else { 0 };
        let stored = if self.stored { STORED } else { 0 };
        out.put_u8(self.qos.bits() | retain | stored);
        let expires_ms = self.expires_at.map(|at| at.as_millis());
        out.put_u64(expires_ms.map_or(NEVER, |ms| u64::try_from(ms).unwrap_or(NEVER)));
        // Packets are far shorter than 4 GiB.
        out.put_u32(u32::try_from(self.properties.len()).unwrap_or_default());
        out.put_slice(&self.properties);
        out.put_slice(&self.payload);
        out.freeze()
    }

    /// None for bytes that `pack` has not made.
    pub(crate) fn unpack(mut bytes: Bytes) -> Option<Self> {
        let sequence = bytes.try_get_u64().ok()?;
        let publisher = bytes.try_get_u64().ok()?;
        let flags = bytes.try_get_u8().ok()?;
        let expires_ms = bytes.try_get_u64().ok()?;
        let properties_len = usize::try_from(bytes.try_get_u32().ok()?).ok()?;
        if properties_len > bytes.len() {
            return None;
        }
        Some(Self {
            sequence,
            publisher,
            qos: QoS::from_bits(flags & 3).ok()?,
            retain: flags & RETAIN != 0,
            stored: flags & STORED != 0,
            expires_at: (expires_ms != NEVER).then(|| Duration::from_millis(expires_ms)),
            properties: bytes.split_to(properties_len),
            payload: bytes,
        })
    }

    pub(crate) fn has_expired(&self, now: Duration) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// What is left of the expiry interval, for the subscriber (MQTT 5, section 3.3.2.3.3).
    pub(crate) fn expiry_secs(&self, now: Duration) -> Option<u32> {
        let left = self.expires_at?.saturating_sub(now);
        Some(u32::try_from(left.as_millis().div_ceil(1000)).unwrap_or(u32::MAX))
    }
}

/// Whether two packed envelopes say the same, whoever published them and when.
pub(crate) fn is_same_content(one: &Bytes, other: &Bytes) -> bool {
    const CONTENT: usize = 8 + 8;
    one.get(CONTENT..) == other.get(CONTENT..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_survives_the_router() {
        let envelope = Envelope {
            sequence: 7,
            publisher: 9,
            qos: QoS::ExactlyOnce,
            retain: true,
            stored: false,
            expires_at: Some(Duration::from_millis(1500)),
            properties: Bytes::from_static(b"pp"),
            payload: Bytes::from_static(b"hello"),
        };
        assert_eq!(Envelope::unpack(envelope.pack()), Some(envelope.clone()));
        assert_eq!(envelope.expiry_secs(Duration::ZERO), Some(2));
        assert!(envelope.has_expired(Duration::from_millis(1500)));
        for cut in 0..HEADER {
            assert_eq!(Envelope::unpack(envelope.pack().slice(..cut)), None);
        }
    }
}
