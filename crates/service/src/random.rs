//! Random bits from the system.

use crate::digest::hex;

/// Fills `N` bytes from the system's random source (`getrandom(2)`).
fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has a random source");
    bytes
}

/// 64 random bits, for a session id.
pub fn bits64() -> u64 {
    u64::from_le_bytes(bytes())
}

/// From 0 to 1, for what is not to happen to many at the same time.
pub fn fraction() -> f64 {
    rand::random()
}

/// 128 random bits, for a join request id.
pub fn bits128() -> u128 {
    u128::from_le_bytes(bytes())
}

/// 256 random bits as 64 hexadecimal digits: a machine's password, a token.
pub fn token() -> String {
    hex(&bytes::<32>())
}
