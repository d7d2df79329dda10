//! The numbers of one sample as bytes: zigzag LEB128, as in Protocol Buffers' `sint64`. A
//! percentage takes two bytes, a rate three or four.

/// Encodes the numbers, one after another.
pub(super) fn encode(numbers: impl IntoIterator<Item = i64>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in numbers {
        let mut rest = ((number << 1) ^ (number >> 63)).cast_unsigned();
        loop {
            let [low, ..] = rest.to_le_bytes();
            rest >>= 7;
            if rest == 0 {
                bytes.push(low & 0x7f);
                break;
            }
            bytes.push(low | 0x80);
        }
    }
    bytes
}

/// Decodes as many numbers as there are. What is cut off at the end is left out.
pub(super) fn decode(bytes: &[u8]) -> Vec<i64> {
    let mut numbers = Vec::with_capacity(bytes.len() / 2);
    let (mut number, mut shift) = (0_u64, 0_u32);
    for byte in bytes {
        number |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        shift += 7;
        if byte & 0x80 == 0 {
            numbers.push((number >> 1).cast_signed() ^ -(number & 1).cast_signed());
            (number, shift) = (0, 0);
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_back_as_written() {
        let numbers = [0, 1, -1, 63, 64, -64, -65, 1000, i64::MAX, i64::MIN];
        assert_eq!(decode(&encode(numbers)), numbers);
        assert_eq!(encode([123, 1000]).len(), 4);
    }

    #[test]
    fn damaged_bytes_are_no_reason_to_panic() {
        assert!(decode(&[0xff; 40]).is_empty());
        assert_eq!(decode(&[2, 0x80]), [1]);
    }
}
