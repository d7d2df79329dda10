//! Passwords of machines in mosquitto's `$7$` form (`mosquitto_passwd(1)`): PBKDF2 with
//! SHA-512, so that the table can move to a mosquitto as it is.
//!
//! These passwords are 256 random bits, never chosen by people: the number of rounds protects
//! nothing and is mosquitto's own default.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pbkdf2::pbkdf2_hmac;
use sha2::Sha512;
use subtle::ConstantTimeEq as _;

const ROUNDS: u32 = 101;
const SALT_BYTES: usize = 12;
const HASH_BYTES: usize = 64;

/// More rounds than this were not written by us and would keep the broker busy.
const MAX_ROUNDS: u32 = 100_000;

/// Hashes a password with a random salt.
pub fn hash(password: &[u8]) -> String {
    let mut salt = [0; SALT_BYTES];
    getrandom::fill(&mut salt).expect("the system has a random source");
    let hash = derive(password, &salt, ROUNDS);
    format!(
        "$7${ROUNDS}${}${}",
        STANDARD.encode(salt),
        STANDARD.encode(hash)
    )
}

/// Whether the password is the one that was hashed. A text of another form is never matched.
pub fn verify(password: &[u8], stored: &str) -> bool {
    let Some((rounds, salt, hash)) = parse(stored) else {
        return false;
    };
    derive(password, &salt, rounds).ct_eq(&hash).into()
}

fn parse(stored: &str) -> Option<(u32, Vec<u8>, Vec<u8>)> {
    let mut parts = stored.strip_prefix("$7$")?.split('$');
    let rounds = parts
        .next()?
        .parse()
        .ok()
        .filter(|n| (1..=MAX_ROUNDS).contains(n))?;
    let salt = STANDARD.decode(parts.next()?).ok()?;
    let hash = STANDARD.decode(parts.next()?).ok()?;
    parts.next().is_none().then_some((rounds, salt, hash))
}

fn derive(password: &[u8], salt: &[u8], rounds: u32) -> Vec<u8> {
    let mut hash = vec![0; HASH_BYTES];
    pbkdf2_hmac::<Sha512>(password, salt, rounds, &mut hash);
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_itself_matches() {
        let stored = hash(b"correct");
        assert!(verify(b"correct", &stored));
        assert!(!verify(b"wrong", &stored));
        assert!(!verify(b"", &stored));
        assert_ne!(stored, hash(b"correct"), "the salt is random");
    }

    #[test]
    fn a_hash_made_by_mosquitto_passwd_matches() {
        // mosquitto_passwd -b -c FILE user secret, version 2.0.11
        let stored = MADE_BY_MOSQUITTO;
        assert!(verify(b"secret", stored));
        assert!(!verify(b"Secret", stored));
    }

    const MADE_BY_MOSQUITTO: &str = "$7$101$fMXtx7gmiD1RiwTd$Dzuk/IEwL0TpRw36VyK190C6kOL1l7cyjLFOHHPzw00oKr9ZcuUs3SQcum9q0nmC6lV0kFrR8yfkkw7YzL5sGw==";

    #[test]
    fn a_damaged_hash_never_matches() {
        for stored in [
            "",
            "$7$",
            "$7$0$AA==$AA==",
            "$6$a$b",
            "$7$101$!$!",
            "$7$4000000000$AA==$AA==",
        ] {
            assert!(!verify(b"", stored), "{stored}");
        }
    }
}
