//! Passwords of people: argon2id (RFC 9106), with the parameters of the crate's default
//! (19 MiB, two passes: OWASP's recommendation). One costs about 20 ms here and a fifth of a
//! second on a Pi 3, so callers check one at a time.

use argon2::Argon2;
use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};

/// Shortest password, in characters.
pub const MIN_LEN: usize = 10;

/// Longest password, in bytes: hashing must not be a way to keep the hub busy.
pub const MAX_LEN: usize = 1024;

/// Why a password cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Fewer than [`MIN_LEN`] characters.
    #[error("the password is too short: use at least {MIN_LEN} characters")]
    TooShort,
    /// More than [`MAX_LEN`] bytes.
    #[error("the password is too long: use at most {MAX_LEN} bytes")]
    TooLong,
}

/// A hashed password in PHC form.
#[derive(Clone, PartialEq, Eq)]
pub struct HashedPassword(String);

impl HashedPassword {
    /// Hashes a password of one's choice.
    pub fn new(password: &str) -> Result<Self, PasswordError> {
        if password.chars().count() < MIN_LEN {
            return Err(PasswordError::TooShort);
        }
        if password.len() > MAX_LEN {
            return Err(PasswordError::TooLong);
        }
        let salt = SaltString::generate(&mut OsRng);
        let hash = Argon2::default()
            .hash_password(password.as_bytes(), &salt)
            .expect("the default parameters are valid and the length is bounded");
        Ok(Self(hash.to_string()))
    }

    /// From the store.
    pub(crate) fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// For the store.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the password is the one that was hashed.
    pub fn verify(&self, password: &str) -> bool {
        password.len() <= MAX_LEN
            && PasswordHash::new(&self.0).is_ok_and(|hash| {
                Argon2::default()
                    .verify_password(password.as_bytes(), &hash)
                    .is_ok()
            })
    }

    /// Takes as long as a check that fails: for a name that does not exist, so that names
    /// cannot be told by the clock.
    pub fn verify_nothing(password: &str) {
        let salt = SaltString::generate(&mut OsRng);
        let length = password.len().min(MAX_LEN);
        let bytes = password.as_bytes().get(..length).unwrap_or_default();
        let _same_time = Argon2::default().hash_password(bytes, &salt);
    }
}

impl std::fmt::Debug for HashedPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HashedPassword(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_itself_matches() {
        let hashed = HashedPassword::new("correct horse").unwrap();
        assert!(hashed.verify("correct horse"));
        assert!(!hashed.verify("correct house"));
        assert!(hashed.as_str().starts_with("$argon2id$"));
    }

    #[test]
    fn short_and_endless_passwords_are_refused() {
        assert_eq!(
            HashedPassword::new("9 letters").unwrap_err(),
            PasswordError::TooShort
        );
        assert!(HashedPassword::new("10 letters").is_ok());
        assert_eq!(
            HashedPassword::new(&"x".repeat(1025)).unwrap_err(),
            PasswordError::TooLong
        );
    }
}
