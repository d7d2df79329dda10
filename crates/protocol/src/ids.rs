//! Names of devices, services and sessions, each checked where it enters.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is not the id it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Characters or length are outside what a device id may have.
    #[error("{0:?} is not a device id: use 1 to 63 of a-z, 0-9, '-' and '_'")]
    Device(String),
    /// The name is taken by the contract itself.
    #[error("{0:?} is reserved: choose another device id")]
    Reserved(String),
    /// Not one of the hub's services.
    #[error("{0:?} is not a service of the hub")]
    Service(String),
    /// Not 16 hexadecimal digits.
    #[error("{0:?} is not a session id: 16 hexadecimal digits")]
    Session(String),
    /// Not 32 hexadecimal digits.
    #[error("{0:?} is not a join request id: 32 hexadecimal digits")]
    JoinRequest(String),
}

/// A device's name in topics, URLs and the store: `[a-z0-9_-]{1,63}`, unique without regard
/// to case because upper case cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeviceId(String);

impl DeviceId {
    /// Longest id, in characters: that of a DNS label (RFC 1035, section 2.3.4).
    pub const MAX_LEN: usize = 63;

    /// Ids with a meaning of their own in topics.
    pub const RESERVED: [&str; 2] = ["hub", "fleet"];

    /// Makes an id out of a host name: lower case, the first label, every other character
    /// replaced by `-`. A name of which nothing is left becomes `device`.
    pub fn from_host_name(host_name: &str) -> Self {
        let label = host_name.split('.').next().unwrap_or_default();
        let mapped: String = label
            .to_lowercase()
            .chars()
            .map(|c| if is_id_char(c) { c } else { '-' })
            .take(Self::MAX_LEN)
            .collect();
        let trimmed = mapped.trim_matches('-');
        match trimmed {
            "" => Self("device".to_owned()),
            name if Self::RESERVED.contains(&name) => Self(format!("{name}-device")),
            name => Self(name.to_owned()),
        }
    }

    /// The id with a number behind it, for the second machine of the same name.
    #[must_use]
    pub fn numbered(&self, number: u32) -> Self {
        let suffix = format!("-{number}");
        let stem: String = self.0.chars().take(Self::MAX_LEN - suffix.len()).collect();
        Self(stem + &suffix)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_id_char(c: char) -> bool {
    matches!(c, 'a'..='z' | '0'..='9' | '_' | '-')
}

impl FromStr for DeviceId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.is_empty() || text.len() > Self::MAX_LEN || !text.chars().all(is_id_char) {
            return Err(IdError::Device(text.to_owned()));
        }
        if Self::RESERVED.contains(&text) {
            return Err(IdError::Reserved(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for DeviceId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<DeviceId> for String {
    fn from(id: DeviceId) -> Self {
        id.0
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The hub's own services: each an MQTT client with a credential of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceName {
    /// The frame around the services: says whether the hub is there at all.
    Hub,
    /// The broker's own report on itself.
    Broker,
    /// Writes the history.
    Ingest,
    /// Concludes who is there, and raises alerts.
    Alerting,
    /// REST API and dashboard.
    Api,
}

impl ServiceName {
    /// Every service, in the order in which they are shown.
    pub const ALL: [Self; 5] = [
        Self::Hub,
        Self::Broker,
        Self::Ingest,
        Self::Alerting,
        Self::Api,
    ];

    /// The name as it stands in topics, file names and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hub => "hub",
            Self::Broker => "broker",
            Self::Ingest => "ingest",
            Self::Alerting => "alerting",
            Self::Api => "api",
        }
    }

    /// The service's MQTT user name.
    pub fn mqtt_user(self) -> String {
        format!("{SERVICE_USER_PREFIX}{}", self.as_str())
    }
}

/// No other MQTT user's name begins like this.
pub const SERVICE_USER_PREFIX: &str = "service-";

impl FromStr for ServiceName {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::ALL
            .into_iter()
            .find(|service| service.as_str() == text)
            .ok_or_else(|| IdError::Service(text.to_owned()))
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One start of an agent: 64 random bits, written as 16 hexadecimal digits.
///
/// Together with a sequence number it names a sample for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SessionId(pub u64);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for SessionId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.len() != 16 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(IdError::Session(text.to_owned()));
        }
        u64::from_str_radix(text, 16)
            .map(Self)
            .map_err(|_| IdError::Session(text.to_owned()))
    }
}

impl TryFrom<String> for SessionId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<SessionId> for String {
    fn from(id: SessionId) -> Self {
        id.to_string()
    }
}

/// One attempt to join: 128 random bits, written as 32 hexadecimal digits. It is the MQTT
/// client id of that attempt as well, which is what keeps two attempts apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JoinRequestId(String);

impl JoinRequestId {
    /// Writes 128 random bits as an id.
    pub fn from_bits(bits: u128) -> Self {
        Self(format!("{bits:032x}"))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for JoinRequestId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let is_hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        if text.len() == 32 && text.bytes().all(is_hex) {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdError::JoinRequest(text.to_owned()))
        }
    }
}

impl fmt::Display for JoinRequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_become_device_ids() {
        let check = |host: &str, id: &str| assert_eq!(DeviceId::from_host_name(host).as_str(), id);
        check("ws-14", "ws-14");
        check("WS-14.school.local", "ws-14");
        check("Büro PC", "b-ro-pc");
        check("PC_de_Zoé", "pc_de_zo");
        check("...", "device");
        check("日本", "device");
        check("hub", "hub-device");
        check(&"x".repeat(80), &"x".repeat(63));
    }

    #[test]
    fn device_ids_outside_the_alphabet_are_rejected() {
        let long = "x".repeat(64);
        for text in ["", "A", "a b", "a/b", "a+", "#", "é", long.as_str()] {
            assert_eq!(
                text.parse::<DeviceId>(),
                Err(IdError::Device(text.to_owned()))
            );
        }
        assert_eq!(
            "fleet".parse::<DeviceId>(),
            Err(IdError::Reserved("fleet".to_owned()))
        );
    }

    #[test]
    fn a_numbered_id_stays_within_the_longest_length() {
        let id = DeviceId::from_host_name(&"x".repeat(63)).numbered(12);
        assert_eq!(id.as_str().len(), 63);
        assert!(id.as_str().ends_with("x-12"));
        assert!(id.as_str().parse::<DeviceId>().is_ok());
    }

    #[test]
    fn session_ids_are_read_back_as_written() {
        for id in [SessionId(0), SessionId(u64::MAX), SessionId(0xabc)] {
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        for text in ["", "0", "+000000000000000", "zzzzzzzzzzzzzzzz"] {
            assert!(text.parse::<SessionId>().is_err(), "{text}");
        }
    }

    #[test]
    fn services_are_read_back_as_written() {
        for service in ServiceName::ALL {
            assert_eq!(service.as_str().parse(), Ok(service));
        }
    }
}
