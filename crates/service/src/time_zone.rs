//! In which time zone the hours are that people write and read.

use jiff::tz::TimeZone;

/// The time zone with this name in the IANA database, which is that of this machine
/// (`/usr/share/zoneinfo`); without a name, the one that this machine is in. UTC, and a warning,
/// where the machine does not know it: hours that are an hour or two off are better than no alerts.
pub fn time_zone(name: Option<&str>) -> TimeZone {
    let found = match name {
        Some(name) => TimeZone::get(name),
        None => TimeZone::try_system(),
    };
    found.unwrap_or_else(|error| {
        let error = error.to_string();
        tracing::warn!(
            error,
            name,
            "no such time zone on this machine: its hours are those of UTC; the package tzdata has them"
        );
        TimeZone::UTC
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_nobody_knows_is_utc() {
        assert_eq!(time_zone(Some("Europe/Atlantis")), TimeZone::UTC);
    }
}
