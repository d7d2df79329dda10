//! The line that an admin pastes on a new machine: addresses of the hub, the fingerprint of its
//! CA, and a token.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// What a machine must know to be enrolled.
#[derive(Clone, PartialEq, Eq)]
pub struct JoinCode {
    /// Where the hub's MQTT-over-TLS listener may be reached, `host:port`, the best first.
    pub addresses: Vec<String>,
    /// SHA-256 of the CA certificate in DER form: the hub proves itself with it.
    pub ca_fingerprint: [u8; 32],
    /// Proves to the hub that the admin sent the machine; the password of user `join`.
    pub token: String,
}

/// Why a text is not a join code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JoinCodeError {
    /// It does not begin as one.
    #[error("this is not a join code: it begins with \"{PREFIX}\"; copy the whole line")]
    Prefix,
    /// Something is missing or changed in the middle.
    #[error("this join code is damaged: copy the whole line, without spaces or line breaks")]
    Damaged,
}

const PREFIX: &str = "nm1-";

/// What the code carries, as short names: people copy it.
#[derive(Serialize, Deserialize)]
struct Wire {
    a: Vec<String>,
    f: String,
    t: String,
}

impl fmt::Display for JoinCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wire = Wire {
            a: self.addresses.clone(),
            f: URL_SAFE_NO_PAD.encode(self.ca_fingerprint),
            t: self.token.clone(),
        };
        let json = serde_json::to_vec(&wire).map_err(|_| fmt::Error)?;
        write!(f, "{PREFIX}{}", URL_SAFE_NO_PAD.encode(json))
    }
}

impl fmt::Debug for JoinCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinCode")
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

impl FromStr for JoinCode {
    type Err = JoinCodeError;

    fn from_str(text: &str) -> Result<Self, JoinCodeError> {
        let body = text
            .trim()
            .strip_prefix(PREFIX)
            .ok_or(JoinCodeError::Prefix)?;
        let damaged = |_| JoinCodeError::Damaged;
        let json = URL_SAFE_NO_PAD.decode(body).map_err(damaged)?;
        let wire: Wire = serde_json::from_slice(&json).map_err(|_| JoinCodeError::Damaged)?;
        let fingerprint = URL_SAFE_NO_PAD.decode(wire.f).map_err(damaged)?;
        let ca_fingerprint = fingerprint.try_into().map_err(|_| JoinCodeError::Damaged)?;
        if wire.a.is_empty() || wire.t.is_empty() {
            return Err(JoinCodeError::Damaged);
        }
        Ok(Self {
            addresses: wire.a,
            ca_fingerprint,
            token: wire.t,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code() -> JoinCode {
        JoinCode {
            addresses: vec!["192.168.1.5:8883".to_owned(), "hub.lan:8883".to_owned()],
            ca_fingerprint: [7; 32],
            token: "secret".to_owned(),
        }
    }

    #[test]
    fn a_code_is_read_back_as_written_even_with_blanks_around_it() {
        let text = code().to_string();
        assert_eq!(text.parse(), Ok(code()));
        assert_eq!(format!("  {text}\n").parse(), Ok(code()));
        assert!(
            text.chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        );
    }

    #[test]
    fn a_cut_code_says_that_it_is_damaged() {
        let text = code().to_string();
        for end in PREFIX.len()..text.len() {
            assert_eq!(text[..end].parse::<JoinCode>(), Err(JoinCodeError::Damaged));
        }
        assert_eq!("hello".parse::<JoinCode>(), Err(JoinCodeError::Prefix));
    }

    #[test]
    fn a_code_does_not_show_its_token_when_debugged() {
        assert!(!format!("{:?}", code()).contains("secret"));
    }
}
