//! The few packets of MQTT 5 that a benchmark needs, as bytes (MQTT 5.0, section 3).

/// A will: what the broker publishes when the connection is lost.
#[derive(Debug, Clone, Copy)]
pub struct Will<'a> {
    /// Where.
    pub topic: &'a str,
    /// What.
    pub payload: &'a [u8],
}

/// CONNECT (section 3.1).
#[derive(Debug, Clone, Copy)]
pub struct Connect<'a> {
    /// Client id.
    pub client_id: &'a str,
    /// User name.
    pub user: &'a str,
    /// Password.
    pub password: &'a str,
    /// Keepalive in seconds.
    pub keep_alive_secs: u16,
    /// What the broker says if the connection is lost, at QoS 1 and retained.
    pub will: Option<Will<'a>>,
    /// For so many seconds a session is kept, and an earlier one is taken up; none: a clean start.
    pub session_secs: Option<u32>,
}

impl Connect<'_> {
    /// As it goes over the wire.
    pub fn packet(&self) -> Vec<u8> {
        const CLEAN_START: u8 = 0x02;
        const WILL_QOS_1_RETAINED: u8 = 0x04 | 0x08 | 0x20;
        const USER_AND_PASSWORD: u8 = 0xc0;
        const SESSION_EXPIRY: u8 = 17;
        let mut flags = USER_AND_PASSWORD;
        if self.session_secs.is_none() {
            flags |= CLEAN_START;
        }
        if self.will.is_some() {
            flags |= WILL_QOS_1_RETAINED;
        }
        let mut body = Vec::new();
        text(&mut body, "MQTT");
        body.extend([5, flags]);
        body.extend(self.keep_alive_secs.to_be_bytes());
        match self.session_secs {
            None => body.push(0),
            Some(secs) => {
                body.extend([5, SESSION_EXPIRY]);
                body.extend(secs.to_be_bytes());
            }
        }
        text(&mut body, self.client_id);
        if let Some(will) = self.will {
            body.push(0);
            text(&mut body, will.topic);
            bytes(&mut body, will.payload);
        }
        text(&mut body, self.user);
        text(&mut body, self.password);
        packet(0x10, &body)
    }
}

/// SUBSCRIBE (section 3.8).
pub fn subscribe(packet_id: u16, filters: &[String], qos: u8) -> Vec<u8> {
    let mut body = packet_id.to_be_bytes().to_vec();
    body.push(0);
    for filter in filters {
        text(&mut body, filter);
        body.push(qos);
    }
    packet(0x82, &body)
}

/// UNSUBSCRIBE (section 3.10).
pub fn unsubscribe(packet_id: u16, filters: &[String]) -> Vec<u8> {
    let mut body = packet_id.to_be_bytes().to_vec();
    body.push(0);
    for filter in filters {
        text(&mut body, filter);
    }
    packet(0xa2, &body)
}

/// PUBLISH (section 3.3), to be sent many times.
#[derive(Debug, Clone)]
pub struct Publish {
    bytes: Vec<u8>,
    payload_at: usize,
}

impl Publish {
    /// At QoS 1 and 2 it has packet id 0 until another is set.
    pub fn new(topic: &str, payload: &[u8], qos: u8, retain: bool) -> Self {
        let mut body = Vec::new();
        text(&mut body, topic);
        if qos > 0 {
            body.extend([0, 0]);
        }
        body.push(0);
        body.extend(payload);
        let bytes = packet(0x30 | qos << 1 | u8::from(retain), &body);
        let payload_at = bytes.len() - payload.len();
        Self { bytes, payload_at }
    }

    /// For QoS 1 and 2: the next one to be sent.
    pub fn set_packet_id(&mut self, packet_id: u16) {
        // Between topic and payload: the packet id, and the length of no properties.
        let at = self.payload_at - 3;
        self.bytes[at..at + 2].copy_from_slice(&packet_id.to_be_bytes());
    }

    /// What it carries.
    pub fn payload(&mut self) -> &mut [u8] {
        &mut self.bytes[self.payload_at..]
    }

    /// As it goes over the wire.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// PUBACK with success (section 3.4).
pub fn puback(packet_id: u16) -> [u8; 4] {
    let [high, low] = packet_id.to_be_bytes();
    [0x40, 2, high, low]
}

/// DISCONNECT (section 3.14).
pub const DISCONNECT: [u8; 2] = [0xe0, 0];

/// PINGREQ (section 3.12).
pub const PING: [u8; 2] = [0xc0, 0];

/// What a received packet is, as far as anyone here cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received<'a> {
    /// Its reason code.
    ConnAck(u8),
    /// Its first reason code.
    SubAck(u8),
    /// Its reason code.
    PubAck(u8),
    /// A message.
    Publish {
        /// 0 at QoS 0.
        packet_id: u16,
        /// What it carries.
        payload: &'a [u8],
    },
    /// The broker ends the connection, with this reason code.
    Disconnect(u8),
    /// Anything else.
    Other,
}

/// The first packet in these bytes and its length; none if it is not whole yet.
pub fn first(bytes: &[u8]) -> Option<(Received<'_>, usize)> {
    let (length, at) = variable(bytes, 1)?;
    let body = bytes.get(at..at + length)?;
    let code = |at: usize| body.get(at).copied().unwrap_or(0);
    let received = match bytes[0] >> 4 {
        2 => Received::ConnAck(code(1)),
        3 => message(bytes[0], body)?,
        4 => Received::PubAck(code(2)),
        9 => {
            let (properties, at) = variable(body, 2)?;
            Received::SubAck(code(at + properties))
        }
        14 => Received::Disconnect(code(0)),
        _ => Received::Other,
    };
    Some((received, at + length))
}

fn message(first: u8, body: &[u8]) -> Option<Received<'_>> {
    let mut at = 2 + usize::from(u16::from_be_bytes([*body.first()?, *body.get(1)?]));
    let mut packet_id = 0;
    if first & 0x06 != 0 {
        packet_id = u16::from_be_bytes([*body.get(at)?, *body.get(at + 1)?]);
        at += 2;
    }
    let (properties, at) = variable(body, at)?;
    let payload = body.get(at + properties..)?;
    Some(Received::Publish { packet_id, payload })
}

/// A variable byte integer (section 1.5.5) and where it ends.
fn variable(bytes: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = *bytes.get(at)?;
        at += 1;
        value |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some((value, at));
        }
        shift += 7;
    }
}

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![first];
    let mut length = body.len();
    loop {
        let low = u8::try_from(length & 0x7f).unwrap_or(0);
        length >>= 7;
        if length == 0 {
            packet.push(low);
            break;
        }
        packet.push(low | 0x80);
    }
    packet.extend(body);
    packet
}

fn text(out: &mut Vec<u8>, text: &str) {
    bytes(out, text.as_bytes());
}

fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u16::try_from(bytes.len()).expect("names and payloads here are short");
    out.extend(length.to_be_bytes());
    out.extend(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_back_as_written_and_not_before_it_is_whole() {
        for qos in [0, 1] {
            let payload = [7; 300];
            let mut publish = Publish::new("a/b", &payload, qos, false);
            if qos > 0 {
                publish.set_packet_id(515);
            }
            let written = publish.bytes();
            for end in 0..written.len() {
                assert_eq!(first(&written[..end]), None);
            }
            let expected = Received::Publish {
                packet_id: u16::from(qos) * 515,
                payload: &payload,
            };
            assert_eq!(first(written), Some((expected, written.len())));
        }
    }

    #[test]
    fn reason_codes_are_found() {
        assert_eq!(
            first(&[0x20, 3, 0, 0x87, 0]),
            Some((Received::ConnAck(0x87), 5))
        );
        assert_eq!(
            first(&[0x90, 4, 0, 1, 0, 0x80]),
            Some((Received::SubAck(0x80), 6))
        );
        assert_eq!(first(&[0x40, 2, 0, 1]), Some((Received::PubAck(0), 4)));
    }
}
