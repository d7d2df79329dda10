//! What the spool's files are made of: records, one behind the other.
//!
//! A record is its length (four bytes), the CRC-32 of its content (four bytes) and its content,
//! numbers with the lowest byte first. A program that is killed while it writes leaves a torn
//! record at the end: it is passed over, and everything before it counts.

use std::io::{self, Read};

use flate2::Crc;
use netmonitor_protocol::SessionId;
use serde::{Deserialize, Serialize};

use super::piece::Index;

/// The longest content. A sample that the broker takes is shorter (256 KiB at most).
const LONGEST: usize = 1 << 20;

/// Length and CRC.
const FRAME: usize = 8;

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Record {
    /// From here on the samples are of this session.
    Start(Start),
    /// A sample, as JSON.
    Sample {
        /// Its number in the session.
        seq: u64,
        /// [`netmonitor_protocol::payload::Metrics`].
        json: Vec<u8>,
    },
    /// What is in the compressed records behind this one, which stands at the beginning of a
    /// block.
    Index(Index),
    /// Samples of this session that were acknowledged, first and last number of each range.
    Acked(Vec<(u64, u64)>),
}

/// Whose samples follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Start {
    /// Of which device of which hub: [`Place`](super::Place) does not tell them apart.
    pub(super) owner: String,
    /// The start of the agent that took them.
    pub(super) session: SessionId,
    /// The boot of the machine, where the system names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) boot: Option<String>,
}

impl Record {
    /// Appends the record to `buffer`.
    pub(super) fn write(&self, buffer: &mut Vec<u8>) {
        match self {
            Self::Start(start) => {
                let json = serde_json::to_vec(start).expect("it is plain text and numbers");
                frame(buffer, b'H', &[&json]);
            }
            Self::Sample { seq, json } => frame(buffer, b'S', &[&seq.to_le_bytes(), json]),
            Self::Index(index) => {
                let json = serde_json::to_vec(index).expect("it is plain text and numbers");
                frame(buffer, b'I', &[&json]);
            }
            Self::Acked(ranges) => {
                let numbers: Vec<u8> = ranges
                    .iter()
                    .flat_map(|(first, last)| [*first, *last])
                    .flat_map(u64::to_le_bytes)
                    .collect();
                frame(buffer, b'A', &[&numbers]);
            }
        }
    }

    fn parse(content: &[u8]) -> Option<Self> {
        let (kind, content) = content.split_first()?;
        match kind {
            b'H' => serde_json::from_slice(content).ok().map(Self::Start),
            b'S' => {
                let (seq, json) = content.split_first_chunk()?;
                Some(Self::Sample {
                    seq: u64::from_le_bytes(*seq),
                    json: json.to_vec(),
                })
            }
            b'I' => serde_json::from_slice(content).ok().map(Self::Index),
            b'A' => {
                let (pairs, rest) = content.as_chunks::<16>();
                let range = |pair: &[u8; 16]| {
                    let (first, last) = pair.split_first_chunk()?;
                    let last: [u8; 8] = last.try_into().ok()?;
                    let range = (u64::from_le_bytes(*first), u64::from_le_bytes(last));
                    (range.0 <= range.1).then_some(range)
                };
                let ranges = pairs.iter().map(range).collect::<Option<_>>()?;
                rest.is_empty().then_some(Self::Acked(ranges))
            }
            _ => None,
        }
    }
}

fn frame(buffer: &mut Vec<u8>, kind: u8, parts: &[&[u8]]) {
    let length = 1 + parts.iter().map(|part| part.len()).sum::<usize>();
    let mut crc = Crc::new();
    crc.update(&[kind]);
    for part in parts {
        crc.update(part);
    }
    // What is longer than LONGEST is not read back, and no sample is.
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    buffer.extend_from_slice(&length.to_le_bytes());
    buffer.extend_from_slice(&crc.sum().to_le_bytes());
    buffer.push(kind);
    for part in parts {
        buffer.extend_from_slice(part);
    }
}

/// Reads records until the end, or until one that is torn or damaged.
#[derive(Debug)]
pub(super) struct Records<R> {
    from: R,
    is_damaged: bool,
}

impl<R: Read> Records<R> {
    pub(super) fn new(from: R) -> Self {
        Self {
            from,
            is_damaged: false,
        }
    }

    /// What comes behind the records that were read.
    pub(super) fn into_rest(self) -> R {
        self.from
    }

    /// Whether something stood behind the last record that was none.
    pub(super) fn is_damaged(&self) -> bool {
        self.is_damaged
    }

    /// The next record of a kind that this version knows.
    fn read(&mut self) -> io::Result<Option<Record>> {
        loop {
            let Some(content) = self.read_content()? else {
                return Ok(None);
            };
            if let Some(record) = Record::parse(&content) {
                return Ok(Some(record));
            }
        }
    }

    fn read_content(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut head = [0; FRAME];
        if !fill_or_end(&mut self.from, &mut head)? {
            return Ok(None);
        }
        let [length @ .., _, _, _, _] = head;
        let [_, _, _, _, crc @ ..] = head;
        let length = u32::from_le_bytes(length) as usize;
        if length == 0 || length > LONGEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut content = vec![0; length];
        self.from.read_exact(&mut content)?;
        let mut found = Crc::new();
        found.update(&content);
        if found.sum() != u32::from_le_bytes(crc) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(Some(content))
    }
}

/// False if there is nothing more; an error if there is less than asked.
fn fill_or_end(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..]) {
            Ok(0) if filled == 0 => return Ok(false),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

impl<R: Read> Iterator for Records<R> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        if self.is_damaged {
            return None;
        }
        self.read().unwrap_or_else(|_| {
            self.is_damaged = true;
            None
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Vec<Record> {
        let sample = |seq| Record::Sample {
            seq,
            json: format!("{{\"seq\":{seq}}}").into_bytes(),
        };
        vec![
            Record::Start(Start {
                owner: "ws-14@00".to_owned(),
                session: SessionId(7),
                boot: Some("b".to_owned()),
            }),
            sample(1),
            Record::Acked(vec![(1, 1), (3, 9)]),
            sample(2),
        ]
    }

    /// The bytes of the records, and where each ends.
    fn bytes(records: &[Record]) -> (Vec<u8>, Vec<usize>) {
        let mut bytes = Vec::new();
        let ends = records
            .iter()
            .map(|record| {
                record.write(&mut bytes);
                bytes.len()
            })
            .collect();
        (bytes, ends)
    }

    #[test]
    fn wherever_a_file_is_cut_off_every_whole_record_before_counts() {
        let records = some();
        let (bytes, ends) = bytes(&records);
        for cut in 0..=bytes.len() {
            let whole = ends.iter().filter(|end| **end <= cut).count();
            let mut read = Records::new(&bytes[..cut]);
            let found: Vec<Record> = read.by_ref().collect();
            assert_eq!(found, records[..whole], "cut at {cut}");
            let is_torn = cut > 0 && !ends.contains(&cut);
            assert_eq!(read.is_damaged(), is_torn, "cut at {cut}");
        }
    }

    #[test]
    fn a_flipped_bit_is_noticed_wherever_it_is() {
        let records = some();
        let (bytes, ends) = bytes(&records);
        for at in 0..bytes.len() {
            let whole = ends.iter().filter(|end| **end <= at).count();
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            let found: Vec<Record> = Records::new(&damaged[..]).collect();
            assert_eq!(found, records[..whole], "flipped at {at}");
        }
    }
}
