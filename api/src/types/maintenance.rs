//! Maintenance windows: when nobody is told what is wrong.

use jiff::Timestamp;
use netmonitor_protocol::DeviceId;
use netmonitor_protocol::payload::{Maintenance as Stored, MaintenanceTime};
use netmonitor_store::hub::SettingsError;
use poem_openapi::Object;

use super::{Time, WeeklyHours};

/// A time in which somebody works on machines, and nobody is told what is wrong with them. It has
/// either `from` and `to`, or `weekly`.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct Maintenance {
    /// What tells it from others.
    pub id: String,
    /// What people call it; may be empty.
    pub name: String,
    /// Ids of devices. With no device and no group: of all, and of the hub.
    pub devices: Vec<String>,
    /// Groups of devices.
    pub groups: Vec<String>,
    /// Of one that is open once: from when.
    #[oai(skip_serializing_if_is_none)]
    pub from: Option<Time>,
    /// Of one that is open once: until when.
    #[oai(skip_serializing_if_is_none)]
    pub to: Option<Time>,
    /// Of one that is open each week: when.
    #[oai(skip_serializing_if_is_none)]
    pub weekly: Option<WeeklyHours>,
}

/// A list of maintenance windows.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct MaintenancePage {
    /// In the order in which they were made.
    pub items: Vec<Maintenance>,
    /// Where the next page begins; null on the last one.
    pub next: Option<String>,
}

/// A maintenance window to be made, or what shall be different of one. What is absent stays as it
/// is. Give `from` and `to` for one that is open once, or `weekly`; of one that is there, a time of
/// the other kind takes the place of what it has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Object)]
#[oai(deny_unknown_fields)]
pub struct MaintenanceChange {
    /// What people call it: at most 64 characters.
    #[oai(skip_serializing_if_is_none)]
    pub name: Option<String>,
    /// Ids of devices. With no device and no group: of all, and of the hub.
    #[oai(skip_serializing_if_is_none)]
    pub devices: Option<Vec<String>>,
    /// Groups of devices.
    #[oai(skip_serializing_if_is_none)]
    pub groups: Option<Vec<String>>,
    /// From when, once.
    #[oai(skip_serializing_if_is_none)]
    pub from: Option<Time>,
    /// Until when, once.
    #[oai(skip_serializing_if_is_none)]
    pub to: Option<Time>,
    /// When, each week.
    #[oai(skip_serializing_if_is_none)]
    pub weekly: Option<WeeklyHours>,
}

impl From<&Stored> for Maintenance {
    fn from(stored: &Stored) -> Self {
        let (from, to, weekly) = match &stored.when {
            MaintenanceTime::Once { from, to } => (Some((*from).into()), Some((*to).into()), None),
            MaintenanceTime::Weekly(hours) => (None, None, Some(hours.into())),
        };
        Self {
            id: stored.id.clone(),
            name: stored.name.clone(),
            devices: stored.devices.iter().map(DeviceId::to_string).collect(),
            groups: stored.groups.clone(),
            from,
            to,
            weekly,
        }
    }
}

impl MaintenanceChange {
    /// A new one.
    pub fn make(self, id: String) -> Result<Stored, SettingsError> {
        let missing = "when is it? Give from and to, or weekly";
        let when = self
            .when(None)?
            .ok_or_else(|| SettingsError::Value(missing.to_owned()))?;
        let mut made = Stored {
            id,
            name: String::new(),
            devices: Vec::new(),
            groups: Vec::new(),
            when,
        };
        self.apply(&mut made)?;
        Ok(made)
    }

    /// Makes the change.
    pub fn apply(self, to: &mut Stored) -> Result<(), SettingsError> {
        if let Some(when) = self.when(Some(&to.when))? {
            to.when = when;
        }
        if let Some(devices) = self.devices {
            let id = |text: &String| text.parse::<DeviceId>();
            let devices: Result<_, _> = devices.iter().map(id).collect();
            to.devices = devices.map_err(|error| SettingsError::Value(error.to_string()))?;
        }
        to.name = self.name.unwrap_or_else(|| to.name.clone());
        to.groups = self.groups.unwrap_or_else(|| to.groups.clone());
        Ok(())
    }

    fn when(
        &self,
        before: Option<&MaintenanceTime>,
    ) -> Result<Option<MaintenanceTime>, SettingsError> {
        let of_before = match before {
            Some(MaintenanceTime::Once { from, to }) => Some((*from, *to)),
            _ => None,
        };
        let time = |given: Option<Time>, before: Option<Timestamp>| given.map(|it| it.0).or(before);
        match (&self.weekly, self.from, self.to) {
            (None, None, None) => Ok(None),
            (Some(hours), None, None) => Ok(Some(MaintenanceTime::Weekly(hours.stored()?))),
            (Some(_), _, _) => Err(SettingsError::Value(
                "weekly cannot be together with from and to: give one of both".to_owned(),
            )),
            (None, from, to) => {
                let from = time(from, of_before.map(|it| it.0));
                let to = time(to, of_before.map(|it| it.1));
                match (from, to) {
                    (Some(from), Some(to)) => Ok(Some(MaintenanceTime::Once { from, to })),
                    _ => Err(SettingsError::Value(
                        "from and to belong together: give both".to_owned(),
                    )),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: u32) -> Time {
        format!("2026-11-30T{hour:02}:00:00Z")
            .parse::<Timestamp>()
            .unwrap()
            .into()
    }

    fn change() -> MaintenanceChange {
        MaintenanceChange::default()
    }

    #[test]
    fn a_window_is_open_once_or_each_week_and_can_become_the_other() {
        let error = change().make("a".to_owned()).unwrap_err();
        assert!(error.to_string().contains("when is it"), "{error}");
        let half = MaintenanceChange {
            from: Some(at(10)),
            ..change()
        };
        let error = half.clone().make("a".to_owned()).unwrap_err();
        assert!(error.to_string().contains("give both"), "{error}");
        let once = MaintenanceChange {
            to: Some(at(12)),
            ..half
        };
        let mut window = once.make("a".to_owned()).unwrap();
        let later = MaintenanceChange {
            to: Some(at(14)),
            ..change()
        };
        later.apply(&mut window).unwrap();
        let shown = Maintenance::from(&window);
        assert_eq!((shown.from, shown.to), (Some(at(10)), Some(at(14))));
        let weekly = WeeklyHours {
            days: Vec::new(),
            from: "02:00".to_owned(),
            to: "03:00".to_owned(),
        };
        let weekly = MaintenanceChange {
            weekly: Some(weekly),
            ..change()
        };
        weekly.clone().apply(&mut window).unwrap();
        assert!(Maintenance::from(&window).weekly.is_some());
        let both = MaintenanceChange {
            from: Some(at(10)),
            ..weekly
        };
        let error = both.apply(&mut window).unwrap_err();
        assert!(error.to_string().contains("one of both"), "{error}");
    }
}
