//! How long the history is kept.

use std::ops::RangeInclusive;

use netmonitor_protocol::payload::HistorySettings;

use super::words::within;
use super::{Revised, Section};

/// How long something can be kept, in days: from a day to a century.
const SAMPLE_DAYS: RangeInclusive<u32> = 1..=3650;
const LONGEST_DAYS: u32 = 36_500;

/// How large the history can be made, in megabytes. Less does not hold what the tables take
/// that are never emptied; more no SQLite file of a small machine should have.
const MEGABYTES: RangeInclusive<u32> = 50..=10_000_000;

/// How long lines of the log can be kept, in days.
const EVENT_DAYS: RangeInclusive<u32> = 1..=3650;

/// How many lines of the log can be kept. Fewer are no log; more nobody reads.
const EVENTS: RangeInclusive<u32> = 1000..=1_000_000;

impl Revised for HistorySettings {
    fn revision(&self) -> u64 {
        self.revision
    }

    fn set_revision(&mut self, revision: u64) {
        self.revision = revision;
    }
}

impl Section for HistorySettings {
    const NAME: &'static str = "history";
    const WHAT: &'static str = "the settings of the history";

    /// Coarser points are kept at least as long as finer ones: else there would be a stretch of the
    /// past that is known for a week and not for an hour.
    fn check(&self) -> Result<(), String> {
        within("sample_days", self.sample_days, SAMPLE_DAYS)?;
        let five_minutes = self.sample_days..=LONGEST_DAYS;
        within("five_minute_days", self.five_minute_days, five_minutes)?;
        let two_hours = self.five_minute_days..=LONGEST_DAYS;
        within("two_hour_days", self.two_hour_days, two_hours)?;
        within("max_megabytes", self.max_megabytes, MEGABYTES)?;
        if let Some(days) = self.event_days {
            within("event_days", days, EVENT_DAYS)?;
        }
        within("max_events", self.max_events, EVENTS)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::refusal;
    use super::*;

    #[test]
    fn a_number_that_makes_no_sense_is_refused_by_name_and_bounds() {
        let check = |change: fn(&mut HistorySettings), part: &str| {
            let text = refusal(change);
            assert!(text.contains(part), "{text}");
        };
        check(|it| it.sample_days = 0, "sample_days is 0: give 1 to 3650");
        check(|it| it.sample_days = 3651, "sample_days is 3651");
        check(
            |it| it.five_minute_days = 89,
            "five_minute_days is 89: give 90 to",
        );
        check(
            |it| it.two_hour_days = 700,
            "two_hour_days is 700: give 730 to",
        );
        check(
            |it| it.max_megabytes = 49,
            "max_megabytes is 49: give 50 to",
        );
        check(|it| it.event_days = Some(0), "event_days is 0: give 1 to");
        check(|it| it.max_events = 9, "max_events is 9: give 1000 to");
        // Each fits by itself, but not what there is.
        check(
            |it| it.sample_days = 731,
            "five_minute_days is 730: give 731 to",
        );
    }
}
