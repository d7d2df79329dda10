use netmonitor_protocol::payload::Severity;
use netmonitor_protocol::{Rule, Unit};
use netmonitor_testkit::golden;

use super::*;

const DASHBOARD: &str = "http://192.168.1.5:8080/";

fn paris() -> TimeZone {
    TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn told(name: &str, rule: Rule) -> Told {
    let subject = if rule.kind().is_of_hub() {
        Subject::Hub
    } else {
        name.parse().unwrap_or(Subject::Hub)
    };
    let unit = rule.kind().unit();
    let limit = unit.map(|unit| match unit {
        Unit::Percent => 90.0,
        Unit::Number => 2.0,
        Unit::Celsius => 95.0,
        Unit::BytesPerSecond => 1e8,
        Unit::Seconds => 60.0,
        Unit::Days => 3.0,
    });
    Told {
        subject,
        name: name.to_owned(),
        groups: Vec::new(),
        severity: Severity::Critical,
        since: at("2026-11-30T11:04:12Z"),
        value: limit.map(|limit| if limit > 3.0 { limit * 1.05 } else { 2.4 }),
        limit,
        detail: None,
        behind: Vec::new(),
        channels: None,
        rule,
    }
}

fn with_detail(mut told: Told, detail: &str) -> Told {
    told.detail = Some(detail.to_owned());
    told
}

fn notice(kind: NoticeKind, alerts: Vec<Told>) -> Notice {
    Notice {
        id: "ws-14/cpu/1".to_owned(),
        kind,
        time: at("2026-11-30T11:09:12Z"),
        severity: Severity::Critical,
        alerts,
    }
}

fn english(notice: &Notice) -> Words {
    words(notice, Language::English, &paris(), Some(DASHBOARD))
}

fn rule(kind: RuleKind) -> Rule {
    match kind {
        RuleKind::Service => Rule::about(kind, "nginx"),
        _ if kind.has_target() => Rule::about(kind, "/srv"),
        _ => Rule::of(kind),
    }
}

fn names(count: usize) -> Vec<Told> {
    let name = |number| format!("pc-{number}");
    (1..=count)
        .map(|number| told(&name(number), Rule::of(RuleKind::Offline)))
        .collect()
}

/// One of everything that can be said.
fn everything() -> Vec<Notice> {
    use NoticeKind::{Firing, Reminder, Resolved};
    let mut all = vec![Notice::test(at("2026-11-30T11:04:12Z"))];
    for kind in RuleKind::ALL.into_iter().chain([RuleKind::Unknown]) {
        let told = told("ws-14", rule(kind));
        all.push(notice(Firing, vec![told.clone()]));
        let well = Told {
            value: told
                .limit
                .map(|limit| limit * if kind.is_below() { 2.0 } else { 0.5 }),
            ..told.clone()
        };
        all.push(notice(Resolved, vec![well]));
        all.push(notice(Resolved, vec![with_detail(told.clone(), "removed")]));
        if told.value.is_some() {
            let unmeasured = Told {
                value: None,
                ..told
            };
            all.push(notice(Firing, vec![unmeasured]));
        }
    }
    for (kind, details) in [
        (
            RuleKind::Offline,
            &[
                "lost",
                "stopped",
                "shutdown",
                "suspend",
                "reboot",
                "replaced",
                "hub_restart",
            ][..],
        ),
        (
            RuleKind::Service,
            &["stopped", "failed", "missing", "restart_loop"],
        ),
        (
            RuleKind::Database,
            &["disk_full", "not_writable", "damaged"],
        ),
        (RuleKind::Ingest, &["stopped", "behind"]),
        (RuleKind::Settings, &["ws-14"]),
    ] {
        for detail in details {
            let told = with_detail(told("ws-14", rule(kind)), detail);
            all.push(notice(Firing, vec![told]));
        }
    }
    for detail in ["disabled", "gone", "of_tomorrow"] {
        let told = with_detail(told("ws-14", rule(RuleKind::Disk)), detail);
        all.push(notice(Resolved, vec![told]));
    }
    let mut reminder = notice(Reminder, vec![told("ws-14", rule(RuleKind::Ram))]);
    reminder.time = at("2026-12-01T11:04:12Z");
    all.push(reminder);
    let mut uplink = told("switch-1", rule(RuleKind::Offline));
    uplink.behind = vec!["pc-1".parse().unwrap(), "pc-2".parse().unwrap()];
    all.push(notice(Firing, vec![uplink]));
    all.push(notice(Firing, names(3)));
    all.push(notice(Firing, names(30)));
    all.push(notice(Resolved, names(3)));
    let mixed = vec![
        told("ws-14", rule(RuleKind::Cpu)),
        told("ws-14", rule(RuleKind::Ram)),
        told("nas", rule(RuleKind::Disk)),
    ];
    all.push(notice(Firing, mixed.clone()));
    all.push(notice(Resolved, mixed));
    all
}

/// For whoever wants to read all texts: the file has them.
#[test]
fn every_text_in_both_languages() {
    let mut blocks = Vec::new();
    for notice in everything() {
        for language in [Language::English, Language::French] {
            let Words { title, text, link } = words(&notice, language, &paris(), Some(DASHBOARD));
            blocks.push(format!("{title}\n{text}\n{}\n", link.unwrap()));
        }
    }
    let text = blocks.join("\n");
    golden(
        concat!(env!("CARGO_MANIFEST_DIR"), "/golden/words.txt"),
        &text,
    );
}

#[test]
fn a_link_leads_to_the_device_or_to_all_of_them() {
    let link = |alerts, url| {
        words(
            &notice(NoticeKind::Firing, alerts),
            Language::English,
            &paris(),
            url,
        )
        .link
    };
    let cpu = told("ws-14", rule(RuleKind::Cpu));
    let of_device = Some("http://192.168.1.5:8080/devices/ws-14".to_owned());
    let of_all = Some("http://192.168.1.5:8080/".to_owned());
    assert_eq!(link(vec![cpu.clone()], Some(DASHBOARD)), of_device);
    assert_eq!(
        link(vec![cpu.clone(), cpu.clone()], Some(DASHBOARD)),
        of_device
    );
    assert_eq!(link(names(2), Some(DASHBOARD)), of_all);
    assert_eq!(
        link(vec![told("", rule(RuleKind::Database))], Some(DASHBOARD)),
        of_all
    );
    assert_eq!(link(vec![cpu], None), None);
}

#[test]
fn a_hundred_names_are_all_in_the_text_and_as_many_in_the_title_as_can_be_read() {
    let words = english(&notice(NoticeKind::Firing, names(100)));
    assert!(
        words
            .title
            .starts_with("100 devices are offline: pc-1, pc-2, ")
    );
    assert!(words.title.ends_with(" and 82 more"), "{}", words.title);
    for number in 1..=100 {
        let name = format!("pc-{number}");
        let is_there = words
            .text
            .split(|c: char| !(c.is_alphanumeric() || c == '-'))
            .any(|word| word == name);
        assert!(is_there, "{name}");
    }
}

#[test]
fn nothing_that_a_machine_calls_itself_begins_a_new_line() {
    let mut hostile = told("ws-14", Rule::about(RuleKind::Service, "x\r\nBcc: y\u{0}"));
    hostile.name = "evil\r\nBcc: all@example.org".to_owned();
    hostile.detail = Some("lost\nX: y\u{2028}".to_owned());
    for kind in [
        NoticeKind::Firing,
        NoticeKind::Reminder,
        NoticeKind::Resolved,
    ] {
        for alerts in [vec![hostile.clone()], vec![hostile.clone(); 30]] {
            let notice = notice(kind, alerts);
            for language in [Language::English, Language::French] {
                let words = words(&notice, language, &paris(), None);
                assert!(!words.title.contains(char::is_control), "{:?}", words.title);
                let is_plain = |c: char| c == '\n' || !(c.is_control() || c == '\u{2028}');
                assert!(words.text.chars().all(is_plain), "{:?}", words.text);
                assert!(!words.text.lines().any(|line| line.starts_with("Bcc")));
            }
        }
    }
}

#[test]
fn a_device_without_a_name_is_called_by_its_id() {
    let mut unnamed = told("ws-14", rule(RuleKind::Offline));
    unnamed.name = "\n".to_owned();
    let words = english(&notice(NoticeKind::Firing, vec![unnamed]));
    assert_eq!(words.title, "ws-14 is offline");
}
