//! Prometheus' remote write, version 0.1.0: protocol buffers in a snappy block. Both programs
//! take it, so both are given the same bytes.

use super::series::Series;

/// The samples of one series: time in milliseconds since 1970, and value.
pub type Samples = Vec<(i64, f64)>;

/// The labels of a series as they go over the wire.
pub fn labels(device: &str, series: &Series) -> Vec<u8> {
    let mut labels = vec![("__name__", series.metric), ("device", device)];
    if let Some((name, value)) = &series.label {
        labels.push((name, value));
    }
    // They must be sorted by name.
    labels.sort_unstable();
    let mut out = Vec::new();
    for (name, value) in labels {
        let mut label = Vec::new();
        field_bytes(&mut label, 1, name.as_bytes());
        field_bytes(&mut label, 2, value.as_bytes());
        field_bytes(&mut out, 1, &label);
    }
    out
}

/// A `WriteRequest`: for each series its labels, as of [`labels`], and its samples.
pub fn request<'a>(all: impl Iterator<Item = (&'a [u8], &'a Samples)>) -> Vec<u8> {
    let mut out = Vec::new();
    for (labels, samples) in all {
        let mut one = labels.to_vec();
        for (at, value) in samples {
            let mut sample = vec![1 << 3 | 1];
            sample.extend(value.to_le_bytes());
            sample.push(2 << 3);
            varint(&mut sample, at.cast_unsigned());
            field_bytes(&mut one, 2, &sample);
        }
        field_bytes(&mut out, 1, &one);
    }
    snappy(&out)
}

/// A snappy block in which nothing is compressed: one literal. To read it costs the least.
fn snappy(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 16);
    varint(&mut out, bytes.len() as u64);
    if let Some(last) = bytes.len().checked_sub(1) {
        // The length less one in four bytes.
        out.push(63 << 2);
        out.extend(u32::try_from(last).unwrap_or(u32::MAX).to_le_bytes());
        out.extend(bytes);
    }
    out
}

fn field_bytes(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    out.push(field << 3 | 2);
    varint(out, bytes.len() as u64);
    out.extend(bytes);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).unwrap_or(0) | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap_or(0));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_the_encoding_of_protocol_buffers_has_them() {
        let mut out = Vec::new();
        varint(&mut out, 150);
        assert_eq!(out, [0x96, 0x01]);
        field_bytes(&mut out, 2, b"testing");
        assert_eq!(&out[2..], b"\x12\x07testing");
    }

    #[test]
    fn a_block_says_its_length_twice() {
        assert_eq!(snappy(b"abc"), b"\x03\xfc\x02\0\0\0abc");
        assert_eq!(snappy(b""), [0]);
    }
}
