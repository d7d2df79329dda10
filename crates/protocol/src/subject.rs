//! Whose alert it is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::{DeviceId, IdError};

/// Whose alert it is: a device's, or the hub's own, which is called `hub` where a device has its
/// id. No device has that name ([`DeviceId::RESERVED`]).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Subject {
    /// The hub itself.
    Hub,
    /// One of its devices.
    Device(DeviceId),
}

/// What stands for the hub.
const HUB: &str = "hub";

impl Subject {
    /// Its text: the id of a device, or `hub`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Hub => HUB,
            Self::Device(id) => id.as_str(),
        }
    }

    /// The device, if it is one.
    pub fn device(&self) -> Option<&DeviceId> {
        match self {
            Self::Hub => None,
            Self::Device(id) => Some(id),
        }
    }
}

impl From<DeviceId> for Subject {
    fn from(id: DeviceId) -> Self {
        Self::Device(id)
    }
}

impl FromStr for Subject {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text == HUB {
            return Ok(Self::Hub);
        }
        text.parse().map(Self::Device)
    }
}

impl TryFrom<String> for Subject {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.as_str().to_owned()
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_read_back_as_written() {
        for text in ["hub", "ws-14"] {
            assert_eq!(text.parse::<Subject>().unwrap().to_string(), text);
        }
        assert_eq!("hub".parse(), Ok(Subject::Hub));
        assert!("fleet".parse::<Subject>().is_err());
        assert!("a/b".parse::<Subject>().is_err());
    }
}
