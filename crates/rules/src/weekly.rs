//! Hours that come back each week: whether it is in them, and when that changes.
//!
//! They are meant as a clock on the wall of that time zone shows them. A time that the clock skips
//! in spring comes as much later as it skips; of one that it shows twice in autumn the first counts.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use netmonitor_protocol::payload::{TimeOfDay, Weekday, WeeklyHours};

/// Days to look back from a moment: what began then may not be over. One is enough but where a
/// country has moved to the other side of the date line.
const BACK: i64 = 2;

/// Days to look ahead: each weekday, and one for a week in which the clock is changed.
const AHEAD: i64 = 8;

/// Whether it is in one of these hours. In no hours at all: no.
pub fn covers(hours: &[WeeklyHours], at: Timestamp, zone: &TimeZone) -> bool {
    spans(hours, at, zone).any(|(from, to)| from <= at && at < to)
}

/// When the answer of [`covers`] changes next, after that moment. None: never.
pub fn next_change(hours: &[WeeklyHours], at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let is_now = covers(hours, at, zone);
    let mut edges: Vec<Timestamp> = spans(hours, at, zone)
        .flat_map(|(from, to)| [from, to])
        .filter(|edge| *edge > at)
        .collect();
    edges.sort_unstable();
    // Where one of the hours ends and another begins nothing changes.
    edges
        .into_iter()
        .find(|edge| covers(hours, *edge, zone) != is_now)
}

/// When they begin and end, around a moment.
fn spans<'a>(
    hours: &'a [WeeklyHours],
    at: Timestamp,
    zone: &'a TimeZone,
) -> impl Iterator<Item = (Timestamp, Timestamp)> + 'a {
    let today = zone.to_datetime(at).date();
    let days = (-BACK..=AHEAD).filter_map(move |days| today.checked_add(days.days()).ok());
    days.flat_map(move |day| hours.iter().filter_map(move |it| span(it, day, zone)))
}

/// When the hours that begin on this day begin and end. None: on this day none do.
fn span(hours: &WeeklyHours, day: Date, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    if !(hours.days.is_empty() || hours.days.contains(&weekday(day))) {
        return None;
    }
    let last = if hours.to > hours.from {
        day
    } else {
        day.tomorrow().ok()?
    };
    let moment = |day: Date, time: TimeOfDay| {
        let time = Time::new(time.hour().cast_signed(), time.minute().cast_signed(), 0, 0).ok()?;
        zone.to_timestamp(DateTime::from_parts(day, time)).ok()
    };
    Some((moment(day, hours.from)?, moment(last, hours.to)?))
}

fn weekday(day: Date) -> Weekday {
    match day.weekday() {
        jiff::civil::Weekday::Monday => Weekday::Monday,
        jiff::civil::Weekday::Tuesday => Weekday::Tuesday,
        jiff::civil::Weekday::Wednesday => Weekday::Wednesday,
        jiff::civil::Weekday::Thursday => Weekday::Thursday,
        jiff::civil::Weekday::Friday => Weekday::Friday,
        jiff::civil::Weekday::Saturday => Weekday::Saturday,
        jiff::civil::Weekday::Sunday => Weekday::Sunday,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Paris, whose clock goes from 2 to 3 on 29 March 2026, and from 3 back to 2 on 25 October.
    fn paris() -> TimeZone {
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
    }

    fn hours(days: &[Weekday], from: &str, to: &str) -> WeeklyHours {
        WeeklyHours {
            days: days.to_vec(),
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// From when to when it is in the hours, for the first two times after a moment.
    fn next_two(hours: &[WeeklyHours], after: &str) -> Vec<String> {
        let (mut found, mut now) = (Vec::new(), at(after));
        while found.len() < 4 {
            now = next_change(hours, now, &paris()).unwrap();
            assert_eq!(covers(hours, now, &paris()), found.len() % 2 == 0);
            found.push(now.to_string());
        }
        found
    }

    #[test]
    fn hours_of_one_day_begin_with_their_first_minute_and_end_before_their_last() {
        // A Monday.
        let hours = [hours(&[Weekday::Monday], "08:00", "17:00")];
        let check = |text: &str| covers(&hours, at(text), &paris());
        assert!(!check("2026-11-30T06:59:59Z"));
        assert!(check("2026-11-30T07:00:00Z"));
        assert!(check("2026-11-30T15:59:59Z"));
        assert!(!check("2026-11-30T16:00:00Z"));
        assert!(!check("2026-12-01T12:00:00Z"));
        assert_eq!(
            next_two(&hours, "2026-11-30T16:00:00Z"),
            [
                "2026-12-07T07:00:00Z",
                "2026-12-07T16:00:00Z",
                "2026-12-14T07:00:00Z",
                "2026-12-14T16:00:00Z"
            ]
        );
    }

    #[test]
    fn hours_over_midnight_belong_to_the_day_on_which_they_begin() {
        let hours = [hours(&[Weekday::Friday], "22:00", "07:00")];
        let check = |text: &str| covers(&hours, at(text), &paris());
        // Friday is the 4th.
        assert!(!check("2026-12-04T05:00:00Z"));
        assert!(check("2026-12-04T21:00:00Z"));
        assert!(check("2026-12-05T05:59:59Z"));
        assert!(!check("2026-12-05T06:00:00Z"));
        assert!(!check("2026-12-05T22:00:00Z"));
    }

    #[test]
    fn no_days_are_all_days_and_no_hours_are_never() {
        let daily = [hours(&[], "22:00", "07:00")];
        assert_eq!(
            next_two(&daily, "2026-12-01T12:00:00Z"),
            [
                "2026-12-01T21:00:00Z",
                "2026-12-02T06:00:00Z",
                "2026-12-02T21:00:00Z",
                "2026-12-03T06:00:00Z"
            ]
        );
        assert!(!covers(&[], at("2026-12-01T12:00:00Z"), &paris()));
        assert_eq!(next_change(&[], at("2026-12-01T12:00:00Z"), &paris()), None);
    }

    #[test]
    fn hours_that_end_where_they_begin_last_a_day() {
        let sunday = [hours(&[Weekday::Sunday], "00:00", "00:00")];
        assert_eq!(
            next_two(&sunday, "2026-12-01T12:00:00Z")[..2],
            ["2026-12-05T23:00:00Z", "2026-12-06T23:00:00Z"]
        );
        let always = [hours(&[], "06:00", "06:00")];
        let now = at("2026-12-01T12:00:00Z");
        assert!(covers(&always, now, &paris()));
        assert_eq!(next_change(&always, now, &paris()), None);
    }

    #[test]
    fn hours_that_follow_each_other_or_overlap_are_one() {
        let both = [
            hours(&[], "08:00", "12:00"),
            hours(&[], "12:00", "14:00"),
            hours(&[], "13:00", "17:00"),
        ];
        let now = at("2026-12-01T08:00:00Z");
        let end = at("2026-12-01T16:00:00Z");
        assert_eq!(next_change(&both, now, &paris()), Some(end));
    }

    #[test]
    fn a_night_in_which_the_clock_is_changed_is_an_hour_shorter_or_longer() {
        let night = [hours(&[], "22:00", "07:00")];
        // 28 March, 22:00 CET, until 29 March, 7:00 CEST: 8 hours.
        assert_eq!(
            next_two(&night, "2026-03-28T12:00:00Z")[..2],
            ["2026-03-28T21:00:00Z", "2026-03-29T05:00:00Z"]
        );
        // 24 October, 22:00 CEST, until 25 October, 7:00 CET: 10 hours.
        assert_eq!(
            next_two(&night, "2026-10-24T12:00:00Z")[..2],
            ["2026-10-24T20:00:00Z", "2026-10-25T06:00:00Z"]
        );
    }

    #[test]
    fn a_time_that_the_clock_skips_comes_later_and_of_two_the_first_counts() {
        let early = [hours(&[Weekday::Sunday], "02:15", "02:45")];
        // There is no 2:15 on 29 March: 3:15 CEST.
        assert_eq!(
            next_two(&early, "2026-03-28T12:00:00Z")[..2],
            ["2026-03-29T01:15:00Z", "2026-03-29T01:45:00Z"]
        );
        // On 25 October 2:15 comes twice, first in CEST.
        assert_eq!(
            next_two(&early, "2026-10-24T12:00:00Z"),
            [
                "2026-10-25T00:15:00Z",
                "2026-10-25T00:45:00Z",
                "2026-11-01T01:15:00Z",
                "2026-11-01T01:45:00Z"
            ]
        );
    }
}
