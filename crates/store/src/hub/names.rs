//! Names of accounts, tokens and MQTT users.

use netmonitor_protocol::JOIN_USER;
use netmonitor_protocol::ids::SERVICE_USER_PREFIX;

/// Longest name, in characters.
const MAX_LEN: usize = 64;

/// Why a name cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty, too long, or with characters that are hard to see or to type.
    #[error(
        "{0:?} is not a usable name: 1 to {MAX_LEN} characters, no control characters, no ':' \
         and no blanks at either end"
    )]
    Form(String),
    /// The name belongs to the hub itself.
    #[error("{0:?} is reserved for the hub itself: choose another name")]
    Reserved(String),
    /// Wildcards and levels of topics: mosquitto gives such a user nothing where access depends
    /// on names, and takes a line that begins with `#` for a comment.
    #[error("{0:?} is not a usable MQTT user name: choose one without '+', '#' and '/'")]
    Topical(String),
}

/// Checks the form. A colon would end the name in a mosquitto password file.
pub fn check_name(name: &str) -> Result<(), NameError> {
    let length = name.chars().count();
    let usable = (1..=MAX_LEN).contains(&length)
        && name.trim() == name
        && !name.contains(':')
        && !name.chars().any(char::is_control);
    usable
        .then_some(())
        .ok_or_else(|| NameError::Form(name.to_owned()))
}

/// Checks the form, and that no client of the hub itself has the name.
pub(super) fn check_mqtt_name(name: &str) -> Result<(), NameError> {
    check_name(name)?;
    if name.contains(['+', '#', '/']) {
        return Err(NameError::Topical(name.to_owned()));
    }
    let lower = name.to_lowercase();
    if lower == JOIN_USER || lower.starts_with(SERVICE_USER_PREFIX) {
        return Err(NameError::Reserved(name.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        for name in ["admin", "Zoé", "home assistant", "日本"] {
            assert_eq!(check_mqtt_name(name), Ok(()), "{name}");
        }
        for name in ["", " a", "a ", "a:b", "a\nb", "\u{7f}"] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
        for name in ["#", "a+b", "a/b"] {
            assert!(matches!(check_mqtt_name(name), Err(NameError::Topical(_))));
        }
        for name in ["join", "service-api", "Service-x"] {
            assert!(matches!(check_mqtt_name(name), Err(NameError::Reserved(_))));
        }
    }
}
