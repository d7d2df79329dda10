//! The bytes of MQTT: framing, and the few data types that packets are made of (MQTT 5.0,
//! sections 1.5 and 2.1). Nothing here can panic: every read is checked.
//!
//! The codecs of rumqttd are not used. They panic on some input, mistake the end of a packet
//! for "more to come", refuse a v5 DISCONNECT of one byte and passwords that are not UTF-8.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Why a connection has to end: what the peer sent breaks the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// The packet cannot be read.
    #[error("malformed packet: {0}")]
    Malformed(&'static str),
    /// The packet can be read, and may not come here.
    #[error("protocol error: {0}")]
    Protocol(&'static str),
    /// A topic alias that was never set, or out of range.
    #[error("invalid topic alias")]
    TopicAlias,
    /// More messages of `QoS` 2 that have not been released than the limit.
    #[error("more unreleased messages than the receive maximum")]
    ReceiveMaximum,
    /// An UNSUBSCRIBE with more filters than a client can have.
    #[error("more filters than a client can have subscriptions")]
    TooManyFilters,
    /// Longer than the limit.
    #[error("packet too large")]
    TooLarge,
}

/// One packet, not yet understood.
#[derive(Debug, PartialEq)]
pub(crate) struct Frame {
    /// Type in the upper half, flags in the lower.
    pub(crate) first: u8,
    pub(crate) body: Bytes,
}

/// Takes one packet off the front, or None as long as it is not whole.
pub(crate) fn take_frame(buffer: &mut BytesMut, max: usize) -> Result<Option<Frame>, Fault> {
    let Some((first, header, length)) = peek_frame(buffer, max)? else {
        return Ok(None);
    };
    buffer.advance(header);
    let body = buffer.split_to(length).freeze();
    Ok(Some(Frame { first, body }))
}

/// Type and flags of the packet at the front, and the lengths of its header and its body. None:
/// it is not whole yet.
pub(crate) fn peek_frame(buffer: &[u8], max: usize) -> Result<Option<(u8, usize, usize)>, Fault> {
    let Some((&first, rest)) = buffer.split_first() else {
        return Ok(None);
    };
    let Some((length, length_bytes)) = peek_varint(rest)? else {
        return Ok(None);
    };
    let header = 1 + length_bytes;
    if header + length > max {
        return Err(Fault::TooLarge);
    }
    let is_whole = buffer.len() >= header + length;
    Ok(is_whole.then_some((first, header, length)))
}

/// How long the packet at the front is to be, header included. 0: that is not known yet.
pub(crate) fn announced(buffer: &[u8]) -> usize {
    match peek_varint(buffer.get(1..).unwrap_or_default()) {
        Ok(Some((length, length_bytes))) => 1 + length_bytes + length,
        _ => 0,
    }
}

/// A variable byte integer and how many bytes it took. None: not whole yet.
fn peek_varint(bytes: &[u8]) -> Result<Option<(usize, usize)>, Fault> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(Some((value, index + 1)));
        }
    }
    if bytes.len() < 4 {
        Ok(None)
    } else {
        Err(Fault::Malformed("length of more than four bytes"))
    }
}

/// Reads a packet's body from front to end.
#[derive(Debug, Clone)]
pub(crate) struct Reader(Bytes);

const SHORT: Fault = Fault::Malformed("ends too early");

impl Reader {
    pub(crate) fn new(body: Bytes) -> Self {
        Self(body)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Fault> {
        self.0.try_get_u8().map_err(|_| SHORT)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Fault> {
        self.0.try_get_u16().map_err(|_| SHORT)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Fault> {
        self.0.try_get_u32().map_err(|_| SHORT)
    }

    pub(crate) fn varint(&mut self) -> Result<usize, Fault> {
        let (value, length) = peek_varint(&self.0)?.ok_or(SHORT)?;
        self.0.advance(length);
        Ok(value)
    }

    /// A packet identifier: never 0.
    pub(crate) fn packet_id(&mut self) -> Result<u16, Fault> {
        match self.u16()? {
            0 => Err(Fault::Malformed("packet identifier 0")),
            id => Ok(id),
        }
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<Bytes, Fault> {
        if length > self.0.len() {
            return Err(SHORT);
        }
        Ok(self.0.split_to(length))
    }

    /// Bytes with their length in front.
    pub(crate) fn binary(&mut self) -> Result<Bytes, Fault> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }

    /// Text with its length in front: UTF-8 without U+0000.
    pub(crate) fn string(&mut self) -> Result<String, Fault> {
        Ok(text(&self.binary()?)?.to_owned())
    }

    /// Checks such text and passes over it.
    pub(crate) fn skip_string(&mut self) -> Result<(), Fault> {
        text(&self.binary()?).map(drop)
    }

    pub(crate) fn rest(self) -> Bytes {
        self.0
    }

    /// What has not been read yet.
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn expect_end(&self) -> Result<(), Fault> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(Fault::Malformed("bytes after the end"))
        }
    }
}

fn text(bytes: &[u8]) -> Result<&str, Fault> {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(text),
        _ => Err(Fault::Malformed("text is not UTF-8, or contains U+0000")),
    }
}

/// Writes a variable byte integer.
pub(crate) fn put_varint(out: &mut BytesMut, mut value: usize) {
    loop {
        // The mask leaves seven bits: the conversion cannot fail.
        let low = u8::try_from(value & 0x7F).unwrap_or_default();
        value >>= 7;
        if value == 0 {
            out.put_u8(low);
            return;
        }
        out.put_u8(low | 0x80);
    }
}

/// How many bytes `put_varint` writes.
pub(crate) fn varint_len(value: usize) -> usize {
    match value {
        0..128 => 1,
        128..16_384 => 2,
        16_384..2_097_152 => 3,
        _ => 4,
    }
}

/// Writes text with its length in front. Ours all come from packets, so that 16 bits suffice.
pub(crate) fn put_string(out: &mut BytesMut, text: &str) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    out.put_u16(length);
    out.put_slice(&text.as_bytes()[..usize::from(length)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(bytes: &[u8], max: usize) -> Result<Option<Frame>, Fault> {
        take_frame(&mut BytesMut::from(bytes), max)
    }

    #[test]
    fn a_packet_is_taken_only_when_whole() {
        for cut in 0..4 {
            assert_eq!(frames(&[0x40, 2, 0, 1][..cut], 100), Ok(None), "{cut}");
        }
        let frame = frames(&[0x40, 2, 0, 1, 0xC0], 100).unwrap().unwrap();
        assert_eq!((frame.first, &frame.body[..]), (0x40, &[0, 1][..]));
    }

    #[test]
    fn a_packet_over_the_limit_is_refused_before_it_has_arrived() {
        assert_eq!(frames(&[0x30, 0x80, 0x01], 100), Err(Fault::TooLarge));
        assert!(frames(&[0x30, 0xFF, 0xFF, 0xFF, 0xFF], 100).is_err());
    }

    #[test]
    fn lengths_survive_the_way_out_and_in() {
        for value in [
            0,
            127,
            128,
            16_383,
            16_384,
            2_097_151,
            2_097_152,
            268_435_455,
        ] {
            let mut out = BytesMut::new();
            put_varint(&mut out, value);
            assert_eq!(out.len(), varint_len(value));
            assert_eq!(peek_varint(&out), Ok(Some((value, out.len()))));
        }
    }

    #[test]
    fn text_must_be_utf8_without_nul() {
        let read = |bytes: &'static [u8]| Reader::new(Bytes::from_static(bytes)).string();
        assert_eq!(read(b"\0\x02ab").unwrap(), "ab");
        for bad in [&b"\0\x02a"[..], b"\0\x01\0", b"\0\x01\xFF", b"\0"] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }
}
