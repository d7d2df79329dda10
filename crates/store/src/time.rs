//! Times as the databases hold them: milliseconds since 1970, UTC.

use jiff::Timestamp;

/// From a column.
pub(crate) fn from_ms(ms: i64) -> Timestamp {
    // A value outside of jiff's range (years -9999 to 9999) cannot have been stored by us.
    Timestamp::from_millisecond(ms).unwrap_or_default()
}
