//! SHA-256 of a secret of 256 random bits: enough, since such a secret cannot be guessed, and
//! quick, since it is looked up on every request.

use sha2::{Digest as _, Sha256};

/// The form in which tokens and session ids are stored and looked up.
pub fn of(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}
