//! Which messages go to which channel, and when: pure, as what an admin has set says.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use netmonitor_protocol::payload::{Channel, Route, Severity, WeeklyHours};
use netmonitor_protocol::{Rule, Subject};
use netmonitor_rules::alert::{Notice, NoticeKind, Told};
use netmonitor_rules::weekly;

/// What a channel is to be told.
#[derive(Debug, Clone, PartialEq)]
pub struct Routed {
    /// The message, with what concerns this channel alone.
    pub notice: Notice,
    /// Not before this moment, when the quiet hours end. None: at once.
    pub not_before: Option<Timestamp>,
}

/// What holds for all channels.
#[derive(Debug, Clone)]
pub struct Quiet<'a> {
    /// When only what is critical goes at once.
    pub hours: &'a [WeeklyHours],
    /// In which time zone all hours are meant.
    pub zone: &'a TimeZone,
}

/// What is sent to a channel of a message that was just made. None: nothing.
///
/// Whoever was told that something is wrong hears that it is over, whatever was set meanwhile and
/// whatever the hour; and nobody else does.
pub fn address(
    channel: &Channel,
    notice: &Notice,
    quiet: &Quiet<'_>,
    now: Timestamp,
) -> Option<Notice> {
    let is_told = |told: &Told| match &told.channels {
        Some(channels) => channels.contains(&channel.id),
        None => concerns(&channel.route, told),
    };
    let routed = if notice.kind == NoticeKind::Resolved {
        route(channel, &with(notice, is_told)?, quiet, now)
    } else {
        route(channel, notice, quiet, now)
    };
    Some(routed?.notice)
}

/// What the channel is told of a message that is addressed to it, and when. None: nothing.
///
/// A test goes at once, whatever is set. The hours of a channel count when it would be told: what
/// waits for the end of the quiet hours goes if that is in them. An end goes to whom it is addressed.
pub fn route(
    channel: &Channel,
    notice: &Notice,
    quiet: &Quiet<'_>,
    now: Timestamp,
) -> Option<Routed> {
    if notice.kind == NoticeKind::Test {
        return Some(Routed {
            notice: notice.clone(),
            not_before: None,
        });
    }
    let route = &channel.route;
    let is_unwanted_end = notice.kind == NoticeKind::Resolved && !route.resolved;
    if !channel.enabled || is_unwanted_end {
        return None;
    }
    let is_end = notice.kind == NoticeKind::Resolved;
    let notice = with(notice, |told| is_end || concerns(route, told))?;
    let waits = rank(notice.severity) < rank(Severity::Critical)
        && weekly::covers(quiet.hours, now, quiet.zone);
    let not_before = if waits {
        // Hours that never end would keep it for ever: then they are none.
        weekly::next_change(quiet.hours, now, quiet.zone)
    } else {
        None
    };
    let told_at = not_before.unwrap_or(now);
    let is_in_hours =
        is_end || route.hours.is_empty() || weekly::covers(&route.hours, told_at, quiet.zone);
    is_in_hours.then_some(Routed { notice, not_before })
}

fn concerns(route: &Route, told: &Told) -> bool {
    let is_in_group =
        route.groups.is_empty() || told.groups.iter().any(|group| route.groups.contains(group));
    is_in_group && least(route.least) <= rank(told.severity)
}

/// How much it matters. A word of a newer version is not taken lightly.
fn rank(severity: Severity) -> u8 {
    match severity {
        Severity::Info => 0,
        Severity::Warning => 1,
        Severity::Critical | Severity::Unknown => 2,
    }
}

/// The same of what is asked for: of a word of a newer version nothing is kept back.
fn least(severity: Severity) -> u8 {
    match severity {
        Severity::Unknown => 0,
        known => rank(known),
    }
}

/// The message with some of its alerts. None if there are none of them.
fn with(notice: &Notice, keep: impl Fn(&Told) -> bool) -> Option<Notice> {
    let alerts: Vec<Told> = notice
        .alerts
        .iter()
        .filter(|it| keep(it))
        .cloned()
        .collect();
    let severity = alerts
        .iter()
        .map(|it| it.severity)
        .max_by_key(|it| rank(*it))?;
    Some(Notice {
        severity,
        alerts,
        ..notice.clone()
    })
}

/// One trouble, from its begin to its end.
type Trouble<'a> = (&'a Subject, &'a Rule, Timestamp);

fn troubles(notice: &Notice) -> impl Iterator<Item = Trouble<'_>> {
    let alerts = notice.alerts.iter();
    alerts.map(|told| (&told.subject, &told.rule, told.since))
}

/// What is left to be told of messages that one channel has waited for, in the order in which they
/// came: a trouble that began and ended meanwhile is not told of at all, and of one that has ended
/// nobody is reminded. One for each of those given; None: nothing is left of it.
pub fn still_to_tell(waiting: &[Notice]) -> Vec<Option<Notice>> {
    let of = |kind| waiting.iter().filter(move |notice| notice.kind == kind);
    let ended: Vec<Trouble<'_>> = of(NoticeKind::Resolved).flat_map(troubles).collect();
    let begun: Vec<Trouble<'_>> = of(NoticeKind::Firing).flat_map(troubles).collect();
    let keep = |notice: &Notice| {
        with(notice, |told| {
            let trouble = (&told.subject, &told.rule, told.since);
            match notice.kind {
                NoticeKind::Firing | NoticeKind::Reminder => !ended.contains(&trouble),
                NoticeKind::Resolved => !begun.contains(&trouble),
                NoticeKind::Test => true,
            }
        })
    };
    waiting
        .iter()
        .map(|notice| match notice.kind {
            NoticeKind::Test => Some(notice.clone()),
            _ => keep(notice),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use netmonitor_protocol::RuleKind;
    use netmonitor_protocol::payload::ChannelKind;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn hours(from: &str, to: &str) -> Vec<WeeklyHours> {
        vec![WeeklyHours {
            days: Vec::new(),
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
        }]
    }

    fn channel(route: Route) -> Channel {
        Channel {
            id: "c".to_owned(),
            name: "C".to_owned(),
            enabled: true,
            kind: ChannelKind::Desktop,
            route,
            secret_revision: 0,
        }
    }

    fn told(device: &str, severity: Severity, groups: &[&str]) -> Told {
        Told {
            subject: device.parse().unwrap(),
            name: String::new(),
            groups: groups.iter().map(|&group| group.to_owned()).collect(),
            rule: Rule::of(RuleKind::Cpu),
            severity,
            since: at("2026-11-30T10:00:00Z"),
            value: None,
            limit: None,
            detail: None,
            behind: Vec::new(),
            channels: None,
        }
    }

    fn notice(kind: NoticeKind, alerts: Vec<Told>) -> Notice {
        Notice {
            id: "x".to_owned(),
            kind,
            time: at("2026-11-30T12:00:00Z"),
            severity: Severity::Critical,
            alerts,
        }
    }

    fn warning() -> Notice {
        notice(NoticeKind::Firing, vec![told("a", Severity::Warning, &[])])
    }

    /// At noon UTC, in UTC, with these quiet hours.
    fn routed(route: Route, notice: &Notice, quiet: &[WeeklyHours]) -> Option<Routed> {
        let quiet = Quiet {
            hours: quiet,
            zone: &TimeZone::UTC,
        };
        super::route(&channel(route), notice, &quiet, at("2026-11-30T12:00:00Z"))
    }

    #[test]
    fn a_channel_without_conditions_is_told_everything_at_once() {
        for kind in [
            NoticeKind::Firing,
            NoticeKind::Reminder,
            NoticeKind::Resolved,
        ] {
            let all = notice(
                kind,
                vec![
                    told("a", Severity::Info, &[]),
                    told("b", Severity::Critical, &["x"]),
                ],
            );
            let expected = Routed {
                notice: all.clone(),
                not_before: None,
            };
            assert_eq!(routed(Route::default(), &all, &[]), Some(expected));
        }
    }

    #[test]
    fn a_channel_that_is_off_is_told_nothing_but_tests() {
        let off = Channel {
            enabled: false,
            ..channel(Route {
                least: Severity::Critical,
                groups: vec!["x".to_owned()],
                hours: hours("01:00", "02:00"),
                resolved: false,
            })
        };
        let quiet = Quiet {
            hours: &hours("00:00", "00:00"),
            zone: &TimeZone::UTC,
        };
        let now = at("2026-11-30T12:00:00Z");
        assert_eq!(super::route(&off, &warning(), &quiet, now), None);
        let test = super::route(&off, &Notice::test(now), &quiet, now).unwrap();
        assert_eq!(test.not_before, None);
    }

    #[test]
    fn alerts_of_other_groups_or_that_matter_less_are_left_out() {
        let all = notice(
            NoticeKind::Firing,
            vec![
                told("a", Severity::Critical, &["lab"]),
                told("b", Severity::Warning, &["office", "lab"]),
                told("c", Severity::Info, &["office"]),
                told("d", Severity::Critical, &[]),
            ],
        );
        let to = |groups: &[&str], least| {
            let route = Route {
                least,
                groups: groups.iter().map(|&group| group.to_owned()).collect(),
                ..Route::default()
            };
            let routed = routed(route, &all, &[])?;
            let names = routed
                .notice
                .alerts
                .iter()
                .map(|told| told.subject.to_string());
            Some((names.collect::<Vec<_>>().concat(), routed.notice.severity))
        };
        let some = |names: &str, severity| Some((names.to_owned(), severity));
        assert_eq!(
            to(&["office"], Severity::Info),
            some("bc", Severity::Warning)
        );
        assert_eq!(
            to(&["office"], Severity::Warning),
            some("b", Severity::Warning)
        );
        assert_eq!(to(&["office"], Severity::Critical), None);
        assert_eq!(
            to(&["lab", "x"], Severity::Info),
            some("ab", Severity::Critical)
        );
        assert_eq!(to(&[], Severity::Warning), some("abd", Severity::Critical));
        assert_eq!(to(&[], Severity::Unknown), some("abcd", Severity::Critical));
    }

    #[test]
    fn a_channel_may_not_want_to_hear_of_ends() {
        let route = Route {
            resolved: false,
            ..Route::default()
        };
        let end = notice(
            NoticeKind::Resolved,
            vec![told("a", Severity::Critical, &[])],
        );
        assert_eq!(routed(route.clone(), &end, &[]), None);
        assert!(routed(route, &warning(), &[]).is_some());
    }

    #[test]
    fn outside_its_hours_a_channel_is_told_nothing() {
        let with = |from, to| Route {
            hours: hours(from, to),
            ..Route::default()
        };
        assert!(routed(with("08:00", "17:00"), &warning(), &[]).is_some());
        assert_eq!(routed(with("17:00", "08:00"), &warning(), &[]), None);
    }

    #[test]
    fn an_end_goes_to_whoever_was_told_of_the_beginning_and_to_nobody_else() {
        let end_for = |channels: Option<&[&str]>| {
            let channels = channels.map(|it| it.iter().map(|&it| it.to_owned()).collect());
            let told = Told {
                channels,
                ..told("a", Severity::Warning, &[])
            };
            notice(NoticeKind::Resolved, vec![told])
        };
        let addressed = |route: Route, end: &Notice, quiet: &[WeeklyHours]| {
            let now = at("2026-11-30T12:00:00Z");
            let zone = &TimeZone::UTC;
            let quiet = Quiet { hours: quiet, zone };
            let channel = channel(route);
            let notice = address(&channel, end, &quiet, now)?;
            super::route(&channel, &notice, &quiet, now)
        };
        // Its hours are over, and what it is told of was changed.
        let other = Route {
            groups: vec!["office".to_owned()],
            least: Severity::Critical,
            hours: hours("17:00", "18:00"),
            ..Route::default()
        };
        let told = end_for(Some(&["b", "c"]));
        let sent = addressed(other.clone(), &told, &[]).unwrap();
        assert_eq!(
            (sent.notice.alerts, sent.not_before),
            (told.alerts.clone(), None)
        );
        let waits = addressed(other.clone(), &told, &hours("11:00", "13:30")).unwrap();
        assert_eq!(waits.not_before, Some(at("2026-11-30T13:30:00Z")));
        let unwanted = Route {
            resolved: false,
            ..Route::default()
        };
        assert_eq!(addressed(unwanted, &told, &[]), None);
        // Told to others, or to nobody.
        for others in [&["b"][..], &[]] {
            let end = end_for(Some(others));
            assert_eq!(addressed(Route::default(), &end, &[]), None);
        }
        // Where that is not known, its settings decide.
        assert_eq!(addressed(other, &end_for(None), &[]), None);
        assert!(addressed(Route::default(), &end_for(None), &[]).is_some());
    }

    #[test]
    fn in_quiet_hours_only_what_is_critical_goes_at_once() {
        let quiet = hours("11:00", "13:30");
        let waits = routed(Route::default(), &warning(), &quiet).unwrap();
        assert_eq!(waits.not_before, Some(at("2026-11-30T13:30:00Z")));
        let critical = notice(NoticeKind::Firing, vec![told("a", Severity::Critical, &[])]);
        let goes = routed(Route::default(), &critical, &quiet).unwrap();
        assert_eq!(goes.not_before, None);
        // Outside of them, and where they would never end.
        for quiet in [hours("13:00", "14:00"), hours("00:00", "00:00")] {
            let goes = routed(Route::default(), &warning(), &quiet).unwrap();
            assert_eq!(goes.not_before, None);
        }
    }

    #[test]
    fn what_waits_goes_if_the_channel_has_its_hours_then() {
        let quiet = hours("11:00", "13:30");
        let with = |from, to| Route {
            hours: hours(from, to),
            ..Route::default()
        };
        assert!(routed(with("13:00", "17:00"), &warning(), &quiet).is_some());
        assert_eq!(routed(with("11:00", "13:00"), &warning(), &quiet), None);
    }

    #[test]
    fn what_began_and_ended_while_it_waited_is_not_told() {
        let a = told("a", Severity::Warning, &[]);
        let b = told("b", Severity::Info, &[]);
        let earlier = Told {
            since: a.since - SignedDuration::from_hours(2),
            ..a.clone()
        };
        let waiting = [
            // Its begin was told before.
            notice(NoticeKind::Resolved, vec![earlier.clone()]),
            notice(NoticeKind::Firing, vec![a.clone(), b.clone()]),
            notice(NoticeKind::Reminder, vec![a.clone()]),
            notice(NoticeKind::Resolved, vec![a.clone()]),
        ];
        let left = still_to_tell(&waiting);
        let of_b = Notice {
            severity: Severity::Info,
            ..notice(NoticeKind::Firing, vec![b])
        };
        let of_earlier = Notice {
            severity: Severity::Warning,
            ..waiting[0].clone()
        };
        assert_eq!(left, [Some(of_earlier), Some(of_b), None, None]);
        // Nobody is reminded of what has ended, whenever it was told.
        let waiting = [
            notice(NoticeKind::Reminder, vec![a.clone()]),
            notice(NoticeKind::Resolved, vec![a]),
        ];
        let left = still_to_tell(&waiting);
        assert!(left[0].is_none() && left[1].is_some());
    }
}
