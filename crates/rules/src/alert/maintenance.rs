//! Whether somebody works on a machine just now.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use netmonitor_protocol::Subject;
use netmonitor_protocol::payload::{Maintenance, MaintenanceTime};

use crate::weekly;

/// Whether one of the windows is open for this subject, which is in these groups.
pub(super) fn is_open(
    windows: &[Maintenance],
    subject: &Subject,
    groups: &[String],
    now: Timestamp,
    zone: &TimeZone,
) -> bool {
    let concerns = |window: &&Maintenance| concerns(window, subject, groups);
    let mut windows = windows.iter().filter(concerns);
    windows.any(|window| match &window.when {
        MaintenanceTime::Once { from, to } => (*from..*to).contains(&now),
        MaintenanceTime::Weekly(hours) => weekly::covers(std::slice::from_ref(hours), now, zone),
    })
}

/// When one of them opens or ends next, after this moment. None: never.
pub(super) fn next_change(
    windows: &[Maintenance],
    subject: &Subject,
    groups: &[String],
    now: Timestamp,
    zone: &TimeZone,
) -> Option<Timestamp> {
    let windows = windows.iter().filter(|it| concerns(it, subject, groups));
    let changes = windows.filter_map(|window| match &window.when {
        MaintenanceTime::Once { from, to } => [*from, *to].into_iter().find(|it| *it > now),
        MaintenanceTime::Weekly(hours) => {
            weekly::next_change(std::slice::from_ref(hours), now, zone)
        }
    });
    changes.min()
}

fn concerns(window: &Maintenance, subject: &Subject, groups: &[String]) -> bool {
    if window.devices.is_empty() && window.groups.is_empty() {
        return true;
    }
    let is_named = subject
        .device()
        .is_some_and(|id| window.devices.contains(id));
    is_named || groups.iter().any(|group| window.groups.contains(group))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_for_devices_for_groups_or_for_all() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let mut window = Maintenance {
            id: "a".to_owned(),
            name: String::new(),
            devices: vec!["ws-14".parse().unwrap()],
            groups: vec!["lab".to_owned()],
            when: MaintenanceTime::Once {
                from: at("2026-11-30T10:00:00Z"),
                to: at("2026-11-30T12:00:00Z"),
            },
        };
        let lab = ["lab".to_owned()];
        let check = |window: &Maintenance, subject: &str, groups: &[String], time: &str| {
            let windows = std::slice::from_ref(window);
            let subject = subject.parse().unwrap();
            is_open(windows, &subject, groups, at(time), &TimeZone::UTC)
        };
        assert!(check(&window, "ws-14", &[], "2026-11-30T10:00:00Z"));
        assert!(!check(&window, "ws-14", &[], "2026-11-30T12:00:00Z"));
        assert!(!check(&window, "ws-14", &[], "2026-11-30T09:59:59Z"));
        assert!(check(&window, "ws-15", &lab, "2026-11-30T11:00:00Z"));
        assert!(!check(&window, "ws-15", &[], "2026-11-30T11:00:00Z"));
        assert!(!check(&window, "hub", &[], "2026-11-30T11:00:00Z"));
        window.devices.clear();
        window.groups.clear();
        assert!(check(&window, "hub", &[], "2026-11-30T11:00:00Z"));
    }
}
