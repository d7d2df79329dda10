//! When alerts are raised, and when nobody is told of them.

use std::ops::RangeInclusive;

use jiff::tz::TimeZone;
use netmonitor_protocol::payload::{AlertingSettings, Maintenance, MaintenanceTime};

use super::words::{at_most, each_once, groups, hours, name, web_address, within};
use super::{Revised, Section, rules};

/// After how many hours an alert is told again: up to a month. 0: never.
const REPEAT_HOURS: RangeInclusive<u32> = 0..=720;

/// How long after its start a machine's services are not judged, in seconds.
const BOOT_GRACE_SECS: RangeInclusive<u32> = 0..=3600;

/// Languages that messages can be in.
const LANGUAGES: [&str; 2] = ["en", "fr"];

/// So many maintenance windows.
const MAX_WINDOWS: usize = 100;

/// So many devices one of them can name.
const MAX_DEVICES: usize = 1000;

impl Revised for AlertingSettings {
    fn revision(&self) -> u64 {
        self.revision
    }

    fn set_revision(&mut self, revision: u64) {
        self.revision = revision;
    }
}

impl Section for AlertingSettings {
    const NAME: &'static str = "alerting";
    const WHAT: &'static str = "the settings of alerts";

    fn check(&self) -> Result<(), String> {
        rules::check(&self.rules, false)?;
        within("repeat_hours", self.repeat_hours, REPEAT_HOURS)?;
        within("boot_grace_secs", self.boot_grace_secs, BOOT_GRACE_SECS)?;
        if let Some(language) = &self.language
            && !LANGUAGES.contains(&language.as_str())
        {
            return Err(format!("language is {language:?}: give \"en\" or \"fr\""));
        }
        if let Some(zone) = &self.time_zone {
            check_zone(zone)?;
        }
        hours(&self.quiet_hours)?;
        if let Some(url) = &self.dashboard_url {
            web_address("dashboard_url", url)?;
        }
        at_most("maintenance windows", self.maintenance.len(), MAX_WINDOWS)?;
        each_once(
            "maintenance windows",
            self.maintenance.iter().map(|it| &it.id),
        )?;
        self.maintenance.iter().try_for_each(check_window)
    }
}

fn check_zone(zone: &str) -> Result<(), String> {
    match TimeZone::get(zone) {
        Ok(_) => Ok(()),
        Err(_) => Err(format!(
            "time_zone is {zone:?}, which the hub does not know: give a name like Europe/Paris, \
             or leave it out for that of the hub's system"
        )),
    }
}

fn check_window(window: &Maintenance) -> Result<(), String> {
    if !window.name.is_empty() {
        name("a maintenance window", &window.name)?;
    }
    groups(&window.groups)?;
    at_most("devices", window.devices.len(), MAX_DEVICES)?;
    each_once("devices", &window.devices)?;
    match &window.when {
        MaintenanceTime::Once { from, to } if from >= to => Err(format!(
            "the maintenance window ends at {to}, which is not after {from}"
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use netmonitor_protocol::RuleKind;
    use netmonitor_protocol::payload::RuleSettings;

    use super::super::tests::{audit, refusal};
    use super::*;
    use crate::hub::temporary;

    fn window(id: &str) -> Maintenance {
        Maintenance {
            id: id.to_owned(),
            name: "Backups".to_owned(),
            devices: vec!["ws-14".parse().unwrap()],
            groups: vec!["lab".to_owned()],
            when: MaintenanceTime::Once {
                from: "2026-11-30T10:00:00Z".parse().unwrap(),
                to: "2026-11-30T12:00:00Z".parse().unwrap(),
            },
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_does() {
        let check = |change: fn(&mut AlertingSettings), part: &str| {
            let text = refusal(change);
            assert!(text.contains(part), "{text}");
        };
        check(|it| it.repeat_hours = 721, "give 0 to 720");
        check(|it| it.boot_grace_secs = 3601, "give 0 to 3600");
        check(|it| it.language = Some("de".to_owned()), "\"en\" or \"fr\"");
        check(
            |it| it.time_zone = Some("Europe/Atlantis".to_owned()),
            "like Europe/Paris",
        );
        check(
            |it| it.dashboard_url = Some("pi:8080".to_owned()),
            "dashboard_url is no address",
        );
        check(
            |it| it.maintenance = vec![window("a"); 2],
            "two maintenance",
        );
        check(
            |it| it.maintenance = (0..101).map(|id| window(&id.to_string())).collect(),
            "at most 100",
        );
        let backwards = |it: &mut AlertingSettings| {
            let time = "2026-11-30T10:00:00Z".parse().unwrap();
            it.maintenance = vec![Maintenance {
                when: MaintenanceTime::Once {
                    from: time,
                    to: time,
                },
                ..window("a")
            }];
        };
        check(backwards, "not after");
        let no_limit = |it: &mut AlertingSettings| {
            let limit = Some(1.0);
            let set = RuleSettings {
                limit,
                ..RuleSettings::default()
            };
            it.rules.insert(RuleKind::Offline, set);
        };
        check(no_limit, "it has no limit");
    }

    #[test]
    fn what_makes_sense_is_kept() {
        let (_directory, db) = temporary();
        let change = |it: &mut AlertingSettings| {
            it.time_zone = Some("Europe/Paris".to_owned());
            it.language = Some("fr".to_owned());
            it.maintenance = vec![window("a"), window("b")];
            it.dashboard_url = Some("http://192.168.1.5:8080".to_owned());
            Ok(())
        };
        let changed = db.change_settings(change, None, audit()).unwrap();
        assert_eq!(changed.after.revision, 1);
        assert_eq!(db.settings::<AlertingSettings>().unwrap(), changed.after);
    }
}
