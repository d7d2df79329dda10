//! Small numbers side by side in as few bits as the largest of them needs.

/// So many bits hold every one of these numbers.
pub(super) fn width(numbers: impl IntoIterator<Item = u64>) -> u32 {
    let largest = numbers.into_iter().max().unwrap_or(0);
    u64::BITS - largest.leading_zeros()
}

/// How many bytes so many numbers take.
pub(super) fn length(width: u32, count: usize) -> usize {
    count.saturating_mul(width as usize).div_ceil(8)
}

/// Appends numbers of `width` bits each, the lowest bit first.
pub(super) fn pack(bytes: &mut Vec<u8>, width: u32, numbers: impl IntoIterator<Item = u64>) {
    let (mut waiting, mut bits) = (0_u128, 0);
    for number in numbers {
        waiting |= u128::from(number) << bits;
        bits += width;
        if bits >= u64::BITS {
            if let Some(whole) = waiting.to_le_bytes().first_chunk::<8>() {
                bytes.extend_from_slice(whole);
            }
            waiting >>= u64::BITS;
            bits -= u64::BITS;
        }
    }
    let rest = waiting.to_le_bytes();
    bytes.extend(rest.iter().take(bits.div_ceil(8) as usize));
}

/// Reads `count` numbers back. None unless the bytes are exactly those of so many.
pub(super) fn unpack(bytes: &[u8], width: u32, count: usize) -> Option<Vec<u64>> {
    if width > u64::BITS || bytes.len() != length(width, count) {
        return None;
    }
    let mask = u64::MAX.checked_shr(u64::BITS - width).unwrap_or(0);
    let (mut waiting, mut bits) = (0_u128, 0);
    let mut rest = bytes.iter();
    let mut numbers = Vec::with_capacity(count);
    for _ in 0..count {
        while bits < width {
            waiting |= u128::from(*rest.next()?) << bits;
            bits += u8::BITS;
        }
        let low = waiting & u128::from(mask);
        numbers.push(u64::try_from(low).ok()?);
        waiting >>= width;
        bits -= width;
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_back_at_every_width() {
        for bits in 0..=64 {
            let largest = u64::MAX.checked_shr(64 - bits).unwrap_or(0);
            let numbers: Vec<u64> = (0..21).map(|n| largest / (n + 1)).collect();
            assert_eq!(width(numbers.iter().copied()), bits);
            let mut bytes = Vec::new();
            pack(&mut bytes, bits, numbers.iter().copied());
            assert_eq!(unpack(&bytes, bits, numbers.len()), Some(numbers));
            assert_eq!(unpack(&bytes, bits + 1, 21), None);
        }
    }
}
