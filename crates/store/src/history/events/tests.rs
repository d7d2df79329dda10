use netmonitor_protocol::payload::EventKind;

use super::*;
use crate::history::{HistoryReader, HistoryWriter, Retention, Tended};
use netmonitor_protocol::payload::HistorySettings;

const DAY: i64 = 24 * 3600;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn line(number: i64) -> Event {
    let parameters = [("number", number.to_string())];
    Event {
        actor: Some("ada".to_owned()),
        ..Event::new(at(number), EventKind::LoggedIn, Severity::Info, parameters)
    }
}

fn history() -> (tempfile::TempDir, HistoryWriter, HistoryReader) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("monitor.db");
    let writer = HistoryWriter::open(&path).unwrap();
    let reader = HistoryReader::new(&path);
    (folder, writer, reader)
}

fn all() -> EventFilter {
    EventFilter {
        limit: 1000,
        ..EventFilter::default()
    }
}

fn numbers(reader: &HistoryReader, filter: &EventFilter) -> Vec<i64> {
    let found = reader.events(filter).unwrap().into_iter();
    found
        .map(|it| it.event.time.as_second() - at(0).as_second())
        .collect()
}

/// Five lines, each of which something else finds.
fn five_lines() -> [Event; 5] {
    use EventKind as K;
    let with = |number, kind: K, severity, device: Option<&str>, text: &str| Event {
        device: device.map(|id| id.parse().unwrap()),
        actor: None,
        ..Event::new(at(number), kind, severity, [("name", text.to_owned())])
    };
    let (info, warning) = (Severity::Info, Severity::Warning);
    [
        with(1, K::UserAdded, info, None, "100 % \"a\\b\""),
        with(2, K::AlertFiring, warning, Some("ws"), "Büro"),
        with(3, K::AlertFiring, Severity::Critical, Some("nas"), "x"),
        with(4, K::AlertResolved, info, Some("ws"), "x_y"),
        line(5),
    ]
}

#[test]
fn lines_are_found_by_all_that_is_asked_for_together() {
    let (_folder, mut writer, reader) = history();
    writer.commit(&[], &five_lines()).unwrap();
    let check = |filter: EventFilter, expected: &[i64]| {
        assert_eq!(numbers(&reader, &filter), expected, "{filter:?}");
    };
    let kinds = |kinds: &[&str]| kinds.iter().map(ToString::to_string).collect();
    let ws = || Some("ws".parse().unwrap());
    check(all(), &[5, 4, 3, 2, 1]);
    check(
        EventFilter {
            device: ws(),
            ..all()
        },
        &[4, 2],
    );
    let firing = || kinds(&["alert_firing"]);
    check(
        EventFilter {
            kinds: firing(),
            ..all()
        },
        &[3, 2],
    );
    check(
        EventFilter {
            kinds: firing(),
            device: ws(),
            ..all()
        },
        &[2],
    );
    let both = kinds(&["alert_firing", "logged_in"]);
    check(
        EventFilter {
            kinds: both,
            ..all()
        },
        &[5, 3, 2],
    );
    let severity = |severity| EventFilter {
        severity: Some(severity),
        ..all()
    };
    check(severity(Severity::Info), &[5, 4, 3, 2, 1]);
    check(severity(Severity::Warning), &[3, 2]);
    check(severity(Severity::Critical), &[3]);
    check(
        EventFilter {
            from: Some(at(2)),
            to: Some(at(4)),
            ..all()
        },
        &[3, 2],
    );
    let text = |text: &str| EventFilter {
        text: Some(text.to_owned()),
        ..all()
    };
    check(text("ADA"), &[5]);
    check(text("büro"), &[2]);
    check(text("100 %"), &[1]);
    check(text("\"a\\b\""), &[1]);
    check(text("x_"), &[4]);
    // The name of a parameter is no text of the line.
    check(text("name"), &[]);
    let page = reader.events(&EventFilter { limit: 2, ..all() }).unwrap();
    check(
        EventFilter {
            before: Some(page[1].id),
            limit: 2,
            ..all()
        },
        &[3, 2],
    );
}

#[test]
fn nothing_is_sorted_to_find_the_newest_lines() {
    let (folder, _writer, _reader) = history();
    let connection = Connection::open(folder.path().join("monitor.db")).unwrap();
    let check = |filter: EventFilter, index: Option<&str>| {
        let (sql, values) = question(&filter);
        let mut statement = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap();
        let rows = statement.query_map(params_from_iter(values), |row| row.get::<_, String>(3));
        let plan: Vec<String> = rows.unwrap().map(Result::unwrap).collect();
        let plan = plan.join("; ");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        match index {
            Some(index) => assert!(plan.contains(index), "{plan}"),
            None => assert!(plan.contains("INTEGER PRIMARY KEY"), "{plan}"),
        }
    };
    let device = || Some("ws".parse().unwrap());
    let kinds = || vec!["logged_in".to_owned()];
    check(
        EventFilter {
            device: device(),
            ..all()
        },
        Some("event_by_device"),
    );
    check(
        EventFilter {
            kinds: kinds(),
            ..all()
        },
        Some("event_by_kind"),
    );
    check(
        EventFilter {
            device: device(),
            kinds: kinds(),
            ..all()
        },
        Some("event_by_device"),
    );
    let (from, to) = (Some(at(0)), Some(at(9)));
    check(EventFilter { from, to, ..all() }, None);
    let text = Some("x".to_owned());
    check(EventFilter { text, ..all() }, None);
}

fn tend(writer: &mut HistoryWriter, now: Timestamp, settings: &HistorySettings) {
    let retention = Retention::ByAgeAndSize(settings);
    while writer.tend(now, retention).unwrap() == Tended::More {}
}

#[test]
fn lines_go_by_age_unless_that_is_switched_off_and_never_by_a_clock_that_is_not_certain() {
    let (_folder, mut writer, reader) = history();
    writer
        .commit(&[], &[line(0), line(6 * DAY), line(8 * DAY)])
        .unwrap();
    let now = at(8 * DAY);
    let off = HistorySettings {
        event_days: None,
        ..HistorySettings::default()
    };
    tend(&mut writer, now, &off);
    assert_eq!(numbers(&reader, &all()).len(), 3);
    let week = HistorySettings::default();
    while writer.tend(now, Retention::BySize(&week)).unwrap() == Tended::More {}
    assert_eq!(numbers(&reader, &all()).len(), 3);
    tend(&mut writer, now, &week);
    assert_eq!(numbers(&reader, &all()), [8 * DAY, 6 * DAY]);
}

#[test]
fn the_oldest_lines_go_when_there_are_too_many() {
    let (_folder, mut writer, reader) = history();
    let lines: Vec<Event> = (0..12_345).map(line).collect();
    writer.commit(&[], &lines).unwrap();
    let few = HistorySettings {
        event_days: None,
        max_events: 1000,
        ..HistorySettings::default()
    };
    tend(&mut writer, at(20_000), &few);
    let filter = EventFilter {
        limit: 2000,
        ..EventFilter::default()
    };
    let left = numbers(&reader, &filter);
    assert_eq!((left.len(), left[0], left[999]), (1000, 12_344, 11_345));
}

#[test]
fn an_admin_can_remove_all_lines_before_a_moment() {
    let (_folder, mut writer, reader) = history();
    let lines: Vec<Event> = (0..12_000).map(line).collect();
    writer.commit(&[], &lines).unwrap();
    assert_eq!(writer.remove_events(at(11_990)).unwrap(), 11_990);
    assert_eq!(writer.remove_events(at(11_990)).unwrap(), 0);
    assert_eq!(numbers(&reader, &all()).len(), 10);
}
