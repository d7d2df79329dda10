//! Time between two samples, as people write it.

use std::time::Duration;

use jiff::SignedDuration;

/// The shortest time between two samples.
pub const SHORTEST: Duration = Duration::from_secs(1);

/// The longest time between two samples.
pub const LONGEST: Duration = Duration::from_hours(1);

/// What it is unless someone says otherwise.
pub const DEFAULT: Duration = Duration::from_secs(3);

/// Why a text or number is no interval.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IntervalError {
    /// It is no duration.
    #[error("{0:?} is not a duration: write it like 3s, 1500ms or 1m")]
    NotADuration(String),
    /// It is a duration, and outside what is allowed.
    #[error("{0} is not allowed: from 1s to 1h")]
    OutOfRange(String),
}

/// Reads `3s`, `1500ms`, `1m`.
pub fn parse(text: &str) -> Result<Duration, IntervalError> {
    let duration: SignedDuration = text
        .trim()
        .parse()
        .map_err(|_| IntervalError::NotADuration(text.to_owned()))?;
    Duration::try_from(duration)
        .ok()
        .and_then(allowed)
        .ok_or_else(|| IntervalError::OutOfRange(text.to_owned()))
}

/// Takes a number of seconds.
pub fn from_secs(secs: f64) -> Result<Duration, IntervalError> {
    Duration::try_from_secs_f64(secs)
        .ok()
        .and_then(allowed)
        .ok_or_else(|| IntervalError::OutOfRange(format!("{secs}")))
}

fn allowed(duration: Duration) -> Option<Duration> {
    (SHORTEST..=LONGEST).contains(&duration).then_some(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_read_as_people_write_them() {
        let check = |text, millis| assert_eq!(parse(text), Ok(Duration::from_millis(millis)));
        check("3s", 3000);
        check("1500ms", 1500);
        check("1m", 60_000);
        check("1h", 3_600_000);
        check(" 1m 30s ", 90_000);
        check("2.5s", 2500);
    }

    #[test]
    fn what_is_no_duration_or_not_allowed_is_refused_with_a_hint() {
        for text in ["", "3", "s", "fast", "3 apples"] {
            let error = parse(text).unwrap_err();
            assert!(matches!(error, IntervalError::NotADuration(_)), "{text}");
            assert!(error.to_string().contains("3s"), "{error}");
        }
        for text in ["0s", "500ms", "999ms", "61m", "2h", "-3s"] {
            let error = parse(text).unwrap_err();
            assert!(matches!(error, IntervalError::OutOfRange(_)), "{text}");
            assert!(error.to_string().contains("from 1s to 1h"), "{error}");
        }
        assert_eq!(from_secs(1.5), Ok(Duration::from_millis(1500)));
        for secs in [0.0, 0.5, 3600.1, -3.0, f64::NAN, f64::INFINITY] {
            assert!(from_secs(secs).is_err(), "{secs}");
        }
    }
}
